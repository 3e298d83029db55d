"""Texts that several panels are made of."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QLabel, QSizePolicy, QVBoxLayout

from napari_patchmap.plugin.qt.basics import label, set_look


class Message(QFrame):
    """A calm place for one sentence, with room for what answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "message")
        self._text = label("", wrap=True)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(10, 7, 8, 7)
        rows.addWidget(self._text)
        #: For widgets that belong to the sentence, such as a choice.
        self.below = QVBoxLayout()
        rows.addLayout(self.below)
        self.hide()

    def say(self, sentence: str, level: str = "info") -> None:
        """Show a sentence; ``level`` is "info", "note" or "error". "" hides it."""
        self._text.setText(sentence)
        set_look(self, "level", level)
        self.setVisible(bool(sentence))

    @property
    def text(self) -> str:
        """The sentence that is shown, "" for none."""
        return str(self._text.text())

    @property
    def level(self) -> str:
        """How serious the sentence is."""
        return str(self.property("level"))


class Sentence(QLabel):
    """A sentence that takes no room while there is none."""

    def __init__(self, role: str = "hint") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setWordWrap(True)
        self.hide()

    def say(self, sentence: str, role: str = "") -> None:
        """Show a sentence, "" for none; ``role`` is one of the style sheet's, "" as before."""
        self.setText(sentence)
        self.setVisible(bool(sentence))
        if role:
            set_look(self, "role", role)


class Wrapped(QLabel):
    """Lines of text that keep their height in a column that is scrolled.

    Qt would squeeze a wrapped text there rather than make the column longer.
    """

    def __init__(self, role: str = "hint") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.setWordWrap(True)

    def setText(self, text: str) -> None:
        """Show a text."""
        super().setText(text)
        self._keep_height()

    def resizeEvent(self, event: Any) -> None:
        """Keep the height that the text needs at this width."""
        super().resizeEvent(event)
        self._keep_height()

    def _keep_height(self) -> None:
        self.setMinimumHeight(max(0, self.heightForWidth(self.width())))


class Elided(QLabel):
    """One line of text that is shortened in the middle instead of widening its panel."""

    def __init__(self, role: str = "") -> None:
        super().__init__()
        self._full = ""
        self.setProperty("role", role)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def say(self, text: str) -> None:
        """Show a text, whole in the tooltip."""
        self._full = text
        self.setToolTip(text)
        self._shorten()

    def resizeEvent(self, event: Any) -> None:
        """Shorten again for the new width."""
        super().resizeEvent(event)
        self._shorten()

    def _shorten(self) -> None:
        room, middle = max(20, self.contentsRect().width() - 6), Qt.TextElideMode.ElideMiddle
        self.setText(self.fontMetrics().elidedText(self._full, middle, room))
