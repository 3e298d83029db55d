"""Sorting, selecting and looking about in the gallery, with real keys and a real mouse."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QLabel

from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from tests.plugin.toy import group, toy_map, toy_patches

ONE_WINDOW = True

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier
SHIFT, NONE, LEFT = (
    Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
)  # fmt: skip


@pytest.fixture
def gallery(gallery):
    """The gallery, with the keyboard."""
    gallery.grid.setFocus()
    return gallery


def said(gallery) -> str:
    return gallery.findChild(QLabel).text()


def shown(gallery) -> list[int]:
    return gallery.grid.patches.indices.tolist()


def middle(gallery, row) -> QPoint:
    return gallery.grid.visualRect(gallery.grid.model().index(row, 0)).center()


def click(gallery, row, modifiers=NONE) -> None:
    QTest.mouseClick(gallery.grid.viewport(), LEFT, modifiers, middle(gallery, row))


def press(gallery, key, modifiers=NONE) -> None:
    QTest.keyClick(gallery.grid, key, modifiers)


def sort_by(gallery, name) -> None:
    """Choose from the list as people do, with the keys."""
    box = gallery.orders.box
    box.setFocus()
    QTest.keyClick(box, KEY.Key_Home)
    while box.currentText() != name:
        before = box.currentIndex()
        QTest.keyClick(box, KEY.Key_Down)
        assert box.currentIndex() == before + 1
    gallery.grid.setFocus()


def wheel(gallery, notches, where, modifiers) -> None:
    port = gallery.grid.viewport()
    event = QWheelEvent(
        QPointF(where), QPointF(port.mapToGlobal(where)), QPoint(), QPoint(0, 120 * notches),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(port, event)


def test_sorted_by_a_column_both_ways_and_for_the_next_selection(gallery, workspace):
    sort_by(gallery, "area")
    assert shown(gallery) == list(range(120))  # area grows with the row
    QTest.mouseClick(gallery.orders.turn, LEFT)
    assert shown(gallery) == list(range(119, -1, -1))
    assert gallery.orders.turn.text() == "▼"
    workspace.select(np.array([5, 61, 62]))
    assert shown(gallery) == [62, 61, 5]
    sort_by(gallery, "label")  # round, spiky, and what is equal as it was loaded
    assert shown(gallery) == [5, 61, 62]
    sort_by(gallery, "Unsorted")
    assert shown(gallery) == [5, 61, 62]
    workspace.set_patches(toy_patches())
    assert gallery.orders.box.currentText() == "Unsorted"


def test_sorted_by_distance_to_the_patch_clicked_on_the_map(gallery, workspace, hand):
    sort_by(gallery, "Distance")
    assert "click a patch" in said(gallery).lower()
    workspace.set_current(61)  # nothing is selected: all are shown
    near = np.linalg.norm(toy_map() - toy_map()[61], axis=1)
    np.testing.assert_allclose(near[shown(gallery)], np.sort(near), atol=1e-4)
    assert "to patch 61 on the map" in said(gallery)
    before = shown(gallery)
    click(gallery, 3)  # looking about in the gallery moves nothing
    assert workspace.current == before[3]
    assert shown(gallery) == before
    workspace.run = SimpleNamespace(
        features=-toy_map() - 1.0, dimensions=2, folder=None, sees_images=True
    )
    gallery.menu(0).actions()[2].trigger()
    assert "patch 0 by features" in said(gallery)
    assert shown(gallery)[0] == 0
    workspace.run = None


def test_offered_values_are_sorted_by_and_written_on_the_pictures(viewer, gallery, workspace):
    hooks = GalleryHooks.of(viewer)
    values = np.linspace(0, 1, 120)
    values[7] = np.nan
    hooks.offer("Confidence", values, said="of the suggestion", choose=True)
    assert gallery.orders.box.currentText() == "Confidence"
    assert shown(gallery)[:2] == [0, 1]
    assert shown(gallery)[-1] == 7
    order = gallery.grid.patches.order
    assert order.text(shown(gallery)[60]) == "0.513"
    tip = gallery.grid.model().index(60, 0).data(Qt.ItemDataRole.ToolTipRole)
    assert "Confidence (of the suggestion): 0.513" in tip
    hooks.offer("Confidence", -values, choose=True)  # learned anew
    assert shown(gallery)[0] == 119
    with pytest.raises(ValueError, match="one value and one text for each patch"):
        hooks.offer("Confidence", values[:5])
    hooks.withdraw("Confidence")
    assert gallery.orders.box.currentText() == "Unsorted"
    hooks.offer("Score", values, descending=True, texts=[f"{i} %" for i in range(120)])
    assert gallery.orders.box.currentText() == "Unsorted"
    sort_by(gallery, "Score")
    assert shown(gallery)[0] == 119
    assert gallery.grid.patches.order.text(119) == "119 %"
    workspace.set_patches(toy_patches())
    assert gallery.orders.box.findText("Score") == -1


def test_a_value_is_seen_on_the_picture(viewer, gallery):
    grid = gallery.grid
    corner = grid.visualRect(grid.model().index(0, 0)).center() + QPoint(24, 14)
    before = grid.viewport().grab().toImage().copy(corner.x() - 10, corner.y(), 14, 8)
    GalleryHooks.of(viewer).offer("Same", np.zeros(120), texts=["██████"] * 120, choose=True)
    gallery.orders.hooks.show(np.array(shown(gallery)), "All of them")
    after = grid.viewport().grab().toImage().copy(corner.x() - 10, corner.y(), 14, 8)
    assert before != after


def test_handed_over_patches_are_shown_until_something_else_is_selected(gallery, workspace):
    gallery.orders.hooks.show(np.array([9, 2, 70]), "The 3 most useful to annotate")
    assert shown(gallery) == [9, 2, 70]
    assert "3 most useful" in said(gallery)
    click(gallery, 1, CONTROL)
    assert workspace.selection.tolist() == [2]
    assert shown(gallery) == [9, 2, 70]
    workspace.select(group("empty"))
    assert shown(gallery) == group("empty").tolist()


def test_arrow_keys_walk_through_the_cells(gallery, workspace):
    workspace.select(np.arange(120))
    columns, lines = gallery.grid.columns, gallery.grid.lines
    assert 1 < columns < 60
    press(gallery, KEY.Key_Home)
    steps = [
        (KEY.Key_Right, 1), (KEY.Key_Down, 1 + columns), (KEY.Key_Left, columns),
        (KEY.Key_Up, 0), (KEY.Key_Left, 0), (KEY.Key_PageDown, columns * lines),
        (KEY.Key_End, 119), (KEY.Key_Right, 119), (KEY.Key_Home, 0),
    ]  # fmt: skip
    for key, patch in steps:
        press(gallery, key)
        assert workspace.current == patch
        seen = gallery.grid.viewport().rect()
        rect = gallery.grid.visualRect(gallery.grid.currentIndex())
        assert seen.contains(rect) or rect.height() > seen.height()
    assert len(workspace.selection) == 120


def test_keys_select_and_undo_gives_back(gallery, workspace):
    sort_by(gallery, "area")
    press(gallery, KEY.Key_Home)
    press(gallery, KEY.Key_Space)
    assert workspace.selection.tolist() == [0]
    assert len(shown(gallery)) == 120
    press(gallery, KEY.Key_Right, SHIFT)
    press(gallery, KEY.Key_Right, SHIFT)
    assert workspace.selection.tolist() == [0, 1, 2]
    press(gallery, KEY.Key_Left, SHIFT)
    assert workspace.selection.tolist() == [0, 1]
    press(gallery, KEY.Key_A, CONTROL)
    assert len(workspace.selection) == 120
    press(gallery, KEY.Key_Z, CONTROL)
    assert workspace.selection.tolist() == [0, 1]
    assert len(shown(gallery)) == 120
    press(gallery, KEY.Key_Escape)
    assert len(workspace.selection) == 0
    assert len(shown(gallery)) == 120


def test_number_keys_give_classes_to_the_selected_pictures(gallery, workspace):
    annotations = workspace.annotations
    workspace.set_annotations(annotations.put(annotations.now.with_class("odd")))
    workspace.select(np.array([3, 8]))
    press(gallery, KEY.Key_1)
    assert workspace.annotations.now.members(0).tolist() == [3, 8]
    press(gallery, KEY.Key_0)
    assert workspace.annotations.now.members(0).tolist() == []
    press(gallery, KEY.Key_1, Qt.KeyboardModifier.KeypadModifier)
    assert workspace.annotations.now.members(0).tolist() == [3, 8]
    press(gallery, KEY.Key_2, CONTROL)  # another tab, no class
    assert workspace.annotations.now.members(0).tolist() == [3, 8]


def test_what_is_taken_away_stays_in_its_place_until_others_are_selected(gallery, workspace):
    workspace.select(group("spiky"))
    before, place = shown(gallery), middle(gallery, 2)
    click(gallery, 2, CONTROL)
    assert 62 not in workspace.selection
    assert len(workspace.selection) == 39
    assert shown(gallery) == before
    assert middle(gallery, 2) == place
    assert gallery.grid.patches.is_faint(62)
    assert not gallery.grid.patches.is_faint(63)
    assert "39 of 120 selected" in said(gallery)
    click(gallery, 4, CONTROL | SHIFT)  # a range takes the state of where it begins
    assert not set(workspace.selection) & {62, 63, 64}
    press(gallery, KEY.Key_Z, CONTROL)
    press(gallery, KEY.Key_Z, CONTROL)
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    assert shown(gallery) == before
    click(gallery, 2, CONTROL)
    workspace.select(group("spiky")[:10])  # elsewhere
    assert shown(gallery) == group("spiky")[:10].tolist()


def test_all_taken_away_is_not_a_trap(gallery, workspace):
    workspace.select(np.array([5, 6]))
    for row in (0, 1):
        click(gallery, row, CONTROL)
    assert len(workspace.selection) == 0
    assert shown(gallery) == [5, 6]
    assert "Esc shows all" in said(gallery)
    press(gallery, KEY.Key_Escape)
    assert len(shown(gallery)) == 120


def test_shift_click_selects_a_range_in_the_order_shown(gallery, workspace):
    workspace.select(group("spiky"))
    sort_by(gallery, "area")
    QTest.mouseClick(gallery.orders.turn, LEFT)
    click(gallery, 1)
    assert len(workspace.selection) == 40  # a click only looks
    click(gallery, 3, SHIFT)
    assert workspace.selection.tolist() == [96, 97, 98]
    assert len(shown(gallery)) == 40


def test_a_box_drawn_around_patches_selects_them(gallery, workspace):
    workspace.select(np.arange(120))
    port, columns = gallery.grid.viewport(), gallery.grid.columns
    start, end = middle(gallery, 0), middle(gallery, 2)
    QTest.mousePress(port, LEFT, NONE, start)
    QTest.mouseMove(port, start + QPoint(15, 1))
    QTest.mouseMove(port, end)
    QTest.mouseRelease(port, LEFT, NONE, end)
    assert columns > 2
    assert workspace.selection.tolist() == [0, 1, 2]
    QTest.mousePress(port, LEFT, NONE, start)
    QTest.mouseMove(port, end)
    press(gallery, KEY.Key_Escape)  # given up
    QTest.mouseRelease(port, LEFT, NONE, end)
    assert workspace.selection.tolist() == [0, 1, 2]


def test_ctrl_and_the_wheel_zoom_around_the_patch_under_the_mouse(gallery, workspace):
    workspace.select(np.arange(120))
    gallery.grid.verticalScrollBar().setValue(150)
    where = gallery.grid.viewport().rect().center()
    patch = gallery.grid.patch_at(gallery.grid.indexAt(where))
    wheel(gallery, 3, where, CONTROL)
    assert gallery.thumbnail_size.value() == gallery.grid.painter.side == 85
    row = gallery.grid.model().index(gallery.grid.patches.row_of(patch), 0)
    assert gallery.grid.viewport().rect().intersects(gallery.grid.visualRect(row))
    wheel(gallery, -30, where, CONTROL)
    assert gallery.grid.painter.side == 24
    before = gallery.grid.verticalScrollBar().value()
    wheel(gallery, 1, where, NONE)
    assert gallery.grid.painter.side == 24
    assert gallery.grid.verticalScrollBar().value() <= before


def test_the_slider_keeps_the_current_patch_in_view(gallery, workspace):
    workspace.select(np.arange(120))
    workspace.set_current(70)
    for side in (320, 24, 160, 56):
        gallery.thumbnail_size.setValue(side)
        rect = gallery.grid.visualRect(gallery.grid.currentIndex())
        assert gallery.grid.viewport().rect().intersects(rect)
    assert gallery.grid.patch_at(gallery.grid.currentIndex()) == 70


def test_names_are_copied_in_the_order_shown(gallery, workspace):
    workspace.select(np.array([5, 61, 62]))
    sort_by(gallery, "area")
    QTest.mouseClick(gallery.orders.turn, LEFT)
    click(gallery, 1, CONTROL)
    press(gallery, KEY.Key_C, CONTROL)
    lines = QApplication.clipboard().text().splitlines()
    assert lines == ["toy.tif\tframe 62", "toy.tif\tframe 5"]
    gallery.save.menu().actions()[3].trigger()
    assert QApplication.clipboard().text().splitlines() == lines


def test_the_menu_of_a_patch_leads_to_it_and_to_its_class(viewer, gallery, workspace):
    menu = gallery.menu(61)
    actions = {action.text(): action for action in menu.actions() if action.text()}
    assert not actions["Show in the image"].isEnabled()  # it is not open
    assert "not open" in actions["Show in the image"].toolTip()
    actions["Copy file name"].trigger()
    assert QApplication.clipboard().text() == "toy.tif\tframe 61"
    actions["Select others of this class (spiky)"].trigger()
    np.testing.assert_array_equal(workspace.selection, group("spiky"))
    before = viewer.camera.zoom
    actions["Show on the map"].trigger()
    assert workspace.current == 61
    assert viewer.camera.zoom > before
    np.testing.assert_allclose(viewer.camera.center[-2:], toy_map()[61], atol=1e-3)


def test_return_goes_to_the_patch(viewer, gallery, workspace):
    workspace.select(group("empty"))
    press(gallery, KEY.Key_End)
    press(gallery, KEY.Key_Return)
    np.testing.assert_allclose(viewer.camera.center[-2:], toy_map()[119], atol=1e-3)


def test_very_many_are_sorted_beside_the_window(gallery, workspace, qtbot, monkeypatch):
    monkeypatch.setattr("napari_patchmap.plugin.panels.explore.order_bar._AT_ONCE", 10)
    before = shown(gallery)
    sort_by(gallery, "area")
    assert shown(gallery) == before  # until they are sorted
    assert "sorting" in said(gallery).lower()
    sort_by(gallery, "label")  # what was wished for meanwhile is what counts
    qtbot.waitUntil(lambda: "sorting" not in said(gallery).lower())
    labels = workspace.patches.table["label"].to_numpy()[shown(gallery)]
    assert labels.tolist() == sorted(labels)
    sort_by(gallery, "area")
    workspace.set_patches(toy_patches())  # nobody waits for it any more
    assert gallery.orders.box.currentText() == "Unsorted"
    qtbot.waitUntil(lambda: not gallery.orders._sorting.busy)
    assert gallery.orders.order is None
