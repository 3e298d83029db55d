"""Suggestions in the Annotate panel, from the features of a real run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.plugin.panels.annotate.annotate import Annotate
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import click

ONE_WINDOW = True


@pytest.fixture(scope="module")
def trained():
    """Cells of known kinds, and a map of their pixels."""
    cells = make_cells(120)
    return cells, fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def panel(viewer, workspace, trained):
    """The panel with three patches of each kind annotated by their labels."""
    cells, run = trained
    widget = Annotate(viewer)
    viewer.window.add_dock_widget(widget, name="Annotate")
    workspace.set_patches(cells)
    workspace.set_run(run)
    for name in np.unique(cells.labels):
        workspace.select(np.flatnonzero(cells.labels == name)[:3])
        widget.name.setText(str(name))
        QTest.keyClick(widget.name, Qt.Key.Key_Return)
    workspace.clear_selection()
    QApplication.processEvents()
    return widget


def suggest(panel, qtbot):
    click(panel.suggesting.rest)
    qtbot.waitUntil(lambda: panel.workspace.suggestions is not None)
    qtbot.waitUntil(lambda: not panel.suggesting.working.running)


def test_the_rest_is_suggested_shown_and_taken(panel, workspace, qtbot, trained):
    labels = trained[0].labels
    suggest(panel, qtbot)
    assert panel.suggesting.said.text() == workspace.suggestions.sentence
    assert panel._map.colouring.column == SUGGESTED
    panel.suggesting.sure.setValue(0)
    click(panel.suggesting.accept_sure)
    annotation = workspace.annotations.now
    assert (annotation.codes >= 0).all()
    assert (annotation.names == labels).mean() > 0.8
    assert panel._map.colouring.column == annotation.name
    assert panel.suggesting.accept_sure.text() == "Accept 0"
    by_hand = 3 * len(annotation.classes)
    assert annotation.unseen.sum() == len(labels) - by_hand
    suggest(panel, qtbot)  # what was taken over is no proof of itself
    assert workspace.suggestions.checked == by_hand
    assert f"{len(labels) - by_hand} accepted unseen" in panel.suggesting.said.text()
    workspace.undo()  # all of it was one step
    assert (workspace.annotations.now.codes >= 0).sum() == 3 * len(annotation.classes)


def test_what_is_no_better_than_guessing_is_said_in_red(panel, workspace, qtbot):
    annotation = Annotation("chance", np.full(120, -1, np.int16))
    for at, rows in enumerate(([0, 1, 2, 9, 10, 11], [3, 4, 5, 6, 7, 8])):  # each of all kinds
        annotation = annotation.with_class("ab"[at]).give(np.array(rows), at)
    workspace.set_annotations(workspace.annotations.put(annotation))
    suggest(panel, qtbot)
    assert "not surely better than guessing" in panel.suggesting.said.text()
    assert panel.suggesting.said.property("role") == "error"
    panel.worked_on.box.setCurrentIndex(0)
    panel.worked_on.box.activated.emit(0)
    suggest(panel, qtbot)
    assert panel.suggesting.said.property("role") == "hint"


def test_a_selection_is_accepted_or_rejected(panel, viewer, workspace, qtbot):
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, name="Patches")
    suggest(panel, qtbot)
    panel.suggesting.sure.setValue(0)
    before = int(panel.suggesting.accept_sure.text().split()[1].replace(",", ""))
    click(panel.suggesting.doubtful)
    qtbot.keyClick(gallery.grid, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    rows = workspace.selection
    assert len(rows)
    others = np.setdiff1d(np.flatnonzero(workspace.annotations.now.codes < 0), rows)
    found = workspace.suggestions.confidence
    assert found[rows].max() <= found[others].min() + 1e-6 if len(others) else True
    click(panel.suggesting.reject)
    after = int(panel.suggesting.accept_sure.text().split()[1].replace(",", ""))
    assert after == before - len(rows)
    workspace.select(others[:2])
    click(panel.suggesting.accept)
    assert (workspace.annotations.now.codes[others[:2]] >= 0).all()
    assert (workspace.annotations.now.codes[rows] < 0).all()


def test_a_class_that_was_renamed_is_still_meant(panel, workspace, qtbot):
    suggest(panel, qtbot)
    now = workspace.annotations.now
    gone = now.classes[1].name
    workspace.set_annotations(workspace.annotations.put(now.without(1)))
    panel.suggesting.sure.setValue(0)
    click(panel.suggesting.accept_sure)
    assert gone not in workspace.annotations.now.names
    names = {one.name for one in workspace.annotations.now.classes}
    assert set(workspace.annotations.now.names) <= names | {""}


def test_the_next_to_annotate_are_asked_one_after_the_other(panel, viewer, workspace, qtbot):
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, name="Patches")
    click(panel.suggesting.next)
    qtbot.waitUntil(lambda: "useful to annotate next" in gallery._header.text())
    asked = gallery.grid.patches.indices.copy()
    assert len(asked) <= 20
    assert (workspace.annotations.now.codes[asked] < 0).all()
    assert workspace.current == asked[0]
    for key in "121":
        qtbot.keyClick(gallery.grid, key)
    assert workspace.current == asked[3]
    assert workspace.annotations.now.codes[asked[:4]].tolist() == [0, 1, 0, -1]
    assert panel.add.text() == "Name 1"
    QTest.keyClicks(panel.name, "something else")
    QTest.keyClick(panel.name, Qt.Key.Key_Return)
    assert workspace.annotations.now.names[asked[3]] == "something else"
    assert not panel.name.hasFocus()  # the next digit is a key again
    assert workspace.current == asked[4]
    workspace.select(np.array([5, 6]))  # then a key is for what is selected
    panel.setFocus()
    qtbot.keyClick(panel, "2")
    assert workspace.annotations.now.codes[[5, 6]].tolist() == [1, 1]
    assert workspace.current == asked[4]


def test_the_doubtful_are_taken_or_dropped_one_after_the_other(panel, workspace, qtbot):
    suggest(panel, qtbot)
    click(panel.suggesting.doubtful)
    first = workspace.current
    suggested = workspace.suggestions.codes[first]
    confidence = workspace.suggestions.confidence
    free = workspace.annotations.now.codes < 0
    assert confidence[first] == confidence[free].min()
    click(panel.suggesting.accept)
    assert workspace.annotations.now.codes[first] == suggested
    assert not workspace.annotations.now.unseen[first]  # somebody looked at it
    second = workspace.current
    click(panel.suggesting.reject)
    assert workspace.suggestions.codes[second] == -1
    assert workspace.annotations.now.codes[second] == -1
    assert len({first, second, workspace.current}) == 3


def test_more_like_this_are_selected(panel, workspace, qtbot, trained):
    _, run = trained
    workspace.select(np.array([5]))
    click(panel.likeness.alike)
    qtbot.waitUntil(lambda: len(workspace.selection) > 1)
    away = np.linalg.norm(run.features - run.features[5], axis=1)
    away[5] = np.inf
    np.testing.assert_array_equal(workspace.selection, np.sort(np.argsort(away)[:60]))
    assert "nearest" in panel.likeness.said.text()


def test_one_class_is_not_enough_and_another_annotation_asks_anew(panel, workspace, qtbot):
    suggest(panel, qtbot)
    panel.worked_on.add_column("second look")
    assert workspace.suggestions is None
    assert not panel.suggesting.rest.isEnabled()
    workspace.select(np.array([0, 1, 2]))
    panel.name.setText("only")
    QTest.keyClick(panel.name, Qt.Key.Key_Return)
    assert not panel.suggesting.rest.isEnabled()


def test_without_a_trained_map_nothing_can_be_asked(viewer, shown_map):
    panel = Annotate(viewer)
    assert not panel.suggesting.rest.isEnabled()
    assert not panel.suggesting.next.isEnabled()


def test_what_is_annotated_is_exported_with_its_classes(panel, workspace, qtbot, tmp_path):
    rows = workspace.annotations.now.members(0)
    workspace.select(rows)
    panel.exporting.export_to(tmp_path / "some.csv")
    qtbot.waitUntil(lambda: "Exported 3 patches" in panel.exporting.said.text())
    table = pd.read_csv(tmp_path / "some.csv")
    assert table["index"].tolist() == rows.tolist()
    assert set(table["annotation"]) == {workspace.annotations.now.classes[0].name}
    panel.exporting.export_to(tmp_path / "by class")
    qtbot.waitUntil(lambda: "by class" in panel.exporting.said.text())
    assert len(list((tmp_path / "by class").rglob("*.png"))) == 3
    panel.exporting.export_to(tmp_path / "some.docx")
    qtbot.waitUntil(lambda: "no format" in panel.exporting.said.text())


def test_a_table_saved_from_the_gallery_has_the_annotations(panel, viewer, workspace, tmp_path):
    gallery = Gallery(viewer)
    workspace.select(workspace.annotations.now.members(1))
    gallery.save.save_csv(tmp_path / "shown.csv")
    table = pd.read_csv(tmp_path / "shown.csv")
    assert set(table["annotation"]) == {workspace.annotations.now.classes[1].name}
