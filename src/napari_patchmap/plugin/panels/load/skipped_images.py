"""The images that could not be used, with the reason for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from napari_patchmap.errors import RunError
from napari_patchmap.patches import Skipped
from napari_patchmap.plugin.qt.basics import button, label, row
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.runs.unreadable import UNREADABLE, save_skipped

#: Rows that are shown; the file has them all.
_MOST_ROWS = 500


class SkippedImages(Fold):
    """Says how many images were skipped; unfolds to the list of them."""

    def __init__(self) -> None:
        super().__init__("")
        self._skipped: Sequence[Skipped] = ()
        self.list = QTreeWidget()
        self.list.setHeaderLabels(["Image", "Reason"])
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.list.setToolTip("What was skipped, and why.")
        self.list.setMinimumHeight(70)
        self.list.setMaximumHeight(150)
        self.save_button = button(
            "Save list…", "link", "Write all of them with their reasons as a CSV table."
        )
        self.said = label("", "hint", wrap=True)
        self.said.hide()
        rows = QVBoxLayout(self.body)
        rows.setContentsMargins(4, 0, 0, 0)
        rows.setSpacing(2)
        rows.addWidget(self.list)
        rows.addLayout(row(self.save_button, 1))
        rows.addWidget(self.said)
        self.save_button.clicked.connect(self._ask)
        self.hide()

    def show_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Show what was skipped of a set."""
        self._skipped = skipped
        self.setVisible(bool(skipped))
        self.said.hide()
        count = len(skipped)
        self.rename(f"{count:,} image{'s'[: count != 1]} skipped")
        self.list.clear()
        shown = list(skipped[:_MOST_ROWS])
        items = [QTreeWidgetItem([one.source, one.reason]) for one in shown]
        for item, one in zip(items, shown, strict=True):
            item.setToolTip(0, one.source)
            item.setToolTip(1, one.reason)
        if count > len(shown):
            items.append(QTreeWidgetItem([f"and {count - len(shown):,} more", "save the list"]))
        self.list.addTopLevelItems(items)
        self.list.setColumnWidth(0, 150)

    def save(self, path: str | Path) -> None:
        """Write the whole list as CSV."""
        try:
            path = with_ending(path, ".csv")
            self.said.setText(f"Saved as {save_skipped(path, self._skipped)}.")
        except RunError as error:
            self.said.setText(str(error))
        self.said.show()

    def _ask(self) -> None:
        start = str(Path.home() / UNREADABLE)
        path, _ = QFileDialog.getSaveFileName(self, "Save list", start, "Tables (*.csv)")
        if path:
            self.save(path)
