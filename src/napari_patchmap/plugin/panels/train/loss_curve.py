"""A small live curve of the loss, painted with Qt alone."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

#: More points than pixels are thinned out to this many.
_MOST_POINTS = 600


class LossCurve(QWidget):
    """Loss against the share of the run that is done, one line a stage.

    A click switches between a linear and a logarithmic axis.
    """

    def __init__(self) -> None:
        super().__init__()
        self._points: list[tuple[int, float, float]] = []
        self._log = False
        self._colours = (QColor("#56B4E9"), QColor("#E69F00"), QColor("#009E73"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(118)
        self._explain()

    def clear(self) -> None:
        """Forget the curve."""
        self._points.clear()
        self.update()

    def add(self, stage: int, fraction: float, loss: float) -> None:
        """Add a point; a loss that is not a number is left out."""
        if math.isfinite(loss):
            self._points.append((stage, fraction, loss))
            if len(self._points) > 2 * _MOST_POINTS:
                # Every other point of the older half: the newest stay exact.
                half = len(self._points) // 2
                self._points = self._points[:half:2] + self._points[half:]
            self.update()

    @property
    def points(self) -> list[tuple[int, float, float]]:
        """Stage, share of the run and loss of every point kept."""
        return list(self._points)

    def set_logarithmic(self, log: bool) -> None:
        """Choose the loss axis."""
        self._log = log
        self._explain()
        self.update()

    def _explain(self) -> None:
        other = "linear" if self._log else "logarithmic"
        self.setToolTip(
            "<qt>How well the network tells patches apart: lower is better. Only the shape "
            "matters; the stages are not comparable, so each has a colour and a scale of its "
            "own. The numbers are those of the last. "
            f"Click for a {other} axis.</qt>"
        )

    def sizeHint(self) -> QSize:
        """Return a size that fits a panel."""
        return QSize(300, 118)

    def mousePressEvent(self, event: Any) -> None:
        """Switch between a linear and a logarithmic axis."""
        self.set_logarithmic(not self._log)

    def paintEvent(self, event: Any) -> None:
        """Paint the axes and one line a stage."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().windowText().color()
        faint = QColor(text)
        faint.setAlpha(45)
        small = painter.font()
        small.setPointSizeF(max(6.0, small.pointSizeF() * 0.85))
        painter.setFont(small)
        metrics = painter.fontMetrics()
        left = metrics.horizontalAdvance("00.00") + 6
        # The names of the stages stand above the lines, the axis below them.
        top, bottom = metrics.height() + 2, metrics.height() + 4
        area = QRectF(left, top, self.width() - left - 6, self.height() - top - bottom)
        painter.setPen(QPen(faint, 1))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        painter.drawLine(area.topLeft(), area.bottomLeft())
        painter.setPen(text)
        below = QRectF(area.left(), area.bottom() + 2, area.width(), metrics.height())
        painter.drawText(
            below, Qt.AlignmentFlag.AlignLeft, "loss (log)" if self._log else "loss"
        )
        painter.drawText(below, Qt.AlignmentFlag.AlignRight, "share of the run")
        if self._points:
            self._paint_curves(painter, area, faint)
        painter.end()

    def _paint_curves(self, painter: QPainter, area: QRectF, faint: QColor) -> None:
        table = np.array(self._points)
        x = area.left() + table[:, 1] * area.width()
        y, low, high = np.zeros(len(table)), 0.0, 1.0
        for stage in np.unique(table[:, 0]):
            # Losses of two stages are not comparable: each has the whole height, and the
            # axis names the last.
            own = table[:, 0] == stage
            losses = self._scaled(table[own, 2])
            low, high = float(losses.min()), float(losses.max())
            share = (losses - low) / max(high - low, 1e-3)
            y[own] = area.bottom() - share * (area.height() - 4) - 2
        metrics = painter.fontMetrics()
        painter.setPen(self._colour_of(table[-1, 0]))
        for value, at in ((high, area.top() + metrics.ascent()), (low, area.bottom())):
            shown = f"{10**value if self._log else value:.3g}"
            painter.drawText(
                QPointF(area.left() - 5 - metrics.horizontalAdvance(shown), at), shown
            )
        for number, stage in enumerate(np.unique(table[:, 0])):
            own = table[:, 0] == stage
            if number:
                painter.setPen(QPen(faint, 1, Qt.PenStyle.DashLine))
                start = float(x[own][0])
                painter.drawLine(QPointF(start, area.top()), QPointF(start, area.bottom()))
            colour = self._colour_of(stage)
            painter.setPen(QPen(colour, 1.8))
            line = [QPointF(a, b) for a, b in zip(x[own], y[own], strict=True)]
            painter.drawPolyline(QPolygonF(line))
            painter.setPen(colour)
            self._name_stage(painter, int(stage), x[own], area)

    def _colour_of(self, stage: float) -> QColor:
        return self._colours[(int(stage) - 1) % len(self._colours)]

    def _name_stage(self, painter: QPainter, stage: int, x: np.ndarray, area: QRectF) -> None:
        """Write a stage's name above its line, or its number where there is little room."""
        metrics, left = painter.fontMetrics(), float(x[0]) + 4
        long = f"stage {stage}"
        room = max(float(x[-1]), left) - left
        name = long if metrics.horizontalAdvance(long) < room else str(stage)
        left = min(left, area.right() - metrics.horizontalAdvance(name))
        painter.drawText(QPointF(left, area.top() - metrics.descent()), name)

    def _scaled(self, losses: np.ndarray) -> np.ndarray:
        """Return the losses as the axis has them; a logarithm needs them above zero."""
        if not self._log:
            return losses
        positive = losses[losses > 0]
        floor = positive.min() if positive.size else 1.0
        return np.log10(np.maximum(losses, floor))
