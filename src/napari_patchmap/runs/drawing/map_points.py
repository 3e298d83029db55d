"""The points of a map on paper, and what names their colours: the one drawing of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.paint_order import paint_order
from napari_patchmap.runs.drawing.paper import shown

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

#: Points above which SVG and PDF hold them as a picture: more would be slow everywhere.
MOST_VECTORS = 10_000

#: Points above which they are drawn colour by colour; the look is the same.
_MOST_SCATTERED = 50_000

_OPAQUE = 0.85

#: Share of a map that its points would cover beside each other, and their diameters (pt).
_COVERED, _SMALLEST, _LARGEST = 0.3, 0.4, 6.0


def usual_diameter(count: int, area: float) -> float:
    """Return the diameter of points, in points, on a map of an area in square points."""
    wanted = np.sqrt(_COVERED * area / max(count, 1))
    return float(np.clip(wanted, _SMALLEST, _LARGEST))


def draw_points(
    axes: Axes, embedding: np.ndarray, colours: np.ndarray, diameter: float
) -> None:
    """Draw a map oriented as in napari: y downwards, of more axes the last two.

    Parameters
    ----------
    axes : Axes
        Gets nothing else: no frame and no ticks.
    embedding : ndarray, shape (n, d)
    colours : ndarray, shape (n, 4)
    diameter : float
        Of the points, in points.
    """
    order = paint_order(len(embedding))  # so that no label lies on top of the others
    places = embedding[order][:, [-1, -2]]
    if len(places) > _MOST_SCATTERED:
        from napari_patchmap.runs.drawing.many_points import ManyPoints

        axes.update_datalim(places)
        axes.autoscale_view()
        ManyPoints(axes, places, colours[order], diameter, _OPAQUE)
    else:
        x, y = places.T
        axes.scatter(
            x, y, c=colours[order], s=diameter**2, linewidths=0, alpha=_OPAQUE,
            rasterized=len(embedding) > MOST_VECTORS,
        )  # fmt: skip
    axes.set_aspect("equal")
    axes.set_axis_off()
    if not axes.yaxis_inverted():
        axes.invert_yaxis()


def colour_handles(colouring: Colouring, size: float, most: int = 10**6) -> list[Line2D]:
    """Return a dot for each group, with its name and count as ``gid``, for a legend.

    Parameters
    ----------
    colouring : Colouring
    size : float
        Diameter of the dots, in points.
    most : int
        Groups that are named; the last line counts the others.
    """
    from matplotlib.lines import Line2D

    counts = colouring.counts()
    texts = [f"{shown(n)}  {c:,}" for n, c in zip(colouring.names, counts, strict=True)]
    handles = [
        Line2D([], [], ls="", marker="o", ms=size, mew=0, color=colour, gid=text)
        for text, colour in zip(texts[:most], colouring.palette, strict=False)
    ]
    if len(texts) > most:
        handles[-1] = Line2D([], [], ls="", gid=f"… and {len(texts) - most + 1} more")
    return handles
