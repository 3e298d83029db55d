"""Keys of a viewer: who does what an action says, and the keys of our panels."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QObject, Qt
from qtpy.QtGui import QKeyEvent, QKeySequence
from qtpy.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QDockWidget,
    QLineEdit,
    QPlainTextEdit,
    QShortcut,
    QTextEdit,
    QWidget,
)

from napari_patchmap.plugin.actions import ACTIONS, Action, Where, with_key
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.of_viewer import OfViewer, OnePerViewer
from napari_patchmap.plugin.qt.docks import PANELS, find_panel, show_panel
from napari_patchmap.plugin.workspace import workspace_of


class Keyboard(OfViewer, OnePerViewer):
    """Does what the actions of ``actions.py`` say, by whoever offers to do it.

    It keeps nobody alive who offers something.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._acts: dict[str, Callable[[], Any]] = {}
        self.offer("tab", self._go_to)

    # -- who does it -------------------------------------------------------------------

    def offer(self, name: str, act: Callable[..., object]) -> None:
        """Do an action by a bound method, which returns False where it cannot do it.

        It is told the key if the action has several that mean different things.
        """
        self._acts[ACTIONS[name].name] = weakref.WeakMethod(act)

    def bind(self, button: QAbstractButton, name: str) -> None:
        """Do an action as a click on a button does, and say the key in its tooltip."""
        button.setToolTip(with_key(name, button.toolTip()))
        self._acts[ACTIONS[name].name] = weakref.ref(button)

    def press(self, action: Action, key: str) -> None:
        """Do what an action says; say what is missing where that cannot be done."""
        act = self._found(action.name)
        if action.panel and (act is None or action.in_front):
            panel = find_panel(self.viewer, action.panel)
            seen = panel is not None and not panel.visibleRegion().isEmpty()
            if not seen:
                show_panel(self.viewer, action.panel)
            if action.in_front and not seen:
                return  # people see first what they are about to do
            act = self._found(action.name)
        if act is None:
            return
        if isinstance(act, QAbstractButton):
            done = _can_be_clicked(act)
            if done:
                act.click()
        else:
            done = act(key) if action.span else act()
        if done is False and action.needs:
            workspace_of(self.viewer).say(action.needs)

    def _found(self, name: str) -> Any:
        """Return the method or the button that does an action, None if it has gone.

        A panel that nobody has seen yet is made for it.
        """
        if panel := ACTIONS[name].panel:
            find_panel(self.viewer, panel)
        ref = self._acts.get(name)
        act = None if ref is None else ref()
        owner = getattr(act, "__self__", act)
        return None if isinstance(owner, QObject) and not isalive(owner) else act

    def _go_to(self, key: str) -> None:
        show_panel(self.viewer, list(PANELS)[ACTIONS["tab"].keys.index(key)])

    # -- keys --------------------------------------------------------------------------

    def listen(self, panel: QWidget) -> None:
        """Let keys act while a panel, or something in it, has the focus.

        Qt gives letters to a field in which people type before it looks for shortcuts.
        """
        self._listen(
            panel, (Where.CANVAS, Where.MAP), Qt.ShortcutContext.WidgetWithChildrenShortcut
        )

    def listen_in_window(self) -> None:
        """Let the keys act that hold in the whole window."""
        window = canvas_widget(self.viewer).window()
        self._listen(window, (Where.WINDOW,), Qt.ShortcutContext.WindowShortcut)

    def _listen(
        self, widget: QWidget, places: tuple[Where, ...], context: Qt.ShortcutContext
    ) -> None:
        for action in ACTIONS.values():
            for key in action.keys if action.where in places else ():
                shortcut = QShortcut(QKeySequence(key), widget)
                shortcut.setContext(context)
                shortcut.setAutoRepeat(action.repeats)
                shortcut.activated.connect(partial(self._on_shortcut, action, key))

    def _on_shortcut(self, action: Action, key: str) -> None:
        if key == "Esc" and isinstance(QApplication.focusWidget(), _TYPED_IN):
            canvas_widget(self.viewer).setFocus()  # done with typing: keys act again
        else:
            self.press(action, key)


#: Where people type; a list that takes text has a field of its own for it.
_TYPED_IN = (QLineEdit, QAbstractSpinBox, QTextEdit, QPlainTextEdit)


def key_of(event: QKeyEvent) -> str:
    """Return a key that was pressed as the list of actions writes it."""
    sequence = QKeySequence(event.keyCombination())
    return str(sequence.toString(QKeySequence.SequenceFormat.PortableText)).removeprefix("Num+")


def _can_be_clicked(button: QAbstractButton) -> bool:
    """Whether a button is there for people, be its panel in front or behind others."""
    part: QWidget | None = button
    while part is not None and not isinstance(part, QDockWidget) and not part.isWindow():
        never_shown = not part.testAttribute(Qt.WidgetAttribute.WA_WState_ExplicitShowHide)
        if part.isHidden() and not never_shown:
            return False
        part = part.parentWidget()
    return bool(button.isEnabled())
