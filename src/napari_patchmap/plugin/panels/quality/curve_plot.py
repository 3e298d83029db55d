"""Curves with bands, painted: how good classifiers are with more and more labels."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.plugin.qt.theme import qcolor, theme_colour

#: Height of the plot, and room for numbers at its sides, in pixels.
_HEIGHT, _LEFT, _RIGHT, _BELOW, _ABOVE = 190, 44, 20, 20, 8


class CurvePlot(QWidget):
    """A label curve as :func:`napari_patchmap.quality.label_curve.label_curve` gives it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer = viewer
        self._found: dict[str, Any] = {}
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setToolTip(
            "<qt>Balanced accuracy against the labels of each class; the bands hold 95 % of "
            "the draws.</qt>"
        )

    def show_curves(self, found: dict[str, Any]) -> None:
        """Show other curves, or those of more draws."""
        self._found = found
        best = max((max(c["mean"]) for c in found.get("curves", {}).values()), default=0)
        self.setAccessibleDescription(f"best balanced accuracy {100 * best:.0f} %")
        self.update()

    def legend(self) -> str:
        """Name the curves in their colours, as rich text."""
        return "&nbsp; ".join(
            f'<span style="color: {colour.name()}">■</span> {name}'
            for name, colour in self._colours().items()
        )

    def _colours(self) -> dict[str, QColor]:
        names = list(self._found.get("curves", {}))
        return dict(zip(names, map(qcolor, categorical_colours(len(names))), strict=True))

    def paintEvent(self, event: Any) -> None:
        """Draw axes, bands and curves."""
        if not self._found:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        sizes = self._found["sizes"]
        area = QRectF(_LEFT, _ABOVE, self.width() - _LEFT - _RIGHT, _HEIGHT - _ABOVE - _BELOW)
        self._draw_axes(painter, area, sizes)

        def at(place: int, value: float) -> QPointF:
            step = area.width() / max(1, len(sizes) - 1)
            return QPointF(area.left() + place * step, area.bottom() - value * area.height())

        for name, colour in self._colours().items():
            curve = self._found["curves"][name]
            band = QColor(colour)
            band.setAlpha(50)
            up = [at(i, value) for i, value in enumerate(curve["high"])]
            down = [at(i, value) for i, value in enumerate(curve["low"])]
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(band)
            painter.drawPolygon(QPolygonF([*up, *reversed(down)]))
            painter.setPen(QPen(colour, 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPolyline(QPolygonF([at(i, v) for i, v in enumerate(curve["mean"])]))

    def _draw_axes(self, painter: QPainter, area: QRectF, sizes: list[int]) -> None:
        text, faint = (
            theme_colour(self._viewer, "text"),
            theme_colour(self._viewer, "highlight"),
        )
        for percent in (0, 25, 50, 75, 100):
            y = area.bottom() - percent / 100 * area.height()
            painter.setPen(QPen(faint, 1))
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
            painter.setPen(text)
            right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, y - 8, _LEFT - 6, 16), right, f"{percent} %")
        step = area.width() / max(1, len(sizes) - 1)
        for place, size in enumerate(sizes):
            x = area.left() + place * step
            middle = Qt.AlignmentFlag.AlignCenter
            box = QRectF(x - 20, area.bottom() + 2, 40, _BELOW - 2)
            painter.drawText(box, middle, f"{size}")
