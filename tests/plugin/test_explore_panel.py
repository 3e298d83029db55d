"""The Explore panel: colours, legend, tools."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.plugin.map.marks import MAP
from napari_patchmap.plugin.panels.explore.explore import Explore
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True

SHIFT = Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def panel(viewer, shown_map):
    """The panel, docked as people have it."""
    panel = Explore(viewer)
    viewer.window.add_dock_widget(panel, name="Explore", area="right")
    QApplication.processEvents()
    return panel


def rows(panel) -> list[tuple[str, str]]:
    """Read the legend."""
    items = [panel.legend.topLevelItem(i) for i in range(panel.legend.topLevelItemCount())]
    return [(item.text(0), item.text(1)) for item in items]


def pick(panel, qtbot, row, modifier=Qt.KeyboardModifier.NoModifier):
    """Click a row of the legend."""
    where = panel.legend.visualItemRect(panel.legend.topLevelItem(row)).center()
    qtbot.mouseClick(panel.legend.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def test_legend_counts_labels_and_the_selection_in_them(panel, workspace):
    assert rows(panel) == [("round", "60"), ("spiky", "40"), ("empty", "20")]
    workspace.select(np.arange(50, 65))
    assert rows(panel) == [("round", "10 of 60"), ("spiky", "5 of 40"), ("empty", "0 of 20")]


def test_click_on_a_legend_row_selects_the_class(panel, workspace, qtbot):
    pick(panel, qtbot, 1)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    pick(panel, qtbot, 2, SHIFT)
    assert len(workspace.selection) == 60
    pick(panel, qtbot, 1, ALT)
    np.testing.assert_array_equal(workspace.selection, group("empty"))


def tick(panel, qtbot, row):
    """Click the tick of a row of the legend."""
    legend = panel.legend
    y = legend.visualItemRect(legend.topLevelItem(row)).center().y()
    where = QPoint(legend.tick_width // 2, y)
    qtbot.mouseClick(legend.viewport(), Qt.MouseButton.LeftButton, pos=where)


def test_a_tick_hides_a_class_which_nothing_hits_then(panel, hand, shown_map, workspace, qtbot):
    shown = shown_map.points.shown
    tick(panel, qtbot, 0)
    np.testing.assert_array_equal(np.flatnonzero(~shown_map.points.shown), group("round"))
    assert panel.legend.topLevelItem(0).checkState(0) == Qt.CheckState.Unchecked
    hand.click(toy_map()[3])
    pick(panel, qtbot, 0)
    assert not len(workspace.selection)
    shown_map.commands.select_all()
    assert len(workspace.selection) == 60
    shown_map.colour_by("area")  # of another column nothing is hidden
    assert shown_map.points.shown.all()
    shown_map.colour_by("label")
    tick(panel, qtbot, 0)
    tick(panel, qtbot, 0)
    np.testing.assert_array_equal(shown_map.points.shown, shown)


def test_colour_by_number_shows_a_bar_and_one_colour_nothing(viewer, panel, qtbot):
    panel.column_box.setCurrentIndex(panel.column_box.findData("area"))
    panel.column_box.activated.emit(panel.column_box.currentIndex())
    assert panel.bar.isVisible()
    assert not panel.legend.isVisible()
    colours = viewer.layers[MAP].face_color
    assert colours[0, 2] > colours[0, 1]  # viridis runs from violet ...
    assert colours[-1, 0] > colours[-1, 2]  # ... to yellow
    panel.column_box.setCurrentIndex(panel.column_box.findData(""))
    panel.column_box.activated.emit(panel.column_box.currentIndex())
    assert not panel.bar.isVisible()
    assert (viewer.layers[MAP].face_color == viewer.layers[MAP].face_color[0]).all()


def test_map_and_source_buttons_follow_what_is_shown(viewer, panel, shown_map, qtbot):
    assert panel.map_button.isChecked()
    assert not panel.source_button.isEnabled()
    qtbot.mouseClick(panel.stack, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(panel.source_button.isChecked)
    assert not panel.stack.isVisible()
    qtbot.mouseClick(panel.map_button, Qt.MouseButton.LeftButton)
    assert viewer.layers[MAP].visible


def test_the_map_button_brings_a_deleted_map_back(viewer, panel, qtbot):
    viewer.layers.remove(MAP)
    qtbot.waitUntil(lambda: len(viewer.layers) == 0, timeout=2000)
    qtbot.mouseClick(panel.map_button, Qt.MouseButton.LeftButton)
    assert viewer.layers[MAP].visible


def test_tools_act_on_the_selection(viewer, panel, shown_map, workspace, qtbot):
    left = Qt.MouseButton.LeftButton
    assert not panel.undo.isEnabled()
    pick(panel, qtbot, 0)
    pick(panel, qtbot, 1)
    qtbot.mouseClick(panel.undo, left)
    np.testing.assert_array_equal(workspace.selection, group("round"))
    qtbot.mouseClick(panel.redo, left)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    qtbot.mouseClick(panel.clear, left)
    assert workspace.selection.size == 0
    qtbot.mouseClick(panel.lasso, left)
    assert shown_map.hand.lasso
    qtbot.mouseClick(panel.lasso, left)
    assert not shown_map.hand.lasso


def test_panel_says_what_is_missing_and_leads_there(viewer, panel, workspace):
    assert panel.missing == ""
    workspace.set_patches(toy_patches(labelled=False))
    assert panel.missing.startswith("Train a map first")
    workspace.set_patches(None)
    assert panel.missing.startswith("Load patches first")
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    assert panel.missing == ""
    assert rows(panel)[0] == ("round", "60")


def test_panel_fits_a_narrow_dock_and_leaves_quietly(viewer, panel, workspace, qtbot):
    assert panel.minimumSizeHint().width() <= 300
    viewer.window.remove_dock_widget(panel)
    panel.deleteLater()
    qtbot.wait(20)
    workspace.select(group("spiky"))
    workspace.set_patches(toy_patches())
