"""Counts of the points that lie nearer than some others, from bounds of distances."""

from __future__ import annotations

import numpy as np

from napari_patchmap.quality.pairs import Pairs, each_row, level

#: Rows of which a larger share of the pairs is to be looked at are counted as a whole.
_MANY = 0.12

#: Rows that are counted at once, and parts of the range of their limits.
_ROWS, _BINS = 32, 1024


#: A range that is not divided by.
_NARROW = np.float32(1e-25)


class _Bins:
    """Equal parts of a range of each row, from 1 on; 0 is below it, the last one above.

    Parameters
    ----------
    low, high : ndarray of float32, shape (b,)
    """

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self._low = low[:, None]
        self._many = (_BINS - 3) / np.maximum(high - low, _NARROW)[:, None]

    def of(self, values: np.ndarray) -> np.ndarray:
        """Return the bins of values (b, c), which never fall as values rise."""
        places = values - self._low
        with np.errstate(over="ignore"):
            places *= self._many
        places += 1
        np.maximum(places, 0, out=places)
        return np.minimum(places, _BINS - 1, out=places).astype(np.intp)


class RankCount:
    """How many points lie nearer to each of some than its limits.

    Bounds are half squares of distances, less what a row has in common.

    Parameters
    ----------
    edges : ndarray of float64, shape (b, k)
        Squares of distances, in any order.
    common : ndarray of float64, shape (b,)
        What is left out of the bounds of a row.
    """

    def __init__(self, edges: np.ndarray, common: np.ndarray) -> None:
        self._order = np.argsort(edges, axis=1)
        rows, self._count = edges.shape
        self._exact = np.full((rows, 1 << self._count.bit_length()), np.inf)
        self._exact[:, : self._count] = np.take_along_axis(edges, self._order, 1)
        self._limits = (self._exact / 2 - common[:, None]).astype(np.float32)
        # Pairs by how many limits of their row they do not lie below, and such as were
        # counted for each limit.
        self._pairs = np.zeros(self._exact.size, np.int64)
        self._nearer = np.zeros(edges.shape, np.int64)

    @property
    def farthest(self) -> np.ndarray:
        """The last limit of each row, (b,) float32."""
        return self._limits[:, self._count - 1]

    def add_whole(
        self, table: np.ndarray, mask: np.ndarray, rows: np.ndarray, width: np.ndarray
    ) -> None:
        """Count what is certain of the rows of a table that have much in the mask.

        What is left to be looked at is left in the mask.

        Parameters
        ----------
        table, mask : ndarray of float32 and bool, shape (b, c)
            Lower bounds; which of them are to be looked at.
        rows : ndarray of int, shape (b,)
            Of all, those in the table.
        width : ndarray of float32, shape (b,)
            The upper bounds lie no more than this above the lower ones.
        """
        many = np.flatnonzero(each_row(mask) > _MANY * mask.shape[1])
        # Few at once, as they are gone through for each limit.
        for start in range(0, len(many), _ROWS):
            some = many[start : start + _ROWS]
            mask[some] = self._certain(table[some], rows[some], width[some])

    def _certain(self, values: np.ndarray, rows: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Count what is certain, and return a mask of what is not."""
        limits = self._limits[rows]
        sure = limits - width[:, None]
        scale = _Bins(sure[:, 0], limits[:, self._count - 1])
        # Bins rise with values: what is in an earlier one than a limit lies below it.
        each, first, last = scale.of(values), scale.of(sure), scale.of(limits)
        row = np.arange(len(each))
        each += row[:, None] * _BINS
        many = np.bincount(each.reshape(-1), minlength=len(each) * _BINS)
        earlier = many.reshape(-1, _BINS).cumsum(axis=1)
        self._nearer[rows] += np.take_along_axis(earlier, first[:, : self._count] - 1, 1)
        # Bins from one that begins where a limit may be to one that ends there.
        open_ = np.zeros((len(each), _BINS + 1), np.int8)
        for place in range(self._count):
            open_[row, first[:, place]] += 1
            open_[row, last[:, place] + 1] -= 1
        inside = open_.cumsum(axis=1, dtype=np.int8)[:, :-1] > 0
        left = inside.reshape(-1).take(each)
        # These will be counted for all limits, and were for some.
        row, column = divmod(np.flatnonzero(left), values.shape[1])
        first[:, self._count :] = _BINS
        at = (
            level(first, row, each[row, column] - row * _BINS)
            + (rows[row] - row) * first.shape[1]
        )
        self._pairs -= np.bincount(at, minlength=len(self._pairs))
        return left

    def add(self, pairs: Pairs, width: np.ndarray) -> np.ndarray:
        """Count the pairs that are certain, and return the places of the others.

        Their upper bounds lie ``width`` (p,) above the lower ones.
        """
        at = level(self._limits, pairs.row, pairs.low)
        certain = pairs.low + width < self._limits.reshape(-1)[at]
        self._note(at[certain], None if pairs.times is None else pairs.times[certain])
        return np.flatnonzero(~certain)

    def add_exact(self, pairs: Pairs, squares: np.ndarray) -> None:
        """Count pairs by the squares of their distances, (p,)."""
        self._note(level(self._exact, pairs.row, squares), pairs.times)

    def _note(self, at: np.ndarray, times: np.ndarray | None) -> None:
        self._pairs += np.bincount(at, times, len(self._pairs)).astype(np.int64)

    def nearer(self) -> np.ndarray:
        """Return how many lie nearer, (b, k), in the order of the edges."""
        each = self._pairs.reshape(self._exact.shape).cumsum(axis=1)[:, : self._count]
        found = np.empty_like(each)
        np.put_along_axis(found, self._order, each + self._nearer, 1)
        return found
