"""Selecting by a condition, typed by real keys."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.panels.explore.explore import Explore
from tests.plugin.toy import group

ONE_WINDOW = True


@pytest.fixture
def panel(viewer, shown_map):
    widget = Explore(viewer)
    viewer.window.add_dock_widget(widget, name="Explore")
    widget.condition.field.setFocus()
    QApplication.processEvents()
    return widget


def type_in(panel, text, modifier=Qt.KeyboardModifier.NoModifier):
    field = panel.condition.field
    field.clear()
    QTest.keyClicks(field, text)
    QApplication.processEvents()
    popup = panel.condition.completer.popup()  # which has the keyboard while it is open
    QTest.keyClick(popup if popup.isVisible() else field, Qt.Key.Key_Return, modifier)


def test_a_condition_selects_adds_and_takes_away(panel, workspace):
    type_in(panel, "label == 'spiky'")
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    type_in(panel, "label == 'empty'", Qt.KeyboardModifier.ShiftModifier)
    assert len(workspace.selection) == 60
    type_in(panel, "area > 45", Qt.KeyboardModifier.AltModifier)
    area = workspace.patches.table["area"].to_numpy()
    assert area[workspace.selection].max() <= 45
    QTest.mouseClick(panel.invert, Qt.MouseButton.LeftButton)
    assert set(group("round")) <= set(workspace.selection.tolist())


def test_what_people_annotated_can_be_asked_for(panel, workspace):
    now = workspace.annotations.now.with_class("odd").give(np.array([3, 8]), 0)
    workspace.set_annotations(workspace.annotations.put(now))
    type_in(panel, "annotation == 'odd'")
    assert workspace.selection.tolist() == [3, 8]


def test_a_wrong_condition_is_said_marked_and_changes_nothing(panel, workspace):
    workspace.select(np.array([5]))
    type_in(panel, "aera > 3")
    assert "area" in panel.condition.trouble.text()
    assert panel.condition.field.selectedText() == "aera"
    assert workspace.selection.tolist() == [5]
    type_in(panel, "area > 1000")
    assert "no patch" in panel.condition.trouble.text()
    assert workspace.selection.tolist() == [5]


def test_what_is_offered_is_put_in_its_place(panel):
    field = panel.condition.field
    QTest.keyClicks(field, "lab")
    popup = panel.condition.completer.popup()
    QApplication.processEvents()
    assert popup.isVisible()
    QTest.keyClick(popup, Qt.Key.Key_Down)
    QApplication.processEvents()
    QTest.keyClick(popup, Qt.Key.Key_Return)
    assert field.text() == "label "
