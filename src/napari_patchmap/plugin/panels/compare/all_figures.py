"""Every quality figure of the maps that are beside each other: a row a figure."""

from __future__ import annotations

from qtpy.QtWidgets import QTableWidgetItem

from napari_patchmap.plugin.panels.figures_table import FiguresTable, Number, help_of
from napari_patchmap.plugin.qt.basics import column
from napari_patchmap.plugin.qt.form import Fold
from napari_patchmap.quality import FIGURES
from napari_patchmap.quality.figure import capitalised
from napari_patchmap.runs import SavedMap


class AllFigures(Fold):
    """Unfolds to a table of the maps that are ticked, in the order in which they are listed."""

    def __init__(self) -> None:
        super().__init__("All figures of the ticked maps")
        self.button.setToolTip("Show or hide every quality figure, map beside map.")
        self._rows = column(self.body)
        self.table = self._put(FiguresTable({"Figure": ""}))

    def _put(self, table: FiguresTable) -> FiguresTable:
        table.setAccessibleName("All figures")
        table.setToolTip("What a figure means stands at its name, which map it is at its head.")
        self._rows.addWidget(table)
        return table

    def fill(self, maps: list[SavedMap], rows: list[int]) -> None:
        """Show the figures of some maps, and in which rows of the list above each is."""
        heads = {
            "this map" if not place else f"row {row + 1}": f"<qt>{one.title}</qt>"
            for place, (one, row) in enumerate(zip(maps, rows, strict=True))
        }
        self._rows.removeWidget(self.table)
        self.table.deleteLater()
        self.table = self._put(FiguresTable({"Figure": "", **heads}))
        known = [f for f in FIGURES if any(f.key in one.metrics for one in maps)]
        self.table.setRowCount(len(known))
        for i, figure in enumerate(known):
            name = QTableWidgetItem(capitalised(figure.name))
            name.setToolTip(help_of(figure))
            self.table.setItem(i, 0, name)
            for place, one in enumerate(maps, 1):
                self.table.setItem(i, place, Number.of(figure, one.metrics, "exact"))
        self.table.fit_height()
        self.setVisible(bool(known))
