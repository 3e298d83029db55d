"""Points moved in place look and answer as if napari had made them anew."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.canvas.looking import camera_state, visible_box
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map import shown_map as shown_map_module
from napari_patchmap.plugin.map.map_layer import MapLayer
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True


def picture(viewer):
    QApplication.processEvents()
    return viewer.screenshot(canvas_only=True, flash=False)


@pytest.fixture
def moved():
    """The toy map with its points pushed towards the middle: no turn of it."""
    places = toy_map()
    middle = (places.min(0) + places.max(0)) / 2
    reach = np.abs(places - middle).max(0)
    pushed = np.sign(places - middle) * np.abs((places - middle) / reach) ** 1.3
    return (middle + pushed * reach * 0.95).astype(np.float32)


def test_points_are_drawn_where_they_moved_to(viewer, shown_map, workspace, moved):
    before = picture(viewer)
    workspace.set_training(True)
    workspace.set_embedding(moved)
    in_place = picture(viewer)
    moved = shown_map.points.data.copy()
    np.testing.assert_allclose(moved, workspace.embedding, atol=3)
    assert np.abs(in_place.astype(int) - before).mean() > 1
    shown_map.points.data = toy_map()
    shown_map.points.data = moved  # napari's own way
    assert np.array_equal(picture(viewer), in_place)


def test_points_coloured_and_marked_in_place_look_as_napari_would_draw_them(
    viewer, shown_map, workspace, monkeypatch
):
    def look():
        """Colour, hide some, mark and ring, one after the other."""
        shown = np.ones(120, bool)
        shown[group("empty")[::2]] = False
        workspace.clear_selection()
        shown_map.points.shown = shown
        shown_map.colour_by("area")
        pictures = [picture(viewer)]
        workspace.select(group("spiky")[5:25])
        workspace.set_current(3)
        shown_map.colour_by("label")
        pictures.append(picture(viewer))
        workspace.select(group("round")[:4])
        return [*pictures, picture(viewer)]

    in_place = look()
    chosen = viewer.layers["map: selected"]
    np.testing.assert_array_equal(chosen.data, toy_map()[group("round")[:4]])
    np.testing.assert_array_equal(shown_map.points.face_color, shown_map.colouring.colours)
    monkeypatch.setattr(f"{marks.__name__}.replace_points", lambda *_: False)
    monkeypatch.setattr(f"{shown_map_module.__name__}.paint_in_place", lambda *_: False)
    for fast, slow in zip(in_place, look(), strict=True):  # napari's own way
        assert np.array_equal(fast, slow)
    assert not np.array_equal(in_place[0], in_place[1])


def test_moved_points_are_found_by_the_mouse(viewer, shown_map, workspace, hand, moved):
    workspace.set_training(True)
    workspace.set_embedding(moved)
    first = int(group("spiky")[0])
    hand.click(shown_map.points.data[first])
    assert workspace.selection.tolist() == [first]


def test_hidden_points_stay_hidden_while_others_move(viewer, shown_map, workspace, moved):
    shown = np.ones(len(moved), bool)
    shown[group("round")] = False
    shown_map.points.shown = shown
    workspace.set_training(True)
    workspace.set_embedding(moved)
    in_place = picture(viewer)
    shown_map.points.shown = np.ones(len(moved), bool)
    shown_map.points.shown = shown
    assert np.array_equal(picture(viewer), in_place)


def test_points_moved_in_3d_are_there_when_back_in_2d(viewer, shown_map, workspace, moved):
    viewer.dims.ndisplay = 3
    workspace.set_training(True)
    workspace.set_embedding(moved)
    viewer.dims.ndisplay = 2
    np.testing.assert_allclose(shown_map.points.data, moved, atol=3)


@pytest.mark.parametrize("shape", [[[-1, 0], [0, -1]], [[0, 1], [1, 0]], [[-1, 0], [0, 1]]])
def test_a_map_that_forms_stays_the_right_way_up(shown_map, workspace, shape):
    """No look at it is turned or mirrored against the one before, nor is the last one."""
    workspace.set_training(True)
    other = toy_map() @ np.array(shape, np.float32)
    workspace.set_embedding(other)
    middle = toy_map().mean(axis=0)
    shown = shown_map.points.data
    np.testing.assert_allclose(shown - shown.mean(0), toy_map() - middle, atol=1e-2)
    assert np.array_equal(workspace.embedding, other)  # the map itself is what it is
    apart = np.linalg.norm(shown[:, None] - shown, axis=2)
    own = np.linalg.norm(other[:, None] - other, axis=2)
    np.testing.assert_allclose(apart, own, atol=1e-2)
    workspace.set_training(False)
    workspace.set_embedding(other)  # one that is opened is shown as it was saved
    assert np.array_equal(shown_map.points.data, other)


def test_a_map_that_forms_stays_in_the_frame(viewer, shown_map, workspace):
    workspace.set_training(True)
    for scale in (1.15, 1.2, 1.3, 2.0, 1.2, 0.7, 0.3):
        workspace.set_embedding(toy_map() * np.float32(scale))
        low, high = visible_box(viewer)
        shown = shown_map.points.data
        assert (shown > low).all()
        assert (shown < high).all()
        assert (np.ptp(shown, axis=0) / (high - low)).max() > 0.6
    camera = camera_of(viewer)
    camera.zoom *= 3  # a person looks closer, and is left alone
    before = camera_state(viewer)
    workspace.set_embedding(toy_map() * np.float32(0.32))
    assert camera_state(viewer) == before


def test_no_patch_is_marked_that_nobody_chose(viewer, workspace):
    """The open stack stays at its frame while the map next to it takes and leaves places."""
    patches = toy_patches()
    viewer.add_image(patches.stack()[..., 0], name="stack")
    patches = dataclasses.replace(patches, origin={"kind": "layer", "layer": "stack"})
    MapLayer.of(viewer)
    workspace.set_patches(patches)
    workspace.set_training(True)
    for scale in (0.1, 1.0, 5.0, 0.5):
        workspace.set_embedding(toy_map() * np.float32(scale))
        QApplication.processEvents()
        assert workspace.current == -1
    workspace.set_training(False)
    viewer.dims.set_current_step(0, 33)
    assert workspace.current == 33
