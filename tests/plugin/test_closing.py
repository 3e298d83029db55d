"""A window that is closed is gone, whatever was open in it and whatever goes on."""

from __future__ import annotations

import gc
import weakref

import numpy as np

from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.images import grid_labels, open_beside, start


def test_a_window_may_close_with_both(make_napari_viewer, qtbot):
    viewer = make_napari_viewer(show=True)
    workspace = workspace_of(viewer)
    start(viewer, grid_labels())
    beside = open_beside(viewer, qtbot)
    canvas = weakref.ref(beside.canvas)
    del beside
    viewer.close()
    del viewer
    qtbot.waitUntil(lambda: gc.collect() >= 0 and canvas() is None)
    workspace.select(np.array([1]))


def test_a_training_that_ends_after_its_window_finds_nobody_listening(
    make_napari_viewer, qtbot, cells
):
    viewer, heard = make_napari_viewer(show=True), []
    open_workspace(viewer)
    workspace, window = workspace_of(viewer), weakref.ref(viewer)
    workspace.set_patches(cells)
    workspace.map_changed.connect(lambda *_: heard.append(window()))
    viewer.close()
    del viewer
    qtbot.waitUntil(lambda: gc.collect() >= 0 and window() is None)
    workspace.set_embedding(np.zeros((len(cells), 2), np.float32))
    assert heard == []
