"""Equal cells in rows, laid out by arithmetic: as quick with a million as with ten."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import (
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QPoint,
    QRect,
    QSize,
    Qt,
)
from qtpy.QtGui import QPainter, QPaintEvent, QRegion, QResizeEvent
from qtpy.QtWidgets import QAbstractItemView, QStyleOptionViewItem, QWidget

_KEY = Qt.Key


class CellGrid(QAbstractItemView):
    """A view of a list whose cells are of one size and share the width there is.

    Qt's own list lays its cells out one by one, which takes seconds for a million with
    each other size of the pictures.

    Attributes
    ----------
    columns : int
        Cells side by side.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.columns = 1
        self._cell = QSize(60, 60)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        # Always there, or its coming and going would change the number of columns.
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)

    @property
    def count(self) -> int:
        """Number of cells."""
        model = self.model()
        return 0 if model is None else int(model.rowCount())

    @property
    def lines(self) -> int:
        """Whole lines of cells that the window shows, at least one."""
        return max(1, self.viewport().height() // self._cell.height())

    def row_after(self, row: int, key: int) -> int | None:
        """Return the row that a key leads to from a row, -1 for none; None for other keys."""
        columns, count = self.columns, self.count
        steps = {
            _KEY.Key_Left: -1,
            _KEY.Key_Right: 1,
            _KEY.Key_Up: -columns,
            _KEY.Key_Down: columns,
            _KEY.Key_PageUp: -columns * self.lines,
            _KEY.Key_PageDown: columns * self.lines,
        }
        ends = {_KEY.Key_Home: 0, _KEY.Key_End: count - 1}
        if key in ends:
            return ends[_KEY(key)]
        if key not in steps:
            return None
        if row < 0:
            return 0
        step = steps[_KEY(key)]
        if abs(step) == 1 or 0 <= row + step < count:
            return min(max(row + step, 0), count - 1)
        # Beyond the first or last line: to the end of a page, within the column.
        column, last = row % columns, (count - 1) // columns
        if step < 0:
            return column
        return min(last * columns + column, count - 1)

    def set_cell(self, smallest: QSize) -> None:
        """Lay the cells out: as many side by side as have this size at least, in pixels."""
        width = self.viewport().width() - 1
        self.columns = max(1, width // smallest.width())
        self._cell = QSize(max(1, width // self.columns), smallest.height())
        self._update_bar()
        self.viewport().update()

    def rows_in(self, box: QRect) -> np.ndarray:
        """Return the rows whose cells meet a box, in pixels of the whole list."""
        width, height = self._cell.width(), self._cell.height()
        across = np.arange(
            max(0, box.left() // width), min(self.columns - 1, box.right() // width) + 1
        )
        down = np.arange(max(0, box.top() // height), box.bottom() // height + 1)
        rows = (down[:, None] * self.columns + across).ravel()
        return rows[rows < self.count]

    def _update_bar(self) -> None:
        bar, height = self.verticalScrollBar(), self.viewport().height()
        total = -(-self.count // self.columns) * self._cell.height()
        bar.setRange(0, max(0, total - height))
        bar.setPageStep(height)
        bar.setSingleStep(max(1, self._cell.height() // 2))

    # -- what Qt asks a view ---------------------------------------------------------------

    def updateGeometries(self) -> None:
        """Let the scroll bar span all cells."""
        super().updateGeometries()
        self._update_bar()

    def visualRect(self, index: QModelIndex) -> QRect:
        """Return where a cell is painted, in pixels of the window."""
        if not index.isValid():
            return QRect()
        line, column = divmod(index.row(), self.columns)
        corner = QPoint(
            column * self._cell.width(), line * self._cell.height() - self.verticalOffset()
        )
        return QRect(corner, self._cell)

    def indexAt(self, point: QPoint) -> QModelIndex:
        """Return the cell at a place of the window; none beside the cells."""
        column = point.x() // self._cell.width()
        line = (point.y() + self.verticalOffset()) // self._cell.height()
        row = line * self.columns + column
        if not (0 <= column < self.columns and 0 <= row < self.count):
            return QModelIndex()
        return self.model().index(row, 0)

    def scrollTo(
        self,
        index: QModelIndex,
        hint: QAbstractItemView.ScrollHint = QAbstractItemView.ScrollHint.EnsureVisible,
    ) -> None:
        """Scroll until a cell is in view, as little as that takes."""
        rect, bar = self.visualRect(index), self.verticalScrollBar()
        hints, height = QAbstractItemView.ScrollHint, self.viewport().height()
        if rect.isNull():
            return
        if hint == hints.PositionAtCenter:
            bar.setValue(bar.value() + rect.center().y() - height // 2)
        elif hint == hints.PositionAtTop or rect.top() < 0:
            bar.setValue(bar.value() + rect.top())
        elif hint == hints.PositionAtBottom or rect.bottom() >= height:
            bar.setValue(bar.value() + min(rect.top(), rect.bottom() - height + 1))

    def horizontalOffset(self) -> int:
        """Return 0: there is nothing to the side."""
        return 0

    def verticalOffset(self) -> int:
        """Return by how many pixels the list is scrolled."""
        return int(self.verticalScrollBar().value())

    def isIndexHidden(self, index: QModelIndex) -> bool:
        """Return False: all cells are shown."""
        return False

    def moveCursor(self, action: Any, modifiers: Any) -> QModelIndex:
        """Stay: keys are the business of whoever knows what the cells mean."""
        return self.currentIndex()

    def setSelection(self, rect: QRect, flags: QItemSelectionModel.SelectionFlag) -> None:
        """Do nothing: what is selected is not the view's."""

    def visualRegionForSelection(self, selection: QItemSelection) -> QRegion:
        """Return nothing, see :meth:`setSelection`."""
        return QRegion()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Paint what has come into view."""
        self.viewport().update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the scroll bar span all cells."""
        super().resizeEvent(event)
        self._update_bar()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the cells in view."""
        painter = QPainter(self.viewport())
        option = QStyleOptionViewItem()
        option.initFrom(self)
        option.font, option.fontMetrics = self.font(), self.fontMetrics()
        model, delegate = self.model(), self.itemDelegate()
        seen = event.rect().translated(0, self.verticalOffset())
        for row in self.rows_in(seen).tolist():
            index = model.index(row, 0)
            option.rect = self.visualRect(index)
            delegate.paint(painter, option, index)
        painter.end()
