"""Bounds of the distances of points, from a few of their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Points of each number from which it is found how to turn them.
_SEEN = 20

#: Points whose bounds to some others fit into the cache of a core together with these.
_AT_ONCE = 1_024


class DistanceBounds:
    """Lower and upper bounds of half the squares of distances, from the first numbers.

    What a point has beyond them is a vector of known length, and so the distance of two
    points lies between two bounds: as if those vectors pointed the same way, or opposite
    ways. The bounds allow for what single precision loses. What all bounds of a point have
    in common is left out.

    Parameters
    ----------
    points : ndarray of float32, shape (n, f)
    first : int
        How many numbers are compared.
    """

    def __init__(self, points: np.ndarray, first: int) -> None:
        count, size = points.shape
        left = np.sqrt(_squares(points[:, first:]))
        halves = _squares(points) / 2
        # The sum of n independent rounding errors is as large as the root of n.
        loss = (np.sqrt(size) + 8) * np.finfo(np.float32).eps / 2
        self.first = first
        self.common = halves * (1 - loss)
        self._table = np.empty((count, first + 3), np.float32)
        self._table[:, :first] = points[:, :first]
        self._table[:, first] = left
        self._table[:, first + 1] = self.common
        self._table[:, first + 2] = 1
        # What a point adds to how far the upper bounds lie above the lower ones.
        self._left = left.astype(np.float32)
        self._unsure = (2 * loss * halves).astype(np.float32)
        self._most_left, self._most_unsure = self._left.max(), self._unsure.max()

    def lower(
        self, own: np.ndarray, others: np.ndarray | None = None, out: np.ndarray | None = None
    ) -> np.ndarray:
        """Return the lower bounds of some points (b,) to others (c,), or to all, (b, c).

        Those to itself are inf. ``others`` are sorted, ``out`` is where to put them, (b * c,).
        """
        table = self._table if others is None else self._table[others]
        shape = len(own), len(table)
        found = np.empty(shape, np.float32) if out is None else out.reshape(shape)
        np.matmul(self._rows(own, np.zeros(len(own))), table.T, out=found)
        if others is None:
            found[np.arange(len(own)), own] = np.inf
        else:
            at = np.searchsorted(others, own).clip(max=len(others) - 1)
            there = np.flatnonzero(others[at] == own)
            found[there, at[there]] = np.inf
        return found

    def reached(self, own: np.ndarray, limits: np.ndarray) -> np.ndarray:
        """Return the points, sorted, that any of some (b,) may have within its limit (b,)."""
        # To take the limit away in single precision loses as much as one more number does.
        limits = limits + 4 * np.finfo(np.float32).eps * np.abs(limits)
        rows, found = self._rows(own, limits), np.empty(len(self._table), bool)
        tile = np.empty((len(own), _AT_ONCE), np.float32)
        for start in range(0, len(found), _AT_ONCE):
            some = self._table[start : start + _AT_ONCE]
            low = np.matmul(rows, some.T, out=tile if len(some) == _AT_ONCE else None)
            np.less_equal(low.min(axis=0), 0, out=found[start : start + _AT_ONCE])
        return np.flatnonzero(found)

    def width(self, own: Any, others: np.ndarray) -> np.ndarray:
        """Return how far the upper bounds of points to others lie above the lower ones."""
        return self._above(own, self._left[others], self._unsure[others])

    def widest(self, own: int) -> np.float32:
        """Return how far they lie above at most."""
        return self._above(own, self._most_left, self._most_unsure)

    def _above(self, own: Any, left: Any, unsure: Any) -> Any:
        return 2 * self._left[own] * left + (self._unsure[own] + unsure)

    def _rows(self, own: np.ndarray, limits: np.ndarray) -> np.ndarray:
        rows = -self._table[own]
        rows[:, -2], rows[:, -1] = 1, -limits
        return rows


def turned_points(points: np.ndarray, turn: bool) -> np.ndarray:
    """Return points centred, and turned to their principal components where asked."""
    count, size = points.shape
    centre = points.mean(axis=0, dtype=np.float64)
    found = np.empty((count, size), np.float32)
    axes = np.eye(size)
    if turn:
        seen = points[:: max(1, count // (_SEEN * size))] - centre
        axes = np.linalg.eigh(seen.T @ seen)[1][:, ::-1]
    for part in np.array_split(np.arange(count), max(1, points.size // 2**22)):
        aside = points[part] - centre
        found[part] = aside @ axes if turn else aside
    return found


def _squares(vectors: np.ndarray) -> np.ndarray:
    """Return the squares of the lengths (n,) of vectors (n, f), in double precision."""
    return np.asarray(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
