"""Exact ranks among many points, most of which are told from a few of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from napari_patchmap.quality.distance_bounds import (
    DistanceBounds,
    turned_points,
)

#: Numbers of each point that are compared at first, if that costs less than all of them.
_FIRST = (384, 256, 192, 128, 96, 64, 32)

#: What a pair costs whose distance is computed by itself, in numbers of a pair in a product
#: of matrices.
_PICKED = 100

#: Rows at which it is tried how many numbers are best compared at first.
_TRIED = 48

#: To turn points costs as much as to compare all numbers of so many, times their numbers.
_TURN = 8

#: Rows of distances that are computed at once, and numbers at most.
_ROWS, _VALUES = 256, 2**25

#: Of more picked points those that are the same are computed once.
_COPIES = 1_000

_NONE = np.empty(0, np.intp)


@dataclass(frozen=True, eq=False)
class Ranked:
    """What was found for some points.

    Parameters
    ----------
    nearer : ndarray of int64, shape (b, k)
        How many points lie nearer than each of those that were asked about.
    found : ndarray of int64, shape (b, most)
        The nearest points, the nearest first; of equally near ones those that come first.
    squares : ndarray of float64, shape (b, most)
        Squares of their distances.
    """

    nearer: np.ndarray
    found: np.ndarray
    squares: np.ndarray


class RankedPoints:
    """Points, made ready to count how many lie nearer to one than others do.

    A rotation to the principal components leaves distances as they are. Of features of a
    trained network the first few then decide most pairs; the others are computed in double
    precision. Where points differ in all directions, all numbers are compared at first.

    Parameters
    ----------
    points : ndarray of float32 or float64, shape (n, f)
        In rows that lie together in memory.
    rows, others : ndarray of int, shape (m,) and (m, k)
        Points, and such as will be asked about, by which it is chosen how many numbers are
        compared at first.
    most : int
        How many of the nearest are found.
    threads : int
        Which will ask at once.

    Attributes
    ----------
    step : int
        Of how many points is asked at once, at most.
    """

    def __init__(
        self, points: np.ndarray, rows: np.ndarray, others: np.ndarray, most: int, threads: int
    ) -> None:
        self._points, self._most = points, most
        # A fresh table for each part would cost as much as a third of what it is filled with.
        self.step = max(1, min(_ROWS, len(rows), _VALUES // len(points)))
        tables = [np.empty((self.step, len(points)), np.float32) for _ in range(threads)]
        self._tables = tables
        self._same = _first_of_each(points)
        self._grouped = None if self._same is None else self._same.argsort(kind="stable")
        turn = len(rows) > _TURN * points.shape[1]
        turned = turned_points(points, turn)
        self._bounds = DistanceBounds(turned, points.shape[1], most)
        if turn:
            some = np.linspace(0, len(rows) - 1, min(_TRIED, self.step)).astype(np.intp)
            self._choose(turned, rows[some], self.squares(rows[some], others[some]))

    def _choose(self, turned: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> None:
        """Choose how many numbers are compared at first."""
        size, best = turned.shape[1], np.inf
        for first in [size, *(k for k in _FIRST if 4 * k <= 3 * size)]:
            bounds = DistanceBounds(turned, first, self._most) if first < size else self._bounds
            limits = _limits(np.sort(edges), bounds.common[rows])
            lows = bounds.lower(rows, self._tables[0])
            for own, low in zip(rows, lows, strict=True):
                low[self._copies(own)] = np.inf
            given = zip(rows, lows, limits, strict=True)
            picked = np.mean([len(_Row(bounds, *one).others) for one in given])
            cost = first + picked * _PICKED * size / len(turned)
            if cost > best:  # as that of still fewer would be
                break
            best, self._bounds = cost, bounds

    def squares(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the exact squares of the distances of some points (b,) to others (b, k)."""
        return np.array([self._squares(*one) for one in zip(some, others, strict=True)])

    def of(self, some: np.ndarray, edges: np.ndarray) -> Ranked:
        """Count the points that lie nearer than so far, and find the nearest.

        Parameters
        ----------
        some : ndarray of int, shape (b,)
            At most ``step``; a point is not one of its own neighbours.
        edges : ndarray of float64, shape (b, k)
            Squares of distances, as :meth:`squares` gives them.
        """
        order = edges.argsort(axis=1)
        edges = np.take_along_axis(edges, order, 1)
        limits = _limits(edges, self._bounds.common[some])
        nearer = np.empty(edges.shape, np.int64)
        found = np.empty((len(some), self._most), np.int64)
        squares = np.empty(found.shape)
        table = self._tables.pop()
        lows = self._bounds.lower(some, table)
        for place, (own, low) in enumerate(zip(some, lows, strict=True)):
            # Copies of a point are the nearest to it, and nothing must be computed for them.
            copies = self._copies(own)
            low[copies] = np.inf
            row = _Row(self._bounds, own, low, limits[place])
            apart = self._squares(own, row.others)
            count = row.nearer(apart, edges[place]) + len(copies) * (edges[place] > 0)
            nearer[place, order[place]] = count
            # In the order of the points where they are equally near.
            near = np.flatnonzero(row.near)
            near = near[apart[near].argsort(kind="stable")[: self._most]]
            found[place] = np.append(copies, row.others[near])[: self._most]
            squares[place] = np.append(np.zeros(len(copies)), apart[near])[: self._most]
        self._tables.append(table)
        return Ranked(nearer, found, squares)

    def _copies(self, own: int) -> np.ndarray:
        """Return the other points that are the same as one, in their order."""
        if self._same is None or self._grouped is None:
            return _NONE
        first, last = np.searchsorted(
            self._same, [self._same[own], self._same[own] + 1], sorter=self._grouped
        )
        group = self._grouped[first:last]
        return group[group != own]

    def _squares(self, own: int, others: np.ndarray) -> np.ndarray:
        """Return the exact squares of the distances of a point to others."""
        if self._same is not None and len(others) > _COPIES:
            same = self._same[others]
            mark = np.zeros(len(self._points), bool)
            mark[same] = True
            each = np.empty(len(mark))
            each[mark] = _apart(self._points, own, np.flatnonzero(mark))
            return each[same]
        return _apart(self._points, own, others)


