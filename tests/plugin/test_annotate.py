"""The Annotate panel and the keys that give classes, by real events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.named_selections import SELECTIONS
from napari_patchmap.lock import alone_in
from napari_patchmap.plugin.panels.annotate.annotate import Annotate
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs.annotation_place import ANNOTATIONS, place_of_set
from tests.holding import held_elsewhere
from tests.plugin.toy import around, group, toy_map, toy_patches, type_name

ONE_WINDOW = True


@pytest.fixture
def panel(viewer, shown_map):
    """The panel beside a map."""
    widget = Annotate(viewer)
    viewer.window.add_dock_widget(widget, name="Annotate")
    QApplication.processEvents()
    return widget


def kept_in(qtbot, folder):
    """Wait until annotations lie in a folder, and read them."""
    qtbot.waitUntil((folder / ANNOTATIONS).exists)
    return pd.read_csv(folder / ANNOTATIONS, dtype=str, keep_default_na=False)


def test_a_lasso_and_a_name_make_a_class_that_colours_the_map(
    panel, hand, shown_map, workspace
):
    hand.drag(around("spiky"), Qt.KeyboardModifier.ControlModifier)
    assert panel.add.text() == "Name 40"
    type_name(panel, "blast")
    annotation = workspace.annotations.now
    np.testing.assert_array_equal(annotation.members(0), group("spiky"))
    assert panel.name.text() == ""
    assert "40</b> of 120 annotated" in panel.meant.text()
    assert shown_map.colouring.names == ("blast", "not annotated")
    colour = shown_map.points.face_color[group("spiky")[0]]
    np.testing.assert_allclose(colour, shown_map.colouring.palette[0], atol=1e-6)


def test_digits_give_classes_to_what_is_selected_or_under_the_mouse(
    panel, hand, qtbot, workspace
):
    for name in ("round", "spiky"):
        type_name(panel, name)
    hand.click(toy_map()[group("empty")[3]])
    qtbot.keyClick(hand.canvas, Qt.Key.Key_2)
    assert workspace.annotations.now.members(1).tolist() == [group("empty")[3]]
    workspace.clear_selection()
    hand.hover(toy_map()[group("round")[7]])
    qtbot.keyClick(hand.canvas, Qt.Key.Key_1)
    assert workspace.annotations.now.members(0).tolist() == [group("round")[7]]
    qtbot.keyClick(hand.canvas, Qt.Key.Key_0)
    assert not len(workspace.annotations.now.members(0))


def test_a_key_without_a_class_says_so(panel, hand, qtbot, workspace):
    said = []
    workspace.status_changed.connect(said.append)
    hand.click(toy_map()[3])
    qtbot.keyClick(hand.canvas, Qt.Key.Key_5)
    assert "key 5" in said[-1]


def test_undo_and_redo_go_through_selections_and_annotations_in_one_row(panel, workspace):
    workspace.select(np.array([1, 2]))
    type_name(panel, "a")
    workspace.select(np.array([5]))
    QTest.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert workspace.selection.tolist() == [1, 2]
    assert workspace.annotations.now.members(0).tolist() == [1, 2]
    QTest.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert not workspace.annotations.now.classes
    QTest.mouseClick(panel.undo, Qt.MouseButton.LeftButton)
    assert not len(workspace.selection)
    for _ in range(2):
        QTest.mouseClick(panel.redo, Qt.MouseButton.LeftButton)
    assert workspace.annotations.now.members(0).tolist() == [1, 2]


def test_the_table_has_what_is_annotated_now(panel, workspace):
    assert workspace.table.equals(workspace.patches.table)
    workspace.select(group("spiky"))
    type_name(panel, "thorn")
    assert workspace.table["annotation"].value_counts().to_dict() == {"": 80, "thorn": 40}
    workspace.undo()
    assert "annotation" not in workspace.table
    workspace.redo()
    assert (workspace.table["annotation"] == "thorn").sum() == 40
    workspace.set_patches(None)
    assert workspace.table.empty


def test_the_list_gives_selects_and_counts(panel, workspace):
    workspace.select(np.array([1, 2, 3]))
    type_name(panel, "a")
    type_name(panel, "b")  # the same three are b now
    assert workspace.annotations.now.counts().tolist() == [0, 3]
    workspace.select(np.array([3, 4]))
    give = panel.classes.itemWidget(panel.classes.topLevelItem(0), 0)
    QTest.mouseClick(give, Qt.MouseButton.LeftButton)
    assert workspace.annotations.now.counts().tolist() == [2, 2]
    assert panel.classes.topLevelItem(0).text(2) == "2 of 2"
    item = panel.classes.topLevelItem(1)
    place = panel.classes.visualItemRect(item).center()
    QTest.mouseClick(
        panel.classes.viewport(), Qt.MouseButton.LeftButton, Qt.KeyboardModifier(0), place
    )
    assert workspace.selection.tolist() == [1, 2]
    QTest.mouseClick(panel.rest, Qt.MouseButton.LeftButton)
    assert len(workspace.selection) == 116


def test_the_menu_of_a_class_merges_and_deletes(panel, workspace):
    for name, rows in (("a", [1, 2]), ("b", [3]), ("c", [4])):
        workspace.select(np.array(rows))
        type_name(panel, name)
    menu = panel.classes.menu_of(0)
    merge = next(action.menu() for action in menu.actions() if action.text() == "Merge into")
    merge.actions()[0].trigger()
    assert [one.name for one in workspace.annotations.now.classes] == ["b", "c"]
    assert workspace.annotations.now.members(0).tolist() == [1, 2, 3]
    panel.classes.menu_of(1).actions()[-1].trigger()
    assert [one.name for one in workspace.annotations.now.classes] == ["b"]
    assert panel.classes.topLevelItemCount() == 1
    workspace.undo()
    assert panel.classes.topLevelItemCount() == 2


def test_a_name_that_cannot_be_taken_is_said_and_stays_to_be_mended(panel, workspace):
    type_name(panel, "a")
    type_name(panel, "x" * 10_000)
    assert "10,000 letters" in panel.trouble.text()
    assert len(panel.name.text()) == 10_000
    panel.name.clear()
    type_name(panel, " A ")
    assert "already" in panel.trouble.text()
    panel.worked_on.add_column("axis-0")
    assert "another name" in panel.trouble.text()
    assert [one.name for one in workspace.annotations.now.classes] == ["a"]


def test_several_annotations_lie_beside_each_other(panel, viewer, shown_map, workspace):
    workspace.select(np.array([1]))
    type_name(panel, "a")
    panel.worked_on.add_column("second look")
    workspace.select(np.array([1, 2]))
    type_name(panel, "b")
    assert workspace.annotations.of(1) == ["a (annotation)", "b (second look)"]
    explore = Explore(viewer)
    items = [explore.column_box.itemText(i) for i in range(explore.column_box.count())]
    assert items[:3] == ["annotation", "second look", "label"]
    panel.worked_on.box.setCurrentIndex(0)
    panel.worked_on.box.activated.emit(0)
    assert shown_map.colouring.names == ("a", "not annotated")


def test_what_differs_from_the_labels_is_counted_and_shown(panel, workspace):
    assert not panel.conflicts.isVisibleTo(panel)
    workspace.select(np.concatenate([group("round"), group("spiky")[:3]]))
    type_name(panel, "round")
    assert panel.conflicts.text() == "3 differ from their label"
    QTest.mouseClick(panel.conflicts, Qt.MouseButton.LeftButton)
    np.testing.assert_array_equal(workspace.selection, group("spiky")[:3])


def test_annotations_are_written_soon_and_come_back_with_their_patches(
    panel, viewer, workspace, qtbot
):
    folder = panel._map.keeper.folder
    workspace.select(np.array([4, 7]))
    type_name(panel, "a")
    assert kept_in(qtbot, folder)["index"].tolist() == ["4", "7"]
    assert panel.keeping.kept.toolTip() == str(folder)
    qtbot.waitUntil(lambda: panel.keeping.kept.text() == "Saved on this computer")
    type_name(panel, "b")
    workspace.set_patches(toy_patches(labelled=False))  # at once: nothing is lost
    workspace.set_patches(toy_patches())
    assert workspace.annotations.now.names[7] == "b"
    assert [one.name for one in workspace.annotations.now.classes] == ["a", "b"]
    workspace.undo()  # it is no step of today
    assert workspace.annotations.now.names[7] == "b"


def test_in_another_window_they_are_shown_and_not_changed(panel, viewer, workspace, qtbot):
    workspace.select(np.array([4]))
    type_name(panel, "a")
    place = place_of_set(toy_patches())
    kept_in(qtbot, place.folder)
    workspace.set_patches(None)
    with held_elsewhere(place.folder):
        workspace.set_patches(toy_patches())
        assert "another window" in panel.keeping.kept.text()
        assert workspace.annotations.now.names[4] == "a"
        workspace.select(np.array([9]))
        assert not panel.add.isEnabled()
        panel._map.giving.by_key("1")
        assert workspace.annotations.now.names[9] == ""
    workspace.set_patches(toy_patches())
    assert panel.add.isEnabled()
    assert panel.keeping.kept.text() == "Saved on this computer"


def test_a_damaged_file_is_named_and_not_overwritten(panel, workspace, qtbot):
    folder = panel._map.keeper.folder
    type_name(panel, "a")
    kept_in(qtbot, folder)
    workspace.set_patches(None)
    (folder / ANNOTATIONS).write_text("nonsense")
    workspace.set_patches(toy_patches())
    assert str(folder / ANNOTATIONS) in panel.keeping.kept.text()
    assert not panel.add.isEnabled()
    workspace.set_patches(None)
    assert (folder / ANNOTATIONS).read_text() == "nonsense"


def test_killed_at_once_the_next_window_finds_them(tmp_path, qtbot):
    code = """
        import time
        import napari, numpy as np
        from napari_patchmap.plugin.map.map_layer import MapLayer
        from napari_patchmap.plugin.workspace import workspace_of
        from qtpy.QtWidgets import QApplication
        from tests.plugin.toy import toy_map, toy_patches
        viewer = napari.Viewer(show=False)
        keeper, workspace = MapLayer.of(viewer).keeper, workspace_of(viewer)
        workspace.set_patches(toy_patches())
        now = workspace.annotations.now.with_class("found").give(np.array([3, 11]), 0)
        workspace.set_annotations(workspace.annotations.put(now))
        workspace.set_named(workspace.named.keep("odd", np.array([5])))
        while keeper.pending:
            QApplication.processEvents()
        print("written", flush=True)
        time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    ) as window:
        assert window.stdout is not None
        while window.stdout.readline() not in ("written\n", ""):
            pass
        os.kill(window.pid, signal.SIGKILL)
    folder = place_of_set(toy_patches()).folder
    table = kept_in(qtbot, folder)
    assert table["annotation"].tolist() == ["found", "found"]
    with alone_in(folder):
        assert table["index"].tolist() == ["3", "11"]
    selections = json.loads((folder / SELECTIONS).read_text("utf-8"))["selections"]
    assert selections == {"odd": "5"}


def test_without_patches_it_leads_to_them(bare_viewer):
    panel = Annotate(bare_viewer)
    assert "Load patches" in panel.missing
    assert workspace_of(panel.viewer).annotations.empty
