"""Tables of quality figures, and what the figures mean."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

KNN_TIP = (
    "<qt><b>15-NN accuracy.</b> A tenth of the patches, drawn so that every label keeps its "
    "share, is hidden; each of them is given the label that most of its 15 nearest neighbours "
    "on the map have, and we count how often that is right. 100 % means that neighbours on the "
    "map always share their label; guessing the most frequent label gives its share.</qt>"
)
SILHOUETTE_TIP = (
    "<qt><b>Silhouette.</b> For each patch: how much closer it lies to its own label's patches "
    "than to those of the closest other label. 1 means tight, well separated groups, 0 that "
    "groups touch, below 0 that patches lie nearer to another label. A map can have high "
    "accuracy and a low silhouette when a label forms several groups.</qt>"
)


class Number(QTableWidgetItem):
    """A cell that sorts by its number, not by its text."""

    def __init__(self, number: float | None, text: str, tip: str = "") -> None:
        super().__init__(text)
        self._number = float("-inf") if number is None else number
        self.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setToolTip(tip)

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return self._number < getattr(other, "_number", float("-inf"))


class FiguresTable(QTableWidget):
    """A name and some figures a row, as tall as its rows.

    Parameters
    ----------
    headings : dict of str
        Tooltips of the columns by their heading; the first column takes what is left.
    """

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
