"""Curves with bands, painted: how good classifiers are with more and more labels."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPen, QPolygonF

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.plugin.qt.plot import SharePlot
from napari_patchmap.plugin.qt.theme import qcolor

#: Height of the plot, in pixels.
_HEIGHT = 190


class CurvePlot(SharePlot):
    """A label curve as :func:`napari_patchmap.quality.label_curve.label_curve` gives it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, _HEIGHT)
        self._found: dict[str, Any] = {}
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
        sizes = self._found["sizes"]
        places = [place / max(1, len(sizes) - 1) for place in range(len(sizes))]
        below = zip(places, map(str, sizes), strict=True)
        with self.painting((0, 25, 50, 75, 100), below) as painter:
            for name, colour in self._colours().items():
                curve = self._found["curves"][name]
                mean, low, high = (
                    [self.at(*point) for point in zip(places, curve[line], strict=True)]
                    for line in ("mean", "low", "high")
                )
                band = QColor(colour)
                band.setAlpha(50)
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(band)
                painter.drawPolygon(QPolygonF([*high, *reversed(low)]))
                painter.setPen(QPen(colour, 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawPolyline(QPolygonF(mean))
