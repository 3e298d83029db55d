"""The tables of maps: those that can be set beside each other, and all of their figures."""

from __future__ import annotations

from html import escape
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTableWidgetItem

from napari_patchmap.explore.words import say_day
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.panels.figures_table import FiguresTable, Number, help_of
from napari_patchmap.plugin.qt.basics import column
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.quality import FIGURES
from napari_patchmap.quality.figure import capitalised
from napari_patchmap.runs import SavedMap
from napari_patchmap.runs.comparison import labels_apart
from napari_patchmap.training.progress import say_time


class MapsTable(FiguresTable, Quiet):
    """One row a map; ticked ones are shown."""

    def __init__(self) -> None:
        self._figures = [figure for figure in FIGURES if figure.headline]
        heads = {capitalised(figure.short): help_of(figure) for figure in self._figures}
        time = "What the whole run took, on the machine that is named in the tooltip."
        super().__init__({"Map": "", **heads, "Time": time})
        self.setWordWrap(True)
        self.setToolTip(
            "Tick maps to see them beside this one; double-click one to make it this map."
        )
        self.setSelectionMode(self.SelectionMode.SingleSelection)
        self.setSelectionBehavior(self.SelectionBehavior.SelectRows)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Maps of these patches")
        self._folders: list[Path] = []

    def fill(
        self, maps: list[SavedMap], own: Path | None, shown: set[Path], *, tickable: bool
    ) -> None:
        """Show some maps; that in the folder ``own`` is the current one.

        They can be ticked, or only marked while there is none to set them beside.
        """
        marked = self.marked()
        with self.quiet():
            self._folders = [one.folder for one in maps]
            self.setRowCount(len(maps))
            apart = labels_apart([one.label_from for one in maps])
            for i, one in enumerate(maps):
                current = one.folder == own
                said = ["this map" if current else "", one.budget, say_day(one.written)]
                said.append(apart[i])
                first = QTableWidgetItem(f"{one.title}\n" + " · ".join(filter(None, said)))
                first.setToolTip(
                    f"<qt><b>{escape(one.title)}</b><br>{escape(one.device)}<br>"
                    f"{say_day(one.written)}<br>{escape(str(one.folder))}</qt>"
                )
                first.setCheckState(
                    Qt.CheckState.Checked
                    if current or one.folder in shown
                    else Qt.CheckState.Unchecked
                )
                flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
                ticks = tickable and not current
                first.setFlags(flags | Qt.ItemFlag.ItemIsUserCheckable if ticks else flags)
                self.setItem(i, 0, first)
                cells = [Number.of(figure, one.metrics) for figure in self._figures]
                cells.append(Number(one.seconds, say_time(one.seconds), one.device))
                for column, cell in enumerate(cells, 1):
                    self.setItem(i, column, cell)
            if marked in self._folders:
                self.selectRow(self._folders.index(marked))
            else:
                self.clearSelection()
            self.fit_height()

    def ticked(self) -> list[Path]:
        """Return the folders of the maps that are ticked, without the current one."""
        found = []
        for i, folder in enumerate(self._folders):
            item = self.item(i, 0)
            own = not item.flags() & Qt.ItemFlag.ItemIsUserCheckable
            if not own and item.checkState() == Qt.CheckState.Checked:
                found.append(folder)
        return found

    def marked(self) -> Path | None:
        """Return the folder of the row that is marked."""
        rows = self.selectionModel().selectedRows() if self._folders else []
        return self._folders[rows[0].row()] if rows else None


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
