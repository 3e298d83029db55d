"""What patches of each label are to their neighbours on the map: a matrix to click on."""

from __future__ import annotations

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPixmap
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QSizePolicy,
    QTableWidget,
    QTableWidgetItem,
)

from napari_patchmap.plugin.qt.theme import theme_colour
from napari_patchmap.quality.figure import percent_cell
from napari_patchmap.quality.voting import VOTERS, Votes

#: Height of a row and of a swatch, and width of the names at most, in pixels.
_ROW, _SWATCH, _NAMES = 22, 10, 120


class ConfusionTable(QTableWidget):
    """A row for each label, a column for each that neighbours say; a cell picks its patches.

    Cells show the percentage of the row.

    Signals
    -------
    picked(ndarray, str)
        Indices of the patches of a cell, and what they are.
    """

    picked = Signal(object, str)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._votes: Votes | None = None
        self._rows = np.empty(0, np.intp)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Confusion matrix of the neighbours on the map")
        self.setToolTip("Click a cell: select its patches on the map.")
        self.setShowGrid(False)
        header, names = self.horizontalHeader(), self.verticalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(8)
        names.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        names.setDefaultSectionSize(_ROW)
        names.setMaximumWidth(_NAMES)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        names.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.cellClicked.connect(self._on_cell)
        self.cellActivated.connect(self._on_cell)

    def fill(self, votes: Votes, rows: np.ndarray, colours: dict[str, QColor]) -> None:
        """Show votes of the patches ``rows``, with the labels' colours on the map."""
        self._votes, self._rows = votes, rows
        names, counts = [str(name) for name in votes.names], votes.confusion
        self.clear()
        self.setRowCount(len(names))
        self.setColumnCount(len(names))
        for place, name in enumerate(names):
            self._head(place, name, colours.get(name))
        low = theme_colour(self._viewer, "background")
        high = theme_colour(self._viewer, "current")
        for row, own in enumerate(names):
            whole = max(1, counts[row].sum())
            for column, voted in enumerate(names):
                count, share = counts[row, column], counts[row, column] / whole
                cell = QTableWidgetItem(percent_cell(share))
                cell.setTextAlignment(Qt.AlignmentFlag.AlignCenter)
                cell.setBackground(_between(low, high, share))
                cell.setToolTip(
                    f"{count:,} of {whole:,} patches with the label {own} lie among {voted}"
                    + (": click to select them." if count else ".")
                )
                self.setItem(row, column, cell)
        head = self.horizontalHeader().sizeHint().height() + 4
        self.setFixedHeight(head + _ROW * len(names))

    def _head(self, place: int, name: str, colour: QColor | None) -> None:
        swatch = QPixmap(_SWATCH, _SWATCH)
        swatch.fill(colour or QColor("grey"))
        row, column = QTableWidgetItem(QIcon(swatch), name), QTableWidgetItem(QIcon(swatch), "")
        row.setToolTip(f"Patches with the label {name}")
        column.setToolTip(f"Most of their {VOTERS} nearest neighbours are {name}")
        self.setVerticalHeaderItem(place, row)
        self.setHorizontalHeaderItem(place, column)

    def _on_cell(self, row: int, column: int) -> None:
        if self._votes is None:
            return
        found = (self._votes.own == row) & (self._votes.voted == column)
        own, voted = (str(self._votes.names[place]) for place in (row, column))
        self.picked.emit(self._rows[found], f"{own} that lie among {voted}")


def _between(low: QColor, high: QColor, share: float) -> QColor:
    """Mix two colours; the root lets small shares be seen."""
    parts = [
        round(a + (b - a) * share**0.5)
        for a, b in zip(low.getRgb()[:3], high.getRgb()[:3], strict=True)
    ]
    return QColor(*parts)
