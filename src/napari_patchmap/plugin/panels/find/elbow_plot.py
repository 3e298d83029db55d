"""How much of the differences so many groups explain, as a small curve to choose from."""

from __future__ import annotations

import math
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.plugin.qt.theme import theme_colour

#: Height of the plot, and room for numbers at its sides, in pixels.
_HEIGHT, _LEFT, _RIGHT, _BELOW, _ABOVE = 110, 48, 14, 18, 9

#: Numbers of groups that are written below the curve.
_WRITTEN = (1, 2, 3, 5, 8, 12, 20, 30, 60)


class ElbowPlot(QWidget):
    """The curve of explained variance, with the number that is suggested.

    Signals
    -------
    picked(int)
        A number of groups that was clicked.
    """

    picked = Signal(int)

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._elbow: dict[str, Any] = {}
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(
            "<qt>How much of the variance lies between so many groups; it bends most at the "
            "dashed line. Click a number to choose it.</qt>"
        )

    def show_elbow(self, elbow: dict[str, Any]) -> None:
        """Show the curve of a report of groups, or nothing where it is empty."""
        self._elbow = elbow
        self.setVisible(bool(elbow))
        if elbow:
            self.setAccessibleDescription(f"suggested: {elbow['suggested']} groups")
        self.update()

    def place_of(self, number: int) -> QPointF:
        """Return where a number that was tried is painted."""
        at = self._elbow["groups"].index(number)
        return self._at(number, self._elbow["explained"][at])

    def _area(self) -> QRectF:
        return QRectF(_LEFT, _ABOVE, self.width() - _LEFT - _RIGHT, _HEIGHT - _ABOVE - _BELOW)

    def _at(self, number: float, explained: float) -> QPointF:
        area, most = self._area(), math.log(max(2, self._elbow["groups"][-1]))
        along = math.log(number) / most
        return QPointF(
            area.left() + along * area.width(), area.bottom() - explained * area.height()
        )

    def mousePressEvent(self, event: Any) -> None:
        """Choose the number that is nearest to the mouse."""
        numbers = [number for number in self._elbow.get("groups", ()) if number > 1]
        if numbers:
            x = event.position().x()
            self.picked.emit(min(numbers, key=lambda n: abs(self._at(n, 0).x() - x)))

    def paintEvent(self, event: Any) -> None:
        """Draw axes, curve and the suggested number."""
        if not self._elbow:
            return
        painter, area = QPainter(self), self._area()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = theme_colour(self._viewer, "text")
        faint = theme_colour(self._viewer, "highlight")
        for percent in (0, 50, 100):
            y = area.bottom() - percent / 100 * area.height()
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), right, f"{percent} %")
        for number in _WRITTEN:
            if number <= self._elbow["groups"][-1]:
                box = QRectF(self._at(number, 0).x() - 16, area.bottom() + 1, 32, _BELOW - 1)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{number}")
        if self._elbow["clear"]:
            painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
            x = self._at(self._elbow["suggested"], 0).x()
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        pairs = zip(self._elbow["groups"], self._elbow["explained"], strict=True)
        curve = QPolygonF([self._at(number, share) for number, share in pairs])
        painter.setPen(QPen(theme_colour(self._viewer, "current"), 2))
        painter.drawPolyline(curve)
