"""Selections that are kept under names, by real events in the Explore panel."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLineEdit

from napari_patchmap.explore.named_selections import SELECTIONS
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.annotation_place import place_of_set
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.holding import held_elsewhere
from tests.plugin.toy import around, enter, group, toy_map, toy_patches

ONE_WINDOW = True

CTRL, SHIFT, ALT = (
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.AltModifier,
)
NO_KEY = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def panel(viewer, shown_map):
    """The panel beside a map."""
    widget = Explore(viewer)
    viewer.window.add_dock_widget(widget, name="Explore")
    QApplication.processEvents()
    return widget


def keep(panel, name):
    enter(panel.kept.name, name)
    QTest.keyClick(panel.kept.name, Qt.Key.Key_Return)


def click(panel, row, modifier=NO_KEY):
    rows = panel.kept.list
    place = rows.visualItemRect(rows.topLevelItem(row)).center()
    QTest.mouseClick(rows.viewport(), Qt.MouseButton.LeftButton, modifier, place)


def listed(panel):
    rows = [panel.kept.list.topLevelItem(i) for i in range(panel.kept.list.topLevelItemCount())]
    return [(row.text(0), row.text(1)) for row in rows]


def written(qtbot, folder, count):
    """Wait until so many selections lie in a folder, and return them."""

    def there():
        path = folder / SELECTIONS
        return path.exists() and len(json.loads(path.read_text())["selections"]) == count

    qtbot.waitUntil(there)
    return json.loads((folder / SELECTIONS).read_text())["selections"]


def test_what_a_lasso_took_is_kept_shown_and_combined(panel, hand, workspace):
    hand.drag(around("spiky"), CTRL)
    assert panel.kept.keep.text() == "Keep 40"
    keep(panel, "spikes")
    workspace.select(np.r_[group("spiky")[:10], group("empty")])
    keep(panel, "odd")
    assert panel.kept.list.currentItem().text(0) == "odd"
    assert panel.kept.name.text() == ""
    assert listed(panel) == [("spikes", "10 of 40"), ("odd", "30 of 30")]
    assert "spiky: 10 of 40" in panel.kept.list.topLevelItem(1).toolTip(0)
    click(panel, 0)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    click(panel, 1, CTRL)
    np.testing.assert_array_equal(workspace.selection, group("spiky")[:10])
    click(panel, 1, SHIFT)
    assert len(workspace.selection) == 30
    click(panel, 0, ALT)
    np.testing.assert_array_equal(workspace.selection, group("empty"))
    panel.kept.list.menu_of(0).actions()[2].trigger()
    assert len(workspace.selection) == 60


def test_by_keys_alone_they_are_shown_renamed_deleted_and_brought_back(panel, workspace):
    for name, rows in (("a", [1, 2]), ("b", [2, 3])):
        workspace.select(np.array(rows))
        keep(panel, name)
    rows = panel.kept.list
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_Home)
    QTest.keyClick(rows, Qt.Key.Key_Return)
    assert workspace.selection.tolist() == [1, 2]
    QTest.keyClick(rows, Qt.Key.Key_Down)
    QTest.keyClick(rows, Qt.Key.Key_Return, ALT)
    assert workspace.selection.tolist() == [1]
    QTest.keyClick(rows, Qt.Key.Key_F2)
    editor = rows.findChild(QLineEdit)
    QTest.keyClicks(editor, "second")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert list(workspace.named.by_name) == ["a", "second"]
    assert workspace.selection.tolist() == [1]  # Enter ended the name, and selected nothing
    QTest.keyClick(rows, Qt.Key.Key_Delete)
    assert [name for name, _ in listed(panel)] == ["a"]
    QTest.keyClick(rows, Qt.Key.Key_Z, CTRL)
    QApplication.processEvents()
    assert [name for name, _ in listed(panel)] == ["a", "second"]
    workspace.undo()  # renaming, too
    assert [name for name, _ in listed(panel)] == ["a", "b"]
    panel.kept.list.menu_of(1).actions()[5].trigger()
    assert workspace.named.by_name["b"].indices.tolist() == [1]


def test_a_name_that_cannot_be_taken_is_said_and_stays_to_be_mended(panel, workspace):
    keep(panel, "nothing selected")
    assert "No patches are selected" in panel.kept.said.text()
    panel.kept.name.clear()
    workspace.select(np.array([1]))
    for name, sentence in (
        ("x" * 10_000, "10,000 letters"), ("axis-0", "means something else"), ("", "no name"),
    ):  # fmt: skip
        keep(panel, name)
        assert sentence in panel.kept.said.text()
        assert panel.kept.name.text() == name
        panel.kept.name.clear()
    keep(panel, "a")
    keep(panel, " A ")
    assert "already" in panel.kept.said.text()
    panel.kept.name.clear()
    keep(panel, "b")
    panel.kept.list.rename(1)
    editor = panel.kept.list.findChild(QLineEdit)
    QTest.keyClicks(editor, "a")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    QApplication.processEvents()
    assert "already" in panel.kept.said.text()
    assert [name for name, _ in listed(panel)] == ["a", "b"]


def test_only_visible_points_are_hit(panel, hand, shown_map, workspace):
    everything = np.arange(120)
    workspace.select(everything)
    keep(panel, "all")
    workspace.select(group("empty"))
    keep(panel, "empty")
    workspace.clear_selection()
    hidden = np.r_[group("empty"), group("round")[:5]]
    seen = np.setdiff1d(everything, hidden)
    shown = np.ones(120, bool)
    shown[hidden] = False
    shown_map.points.shown = shown
    click(panel, 0)
    np.testing.assert_array_equal(workspace.selection, seen)
    assert panel.kept.said.text() == "25 of its patches are hidden."
    click(panel, 1)
    assert panel.kept.said.text() == "All of its patches are hidden."
    np.testing.assert_array_equal(workspace.selection, seen)
    QTest.mouseClick(panel.invert, Qt.MouseButton.LeftButton)
    assert not len(workspace.selection)
    hand.drag(around("round"), CTRL)
    np.testing.assert_array_equal(workspace.selection, group("round")[5:])
    item = panel.legend.topLevelItem(0)
    place = panel.legend.visualItemRect(item).center()
    workspace.clear_selection()
    QTest.mouseClick(panel.legend.viewport(), Qt.MouseButton.LeftButton, NO_KEY, place)
    np.testing.assert_array_equal(workspace.selection, group("round")[5:])
    QTest.keyClicks(panel.condition.field, "area > 0")
    panel.condition.select("replace")
    np.testing.assert_array_equal(workspace.selection, seen)
    workspace.clear_selection()
    hand.click(toy_map()[group("empty")[3]])
    assert not len(workspace.selection)


def test_a_condition_asks_for_them_by_name(panel, workspace):
    workspace.select(np.array([1, 2, 70]))
    keep(panel, "it's odd")
    workspace.clear_selection()
    field = panel.condition.field
    field.setFocus()
    QTest.keyClicks(field, r"in 'it\'s odd' and label == 'round'")
    panel.condition.select("replace")
    assert workspace.selection.tolist() == [1, 2]
    field.setText("not in 'its odd'")
    panel.condition.select("replace")
    assert r"'it\'s odd'" in panel.condition.trouble.text()
    assert field.selectedText() == "'its odd'"


def test_they_are_written_soon_and_come_back_with_their_patches(panel, workspace, qtbot):
    folder = panel._map.keeper.folder
    workspace.select(np.array([4, 7]))
    keep(panel, "a")
    assert written(qtbot, folder, 1) == {"a": "4,7"}
    workspace.select(np.array([9]))
    keep(panel, "b")
    workspace.set_patches(None)  # at once: nothing is lost
    assert listed(panel) == []
    workspace.set_patches(toy_patches())
    assert listed(panel) == [("a", "2"), ("b", "1")]
    workspace.undo()  # they are no step of today
    assert len(workspace.named.kept) == 2


def test_with_a_run_they_go_into_its_folder_and_by_its_patches(
    panel, workspace, qtbot, tmp_path
):
    cells = make_cells()
    run = fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))
    workspace.set_patches(cells)
    workspace.select(np.array([4, 7]))
    keep(panel, "a")
    run.save(tmp_path / "run")
    workspace.set_run(run)
    assert written(qtbot, tmp_path / "run", 1) == {"a": "4,7"}
    workspace.set_patches(None)
    order = np.arange(59, 5, -1)  # another one, and some are not there today
    table = cells.table.iloc[order].reset_index(drop=True)
    workspace.set_patches(PatchSet(cells.stack()[order], table, cells.channel_names, "some"))
    workspace.set_run(Run.load(tmp_path / "run").picked(order))
    assert listed(panel) == [("a", "1")]
    assert order[workspace.named.by_name["a"].indices].tolist() == [7]
    assert "1 more are not among" in panel.kept.list.topLevelItem(0).toolTip(0)
    workspace.select(np.array([0]))
    keep(panel, "b")
    assert written(qtbot, tmp_path / "run", 2) == {"a": "4,7", "b": "59"}


def test_in_another_window_they_are_shown_and_not_changed(panel, workspace, qtbot):
    workspace.select(np.array([4]))
    keep(panel, "a")
    place = place_of_set(toy_patches())
    written(qtbot, place.folder, 1)
    workspace.set_patches(None)
    with held_elsewhere(place.folder):
        workspace.set_patches(toy_patches())
        assert listed(panel) == [("a", "1")]
        assert not panel.kept.keep.isEnabled()
        assert "another window" in panel.kept.keep.toolTip()
        panel.kept.list.setFocus()
        QTest.keyClick(panel.kept.list, Qt.Key.Key_Home)
        QTest.keyClick(panel.kept.list, Qt.Key.Key_Delete)
        assert listed(panel) == [("a", "1")]


def test_a_damaged_file_costs_no_annotations_and_is_kept_aside(panel, workspace, qtbot):
    folder, said = panel._map.keeper.folder, []
    workspace.select(np.array([4]))
    keep(panel, "a")
    written(qtbot, folder, 1)
    workspace.set_patches(None)
    (folder / SELECTIONS).write_text("nonsense")
    workspace.status_changed.connect(said.append)
    workspace.set_patches(toy_patches())
    assert any(str(folder / SELECTIONS) in one for one in said)
    assert panel.kept.keep.isEnabled()
    workspace.select(np.array([5]))
    keep(panel, "b")
    aside = folder / "selections (not read).json"
    qtbot.waitUntil(aside.exists)
    assert aside.read_text() == "nonsense"
    assert written(qtbot, folder, 1) == {"b": "5"}
