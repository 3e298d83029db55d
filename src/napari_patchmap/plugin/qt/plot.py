"""A small plot of shares: axes in percent, numbers below, a painter that is let go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from napari.viewer import Viewer
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.plugin.qt.theme import theme_colour

#: Room for numbers at the sides, and the width of one below, in pixels.
_LEFT, _RIGHT, _BELOW, _ABOVE, _NUMBER = 46, 18, 20, 9, 40


class SharePlot(QWidget):
    """As wide as there is room, and of a height; shares from 0 to 1 go up."""

    def __init__(self, viewer: Viewer, height: int) -> None:
        super().__init__()
        self.viewer = viewer
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    @property
    def area(self) -> QRectF:
        """Where curves are painted."""
        size = QRectF(self.rect())
        return size.adjusted(_LEFT, _ABOVE, -_RIGHT, -_BELOW)

    def at(self, along: float, share: float) -> QPointF:
        """Return where a share lies, so far (0 to 1) along the axis."""
        area = self.area
        return QPointF(
            area.left() + along * area.width(), area.bottom() - share * area.height()
        )

    @contextmanager
    def painting(
        self, percents: Iterable[int], below: Iterable[tuple[float, str]]
    ) -> Iterator[QPainter]:
        """Paint axes and numbers, then whatever the caller does, and end.

        Parameters
        ----------
        percents : iterable of int
            Where lines are drawn.
        below : iterable of (float, str)
            How far along the axis, and what is written there.
        """
        painter, area = QPainter(self), self.area
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            for percent in percents:
                y = self.at(0, percent / 100).y()
                painter.setPen(QPen(theme_colour(self.viewer, "highlight"), 1))
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
                painter.setPen(theme_colour(self.viewer, "text"))
                painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), right, f"{percent} %")
            for along, text in below:
                x = self.at(along, 0).x() - _NUMBER / 2
                box = QRectF(x, area.bottom() + 2, _NUMBER, _BELOW - 2)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
            yield painter
        finally:
            painter.end()
