"""Which channels of a set to keep, and which column is its label."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.labels.choice import label_columns
from napari_patchmap.plugin.qt.basics import button, choice, column, label, row

#: Channels beside each other.
_COLUMNS = 2

#: Shown where no column is the label yet.
_NONE = "none"


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


class LabelChoice(QWidget):
    """A list of the columns that may be the label, shown if there are several.

    Signals
    -------
    wanted(str)
        Take this column as the label.
    """

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.box = choice(
            "<qt>The column that is the label: it colours the map and measures it, and is "
            "never trained on. Default: the one that was found.</qt>"
        )
        column(self, row(label("Label is"), self.box))
        self.box.activated.connect(self._on_choice)
        self._now = ""
        self.hide()

    def show_patches(self, patches: PatchSet) -> None:
        """Offer the columns of a patch set."""
        names = label_columns(patches.table, patches.label_from)
        there = "label" in patches.table
        self._now = names[0] if there else ""
        self.box.clear()
        if not there:
            self.box.addItem(_NONE, "")
        for name in names:
            self.box.addItem(name, name)
        self.setVisible(len(names) > there)

    def _on_choice(self, at: int) -> None:
        chosen = str(self.box.itemData(at) or "")
        if chosen and chosen != self._now:
            self.wanted.emit(chosen)

    def take_back(self) -> None:
        """Show the column that is the label."""
        self.box.setCurrentIndex(max(0, self.box.findData(self._now)))
