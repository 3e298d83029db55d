"""Tables of quality figures, and what the figures mean."""

from __future__ import annotations

from html import escape
from math import isnan
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from napari_patchmap.quality.figure import Precision, QualityFigure, capitalised


def help_of(figure: QualityFigure) -> str:
    """Return what a figure means and where it is from, for a tooltip."""
    return (
        f"<qt><b>{capitalised(figure.name)}.</b> {escape(figure.help)} "
        f"({escape(figure.reference)})</qt>"
    )


class Number(QTableWidgetItem):
    """A cell that sorts by its number, not by its text."""

    def __init__(self, number: float, text: str, tip: str = "") -> None:
        super().__init__(text)
        self._number = float("-inf") if isnan(number) else number
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setToolTip(tip)

    @classmethod
    def of(
        cls,
        figure: QualityFigure,
        metrics: dict[str, Any],
        precision: Precision = "usual",
        tip: str = "",
    ) -> Number:
        """Make a cell of a quality figure, of a map or of a label."""
        return cls(figure.of(metrics), figure.text(metrics, precision), tip)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self._number < getattr(other, "_number", float("-inf"))


class FiguresTable(QTableWidget):
    """A name and some figures a row, as tall as its rows."""

    def __init__(self, headings: dict[str, str]) -> None:
        super().__init__(0, len(headings))
        self.setHorizontalHeaderLabels(list(headings))
        for column, tip in enumerate(headings.values()):
            self.horizontalHeaderItem(column).setToolTip(tip)
        self.verticalHeader().hide()
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in range(1, len(headings)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)

    def fit_height(self) -> None:
        """Be as tall as the rows are."""
        self.resizeRowsToContents()
        height = self.horizontalHeader().sizeHint().height() + 4
        self.setFixedHeight(height + sum(self.rowHeight(i) for i in range(self.rowCount())))
