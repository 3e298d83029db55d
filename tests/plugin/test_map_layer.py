"""The layers of the map: made, moved, coloured, and safe from accidents."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.plugin.layers import MOST_MIRRORED, MapLayer
from napari_patchmap.plugin.marks import CURRENT, MAP, SELECTED
from napari_patchmap.plugin.views import camera_of, camera_state, visible_box
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.toy import group, toy_map, toy_patches


def test_map_is_a_points_layer_with_the_table_and_label_colours(viewer, shown_map):
    points = viewer.layers[MAP]
    np.testing.assert_array_equal(points.data, toy_map())
    assert list(points.features["label"]) == list(toy_patches().table["label"])
    colours = categorical_colours(3)  # the most frequent label comes first
    np.testing.assert_allclose(points.face_color[group("round")[0]], colours[0])
    np.testing.assert_allclose(points.face_color[group("empty")[0]], colours[2])
    assert viewer.layers.selection == {points}
    low, high = visible_box(viewer)
    assert (toy_map() > low).all()
    assert (toy_map() < high).all()


def test_every_proxy_of_a_viewer_leads_to_the_same_map(viewer, shown_map):
    from napari.utils._proxies import PublicOnlyProxy

    assert MapLayer.of(PublicOnlyProxy(viewer)) is shown_map
    assert workspace_of(PublicOnlyProxy(viewer)) is shown_map.workspace


def test_training_moves_the_points_but_neither_camera_nor_selection(
    viewer, shown_map, workspace
):
    points = viewer.layers[MAP]
    workspace.select(group("spiky"))
    workspace.set_current(65)
    camera_of(viewer).zoom *= 3
    before = camera_state(viewer)
    moved = toy_map() + np.float32(1.5)
    workspace.set_embedding(moved)
    assert viewer.layers[MAP] is points
    np.testing.assert_array_equal(points.data, moved)
    np.testing.assert_array_equal(viewer.layers[SELECTED].data, moved[group("spiky")])
    np.testing.assert_array_equal(viewer.layers[CURRENT].data[0], moved[65])
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    assert camera_state(viewer) == before
    workspace.set_embedding(moved * 10)
    low, high = visible_box(viewer)
    assert (moved * 10 > low).all()
    assert (moved * 10 < high).all()


def test_selection_shows_on_the_map_and_in_the_features_table(viewer, shown_map, workspace):
    workspace.select(group("empty"))
    points = viewer.layers[MAP]
    np.testing.assert_array_equal(viewer.layers[SELECTED].data, toy_map()[group("empty")])
    assert points.face_color[0, 3] < 0.5
    assert points.face_color[group("empty")[0], 3] == 1
    assert sorted(points.selected_data) == group("empty").tolist()
    points.selected_data = {1, 2}  # what a click in napari's features table does
    assert workspace.selection.tolist() == [1, 2]
    workspace.select(np.empty(0, int))
    assert len(viewer.layers[SELECTED].data) == 0
    assert (points.face_color[:, 3] == 1).all()


def test_large_selections_are_not_mirrored(viewer, workspace):
    from napari_patchmap.patches.patchset import PatchSet, box_table

    MapLayer.of(viewer)
    n = MOST_MIRRORED + 1_000
    table = box_table("many.npy", np.arange(n), np.ones((n, 2), int))
    workspace.set_patches(PatchSet(np.zeros((n, 1, 1, 1), np.uint8), table, ("grey",)))
    workspace.set_embedding(np.random.default_rng(0).normal(size=(n, 2)))
    workspace.select(np.arange(10))
    workspace.select(np.arange(n))
    assert len(workspace.selection) == n
    assert len(viewer.layers[MAP].selected_data) == 0


def test_other_patches_take_the_old_map_away(viewer, shown_map, workspace):
    workspace.select(group("spiky"))
    workspace.set_patches(toy_patches(labelled=False))
    assert len(viewer.layers) == 0
    workspace.set_embedding(toy_map()[::-1].copy())
    assert len(viewer.layers[SELECTED].data) == 0
    colours = viewer.layers[MAP].face_color
    assert (colours == colours[0]).all()  # without labels, one calm colour


def test_a_deleted_map_comes_back_with_the_next_one(viewer, shown_map, workspace, qtbot):
    viewer.layers.remove(viewer.layers[MAP])
    qtbot.waitUntil(lambda: len(viewer.layers) == 0, timeout=2000)
    workspace.select(group("spiky"))
    workspace.set_current(3)
    shown_map.colour_by("area")
    workspace.set_embedding(toy_map())
    assert [layer.name for layer in viewer.layers] == [MAP, SELECTED, CURRENT]
    assert len(viewer.layers[SELECTED].data) == 40


def test_deleted_marks_come_back_when_needed(viewer, shown_map, workspace):
    viewer.layers.remove(viewer.layers[SELECTED])
    viewer.layers.remove(viewer.layers[CURRENT])
    workspace.select(group("spiky"))
    workspace.set_current(3)
    assert len(viewer.layers[SELECTED].data) == 40
    assert len(viewer.layers[CURRENT].data) > 0


def test_points_cannot_be_deleted_dragged_or_added(viewer, shown_map, workspace, hand, qtbot):
    points = viewer.layers[MAP]
    viewer.dims.ndisplay = 3  # after which napari makes layers editable again
    viewer.dims.ndisplay = 2
    points.mode = "select"
    assert points.mode == "pan_zoom"
    hand.click(toy_map()[3])
    qtbot.keyClick(hand.canvas, Qt.Key.Key_Delete)
    np.testing.assert_array_equal(points.data, toy_map())
    assert list(points.features["label"]) == list(toy_patches().table["label"])
    assert len(points.face_color) == 120


def test_marks_cannot_become_the_active_layer(viewer, shown_map):
    viewer.layers.selection.active = viewer.layers[SELECTED]
    assert viewer.layers.selection.active is viewer.layers[MAP]


def test_marks_stay_readable_in_both_themes(viewer, shown_map, workspace):
    workspace.set_current(3)
    for theme, ring in (("dark", 1.0), ("light", 0.0)):
        viewer.theme = theme
        QApplication.processEvents()
        assert viewer.layers[CURRENT].border_color[-1, 0] == ring
