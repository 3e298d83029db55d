"""Exact ranks among many points, most of which are told from a few of their numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

#: Numbers of each point that are compared at first, if that costs less than all of them.
_FIRST = (384, 256, 192, 128, 96, 64, 32)

#: What a pair costs whose distance is computed by itself, in numbers of a pair in a product
#: of matrices.
_PICKED = 100

#: Rows at which it is tried how many numbers are best compared at first.
_TRIED = 48

#: To turn points costs as much as to compare all numbers of so many, times their numbers.
_TURN = 8

#: Points of each number from which it is found how to turn them.
_SEEN = 20

#: Rows of distances that are computed at once, and numbers at most.
_ROWS, _VALUES = 256, 2**25

#: Of more picked points those that are the same are computed once.
_COPIES = 1_000

#: Parts in which the nearest are looked for, for each of them.
_PARTS = 16


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


class _Bounds:
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
        return np.partition(parts, self._most - 1)[self._most - 1]

    def _above(self, own: int, left: Any, unsure: Any) -> Any:
        return 2 * self._left[own] * left + (self._unsure[own] + unsure)

    def _parts(self, values: np.ndarray) -> np.ndarray:
        whole = len(values) // self._part * self._part
        return values[:whole].reshape(self._part, -1, *values.shape[1:])


class RankedPoints:
    """Points, made ready to count how many lie nearer to one than others do.

    A rotation to the principal components leaves distances as they are. Of features of a
    trained network the first few then decide most pairs; the others are computed in double
    precision. Where points differ in all directions, all numbers are compared at first.

    Parameters
    ----------
    points : ndarray of float64, shape (n, f)
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
        turn = len(rows) > _TURN * points.shape[1]
        turned = _turned(points, turn)
        self._bounds = _Bounds(turned, points.shape[1], most)
        if turn:
            some = np.linspace(0, len(rows) - 1, min(_TRIED, self.step)).astype(np.intp)
            self._choose(turned, rows[some], self.squares(rows[some], others[some]))

    def _choose(self, turned: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> None:
        """Choose how many numbers are compared at first."""
        size, best = turned.shape[1], np.inf
        for first in [size, *(k for k in _FIRST if 4 * k <= 3 * size)]:
            bounds = _Bounds(turned, first, self._most) if first < size else self._bounds
            limits = _limits(np.sort(edges), bounds.common[rows])
            lows = bounds.lower(rows, self._tables[0])
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
            row = _Row(self._bounds, own, low, limits[place])
            apart = self._squares(own, row.others)
            nearer[place, order[place]] = row.nearer(apart, edges[place])
            # In the order of the points where they are equally near.
            near = np.flatnonzero(row.near)
            near = near[apart[near].argsort(kind="stable")[: self._most]]
            found[place], squares[place] = row.others[near], apart[near]
        self._tables.append(table)
        return Ranked(nearer, found, squares)

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
    bounds : _Bounds
    own : int
    low : ndarray of float32, shape (n,)
        Lower bounds.
    limits : ndarray of float32, shape (k,)
        Sorted; it is counted how many points lie nearer than each.
    """

    def __init__(self, bounds: _Bounds, own: int, low: np.ndarray, limits: np.ndarray) -> None:
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
    apart = points[others]
    apart -= points[own]
    return _squares(apart)


def _squares(vectors: np.ndarray) -> np.ndarray:
    """Return the squares of the lengths (n,) of vectors (n, f)."""
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


def _turned(points: np.ndarray, turn: bool) -> np.ndarray:
    """Return points centred, and turned to their principal components where asked."""
    count, size = points.shape
    centre = points.mean(axis=0)
    found = np.empty((count, size), np.float32)
    axes = np.eye(size)
    if turn:
        seen = points[:: max(1, count // (_SEEN * size))] - centre
        axes = np.linalg.eigh(seen.T @ seen)[1][:, ::-1]
    for part in np.array_split(np.arange(count), max(1, points.size // 2**22)):
        aside = points[part] - centre
        found[part] = aside @ axes if turn else aside
    return found


def _first_of_each(points: np.ndarray) -> np.ndarray | None:
    """Return the first point that is the same as each, (n,); None where all differ."""
    first: dict[bytes, int] = {}
    found = np.array([first.setdefault(p.tobytes(), i) for i, p in enumerate(points)])
    return found if len(first) < len(points) else None
