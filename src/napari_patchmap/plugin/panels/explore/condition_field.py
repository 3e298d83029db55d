"""Selecting by a condition on the table: ``area > 300 and slide == 'B3'``."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QModelIndex, QStringListModel, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QCompleter, QLineEdit, QWidget

from napari_patchmap.explore.completion import Completion, complete
from napari_patchmap.explore.condition_words import ConditionError
from napari_patchmap.explore.conditions import rows_where
from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.basics import column
from napari_patchmap.plugin.qt.modifiers import how_meant
from napari_patchmap.plugin.qt.texts import Sentence

_HELP = (
    "Select the patches for which this is so: area > 300 and slide == 'B3', "
    "label in ('a', 'b'), name contains 'tumour', label is missing, in 'kept name'. Names "
    "with blanks stand in `backticks`. Enter selects, Shift+Enter adds, Alt+Enter takes away."
)


class ConditionField(QWidget):
    """A line for a condition, that offers what can be typed next, and says what is wrong."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self.workspace = owner, owner.workspace
        self.field = _Line(self)
        self.field.setPlaceholderText("select where, e.g. area > 300 and slide == 'B3'")
        self.field.setToolTip(_HELP)
        self.field.setAccessibleName("Select where")
        self.trouble = Sentence("error")
        self._offered: list[Completion] = []
        self._model = QStringListModel(self)
        self.completer = QCompleter(self._model, self)
        self.completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self.completer.setWidget(self.field)
        self.completer.activated.connect(self._insert)
        self.field.textEdited.connect(self._offer)
        column(self, self.field, self.trouble, spacing=4)

    def _offer(self, text: str) -> None:
        self.trouble.say("")
        table, kept = self.workspace.table, self.workspace.named.by_name
        self._offered = complete(text, self.field.cursorPosition(), table, kept)
        self._model.setStringList([one.text for one in self._offered])
        if self._offered and text:
            self.completer.complete()
            # Nothing is chosen yet, so Enter selects what is typed.
            self.completer.popup().setCurrentIndex(QModelIndex())
        else:
            self.completer.popup().hide()

    def _insert(self, chosen: str) -> None:
        one = next(one for one in self._offered if one.text == chosen)
        text, cursor = self.field.text(), self.field.cursorPosition()
        before = f"{text[: one.start]}{one.text} "
        self.field.setText(before + text[cursor:].lstrip())
        self.field.setCursorPosition(len(before))

    def select(self, how: How) -> None:
        """Select what the condition says; where it cannot be read, say why and mark where."""
        self.completer.popup().hide()
        try:
            named = {one.name: one.indices for one in self.workspace.named.kept}
            rows = rows_where(self.workspace.table, self.field.text(), named)
        except ConditionError as error:
            self.trouble.say(str(error))
            self.field.setSelection(error.start, max(1, error.end - error.start))
            return
        shown = self._map.visible(np.asarray(rows, np.intp))
        self.trouble.say("" if len(shown) else "This is so of no patch that is shown.")
        if len(shown):
            self.workspace.select(shown, how)


class _Line(QLineEdit):
    """A line that tells Enter from Shift+Enter and Alt+Enter."""

    def __init__(self, owner: ConditionField) -> None:
        super().__init__()
        self._owner = owner

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Select on Enter; everything else is typing."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)
            return
        popup = self._owner.completer.popup()
        if popup.isVisible() and popup.currentIndex().isValid():
            event.ignore()  # the list puts in what is chosen there
            return
        self._owner.select(how_meant(event.modifiers()))
        event.accept()
