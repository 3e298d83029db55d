"""Where the tips of a map stand: around it, with lines that do not cross."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

from napari_patchmap.runs.drawing.map_frame import Box

#: Of the page's width, the least that the map has; of that, the most that it is high.
_MAP, _TALL = 0.34, 1.3


@dataclass(frozen=True)
class Ring:
    """Room for tips around a map.

    Parameters
    ----------
    map : Box
        The rectangle of the map.
    corners : ndarray, shape (k, 2)
        Upper left corners of the places for a tip, (x, y).
    ends : ndarray, shape (k, 2)
        Where the line of each begins, (x, y).
    height : float
        Of all of it.
    """

    map: Box
    corners: np.ndarray
    ends: np.ndarray
    height: float


def ring_around(
    count: int, box: tuple[float, float], head: float, aspect: float, width: float, gap: float
) -> Ring | None:
    """Make room for tips beside a map, and above and below if that must be.

    Parameters
    ----------
    count : int
        Tips that need a place.
    box : (width, height)
        Of a tip, without its name.
    head : float
        Height of the name above.
    aspect : float
        Height of the map by its width.
    width : float
        Of all of it, from 0.
    gap : float
        Between tips, and between those and the map.

    Returns
    -------
    Ring or None
        None if there is no room for so many.
    """
    wide, high = box[0], box[1] + head
    across = width - 2 * (wide + gap)
    if across < _MAP * width:
        return None
    across = min(across, _TALL * width / aspect)
    down = max(across * aspect, high)
    left = (width - across) / 2
    rows = int((down + gap) / (high + gap))
    beside = _spread(0.0, down - high, rows)
    in_row = int(across / (wide + gap)) + 1
    top = 0.0 if 2 * rows >= count else high + gap
    if 2 * rows + 2 * in_row * bool(top) < count:
        return None
    corners = [(x, top + y) for x in (left - gap - wide, left + across + gap) for y in beside]
    ends = [
        (x, top + y + (high + head) / 2)
        for x in (left - gap, left + across + gap)
        for y in beside
    ]
    if top:
        for x in _spread(left, left + across, in_row):
            corners += [(x - wide / 2, 0.0), (x - wide / 2, top + down + gap)]
            ends += [(x, high), (x, top + down + gap)]
    frame = left, top + (down - across * aspect) / 2, across, across * aspect
    return Ring(frame, np.array(corners), np.array(ends), down + 2 * top)


def assign(points: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Give each point a line to one of the ends; no two lines cross.

    Their lengths together are the least there can be. Two that cross could be exchanged for
    two that are shorter, so none do. Nor do they cross the tips, for all points lie within
    the convex room that the ends are around.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    ends : ndarray, shape (k, 2)
        At least as many.

    Returns
    -------
    ndarray of int, shape (n,)
        Which end each point has.
    """
    lengths = np.linalg.norm(points[:, None] - ends[None], axis=2)
    return np.asarray(linear_sum_assignment(lengths)[1])


def _spread(first: float, last: float, count: int) -> list[float]:
    """Return places from the first to the last, evenly; one alone in the middle."""
    if count == 1:
        return [(first + last) / 2]
    return [float(one) for one in np.linspace(first, last, count)]
