"""The legend: a colour, a name and a count a row; or a colour bar for numbers."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QRectF, QSize, Qt, Signal
from qtpy.QtGui import QMouseEvent, QPainter, QPaintEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QStyle,
    QWidget,
)

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.words import said_counts
from napari_patchmap.percent import rounded
from napari_patchmap.plugin.qt.modifiers import how_meant
from napari_patchmap.plugin.qt.named_rows import NamedRows
from napari_patchmap.plugin.qt.swatch import swatch
from napari_patchmap.plugin.qt.theme import paint_scale, theme_colour

_TIP = (
    "Click: select these patches. Shift+click: add them. Alt+click: take them away. "
    "The tick shows or hides them on the map."
)


class Legend(NamedRows):
    """Groups of the map with their counts; a click selects a group.

    Signals
    -------
    picked(int, str)
        A group, as a position in the colouring's names, and how to select it.
    ticked(str, bool)
        A group by its name is to be shown, or hidden.
    """

    picked = Signal(int, str)
    ticked = Signal(str, bool)

    def __init__(self) -> None:
        super().__init__("Legend", name=0, count=1)
        self.setUniformRowHeights(True)
        self.setIconSize(QSize(14, 14))
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setToolTip(_TIP)

    def show_colouring(self, colouring: Colouring, hidden: Collection[str] = ()) -> None:
        """List the groups of a colouring; those that are not hidden have a tick."""
        self.clear()
        for name, colour in zip(colouring.names, colouring.palette, strict=True):
            item = self.add_row(name)
            item.setIcon(0, swatch(colour))
            item.setCheckState(0, _tick(name not in hidden))
            item.setToolTip(0, f"{name}\n{_TIP}")

    def show_hidden(self, hidden: Collection[str]) -> None:
        """Tick the groups that are not hidden."""
        for row in range(self.topLevelItemCount()):
            item = self.topLevelItem(row)
            item.setCheckState(0, _tick(item.text(0) not in hidden))

    def show_counts(self, colouring: Colouring, selection: np.ndarray) -> None:
        """Write the counts: all, or how many of them are selected."""
        total = colouring.counts()
        chosen = colouring.counts(selection) if len(selection) else None
        for row, text in enumerate(said_counts(total, chosen)):
            item = self.topLevelItem(row)
            item.setText(1, text)
            item.setDisabled(False)
            font = item.font(0)
            font.setBold(chosen is not None and bool(chosen[row]))
            item.setFont(0, font)

    @property
    def tick_width(self) -> int:
        """How far the ticks reach from the left, in pixels."""
        style = self.style()
        margin = style.pixelMetric(QStyle.PixelMetric.PM_FocusFrameHMargin) + 1
        return style.pixelMetric(QStyle.PixelMetric.PM_IndicatorWidth) + 2 * margin

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Pick the group under the mouse."""
        item = self.itemAt(event.pos())
        left = event.button() == Qt.MouseButton.LeftButton
        if item is not None and left and event.pos().x() < self.tick_width:
            self.ticked.emit(item.text(0), item.checkState(0) != Qt.CheckState.Checked)
        elif item is not None and left:
            how = how_meant(event.modifiers())
            self.picked.emit(self.indexOfTopLevelItem(item), how)
        event.accept()


def _tick(on: bool) -> Qt.CheckState:
    return Qt.CheckState.Checked if on else Qt.CheckState.Unchecked


class ColourBar(QWidget):
    """What the colours of numbers mean."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._low, self._high = 0.0, 1.0
        self.setFixedHeight(44)
        self.setToolTip(
            "Colours run from the 1st to the 99th percentile; values beyond take the end "
            "colours, missing ones are grey."
        )

    def set_limits(self, low: float, high: float) -> None:
        """Name the values at the two ends."""
        self._low, self._high = low, high
        self.setAccessibleName(f"Colour bar from {rounded(low, 4)} to {rounded(high, 4)}")
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint the bar and the values under its ends and middle."""
        painter = QPainter(self)
        bar = QRectF(4, 4, self.width() - 8, 16)
        paint_scale(painter, bar)
        painter.setPen(theme_colour(self._viewer, "text"))
        below = QRectF(bar.left(), bar.bottom() + 1, bar.width(), 20)
        middle = (self._low + self._high) / 2
        for value, side in (
            (self._low, Qt.AlignmentFlag.AlignLeft),
            (middle, Qt.AlignmentFlag.AlignHCenter),
            (self._high, Qt.AlignmentFlag.AlignRight),
        ):
            painter.drawText(below, side | Qt.AlignmentFlag.AlignVCenter, rounded(value, 4))
        painter.end()
