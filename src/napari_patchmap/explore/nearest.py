"""The point under the mouse."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import KDTree


class NearestPoint:
    """Find the point closest to a place, quickly, for hovering and clicking.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    among : ndarray of intp, optional
        Indices of the points that can be found; all of them when not given.
    """

    def __init__(self, points: np.ndarray, among: np.ndarray | None = None) -> None:
        finite = np.isfinite(points).all(axis=1)
        self._among = np.flatnonzero(finite) if among is None else among[finite[among]]
        self._tree = KDTree(points[self._among]) if len(self._among) else None

    def find(self, place: np.ndarray, radius: float) -> int:
        """Return the index of the closest point within ``radius``, -1 for none."""
        if self._tree is None:
            return -1
        distance, row = self._tree.query(np.asarray(place, float)[None], k=1)
        return int(self._among[row[0, 0]]) if distance[0, 0] <= radius else -1
