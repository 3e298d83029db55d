"""Which points lie inside a line drawn by hand."""

from __future__ import annotations

from math import dist

import numpy as np


def points_inside(points: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Return the indices of the points inside a closed outline.

    A loop drawn over itself counts as inside (non-zero winding), which is what
    a person means by circling something twice.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    outline : ndarray, shape (m, 2)
        Corners in the order drawn; the last one is joined to the first.

    Returns
    -------
    ndarray of intp
        Sorted; empty for an outline of fewer than 3 corners.
    """
    outline = np.asarray(outline, float)
    if len(outline) < 3:
        return np.empty(0, np.intp)
    near = np.flatnonzero(
        np.all((points >= outline.min(axis=0)) & (points <= outline.max(axis=0)), axis=1)
    )
    near = near[np.argsort(points[near, 0], kind="stable")]
    y, x = np.asarray(points[near], float).T
    winding = np.zeros(len(near), np.int32)
    ends = np.roll(outline, -1, axis=0)
    low = np.searchsorted(y, np.minimum(outline[:, 0], ends[:, 0]))
    high = np.searchsorted(y, np.maximum(outline[:, 0], ends[:, 0]))
    for (y0, x0), (y1, x1), first, last in zip(
        outline.tolist(), ends.tolist(), low.tolist(), high.tolist(), strict=True
    ):
        if first == last:
            continue  # a side crosses only points between the heights of its two ends
        up, part = 1 if y1 > y0 else -1, slice(first, last)
        side = (x1 - x0) * (y[part] - y0) - (x[part] - x0) * (y1 - y0)
        winding[part] += np.where(side * up > 0, up, 0)
    return np.sort(near[winding != 0])


def thinned(path: np.ndarray, step: float) -> np.ndarray:
    """Drop corners of a drawn path that are closer than ``step`` to the one kept before."""
    places, kept = np.asarray(path).tolist(), [0]
    for i in range(1, len(places)):
        if dist(places[i], places[kept[-1]]) >= step:
            kept.append(i)
    return np.asarray(path)[kept]
