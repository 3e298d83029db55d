"""Help: the card of keys, tooltips on all controls, the first steps on an empty canvas."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHeaderView,
    QLineEdit,
    QPlainTextEdit,
    QScrollBar,
    QTabBar,
    QWidget,
)

from napari_patchmap.plugin.actions import ACTIONS
from napari_patchmap.plugin.canvas.above import HelpButton
from napari_patchmap.plugin.canvas.first_steps import FirstSteps
from napari_patchmap.plugin.canvas.help_card import HelpCard
from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.napari_private import canvas_widget, welcome_text_top
from napari_patchmap.plugin.qt.docks import (
    PANELS,
    find_panel,
    open_docks,
    show_panel,
    way_to,
)
from tests.plugin.toy import all_panels, toy_map, toy_patches

ONE_WINDOW = True

KEY, LEFT = Qt.Key, Qt.MouseButton.LeftButton

#: What a person operates.
_CONTROLS = (
    QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox,
    QLineEdit, QPlainTextEdit,
)  # fmt: skip


@pytest.fixture
def viewer(laptop):
    return laptop


@pytest.fixture
def card(viewer, in_front, shown_map):
    """The card of keys, closed."""
    return window_of(viewer).findChild(HelpCard)


def window_of(viewer) -> QWidget:
    """Return the viewer's window, which no fixture may hold: napari looks whether it goes."""
    return canvas_widget(viewer).window()


def is_part(widget: QWidget) -> bool:
    """Whether a widget is a part of another control, which has the tooltip."""
    whole = widget.parent()
    if isinstance(whole, QAbstractItemView):
        return True  # the corner of a table
    while whole is not None and not isinstance(whole, QComboBox | QAbstractSpinBox):
        whole = whole.parent()
    return whole is not None


def test_every_control_has_a_tooltip(viewer, workspace):
    window = window_of(viewer)
    panels = all_panels(viewer)
    workspace.set_patches(toy_patches())
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    bare, seen = [], 0
    for key, panel in panels.items():
        for one in panel.findChildren(QWidget):
            if isinstance(one, QScrollBar | QHeaderView) or not isinstance(one, _CONTROLS):
                continue
            seen += 1
            if not one.toolTip() and not is_part(one):
                bare.append(f"{key}: {type(one).__name__} in {type(one.parent()).__name__}")
    assert bare == []
    assert seen > 100
    assert window.findChild(HelpButton).button.toolTip().endswith("(key: ?)")
    tabs = next(
        bar for bar in window.findChildren(QTabBar) if bar.tabText(0) == PANELS["load"].tab
    )
    for at, key in enumerate(key for key, panel in PANELS.items() if panel.area == "right"):
        assert tabs.tabToolTip(at) == way_to(key)
    for button, name in (
        (panels["explore"].lasso, "lasso"),
        (panels["annotate"].suggesting.rest, "suggest"),
        (panels["annotate"].undo, "undo"),
        (panels["train"].button, "train"),
        (panels["load"].button, "load"),
    ):
        assert f"(key: {ACTIONS[name].shown})" in button.toolTip()


def test_the_card_opens_over_the_window_and_goes_again(viewer, card):
    canvas, window = canvas_widget(viewer), window_of(viewer)
    canvas.setFocus()
    for key in (KEY.Key_Question, KEY.Key_F1):
        QTest.keyClick(canvas, key)
        assert card.isVisible()
        assert card.geometry() == window.rect()
        QTest.keyClick(card, key)
        assert not card.isVisible()
        assert QApplication.focusWidget() is canvas
    QTest.mouseClick(window.findChild(HelpButton).button, LEFT)
    assert card.isVisible()
    QTest.keyClick(card, KEY.Key_L)  # to be read, not done
    QTest.keyClick(card, KEY.Key_Escape)
    assert not card.isVisible()
    QTest.mouseClick(window.findChild(HelpButton).button, LEFT)
    QTest.mouseClick(card, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(20, 20))
    assert not card.isVisible()

    # The last is what a screen of 1366 x 768 holds at 150 %.
    for width, height in ((1600, 1000), (1366, 768), (911, 512)):
        form = card.form_in(width, height)
        assert form.size.width() < width
        assert form.size.height() < height
        assert form.font.pointSizeF() >= 6
    written = card.accessibleDescription()
    assert all(action.does in written for action in ACTIONS.values())


