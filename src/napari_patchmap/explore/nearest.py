"""The point under the mouse."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import KDTree


class NearestPoint:
    """Find the point that is meant by a place, quickly, for hovering and clicking.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    rank : ndarray of int, shape (n,)
        Points of a higher rank are painted over those of a lower one.
    among : ndarray of intp
        Indices of the points that can be found.
    """

    def __init__(self, points: np.ndarray, rank: np.ndarray, among: np.ndarray) -> None:
        finite = np.isfinite(points).all(axis=1)
        self._rank, self._among = rank, among[finite[among]]
        self._tree = KDTree(points[self._among]) if len(self._among) else None

    def find(
        self,
        place: np.ndarray,
        size: float,
        radius: float,
        lifted: np.ndarray | None = None,
        lifted_size: float = 0.0,
    ) -> int:
        """Return the index of the point at a place, -1 for none.

        That is the topmost of those painted there; where nothing is painted, the
        closest one.

        Parameters
        ----------
        place : ndarray, shape (2,)
        size : float
            Radius of the disc that is painted for a point.
        radius : float
            How far a point may be at most.
        lifted : ndarray of bool, shape (n,), optional
            Points that are painted over all others, of radius ``lifted_size``.
        """
        if self._tree is None:
            return -1
        at = np.asarray(place, float)[None]
        largest = max(size, lifted_size)
        near, apart = self._tree.query_radius(at, largest, return_distance=True)
        near, above = self._among[near[0]], 0
        reach = np.full(len(near), size)
        if lifted is not None:
            above = lifted[near] * len(self._rank)
            reach[lifted[near]] = lifted_size
        order = np.where(apart[0] <= reach, self._rank[near] + above, -1)
        if len(order) and order.max() >= 0:
            return int(near[order.argmax()])
        distance, row = self._tree.query(at, k=1)
        return int(self._among[row[0, 0]]) if distance[0, 0] <= radius else -1