class _Row:
    """What is certain about the distances of a point, and which must be computed.

    Parameters
    ----------
    bounds : DistanceBounds
    own : int
    low : ndarray of float32, shape (n,)
        Lower bounds.
    limits : ndarray of float32, shape (k,)
        Sorted; it is counted how many points lie nearer than each.
    """

    def __init__(
        self, bounds: DistanceBounds, own: int, low: np.ndarray, limits: np.ndarray
    ) -> None:
        within = bounds.nearest(own, low)
        near = np.flatnonzero(low <= max(within, limits[-1]))
        values = low[near]
        # Most are certain if all were as unsure as the most unsure one, which costs least.
        surely = values < (limits - bounds.widest(own))[:, None]
        perhaps = values < limits[:, None]
        self._surely = np.array([np.count_nonzero(one) for one in surely])
        perhaps ^= surely
        some = np.flatnonzero(perhaps.any(axis=0) | (values <= within))
        near, values, perhaps = near[some], values[some], perhaps[:, some]
        surely = perhaps & (values + bounds.width(own, near) < limits[:, None])
        self._surely += surely.sum(axis=1)
        perhaps ^= surely
        some = np.flatnonzero(perhaps.any(axis=0) | (values <= within))
        self.others, self._perhaps = near[some], perhaps[:, some]
        self.near = values[some] <= within

    def nearer(self, apart: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """Return how many lie nearer (k,), given the squares of what was to be computed."""
        return self._surely + (self._perhaps & (apart < edges[:, None])).sum(axis=1)


def _limits(edges: np.ndarray, common: np.ndarray) -> np.ndarray:
    """Return squares of distances (b, k) as limits of the bounds of some points."""
    return (edges / 2 - common[:, None]).astype(np.float32)


def _apart(points: np.ndarray, own: int, others: np.ndarray) -> np.ndarray:
    apart = points[others].astype(np.float64, copy=False)
    apart -= points[own]
    return np.asarray(np.einsum("ij,ij->i", apart, apart))


def _first_of_each(points: np.ndarray) -> np.ndarray | None:
    """Return the first point that is the same as each, (n,); None where all differ."""
    first: dict[bytes, int] = {}
    digests = (blake2b(point, digest_size=16).digest() for point in points)
    found = np.array([first.setdefault(digest, i) for i, digest in enumerate(digests)])
    return found if len(first) < len(points) else None
