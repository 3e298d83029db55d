"""Which channels of a set to keep."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QWidget

from napari_patchmap.plugin.qt.basics import button, column, label, row

#: Channels beside each other.
_COLUMNS = 2


class ChannelChoice(QWidget):
    """A box for each channel; the button appears when another choice was made.

    Signals
    -------
    wanted(list of str)
        Take the patches with these channels.
    """

    wanted = Signal(list)

    def __init__(self) -> None:
        super().__init__()
        self._now: list[str] = []
        self.boxes: list[QCheckBox] = []
        inner = QWidget()
        self._grid = QGridLayout(inner)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self.button = button(
            "Use these channels", "", "Take the patches again with the ticked channels only."
        )
        column(self, label("Channels", "group"), inner, row(self.button, 1), spacing=4)
        self.button.clicked.connect(lambda: self.wanted.emit(self.chosen))
        self.hide()

    def show_channels(self, names: Sequence[str], now: Sequence[str]) -> None:
        """Offer channels; those that are in use are ticked. One alone is no choice."""
        self._now = list(now)
        for box in self.boxes:
            box.setParent(None)
            box.deleteLater()
        self.boxes = [QCheckBox(name.replace("&", "&&")) for name in names]
        for at, (box, name) in enumerate(zip(self.boxes, names, strict=True)):
            box.setProperty("channel", name)
            box.setToolTip(name)
            box.setChecked(name in now)
            box.toggled.connect(self._on_toggle)
            self._grid.addWidget(box, at // _COLUMNS, at % _COLUMNS)
        self.setVisible(len(names) > 1)
        self._on_toggle()

    @property
    def chosen(self) -> list[str]:
        """Names of the ticked channels."""
        return [str(box.property("channel")) for box in self.boxes if box.isChecked()]

    def _on_toggle(self, _: bool = False) -> None:
        self.button.setVisible(self.chosen != self._now)
        self.button.setEnabled(bool(self.chosen))
