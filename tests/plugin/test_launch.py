"""The window that the command line opens on a run."""

from __future__ import annotations

import numpy as np
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.entry.launch import show_run
from napari_patchmap.plugin.qt.docks import dock_of, find_panel
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells


def test_it_shows_the_map_with_room_and_leads_to_exploring_it(make_napari_viewer):
    cells = make_cells()
    run = fit(cells, RunConfig(TrainConfig(device="cpu", method="pixels")))
    viewer = show_run(run, cells, block=False, viewer=make_napari_viewer(show=True))
    QApplication.processEvents()
    np.testing.assert_array_equal(viewer.layers["map"].data, run.embedding)
    dock = dock_of(find_panel(viewer, "explore"))
    assert not dock.visibleRegion().isEmpty()
    assert dock_of(find_panel(viewer, "load")).visibleRegion().isEmpty()
    _, _, width, height = viewer.window.geometry()
    assert width >= 1400
    assert height >= 860
