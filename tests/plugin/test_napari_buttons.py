"""napari's own buttons and keys do to the map what they say, or are refused."""

from __future__ import annotations

import numpy as np
import pytest
from napari.layers import Labels, Points, Shapes
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.canvas.looking import camera_state, visible_box
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.marks import MAP, SELECTED
from napari_patchmap.plugin.map.patch_points import NO_EDITING, NO_STYLE
from tests.plugin.toy import GROUPS, group, toy_map, toy_patches

ONE_WINDOW = True

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def said(workspace):
    """Every sentence that the person is told."""
    sentences = []
    workspace.status_changed.connect(sentences.append)
    return sentences


def press(viewer, name):
    """Click a button of napari's own row below the list of layers."""
    buttons = viewer.window._qt_viewer.viewerButtons, viewer.window._qt_viewer.layerButtons
    next(getattr(row, name) for row in buttons if hasattr(row, name)).click()
    QApplication.processEvents()


def in_frame(viewer):
    """Whether all of the map is in view, neither lost nor tiny."""
    low, high = visible_box(viewer)
    inside = (toy_map() > low).all() and (toy_map() < high).all()
    return inside and (np.ptp(toy_map(), axis=0) / (high - low)).max() > 0.5


def whole(viewer, workspace):
    """Whether the map is as it was made."""
    points = viewer.layers[MAP]
    assert np.array_equal(points.data, toy_map())
    assert list(points.features["label"]) == list(toy_patches().table["label"])
    assert len(points.size) == len(points.face_color) == len(points.shown) == 120
    workspace.select(group("spiky"))
    assert len(viewer.layers[SELECTED].data) == GROUPS["spiky"]
    return True


@pytest.mark.parametrize(
    ("button", "kind"),
    [("newPointsButton", Points), ("newShapesButton", Shapes), ("newLabelsButton", Labels)],
)
def test_a_new_layer_lies_on_the_map_to_be_drawn_on(
    viewer, shown_map, workspace, hand, button, kind
):
    press(viewer, button)
    layer = viewer.layers.selection.active
    assert type(layer) is kind
    assert shown_map.views.now == "map"
    assert layer.visible
    assert viewer.layers[MAP].visible
    assert in_frame(viewer)  # though napari's controls may leave it less room
    image = viewer.add_image(np.zeros((50, 60)))
    assert not layer.visible  # it goes and comes with the map
    assert image.visible
    shown_map.show_map()
    assert layer.visible
    assert in_frame(viewer)
    layer.mode = "pan_zoom"
    hand.click(toy_map()[5])
    assert workspace.selection.tolist() == [5]
    viewer.layers.remove(layer)
    assert whole(viewer, workspace)


def test_points_drawn_on_the_map_are_the_persons_own(viewer, shown_map, workspace, hand):
    press(viewer, "newPointsButton")
    mine = viewer.layers.selection.active
    mine.mode = "add"
    hand.click((30.0, 20.0))
    np.testing.assert_allclose(mine.data, [[30.0, 20.0]], atol=0.5)
    assert workspace.selection.size == 0
    assert whole(viewer, workspace)


def test_selected_points_are_not_deleted(viewer, shown_map, workspace, hand, qtbot, said):
    for key in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
        hand.click(toy_map()[3])
        qtbot.keyClick(hand.canvas, Qt.Key.Key_A, CTRL)
        assert len(workspace.selection) == 120
        said.clear()
        qtbot.keyClick(hand.canvas, key)
        assert said[-1] == NO_EDITING
        assert len(workspace.selection) == 120
        assert whole(viewer, workspace)


def test_digits_give_classes_and_change_no_mode(viewer, shown_map, hand, qtbot, said):
    hand.hover(toy_map()[3])
    for key in (Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_5):
        said.clear()
        qtbot.keyClick(hand.canvas, key)
        assert viewer.layers[MAP].mode == "pan_zoom"
        assert len(said) == 1
        assert said[0].startswith("No class has the key")


def test_modes_that_edit_are_refused_in_words(viewer, shown_map, said):
    for mode in ("add", "select", "transform"):
        said.clear()
        viewer.layers[MAP].mode = mode
        assert viewer.layers[MAP].mode == "pan_zoom"
        assert said == [NO_EDITING]


def test_pasting_and_scripts_do_not_edit_either(viewer, shown_map, workspace, hand, said):
    points = viewer.layers[MAP]
    workspace.select(np.array([1, 2]))
    points._copy_data()
    points._paste_data()
    points.add([[0.0, 0.0]])
    points.remove([3])
    assert said == [NO_EDITING] * 3
    points.data = toy_map()[:7]
    assert said == [NO_EDITING] * 4
    assert whole(viewer, workspace)


def test_all_keys_that_select_select_patches(viewer, shown_map, workspace, hand, qtbot):
    shown = np.ones(120, bool)
    shown[group("empty")] = False
    shown_map.points.shown = shown
    for keys in ((Qt.Key.Key_A, CTRL), (Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)):
        workspace.select(np.array([3]))
        qtbot.keyClick(hand.canvas, *keys)
        assert len(workspace.selection) == 100


