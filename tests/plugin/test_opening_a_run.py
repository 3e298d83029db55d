"""A saved run in the window: what takes long was done before the window takes it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from napari_patchmap.explore import first_look
from napari_patchmap.patches import open_patches
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import find_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.stored_features import StoredFeatures
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture
def folder(tmp_path):
    np.savez(tmp_path / "cells.npz", images=make_cells().stack())
    patches = open_patches(tmp_path / "cells.npz")
    config = RunConfig(TrainConfig(method="pixels", device="cpu"))
    return fit(patches, config).save(tmp_path / "run")


def test_the_table_is_looked_through_and_no_features_are_read_in_the_windows_thread(
    viewer, qtbot, folder, monkeypatch
):
    threads = []

    def noting(what):
        def look(*given):
            threads.append(threading.current_thread())
            return what(*given)

        return look

    for name in ("colour_by", "columns_to_show"):
        monkeypatch.setattr(first_look, name, noting(getattr(first_look, name)))
    open_workspace(viewer)
    load, workspace = find_panel(viewer, "load"), workspace_of(viewer)
    load.open_path(folder)
    qtbot.waitUntil(lambda: workspace.run is not None and not load.loading)
    assert len(MapLayer.of(viewer).points.data) == len(workspace.run)
    assert len(threads) == 2
    assert threading.main_thread() not in threads
    assert isinstance(vars(workspace.run)["features"], StoredFeatures)
