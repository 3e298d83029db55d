"""Panels that lie behind others: made when they are seen or asked for, as if there before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.docks import (
    PANELS,
    dock_of,
    find_panel,
    front_panels,
    open_docks,
    show_panel,
    show_panels,
)
from napari_patchmap.plugin.qt.unseen_panel import UnseenPanel
from napari_patchmap.plugin.workspace import Compared
from napari_patchmap.runs import RunConfig, TrainConfig, read_map
from napari_patchmap.runs.other_features import known_of
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import click_tab, group, on_map, toy_map, toy_patches

ONE_WINDOW = True

KEY, SHIFT = Qt.Key, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def trained():
    """Drawn cells and a map of their pixels."""
    cells = make_cells()
    return cells, fit(cells, RunConfig(TrainConfig(device="cpu", method="pixels")))


def unseen(viewer) -> list[str]:
    """Return which panels are open and not made."""
    docks = open_docks(viewer).items()
    return [key for key, dock in docks if isinstance(dock.widget(), UnseenPanel)]


def test_a_panel_is_made_when_its_tab_is_clicked_and_shows_what_there_is(
    viewer, qtbot, workspace, trained
):
    open_workspace(viewer)
    workspace.set_patches(trained[0])
    workspace.set_run(trained[1])
    qtbot.wait(50)
    assert unseen(viewer) == ["augment", "explore", "annotate", "find", "quality", "compare"]
    click_tab(viewer, "Quality")
    qtbot.waitUntil(lambda: "quality" not in unseen(viewer))
    panel = open_docks(viewer)["quality"].widget()
    qtbot.waitUntil(lambda: not panel.visibleRegion().isEmpty())
    assert panel.missing == ""
    accuracy = trained[1].metrics["knn"]["accuracy"]
    assert panel.figures["knn"].value.text() == f"{100 * accuracy:.1f} %"
    assert unseen(viewer) == ["augment", "explore", "annotate", "find", "compare"]
    # It stays what it is, in its place.
    assert find_panel(viewer, "quality") is show_panel(viewer, "quality") is panel
    assert front_panels(viewer) == ("quality", "gallery")


def test_a_key_does_what_an_unseen_panel_does_and_leaves_it_behind(viewer, qtbot, workspace):
    open_workspace(viewer)
    shown = on_map(viewer, toy_patches(), toy_map())
    show_panel(viewer, "explore")
    workspace.select(group("spiky"))
    annotations = workspace.annotations
    workspace.set_annotations(annotations.put(annotations.now.with_class("blast")))
    QApplication.processEvents()
    canvas = canvas_widget(viewer)
    QTest.keyClick(canvas, KEY.Key_1)
    assert shown.colouring.names == ("blast", "not annotated")  # as the tab would have it
    assert "annotate" in unseen(viewer)
    QTest.keyClick(canvas, KEY.Key_U, SHIFT)
    np.testing.assert_array_equal(
        workspace.selection, np.concatenate([group("round"), group("empty")])
    )
    assert "annotate" not in unseen(viewer)
    assert front_panels(viewer) == ("explore", "gallery")
    assert find_panel(viewer, "annotate").classes.topLevelItemCount() == 1


def test_a_key_acts_where_the_panel_was_put_away_unseen(viewer, workspace):
    open_workspace(viewer)
    on_map(viewer, toy_patches(), toy_map())
    show_panels(viewer, ["load", "explore", "gallery"], ["explore"])
    open_docks(viewer)["annotate"].hide()
    workspace.annotate(group("spiky"), -1)
    QTest.keyClick(canvas_widget(viewer), KEY.Key_U, SHIFT)
    assert len(workspace.selection) == len(toy_patches())


def test_maps_that_were_set_beside_are_listed_by_a_panel_that_comes_later(
    viewer, qtbot, workspace, trained, tmp_path
):
    cells, run = trained
    run.save(tmp_path / "run")
    replace(run, embedding=run.embedding[:, ::-1].copy(), folder=None).save(tmp_path / "other")
    open_workspace(viewer)
    workspace.set_patches(cells)
    workspace.set_run(run)
    other = read_map(tmp_path / "other")
    workspace.set_training(True)
    workspace.set_compared([Compared(other, other.read_for(known_of(cells, run)))])
    panel = find_panel(viewer, "compare")
    assert not panel.table.isEnabled()
    workspace.set_training(False)
    qtbot.waitUntil(lambda: panel.table.rowCount() == 2)
    assert panel.table.ticked() == [other.folder]
    assert panel.table.isEnabled()


def test_a_closed_panel_is_gone_and_its_keys_go_to_the_next(viewer, qtbot, in_front, shown_map):
    first, gone = show_panel(viewer, "annotate"), []
    first.destroyed.connect(lambda: gone.append(True))
    qtbot.mouseClick(dock_of(first).titleBarWidget().close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(gone))
    QTest.keyClick(canvas_widget(viewer), KEY.Key_C, SHIFT)
    assert find_panel(viewer, "annotate").name.hasFocus()


def test_a_dock_that_is_closed_unseen_is_gone(viewer, qtbot):
    open_workspace(viewer)
    dock = open_docks(viewer)["find"]
    dock.raise_()
    viewer.window.remove_dock_widget(dock)
    qtbot.wait(20)
    assert "find" not in open_docks(viewer)
    panel = show_panel(viewer, "find")
    assert isinstance(panel, PANELS["find"].load())