def controls(viewer):
    return viewer.window._qt_viewer.controls.widgets[viewer.layers[MAP]]


@pytest.mark.parametrize("selected", [False, True])
def test_the_sliders_of_size_and_opacity_work(viewer, shown_map, workspace, selected):
    points = viewer.layers[MAP]
    before, largest = float(points.size[0]), points.canvas_size_limits[1]
    if selected:
        workspace.select(group("empty"))
    slider = controls(viewer)._current_size_slider_control.size_slider
    assert slider.value() == 10
    slider.setValue(20)
    np.testing.assert_allclose(points.size, 2 * before)
    assert points.canvas_size_limits[1] == 2 * largest
    if selected:
        np.testing.assert_allclose(viewer.layers[SELECTED].size, points.size[0] * 1.8)
    workspace.select(np.array([4]))  # a size is that of all points, whatever is selected
    assert slider.value() == 20
    np.testing.assert_allclose(points.size, 2 * before)
    workspace.set_embedding(toy_map() * 3)  # and it stays when the map grows
    np.testing.assert_allclose(points.size, 6 * before, rtol=0.12)
    controls(viewer)._opacity_blending_controls.opacity_slider.setValue(0.4)
    assert points.opacity == viewer.layers[SELECTED].opacity == 0.4
    np.testing.assert_allclose(points.face_color[:, 3], 1)


def test_colours_and_forms_are_not_chosen_one_by_one(viewer, shown_map, workspace, said):
    points = viewer.layers[MAP]
    before = points.face_color.copy()
    workspace.select(group("empty"))
    widget = controls(viewer)
    widget._face_color_control.face_color_edit.setColor("red")
    assert said == [NO_STYLE]
    np.testing.assert_array_equal(points.face_color, before)
    widget._symbol_combobox_control.symbol_combobox.setCurrentIndex(3)
    assert said == [NO_STYLE] * 2
    assert len(set(points.symbol)) == 1


def test_a_grid_and_another_number_of_dimensions_are_refused(
    viewer, shown_map, workspace, hand, qtbot, said
):
    before = camera_state(viewer)
    press(viewer, "gridViewButton")
    qtbot.waitUntil(lambda: len(said) == 1)
    assert "grid" in said[0]
    assert not viewer.window._qt_viewer.viewerButtons.gridViewButton.isChecked()
    press(viewer, "ndisplayButton")
    qtbot.waitUntil(lambda: len(said) == 2)
    assert "two dimensions" in said[1]
    assert viewer.dims.ndisplay == 2
    qtbot.keyClick(hand.canvas, Qt.Key.Key_T, CTRL)  # transpose
    qtbot.waitUntil(lambda: len(said) == 3)
    assert tuple(viewer.dims.order) == (0, 1)
    np.testing.assert_allclose(camera_state(viewer), before)
    hand.click(toy_map()[5])
    assert workspace.selection.tolist() == [5]
    assert whole(viewer, workspace)


def test_images_keep_their_grid_and_their_3d_while_the_map_is_looked_at(
    viewer, shown_map, qtbot, said
):
    viewer.add_image(np.zeros((5, 30, 40)))
    grid = viewer.window._qt_viewer.viewerButtons.gridViewButton
    press(viewer, "ndisplayButton")
    press(viewer, "gridViewButton")
    assert said == []
    shown_map.show_map()
    assert (viewer.dims.ndisplay, grid.isChecked()) == (2, False)
    assert in_frame(viewer)
    shown_map.views.show("source")
    assert (viewer.dims.ndisplay, grid.isChecked()) == (3, True)
    assert said == []


def test_home_shows_the_map_although_hidden_images_are_larger(viewer, shown_map):
    viewer.add_image(np.zeros((3000, 4000), np.uint8))
    shown_map.show_map()
    camera_of(viewer).zoom *= 5
    press(viewer, "resetViewButton")
    assert in_frame(viewer)


def test_a_renamed_and_a_copied_map_go_on(viewer, shown_map, workspace, hand):
    points = viewer.layers[MAP]
    points.name = "my map"
    workspace.set_embedding(toy_map())
    hand.click(toy_map()[9])
    assert workspace.selection.tolist() == [9]
    data, look, kind = points.as_layer_data_tuple()
    assert kind == "points"
    copied = Points(data, **look)
    np.testing.assert_array_equal(copied.face_color, points.face_color)
    np.testing.assert_array_equal(copied.data, toy_map())


def test_a_table_of_ours_opened_by_napari_looks_like_the_map(
    viewer, shown_map, workspace, tmp_path
):
    from napari_patchmap.runs import save_embedding_csv

    path = tmp_path / "cells map.csv"
    save_embedding_csv(path, toy_map(), workspace.patches.table)
    (layer,) = viewer.open(path, plugin="napari")
    assert shown_map.views.now == "map"
    assert layer.visible
    points = viewer.layers[MAP]
    np.testing.assert_allclose(layer.data, points.data)
    np.testing.assert_allclose(layer.size, points.size)
    np.testing.assert_allclose(layer.face_color, points.face_color)
    assert in_frame(viewer)
    viewer.add_image(np.zeros((50, 60)))
    assert not layer.visible
