"""The quality figures of each label."""

from __future__ import annotations

from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QTableWidgetItem

from napari_patchmap.plugin.panels.figures_table import FiguresTable, Number, help_of
from napari_patchmap.quality import FIGURES
from napari_patchmap.quality.figure import capitalised
from napari_patchmap.quality.report import LabelFigures


class LabelTable(FiguresTable):
    """Figures of each label; a click on a heading sorts, one on a row selects on the map.

    Signals
    -------
    picked(str)
        The label of the row that was clicked.
    """

    picked = Signal(str)

    def __init__(self) -> None:
        self._figures = [figure for figure in FIGURES if figure.by_label]
        heads = {capitalised(figure.column): help_of(figure) for figure in self._figures}
        super().__init__({"Label": "", "n": "Patches with this label.", **heads})
        self.setToolTip("Click a label: select its patches on the map. A heading: sort by it.")
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.cellClicked.connect(lambda i, _: self.picked.emit(self.item(i, 0).text()))

    def fill(self, rows: list[LabelFigures], colours: dict[str, QColor]) -> None:
        """Show one row a label, the weakest by the first figure first."""
        self.setSortingEnabled(False)
        self.setRowCount(len(rows))
        for i, row in enumerate(rows):
            first = QTableWidgetItem(row.name)
            first.setToolTip(f"{row.name}: click to select its patches on the map.")
            if row.name in colours:
                swatch = QPixmap(10, 10)
                swatch.fill(colours[row.name])
                first.setData(Qt.ItemDataRole.DecorationRole, swatch)
            self.setItem(i, 0, first)
            self.setItem(i, 1, Number(row.count, f"{row.count:,}"))
            for column, figure in enumerate(self._figures, 2):
                counted = row.entries.get(figure.key, {"n": 0})["n"]
                tip = f"{capitalised(figure.basis.format(counted))}."
                self.setItem(i, column, Number.of(figure, row.entries, "rough", tip))
        self.setSortingEnabled(True)
        weakest_first = (
            Qt.SortOrder.AscendingOrder
            if self._figures[0].higher_is_better
            else Qt.SortOrder.DescendingOrder
        )
        self.sortItems(2, weakest_first)
        self.fit_height()
