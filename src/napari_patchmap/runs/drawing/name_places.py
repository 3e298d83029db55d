"""Where the names of groups stand on a map: beside them, and not on each other."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

#: Cells along a side in which points are counted, and how far counts are smoothed.
_CELLS, _SMOOTH = 96, 1.5

#: Directions in which a place is tried, and distances, in heights of the name.
_TURNS, _STEPS = 16, (0.0, 0.6, 1.2, 2.0, 3.0, 4.5, 6.5, 9.0, 13.0, 18.0)

#: Of the greatest density, below which a place is none that is worth being pointed at.
_SPARSE = 0.04

#: Cells among which a top is the highest.
_AROUND = 5

#: What lying on points costs beside a height of distance from the group.
_COVERING = 5.0


def dense_rows(places: np.ndarray, codes: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return which point of each group lies where it is densest: its dense medoid.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
    codes : ndarray of int, shape (n,)
    groups : ndarray of int, shape (m,)
        Groups that have points.

    Returns
    -------
    ndarray of int, shape (m,)
    """
    found = np.empty(len(groups), np.intp)
    for row, group in enumerate(groups):
        members = np.flatnonzero(codes == group)
        found[row] = members[dense_apart(places[members], 1, 0.0)[0]]
    return found


def dense_apart(places: np.ndarray, most: int, apart: float) -> np.ndarray:
    """Return points at the densest places of a map, the densest first.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
    most : int
        How many, at most.
    apart : float
        No two are closer than this share of the map.

    Returns
    -------
    ndarray of int, shape (m,)
    """
    counts, ys, xs = np.histogram2d(places[:, 0], places[:, 1], bins=_CELLS // 2)
    smooth = gaussian_filter(counts, 2 * _SMOOTH, mode="constant")
    least, reach = _SPARSE * smooth.max(), apart * len(smooth)
    smooth[smooth < maximum_filter(smooth, _AROUND)] = 0  # the tops alone
    down, across = np.indices(smooth.shape)
    found: list[int] = []
    while len(found) < most and smooth.max() > least:
        y, x = np.unravel_index(smooth.argmax(), smooth.shape)
        middle = (ys[y] + ys[y + 1]) / 2, (xs[x] + xs[x + 1]) / 2
        found.append(int(((places - middle) ** 2).sum(axis=1).argmin()))
        smooth[(down - y) ** 2 + (across - x) ** 2 <= reach**2] = 0
    return np.array(found, np.intp)


def place_names(
    places: np.ndarray, anchors: np.ndarray, sizes: np.ndarray, room: tuple[float, float]
) -> np.ndarray:
    """Find room for names near what they name, where they hide few points.

    The names are placed one after the other, the first where it likes best; each
    goes to the free place nearby that is nearest and covers least. Where no place is free
    it is the one that lies least on others.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        Points of the map as y, x on the page; same units as all else here.
    anchors : ndarray, shape (m, 2)
        What the names belong to.
    sizes : ndarray, shape (m, 2)
        Height and width of the names.
    room : (height, width)
        Of the page, from 0.

    Returns
    -------
    ndarray, shape (m, 2)
        Middles of the names.
    """
    room_, taken = np.asarray(room, float), np.empty((0, 4))
    below = _counted(places, room_)
    found = np.empty_like(anchors, float)
    turns = np.linspace(0, 2 * np.pi, _TURNS, endpoint=False)
    grid = np.stack(np.meshgrid(*(np.linspace(0, side, 40) for side in room_), indexing="ij"))
    everywhere = grid.reshape(2, -1).T
    for row, (anchor, size) in enumerate(zip(anchors, sizes, strict=True)):
        high, half = size[0], size / 2
        tried = [anchor[None]]
        for step in _STEPS[1:]:
            # An ellipse, for a name is wider than high: above, it is as near as beside.
            reach = half + step * high - high / 2
            tried.append(anchor + np.stack([np.sin(turns), np.cos(turns)], axis=1) * reach)
        middles = np.concatenate([*tried, everywhere])
        middles = np.clip(middles, half, np.maximum(room_ - half, half))
        boxes = np.concatenate([middles - half, middles + half], axis=1)
        away = np.linalg.norm(np.maximum(np.abs(middles - anchor) - half, 0), axis=1) / high
        cost = away + _COVERING * _covered(below, boxes, room_)
        cost += 1e6 * _overlap(boxes, taken) / (size[0] * size[1])
        best = int(cost.argmin())
        found[row] = middles[best]
        taken = np.concatenate([taken, boxes[best : best + 1]])
    return found


def _counted(places: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return the sums, from one corner, of how full the cells of the page are (0 to 1)."""
    counts, _, _ = np.histogram2d(
        places[:, 0], places[:, 1], bins=_CELLS, range=[(0, room[0]), (0, room[1])]
    )
    usual = np.median(counts[counts > 0]) if counts.any() else 1.0
    full = np.minimum(counts / usual, 1.0)
    return np.pad(full.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def _covered(below: np.ndarray, boxes: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Return which share of each box lies on points."""
    low = np.clip(np.floor(boxes[:, :2] / room * _CELLS).astype(int), 0, _CELLS - 1)
    high = np.clip(np.ceil(boxes[:, 2:] / room * _CELLS).astype(int), low + 1, _CELLS)
    (y, x), (v, u) = low.T, high.T
    inside = below[v, u] - below[y, u] - below[v, x] + below[y, x]
    return np.asarray(inside / ((v - y) * (u - x)))


def _overlap(boxes: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return the area of each box that lies on boxes that are taken."""
    low = np.maximum(boxes[:, None, :2], taken[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], taken[None, :, 2:])
    return np.asarray(np.maximum(high - low, 0).prod(axis=2).sum(axis=1))
