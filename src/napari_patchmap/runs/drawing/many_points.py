"""Very many points on paper: drawn as one picture, each colour of a part of them at once.

matplotlib's scatter asks Python for the outline of each point, which takes longer than all
else. Markers of one colour it draws in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.artist import Artist, allow_rasterization
from matplotlib.path import Path
from matplotlib.transforms import Affine2D

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Parts and colours are drawn in about so many goes; but in at least so many parts.
_GOES, _PARTS = 1_000, 6


class ManyPoints(Artist):
    """Dots without edges, a pixel in SVG and PDF as well.

    The first point is painted first, as far as that can be told: within a part of the points
    those of one colour are painted together, the colours in an order that changes.

    Parameters
    ----------
    axes : Axes
        Its limits have been set.
    places : ndarray, shape (n, 2)
        As x, y.
    colours : ndarray, shape (n, 4)
        RGBA, 0 to 1, of which alpha is left out.
    diameter : float
        In points.
    alpha : float
    """

    def __init__(
        self, axes: Axes, places: np.ndarray, colours: np.ndarray, diameter: float, alpha: float
    ) -> None:
        super().__init__()
        self._places, self._diameter, self._opacity = places, diameter, alpha
        steps = np.clip(np.round(colours[:, :3] * 255), 0, 255).astype(np.int64)
        known, self._codes = np.unique(
            steps[:, 0] << 16 | steps[:, 1] << 8 | steps[:, 2], return_inverse=True
        )
        self._palette = np.stack([known >> 16, known >> 8 & 255, known & 255], axis=1) / 255
        self.set_rasterized(True)
        axes.add_artist(self)

    @allow_rasterization
    def draw(self, renderer: Any, *args: Any, **kwargs: Any) -> None:
        """Draw them; called by matplotlib."""
        axes = self.axes
        assert axes is not None
        across = renderer.points_to_pixels(self._diameter)
        dot, size = Path.unit_circle(), Affine2D().scale(across / 2)
        pens = renderer.new_gc()
        pens.set_linewidth(0)
        # Of dots smaller than a pixel an edge is drawn although it has no width.
        pens.set_foreground((0.0, 0.0, 0.0, 0.0), isRGBA=True)
        pens.set_clip_rectangle(axes.bbox)
        for rows, colour in self._goes():
            path, face = Path(self._places[rows]), (*self._palette[colour], self._opacity)
            renderer.draw_markers(pens, dot, size, path, axes.transData, face)
        pens.restore()

    def _goes(self) -> list[tuple[np.ndarray, int]]:
        """Return the points that are drawn at once, and their colour."""
        found, turns = [], np.random.default_rng(0)
        parts = max(_PARTS, _GOES // max(len(self._palette), 1))
        for part in np.array_split(np.arange(len(self._codes)), min(parts, len(self._codes))):
            order = np.argsort(self._codes[part], kind="stable")
            codes = self._codes[part][order]
            starts = np.flatnonzero(np.diff(codes, prepend=-1))
            pieces = np.split(part[order], starts[1:])
            for piece in turns.permutation(len(pieces)):
                found.append((pieces[piece], int(codes[starts[piece]])))
        return found
