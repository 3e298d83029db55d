"""A viewer on screen, a small patch set with a map, and a hand on the mouse."""

from __future__ import annotations

import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.layers import MapLayer
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.toy import Hand, toy_map, toy_patches


@pytest.fixture
def viewer(make_napari_viewer):
    """A viewer on screen, large enough to aim in."""
    viewer = make_napari_viewer(show=True)
    viewer.window.resize(1000, 700)
    QApplication.processEvents()
    return viewer


@pytest.fixture
def workspace(viewer):
    """The shared state of the viewer."""
    return workspace_of(viewer)


@pytest.fixture
def shown_map(viewer, workspace):
    """The toy patches and their map, on screen."""
    owner = MapLayer.of(viewer)
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    return owner


@pytest.fixture
def hand(viewer, qtbot):
    """A hand on the mouse."""
    return Hand(viewer, qtbot)
