"""Which part of the plane a map fills, and where that lies on a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from napari_patchmap.runs.drawing.legend_page import LegendPage
from napari_patchmap.runs.drawing.map_points import draw_points, usual_diameter

#: Left, top, width and height on a page, in points.
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class MapFrame:
    """The rectangle around a map, as (y, x): its lowest corner and its sides."""

    low: np.ndarray
    span: np.ndarray
    around: float
    """Room around the points, in shares of the map."""

    @classmethod
    def of(cls, embedding: np.ndarray, around: float) -> Self:
        """Lay it around the points of a map, ``(n, d)``, finite."""
        places = np.asarray(embedding, float)[:, -2:]
        low, high = places.min(axis=0), places.max(axis=0)
        span = np.maximum(high - low, 1e-9 * max(1.0, float(np.abs(places).max())))
        span = np.maximum(span, span.max() / 4)  # patches on one line have a map, too
        middle = (low + high) / 2
        return cls(middle - span * (0.5 + around), span * (1 + 2 * around), around)

    @property
    def aspect(self) -> float:
        """Height by width."""
        return float(self.span[0] / self.span[1])

    def on_page(self, embedding: np.ndarray, box: Box) -> np.ndarray:
        """Return where patches lie on a page on which the map fills a box, (n, 2) as y, x."""
        left, top, wide, high = box
        scale = np.array([high, wide]) / self.span
        places = np.asarray(embedding, float)[:, -2:]
        return np.asarray((places - self.low) * scale + (top, left))

    def draw(
        self, page: LegendPage, embedding: np.ndarray, box: Box, diameter: float | None = None
    ) -> None:
        """Draw the points into a box of a page; their diameter is in points of the page."""
        axes = page.axes(box)
        axes.set_xlim(self.low[1], self.low[1] + self.span[1])
        axes.set_ylim(self.low[0] + self.span[0], self.low[0])
        area = box[2] * box[3] / (1 + 2 * self.around) ** 2
        diameter = diameter or usual_diameter(len(embedding), area)
        draw_points(axes, embedding, page.colouring.colours, diameter)
