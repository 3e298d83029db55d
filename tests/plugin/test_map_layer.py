"""The layers of the map: made, moved, coloured, and safe from accidents."""

from __future__ import annotations

import re

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.canvas.looking import camera_state, to_map, visible_box
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.layer_edits import MOST_MIRRORED
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.map.marks import CURRENT, MAP, SELECTED
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.toy import group, toy_map, toy_patches, words_on_card

ONE_WINDOW = True


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
    assert sorted(points.selected_data) == group("empty").tolist()
    points.selected_data = {1, 2}  # what a click in napari's features table does
    assert workspace.selection.tolist() == [1, 2]
    workspace.select(np.empty(0, int))
    assert len(viewer.layers[SELECTED].data) == 0


@pytest.fixture
def crowded(viewer, workspace):
    """A map of more points than are told napari's features table, in two classes.

    They lie on the same disc; those of the second class come last in the file.
    """
    owner = MapLayer.of(viewer)
    n = MOST_MIRRORED + 1_000
    table = box_table("many.npy", np.arange(n), np.ones((n, 2), int))
    table["label"] = np.repeat(["many", "other"], [n // 2 + 1, n - n // 2 - 1])
    workspace.set_patches(PatchSet(np.zeros((n, 1, 1, 1), np.uint8), table, ("grey",)))
    workspace.set_embedding(np.random.default_rng(0).normal(size=(n, 2)))
    QApplication.processEvents()
    return owner


def test_large_selections_are_not_mirrored(viewer, workspace, crowded, qtbot):
    points = viewer.layers[MAP]
    workspace.select(np.arange(10))
    workspace.select(np.arange(6_000))
    assert len(workspace.selection) == 6_000
    assert len(points.selected_data) == 0
    workspace.select(np.empty(0, int))
    points.selected_data = set(range(5_500))  # what a script or napari's table does
    assert len(workspace.selection) == 5_500
    qtbot.wait(20)
    assert len(workspace.selection) == 5_500


def test_everything_can_be_selected_whatever_its_size(viewer, workspace, crowded, hand, qtbot):
    hand.hover((0.0, 0.0))
    qtbot.keyClick(hand.canvas, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(workspace.selection) == 6_000


def colours_seen(viewer, wanted):
    """Return which share of the coloured pixels of the canvas has each of some colours."""
    QApplication.processEvents()
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., :3] / 255.0
    near = [np.abs(picture - one[:3]).max(axis=2) < 0.1 for one in wanted]
    return np.array([pixels.sum() for pixels in near])


def test_no_class_hides_the_others(viewer, crowded):
    seen = colours_seen(viewer, categorical_colours(2))
    assert 0.8 < seen[0] / seen[1] < 1.25


def test_selected_points_stand_out_where_points_are_many(viewer, workspace, crowded):
    everything = colours_seen(viewer, categorical_colours(2))
    workspace.select(np.arange(3_001, 3_401))  # of the second class
    first, second = colours_seen(viewer, categorical_colours(2))
    assert first < 0.01 * everything[0]  # in the crowd, too, the others are pale
    assert 0 < second < everything[1]
    workspace.select(np.empty(0, int))
    np.testing.assert_array_equal(colours_seen(viewer, categorical_colours(2)), everything)


def test_card_status_bar_and_click_name_the_point_on_top(viewer, workspace, crowded, hand):
    overlay, named = crowded.mouse.overlay, 0
    for place in np.random.default_rng(3).normal(size=(8, 2)) * 0.4:
        pixel = hand.pixel(place)
        place = to_map(viewer, np.array([[pixel.x(), pixel.y()]]))[0]
        hand.hover(place)
        words = words_on_card(overlay)[-1:]
        card = [int(line.split("·")[-1].replace(",", "")) for line in words]
        status = viewer.layers[MAP].get_status(place, world=True)["value"]
        assert [int(number) for number in re.findall(r"frame: (\d+)", status)] == card
        hand.click(place)
        assert workspace.selection.tolist() == card
        named += len(card)
        workspace.select(np.empty(0, int))
        workspace.set_current(-1)
    assert named > 4


def test_other_patches_take_the_old_map_away(viewer, shown_map, workspace):
    workspace.select(group("spiky"))
    workspace.set_patches(toy_patches(labelled=False))
    assert len(viewer.layers) == 0
    workspace.set_embedding(toy_map()[::-1].copy())
    assert SELECTED not in viewer.layers
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


def test_marks_lie_right_above_the_map_whichever_comes_first(viewer, shown_map, workspace):
    assert [layer.name for layer in viewer.layers] == [MAP]
    viewer.add_points(np.zeros((1, 2)), name="mine")
    workspace.set_current(3)
    shown_map.points.current_size = 20
    workspace.select(group("spiky"))
    assert [layer.name for layer in viewer.layers] == [MAP, SELECTED, CURRENT, "mine"]
    selected, points = viewer.layers[SELECTED], viewer.layers[MAP]
    assert selected.canvas_size_limits[1] > points.canvas_size_limits[1] > 20
    assert viewer.layers.selection.active is viewer.layers["mine"]


def test_deleted_marks_come_back_when_needed(viewer, shown_map, workspace):
    workspace.select(group("empty"))
    workspace.set_current(7)
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


def test_marks_cannot_become_the_active_layer(viewer, shown_map, workspace):
    workspace.select(group("spiky"))
    viewer.layers.selection.active = viewer.layers[SELECTED]
    assert viewer.layers.selection.active is viewer.layers[MAP]


def test_marks_stay_readable_in_both_themes(viewer, shown_map, workspace):
    workspace.set_current(3)
    for theme, ring in (("dark", 1.0), ("light", 0.0)):
        viewer.theme = theme
        QApplication.processEvents()
        assert viewer.layers[CURRENT].border_color[-1, 0] == ring
