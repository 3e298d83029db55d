"""Checks that are asked for in the Quality panel: answered, shown on the map, kept, ended."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from qtpy.QtCore import Qt

from napari_patchmap.explore.conditions import rows_where
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig, without_images
from napari_patchmap.training import fit
from tests.conftest import make_cells

ONE_WINDOW = True


@pytest.fixture(scope="module")
def laid_out():
    """130 drawn cells and their t-SNE."""
    cells = make_cells(130)
    return cells, fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def shown(qtbot, viewer, workspace, laid_out, tmp_path):
    """The panel with a saved run."""
    cells, run = laid_out
    folder = dataclasses.replace(run).save(tmp_path / "run")
    panel = show_panel(viewer, "quality")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(Run.load(folder))
    qtbot.mouseClick(panel.stability.fold.button, Qt.MouseButton.LeftButton)
    return panel.stability, folder


def test_a_check_is_answered_shown_where_and_kept(qtbot, viewer, workspace, shown, laid_out):
    stability, folder = shown
    check = stability.boxes["placed_again"]
    assert check.begin.isVisible()
    assert not check.said.isVisible()
    assert not check.where.isVisible()
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    assert not stability.boxes["two_views"].begin.isEnabled()
    qtbot.waitUntil(lambda: not stability.work.running, timeout=60_000)
    entry = workspace.run.metrics["placed_again"]
    assert check.said.text().startswith(f"{100 * entry['share']:.1f} % of the patches could")
    qtbot.mouseClick(check.where, Qt.MouseButton.LeftButton)
    name = "quality: shift when placed again"
    assert MapLayer.of(viewer).colouring.column == name
    values = workspace.run.columns["placed_again"]
    np.testing.assert_array_equal(workspace.table[name], values)
    assert name in GalleryHooks.of(viewer).offered
    rows = rows_where(workspace.table, f"`{name}` > {np.sort(values)[-10]:.6f}", {})
    assert 5 <= len(rows) <= 12
    # It is there when the run is opened again, and stays when it is measured again.
    again = Run.load(folder)
    np.testing.assert_allclose(again.columns["placed_again"], values, rtol=1e-3)
    workspace.set_run(dataclasses.replace(laid_out[1]))
    assert not check.said.isVisible()
    workspace.set_run(again)
    assert check.said.text().startswith(f"{100 * entry['share']:.1f} %")
    panel = show_panel(viewer, "quality")
    panel.measure()
    qtbot.waitUntil(lambda: not panel.work.running, timeout=60_000)
    assert workspace.run.metrics["placed_again"] == entry
    assert name in workspace.measured


def test_what_is_known_stays_when_somebody_has_enough(qtbot, workspace, shown):
    stability, folder = shown
    check = stability.boxes["other_layouts"]
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: check.said.isVisible(), timeout=60_000)
    assert stability.work.running
    qtbot.mouseClick(stability.work.button, Qt.MouseButton.LeftButton)
    assert not stability.work.running
    assert "one other map" in check.said.text()
    assert Run.load(folder).metrics["other_layouts"]["layouts"] == 1
    assert check.begin.isEnabled()


def test_two_views_need_the_images(qtbot, workspace, shown, laid_out):
    stability, _ = shown
    check = stability.boxes["two_views"]
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not stability.work.running, timeout=60_000)
    assert "a second view lies among the 15 nearest" in check.said.text()
    bare = dataclasses.replace(laid_out[1], folder=None)
    workspace.set_patches(without_images(bare))
    workspace.set_run(bare)
    assert "say where those are" in check.said.text()
    assert not check.begin.isVisible()


def test_a_map_of_a_network_says_why_it_is_not_laid_out_again(workspace, shown, laid_out):
    stability, _ = shown
    workspace.set_run(dataclasses.replace(laid_out[1], layout="network"))
    assert "A network placed these patches" in stability.boxes["other_layouts"].said.text()
    assert not stability.boxes["placed_again"].begin.isVisible()
    assert stability.boxes["two_views"].begin.isVisible()


def test_what_cannot_be_found_out_is_said(qtbot, workspace, shown, laid_out):
    stability, _ = shown
    run = laid_out[1]
    same = dataclasses.replace(run, features=np.ones_like(run.features), columns={})
    workspace.set_run(same)
    check = stability.boxes["placed_again"]
    qtbot.mouseClick(check.begin, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: check.said.isVisible(), timeout=60_000)
    assert "All patches have the same features" in check.said.text()
    assert check.begin.isEnabled()
