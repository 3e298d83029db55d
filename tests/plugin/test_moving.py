"""Points moved in place look and answer as if napari had made them anew."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from tests.plugin.toy import group, toy_map


def picture(viewer):
    QApplication.processEvents()
    return viewer.screenshot(canvas_only=True, flash=False)


@pytest.fixture
def moved():
    """The toy map upside down: all points elsewhere, inside the same frame."""
    places = toy_map()
    return (places.min(0) + places.max(0) - places).astype(np.float32)


def test_points_are_drawn_where_they_moved_to(viewer, shown_map, workspace, moved):
    before = picture(viewer)
    workspace.set_training(True)
    workspace.set_embedding(moved)
    in_place = picture(viewer)
    assert np.array_equal(shown_map.points.data, moved)
    assert np.abs(in_place.astype(int) - before).mean() > 1
    shown_map.points.data = toy_map()
    shown_map.points.data = moved  # napari's own way
    assert np.array_equal(picture(viewer), in_place)


def test_moved_points_are_found_by_the_mouse(viewer, shown_map, workspace, hand, moved):
    workspace.set_training(True)
    workspace.set_embedding(moved)
    first = int(group("spiky")[0])
    hand.click(moved[first])
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
    assert np.array_equal(shown_map.points.data, moved)
    assert np.array_equal(picture(viewer), in_place)


def test_points_moved_in_3d_are_there_when_back_in_2d(viewer, shown_map, workspace, moved):
    viewer.dims.ndisplay = 3
    workspace.set_training(True)
    workspace.set_embedding(moved)
    viewer.dims.ndisplay = 2
    assert np.array_equal(shown_map.points.data, moved)
