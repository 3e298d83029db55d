"""Pairs of points picked from a table of distances."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

#: Numbers of picked points that are copied at once: few enough for a core's cache.
_VALUES = 2**18


@dataclass(frozen=True, eq=False)
class Pairs:
    """Some pairs of points, in the order of their rows.

    Parameters
    ----------
    row : ndarray of intp, shape (p,)
        Of the table.
    own, other : ndarray of intp, shape (p,)
        The points of the row and of the column.
    low : ndarray of float32, shape (p,)
        A lower bound of half the square of their distance, less what a row has in common.
    times : ndarray of int64, shape (p,), optional
        How many pairs of the same distance each stands for; 1 by default.
    """

    row: np.ndarray
    own: np.ndarray
    other: np.ndarray
    low: np.ndarray
    times: np.ndarray | None = None

    @classmethod
    def among(
        cls, table: np.ndarray, mask: np.ndarray, rows: np.ndarray, own: np.ndarray, start: int
    ) -> Pairs:
        """Return those of a table (b, c) in a mask; c is a power of two.

        It has some rows of all, which are those of the points ``own``; its columns begin at
        ``start``.
        """
        flat = np.flatnonzero(mask)
        row = rows[flat >> (table.shape[1].bit_length() - 1)]
        other = (flat & (table.shape[1] - 1)) + start
        return cls(row, own[row], other, table.reshape(-1)[flat])

    def which(self, some: np.ndarray) -> Pairs:
        """Return some of them."""
        times = None if self.times is None else self.times[some]
        return Pairs(self.row[some], self.own[some], self.other[some], self.low[some], times)

    def once(self, group: np.ndarray) -> Pairs:
        """Return one for all whose other points are of one group (n,) of the same points."""
        each = self.row * (group.max() + 1) + group[self.other]
        _, first, times = np.unique(each, return_index=True, return_counts=True)
        return replace(self.which(first), times=times)


def level(limits: np.ndarray, row: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return where values belong among the limits of their row, as places in all limits.

    ``limits`` (b, w) are sorted; w is a power of two, and the last are infinite. A place is
    that of the first limit above a value (p,).
    """
    width, flat = limits.shape[1], limits.reshape(-1)
    place = row * width
    step = width // 2
    while step:
        place += step * (flat[place + (step - 1)] <= values)
        step //= 2
    return place


def each_row(mask: np.ndarray) -> np.ndarray:
    """Return how many of each row are true; a row is of eights (b, c)."""
    # Eight at a time, in runs that are short enough for a sum to be held by a byte.
    eights = mask.view(np.uint64)
    runs = eights.reshape(len(mask), -1, min(128, eights.shape[1])).sum(axis=2)
    return runs.view(np.uint8).reshape(len(mask), -1).sum(axis=1, dtype=np.int64)


def dots(points: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the products of pairs of points (n, f), given by two arrays (p,) of places."""
    found = np.empty(len(one), points.dtype)
    for part in _parts(len(one), points.shape[1]):
        found[part] = np.einsum("ij,ij->i", points[one[part]], points[other[part]])
    return found


def squared_distances(points: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the squares of their distances; the same for the same numbers."""
    found = np.empty(len(one), points.dtype)
    for part in _parts(len(one), points.shape[1]):
        apart = points[one[part]]
        apart -= points[other[part]]
        found[part] = np.einsum("ij,ij->i", apart, apart)
    return found


def _parts(count: int, size: int) -> list[slice]:
    step = max(1, _VALUES // size)
    return [slice(start, start + step) for start in range(0, count, step)]
