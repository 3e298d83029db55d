"""The point under the mouse."""

from __future__ import annotations

import numpy as np

#: Cells of the grid along each side: their numbers fit into 16 bits, which numpy sorts
#: a million of in a few milliseconds.
_SIDE = 256


class NearestPoint:
    """Find the point that is meant by a place, quickly, for hovering and clicking.

    Points are sorted into the cells of a grid, of which those around the place are looked at.

    Parameters
    ----------
    points : ndarray, shape (n, 2)
    rank : ndarray of int, shape (n,)
        Points of a higher rank are painted over those of a lower one.
    among : ndarray of intp
        Indices of the points that can be found.
    """

    def __init__(self, points: np.ndarray, rank: np.ndarray, among: np.ndarray) -> None:
        among = among[np.isfinite(points[among]).all(axis=1)]
        places = np.asarray(points[among])
        self._rank, self._low = rank, places.min(axis=0) if len(among) else np.zeros(2)
        span = np.ptp(places, axis=0) if len(among) else np.ones(2)
        self._per_unit = _SIDE / np.where(span > 0, span, 1.0)
        rows, columns = self._cells(places).T
        cells = (rows * _SIDE + columns).astype(np.uint16)
        order = np.argsort(cells, kind="stable")
        self._among, self._places = among[order], places[order]
        counts = np.bincount(cells, minlength=_SIDE**2)
        self._starts = np.concatenate([[0], np.cumsum(counts)])

    def _cells(self, places: np.ndarray) -> np.ndarray:
        """Return row and column of the cells of some places, those of the edge beyond it."""
        # In the type of the points: rounded alike, nothing falls beside the cells looked at.
        places = np.asarray(places, self._low.dtype)
        cells = np.floor((places - self._low) * self._per_unit.astype(places.dtype))
        return cells.clip(0, _SIDE - 1).astype(np.intp)

    def _around(self, place: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the points not farther than that from a place, and how far they are."""
        (top, left), (bottom, right) = self._cells(np.array([place - reach, place + reach]))
        starts = np.arange(top, bottom + 1) * _SIDE
        near = np.concatenate(
            [
                np.arange(self._starts[row + left], self._starts[row + right + 1])
                for row in starts.tolist()
            ]
        )
        apart = np.linalg.norm(self._places[near] - place, axis=1)
        within = apart <= reach
        return self._among[near[within]], apart[within]

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
        at = np.asarray(place, float)
        near, apart = self._around(at, max(size, lifted_size, radius))
        if not len(near):
            return -1
        reach, above = np.full(len(near), size), 0
        if lifted is not None:
            above = lifted[near] * len(self._rank)
            reach[lifted[near]] = lifted_size
        order = np.where(apart <= reach, self._rank[near] + above, -1)
        if order.max() >= 0:
            return int(near[order.argmax()])
        closest = apart.argmin()
        return int(near[closest]) if apart[closest] <= radius else -1
