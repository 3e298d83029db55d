"""Which points lie inside a line drawn by hand."""

from __future__ import annotations

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
    y, x = points[near, 0], points[near, 1]
    winding = np.zeros(len(near), np.int32)
    for (y0, x0), (y1, x1) in zip(outline, np.roll(outline, -1, axis=0), strict=True):
        if y0 == y1:
            continue
        crossed = (y >= min(y0, y1)) & (y < max(y0, y1))
        side = (x1 - x0) * (y - y0) - (x - x0) * (y1 - y0)
        winding += np.where(
            crossed & (side * np.sign(y1 - y0) > 0), np.int32(np.sign(y1 - y0)), 0
        )
    return near[winding != 0]


def thinned(path: np.ndarray, step: float) -> np.ndarray:
    """Drop corners of a drawn path that are closer than ``step`` to the one kept before."""
    kept = [0]
    for i in range(1, len(path)):
        if np.hypot(*(path[i] - path[kept[-1]])) >= step:
            kept.append(i)
    return np.asarray(path)[kept]
