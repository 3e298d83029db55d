"""What of a plate is a patch: each field as a whole, or the objects of its labels."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from napari_patchmap.errors import PatchmapError
from napari_patchmap.patches.readers.plate.field_labels import labels_in
from napari_patchmap.plugin.qt.basics import choice, column, label, row


class PlateCut(QWidget):
    """Shown where the path is a plate with labels.

    Signals
    -------
    changed()
        Something else is chosen.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._path = ""
        self.box = choice(
            "What becomes a patch: each field as a whole, or a square around each object of "
            "these labels. To cut fields into tiles, choose Whole slide above."
        )
        self.box.setAccessibleName("What of the plate is a patch")
        column(self, row(label("Patches"), self.box))
        self.box.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.set_path("")

    @property
    def objects(self) -> str | None:
        """Where the labels lie around whose objects patches are cut; None for whole fields."""
        name = self.box.currentData()
        return str(Path(self._path, "labels", name)) if name else None

    def set_path(self, path: str, objects: str = "") -> None:
        """Look which labels a plate has; "" where there is none.

        ``objects`` are those to choose, as :attr:`objects` named them.
        """
        wanted = Path(objects).name if objects else self.box.currentData()
        if path != self._path or not self.box.count():
            self._path = path
            try:
                names = labels_in(Path(path)) if path else []
            except (PatchmapError, OSError):
                names = []  # whoever opens it says what is wrong
            self.box.blockSignals(True)
            self.box.clear()
            self.box.addItem("whole fields", "")
            for name in names:
                self.box.addItem(f"objects of {name}", name)
            self.box.blockSignals(False)
            self.setVisible(len(names) > 0)
        self.box.setCurrentIndex(max(0, self.box.findData(wanted)))
