"""Which column is the label."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QSizePolicy, QVBoxLayout, QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.labels.choice import label_columns
from napari_patchmap.plugin.qt.panel import label
from napari_patchmap.plugin.qt.parts import row

#: Shown where no column is the label yet.
_NONE = "none"


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
        self.box = QComboBox()
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.box.setMinimumContentsLength(8)
        self.box.setToolTip(
            "<qt>The column that is the label: it colours the map and measures it, and is "
            "never trained on. Default: the one that was found.</qt>"
        )
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addLayout(row(label("Label is"), self.box))
        self.box.activated.connect(self._on_choice)
        self._now = ""
        self.hide()

    def show_patches(self, patches: PatchSet) -> None:
        """Offer the columns of a patch set."""
        names = label_columns(patches.table, patches.label_from)
        there = "label" in patches.table
        self._now = names[0] if there else ""
        self.box.clear()
        for name in names if there else [_NONE, *names]:
            self.box.addItem(name, "" if name == _NONE and not there else name)
        self.setVisible(len(names) > there)

    def _on_choice(self, at: int) -> None:
        chosen = str(self.box.itemData(at) or "")
        if chosen and chosen != self._now:
            self.wanted.emit(chosen)

    def take_back(self) -> None:
        """Show the column that is the label."""
        self.box.setCurrentIndex(max(0, self.box.findData(self._now)))
