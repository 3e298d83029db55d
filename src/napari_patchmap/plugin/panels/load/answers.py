"""Answers to what loading may ask: how sizes are brought together, and which axes these are."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

from napari_patchmap.errors import MixedSizesError, UnclearAxesError
from napari_patchmap.plugin.qt.parts import button, row

#: How images of different sizes can be brought to one, for the tooltips.
SIZES = {
    "resize": "Shrink or enlarge every image to the most frequent size; nothing is cut.",
    "crop": "Cut out the middle at the most frequent size; the scale stays true.",
    "pad": "Put smaller images on their mean border colour; larger ones are shrunk to fit.",
}


class Answers(QWidget):
    """Buttons below a question, one for each answer; hidden while nothing is asked.

    Attributes
    ----------
    buttons : dict of str to QPushButton
        The answers to what is asked now.

    Signals
    -------
    sizes_chosen(str)
        A way to bring sizes together.
    axes_chosen(str)
        The axes of a stack.
    """

    sizes_chosen = Signal(str)
    axes_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "answer")
        self.buttons: dict[str, QPushButton] = {}
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        self._row = row()
        rows.addLayout(self._row)
        self.hide()

    def ask(self, error: Exception | None) -> bool:
        """Offer the answers to an error that is a question; return whether it is one."""
        if isinstance(error, MixedSizesError):
            self._offer({key: (key.capitalize(), tip) for key, tip in SIZES.items()})
            chosen = self.sizes_chosen
        elif isinstance(error, UnclearAxesError):
            readings: Sequence[str] = error.readings
            self._offer({a: (a, f"Read the stack with the axes {a}.") for a in readings})
            chosen = self.axes_chosen
        else:
            return False
        for key, choose in self.buttons.items():
            choose.clicked.connect(lambda _=False, key=key: chosen.emit(key))
        self.setVisible(bool(self.buttons))
        return True

    def _offer(self, answers: dict[str, tuple[str, str]]) -> None:
        """Show a button for each answer: its text, and what it means."""
        while (item := self._row.takeAt(0)) is not None:
            old = item.widget()
            if old is not None:
                old.setParent(None)
                old.deleteLater()
        self.buttons = {key: button(text, "", tip) for key, (text, tip) in answers.items()}
        for choose in self.buttons.values():
            self._row.addWidget(choose)
        self._row.addStretch(1)
