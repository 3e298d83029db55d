"""The plate picture in the Explore tab: wells and the selection go together."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.colouring import scale_colours
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.explore import Explore
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True

PLAIN, SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
ALT = Qt.KeyboardModifier.AltModifier

#: Wells of the 60 round, 40 spiky and 20 empty patches.
WELLS = ["A01"] * 60 + ["A01"] * 20 + ["B03"] * 20 + ["D06"] * 20


@pytest.fixture
def panel(viewer, workspace):
    patches = toy_patches()
    patches.table["well"] = WELLS
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    panel = Explore(viewer)
    viewer.window.add_dock_widget(panel, name="Explore", area="right")
    panel.plate.picture.setFixedWidth(260)
    QApplication.processEvents()
    return panel


def press(panel, qtbot, row, column, modifier=PLAIN):
    """Click a well, or the name of a row or column (-1 for the other)."""
    picture = panel.plate.picture
    where = picture.box_of(max(row, 0), max(column, 0)).center()
    where.setX(8 if column < 0 else where.x())
    where.setY(8 if row < 0 else where.y())
    qtbot.mouseClick(picture, Qt.MouseButton.LeftButton, modifier, where.toPoint())


def colour(panel, row, column):
    """Return the colour that a well is painted with."""
    picture = panel.plate.picture
    at = picture.box_of(row, column).center().toPoint()
    return np.array(picture.grab().toImage().pixelColor(at).getRgbF())


def test_a_click_selects_what_lies_in_a_well(panel, workspace, qtbot):
    press(panel, qtbot, 0, 0)
    np.testing.assert_array_equal(workspace.selection, np.arange(80))
    press(panel, qtbot, 3, 5, SHIFT)
    assert len(workspace.selection) == 100
    press(panel, qtbot, 0, 0, ALT)
    np.testing.assert_array_equal(workspace.selection, np.arange(100, 120))
    press(panel, qtbot, 1, -1)
    np.testing.assert_array_equal(workspace.selection, np.arange(80, 100))
    press(panel, qtbot, -1, 5)
    np.testing.assert_array_equal(workspace.selection, np.arange(100, 120))


def test_hidden_patches_are_not_selected(panel, viewer, workspace, qtbot):
    MapLayer.of(viewer).hidden.hide({"round"})
    press(panel, qtbot, 0, 0)
    np.testing.assert_array_equal(workspace.selection, np.arange(60, 80))


def test_wells_have_the_colour_of_their_share_or_mean(panel, viewer):
    steps = scale_colours()
    assert panel.plate.figure.currentText() == "share of round"
    np.testing.assert_allclose(colour(panel, 0, 0), steps[255], atol=0.02)
    np.testing.assert_allclose(colour(panel, 1, 2), steps[0], atol=0.02)
    MapLayer.of(viewer).colour_by("area")
    assert panel.plate.figure.currentText() == "mean of area"
    np.testing.assert_allclose(colour(panel, 0, 0), steps[0], atol=0.02)
    np.testing.assert_allclose(colour(panel, 3, 5), steps[255], atol=0.02)


def test_what_is_selected_on_the_map_shows_in_the_wells(panel, workspace):
    picture = panel.plate.picture
    before = picture.grab().toImage()
    workspace.select(group("spiky"))
    after = picture.grab().toImage()
    changed = {
        (row, column)
        for row in range(4)
        for column in range(6)
        if before.copy(picture.box_of(row, column).toAlignedRect())
        != after.copy(picture.box_of(row, column).toAlignedRect())
    }
    assert {(0, 0), (1, 2)} <= changed
    assert (3, 5) not in changed


def test_several_plates_are_chosen_from(panel, workspace, qtbot):
    patches = toy_patches()
    patches.table["well"], patches.table["plate"] = WELLS, ["one"] * 30 + ["two"] * 90
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    press(panel, qtbot, 0, 0)
    assert len(workspace.selection) == 30
    panel.plate.plate.setCurrentIndex(1)
    panel.plate.plate.activated.emit(1)
    press(panel, qtbot, 0, 0)
    assert len(workspace.selection) == 50


def test_without_wells_there_is_no_plate(panel, workspace):
    assert panel.plate.isVisibleTo(panel)
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    assert not panel.plate.isVisibleTo(panel)
