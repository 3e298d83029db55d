"""How many labels are enough? Shown as curves that grow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import Qt
from qtpy.QtGui import QColor, QPen, QPolygonF
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.palette import categorical_colours
from napari_patchmap.plugin.panels.quality.asked_box import AskedBox
from napari_patchmap.plugin.qt.basics import button, label
from napari_patchmap.plugin.qt.plot import SharePlot
from napari_patchmap.plugin.qt.theme import qcolor
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.curve_words import curve_said
from napari_patchmap.quality.label_curve import PUBLISHED

#: Height of the plot, in pixels.
_HEIGHT = 190


class CurveBox(AskedBox):
    """Shows how good classifiers of the features are as curves."""

    def beside(self) -> Sequence[QWidget]:
        """Return the button that sets what was published."""
        self.published = button(
            "As published",
            "link",
            "<qt>Set what Nielsen et al. 2023 did: 100 draws, normal features, PCA, a linear "
            "layer that is stopped early.</qt>",
        )
        self.published.clicked.connect(lambda: self.form.set_config(PUBLISHED))
        return (self.published,)

    def add_parts(self) -> None:
        """Add the curves, and their names."""
        self.plot = CurvePlot(self.viewer)
        self.legend = label("", "hint", wrap=True)
        self.parts.addWidget(self.plot)
        self.parts.addWidget(self.legend)

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say it in a sentence; the curves show the rest."""
        return [curve_said(found.report[self.check.key])]

    def show_found(self, found: Evaluation | None) -> None:
        """Show the curves as far as they are known."""
        super().show_found(found)
        self.plot.show_curves(self.entry)
        self.legend.setText(self.plot.legend())


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
