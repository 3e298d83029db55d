"""Bounds of the distances of points, from a few of their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Points of each number from which it is found how to turn them.
_SEEN = 20

#: Where there are not as many: less than infinity, so that a point is not near itself.
_FARTHEST = np.finfo(np.float32).max

#: Parts in which the nearest are looked for, for each of them.
_PARTS = 16


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
    most : int
        How many of the nearest will be looked for.
    """

    def __init__(self, points: np.ndarray, first: int, most: int) -> None:
        count, size = points.shape
        left = np.sqrt(_squares(points[:, first:]))
        halves = _squares(points) / 2
        # The sum of n independent rounding errors is as large as the root of n.
        loss = (np.sqrt(size) + 8) * np.finfo(np.float32).eps / 2
        self.first = first
        self.common = halves * (1 - loss)
        self._table = np.column_stack(
            [points[:, :first], left.astype(np.float32), self.common.astype(np.float32)]
        )
        # What a point adds to how far the upper bounds lie above the lower ones.
        self._left = left.astype(np.float32)
        self._unsure = (2 * loss * halves).astype(np.float32)
        self._most = most
        self._part = max(1, count // (_PARTS * most))
        self._widest = [self._parts(one).max(axis=0) for one in (self._left, self._unsure)]
        self._most_left, self._most_unsure = self._left.max(), self._unsure.max()

    def lower(self, own: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Return the lower bounds of some points to all, (b, n), and inf to itself."""
        rows = -self._table[own]
        rows[:, -1] = 1
        found: np.ndarray = np.matmul(rows, self._table.T, out=out[: len(own)])
        found[np.arange(len(own)), own] = np.inf
        return found

    def width(self, own: int, others: np.ndarray) -> np.ndarray:
        """Return how far the upper bounds of a point to others lie above the lower ones."""
        return self._above(own, self._left[others], self._unsure[others])

    def widest(self, own: int) -> np.float32:
        """Return how far they lie above at most."""
        return self._above(own, self._most_left, self._most_unsure)

    def nearest(self, own: int, low: np.ndarray) -> np.float32:
        """Return within what the nearest of a point lie, from its lower bounds (n,)."""
        # Of the nearest of each part as many are near enough, and few others are as near.
        parts = self._parts(low).min(axis=0) + self._above(own, *self._widest)
        return min(np.partition(parts, self._most - 1)[self._most - 1], _FARTHEST)

    def _above(self, own: int, left: Any, unsure: Any) -> Any:
        return 2 * self._left[own] * left + (self._unsure[own] + unsure)

    def _parts(self, values: np.ndarray) -> np.ndarray:
        whole = len(values) // self._part * self._part
        return values[:whole].reshape(self._part, -1, *values.shape[1:])


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
