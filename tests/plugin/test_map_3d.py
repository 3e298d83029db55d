"""Maps of three dimensions: napari's 3-D view, clicked and lassoed as they are seen."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.canvas.looking import depth, to_canvas
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.marks import CURRENT, SELECTED
from napari_patchmap.plugin.napari_private import canvas_widget
from tests.plugin.toy import group, on_map, toy_map, toy_patches

ONE_WINDOW = True


@pytest.fixture
def solid(viewer):
    """The toy patches on a map in 3-D: three grids on steps of a staircase."""
    return on_map(viewer, toy_patches(), solid_map())


def solid_map():
    flat = toy_map()
    steps = np.zeros(len(flat), np.float32)
    steps[group("spiky")], steps[group("empty")] = 60, 120
    return np.column_stack([steps, flat]).astype(np.float32)


def pixel(viewer, index):
    x, y = to_canvas(viewer, solid_map()[index])
    return QPoint(round(float(x)), round(float(y)))


def click(qtbot, viewer, index, modifier=Qt.KeyboardModifier.NoModifier):
    canvas, where = canvas_widget(viewer), pixel(viewer, index)
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, modifier, where)
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, modifier, where)
    QApplication.processEvents()


def test_pixels_are_where_napari_draws_the_points(viewer, solid):
    for angles in ((0, 0, 90), (10, -25, 70), (120, 40, -30)):
        camera_of(viewer).angles = angles
        QApplication.processEvents()
        visual = viewer.window._qt_viewer.canvas.layer_to_visual[solid.points]
        drawn = visual.node.get_transform("visual", "canvas").map(solid_map()[:, ::-1])
        wanted = drawn[:, :2] / drawn[:, 3:]
        np.testing.assert_allclose(to_canvas(viewer, solid_map()), wanted, atol=0.6)
        behind = depth(viewer, solid_map())
        order = drawn[:, 2] / drawn[:, 3]
        assert abs(np.corrcoef(behind, order)[0, 1]) > 0.999


def test_the_map_is_shown_in_3d_and_the_images_in_2d(viewer, workspace, solid):
    assert viewer.dims.ndisplay == 3
    np.testing.assert_array_equal(solid.points.data, solid_map())
    inside = to_canvas(viewer, solid_map())
    size = np.array([canvas_widget(viewer).width(), canvas_widget(viewer).height()])
    assert (inside > 0).all()
    assert (inside < size).all()
    viewer.add_image(np.zeros((30, 30)), name="beside")
    assert viewer.dims.ndisplay == 2
    solid.show_map()
    assert viewer.dims.ndisplay == 3


def test_a_click_selects_the_point_in_front(qtbot, viewer, workspace, solid):
    camera_of(viewer).angles = (10, -25, 70)
    first = int(group("spiky")[7])
    click(qtbot, viewer, first)
    assert len(workspace.selection) == 1
    chosen = int(workspace.selection[0])
    apart = np.linalg.norm(
        to_canvas(viewer, solid_map()[[chosen]]) - to_canvas(viewer, solid_map()[[first]])
    )
    assert apart < 9
    assert depth(viewer, solid_map()[chosen]) <= depth(viewer, solid_map()[first]) + 1e-6
    assert workspace.current == chosen
    np.testing.assert_array_equal(viewer.layers[SELECTED].data[0], solid_map()[chosen])
    np.testing.assert_array_equal(viewer.layers[CURRENT].data[0], solid_map()[chosen])


def test_a_lasso_encloses_what_is_seen_inside(viewer, workspace, solid, hand):
    camera_of(viewer).angles = (0, 0, 90)
    QApplication.processEvents()
    places = to_canvas(viewer, solid_map()[group("round")])
    (left, top), (right, bottom) = places.min(0) - 5, places.max(0) + 5
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    hand.pixel = lambda place: QPoint(round(place[0]), round(place[1]))
    before = camera_of(viewer).angles
    hand.drag(corners, Qt.KeyboardModifier.ShiftModifier)
    assert camera_of(viewer).angles == before
    seen = to_canvas(viewer, solid_map())
    inside = ((seen > (left, top)) & (seen < (right, bottom))).all(axis=1)
    assert set(group("round")) <= set(workspace.selection.tolist())
    assert set(workspace.selection.tolist()) <= set(np.flatnonzero(inside).tolist())


def test_a_flat_map_after_a_solid_one_is_flat_again(viewer, workspace, solid):
    workspace.select(group("spiky"))
    workspace.set_embedding(toy_map())
    assert viewer.dims.ndisplay == 2
    assert solid.points.data.shape == (120, 2)
    assert viewer.layers[SELECTED].data.shape == (40, 2)
    workspace.set_embedding(solid_map())
    assert viewer.dims.ndisplay == 3
    assert viewer.layers[SELECTED].data.shape == (40, 3)


def test_of_more_dimensions_the_first_two_are_shown(viewer, workspace, solid):
    workspace.set_embedding(np.column_stack([solid_map(), solid_map()]))
    assert viewer.dims.ndisplay == 2
    np.testing.assert_array_equal(solid.points.data, solid_map()[:, :2])