def test_first_steps_are_shown_until_something_is_there(viewer, workspace, qtbot):
    window = window_of(viewer)
    napari_s_own = viewer.window._qt_viewer
    napari_s_own.set_welcome_tips(["You can change most shortcuts in the preferences."])
    napari_s_own.show_welcome_screen = True
    open_workspace(viewer)
    steps = window.findChild(FirstSteps)
    qtbot.waitUntil(steps.isVisible)
    canvas = canvas_widget(viewer)
    assert canvas.geometry().contains(steps.geometry())
    below = canvas.mapTo(window, QPoint(0, welcome_text_top(viewer))).y()
    assert steps.mapTo(window, QPoint(0, steps.height())).y() <= below
    layer = viewer.add_image(np.zeros((9, 9)))
    assert not steps.isVisible()
    viewer.layers.remove(layer)
    qtbot.waitUntil(steps.isVisible)
    workspace.set_patches(toy_patches())
    qtbot.waitUntil(lambda: not steps.isVisible())
    workspace.set_patches(None)
    qtbot.waitUntil(steps.isVisible)


def test_first_steps_stay_away_from_layers_of_one_s_own(viewer, qtbot):
    viewer.add_points(np.zeros((1, 2)))
    open_workspace(viewer)
    steps = window_of(viewer).findChild(FirstSteps)
    qtbot.wait(50)
    assert not steps.isVisible()


def test_first_steps_take_what_is_dropped_and_load_the_sample(
    viewer, workspace, qtbot, tmp_path
):
    open_workspace(viewer)
    load, steps = find_panel(viewer, "load"), window_of(viewer).findChild(FirstSteps)
    qtbot.waitUntil(steps.isVisible)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    copy, keys = Qt.DropAction.CopyAction, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(steps, QDragEnterEvent(QPoint(5, 5), copy, data, LEFT, keys))
    QApplication.sendEvent(steps, QDropEvent(QPointF(5, 5), copy, data, LEFT, keys))
    assert load.source.path.path == str(tmp_path)
    qtbot.waitUntil(lambda: not load.source.path.recognising and not load.loading)
    open_docks(viewer)["train"].raise_()
    QTest.mouseClick(steps.sample, LEFT)
    qtbot.waitUntil(lambda: workspace.patches is not None)
    assert len(workspace.patches) == 2000
    qtbot.waitUntil(lambda: not steps.isVisible())


def close_by_cross(viewer, key) -> None:
    """Click the cross of a panel's dock."""
    dock = open_docks(viewer)[key]
    dock.raise_()
    QTest.mouseClick(dock.titleBarWidget().close_button, LEFT)
    QApplication.processEvents()
    assert key not in open_docks(viewer)


def test_first_steps_stay_while_nothing_is_loaded_whichever_panels_are_closed(
    viewer, workspace, qtbot
):
    open_workspace(viewer)
    window = window_of(viewer)
    steps = window.findChild(FirstSteps)
    qtbot.waitUntil(steps.isVisible)
    close_by_cross(viewer, "load")
    qtbot.wait(50)
    assert steps.isVisible()
    # What is asked for there opens the panel again.
    QTest.mouseClick(steps.sample, LEFT)
    qtbot.waitUntil(lambda: workspace.patches is not None)
    assert find_panel(viewer, "load").isVisible()
    assert not steps.isVisible()
    close_by_cross(viewer, "load")
    qtbot.wait(50)
    assert not steps.isVisible()
    workspace.set_patches(None)
    qtbot.waitUntil(steps.isVisible)
    show_panel(viewer, "load")
    assert len(window.findChildren(FirstSteps)) == 1
    for key in open_docks(viewer):
        close_by_cross(viewer, key)
    qtbot.waitUntil(lambda: not steps.isVisible())
    show_panel(viewer, "explore")
    qtbot.waitUntil(steps.isVisible)
