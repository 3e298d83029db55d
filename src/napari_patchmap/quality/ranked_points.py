"""Exact ranks among many points, most of which are told from a few of their numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np

from napari_patchmap.quality.alike_groups import alike_groups
from napari_patchmap.quality.certain_row import CertainRow
from napari_patchmap.quality.distance_bounds import DistanceBounds, turned_points

#: Numbers of each point that are compared at first, if that costs less than all of them.
_FIRST = (384, 256, 192, 128, 96, 64, 32)

#: What a pair costs whose distance is computed by itself, in numbers of a pair in a product
#: of matrices.
_PICKED = 100

#: Rows at which it is tried how many numbers are best compared at first, and among how many
#: points.
_TRIED, _AMONG = 48, 12_500

#: Numbers from which it is told what points a block of rows is compared with, and of how
#: many of all points this is too many to choose them.
_ROUGH, _MANY = 16, 0.75

#: To turn points costs as much as to compare all numbers of so many, times their numbers.
_TURN = 8

#: Rows of distances that are computed at once, and numbers at most.
_ROWS, _VALUES = 256, 2**25

#: Of so many times as many rows those that reach as far are computed at once.
_BLOCKS = 4

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
    Points that lie near each other are asked about together: what lies beyond all that is
    asked about of any of them is told from still fewer numbers, and left out.

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
    groups : list of ndarray of intp
        Positions in ``rows``, each in one group, of which it is best asked together.
    """

    def __init__(
        self, points: np.ndarray, rows: np.ndarray, others: np.ndarray, most: int, threads: int
    ) -> None:
        self._points, self._most = points, most
        # A fresh table for each part would cost as much as a third of what it is filled with.
        self._step = max(1, min(_ROWS, len(rows), _VALUES // len(points)))
        self._tables = [np.empty(self._step * len(points), np.float32) for _ in range(threads)]
        self._same = _first_of_each(points)
        self._grouped = None if self._same is None else self._same.argsort(kind="stable")
        self._rough: DistanceBounds | None = None
        size = points.shape[1]
        if len(rows) > _TURN * size:
            turned = turned_points(points, True)
            some = np.linspace(0, len(rows) - 1, min(_TRIED, self._step)).astype(np.intp)
            first = self._best(turned, rows[some], self.squares(rows[some], others[some]))
            if first > _ROUGH:
                self._rough = DistanceBounds(turned, _ROUGH)
            self.groups = alike_groups(turned[:, :_ROUGH], rows, _BLOCKS * self._step)
        else:
            turned, first = turned_points(points, False), size
            starts = range(self._step, len(rows), self._step)
            self.groups = np.array_split(np.arange(len(rows)), starts)
        self._bounds = DistanceBounds(turned, first)

    def _best(self, turned: np.ndarray, rows: np.ndarray, edges: np.ndarray) -> int:
        """Return how many numbers are best compared at first."""
        count, size = turned.shape
        among = np.union1d(rows, np.arange(0, count, max(1, count // _AMONG)))
        most = -(-self._most * len(among) // count)
        same = None if self._same is None else self._same[among]
        points, at = turned[among], np.searchsorted(among, rows)
        best, cheapest = size, np.inf
        for first in [size, *(k for k in _FIRST if 4 * k <= 3 * size)]:
            bounds = DistanceBounds(points, first)
            limits = _limits(np.sort(edges), bounds.common[at])
            picked = []
            for own, low, limit in zip(at, bounds.lower(at), limits, strict=True):
                if same is not None:
                    low[same == same[own]] = np.inf
                row = CertainRow(bounds, own, low, limit, limit[-1], most, None)
                picked.append(len(row.others))
            cost = first + np.mean(picked) * _PICKED * size / len(among)
            if cost > cheapest:  # as that of still fewer would be
                break
            best, cheapest = first, cost
        return best

    def squares(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the exact squares of the distances of some points (b,) to others (b, k)."""
        return np.array([self._squares(*one) for one in zip(some, others, strict=True)])

    def of(self, some: np.ndarray, squares: np.ndarray, asked: int) -> Ranked:
        """Count the points that lie nearer than so far, and find the nearest.

        Parameters
        ----------
        some : ndarray of int, shape (b,)
            A group; a point is not one of its own neighbours.
        squares : ndarray of float64, shape (b, most)
            Of distances to ``most`` other points, as :meth:`squares` gives them; it is
            counted how many lie nearer than the first ``asked``, k.
        """
        edges = squares[:, :asked]
        order = edges.argsort(axis=1)
        edges = np.take_along_axis(edges, order, 1)
        limits = _limits(edges, self._bounds.common[some])
        within = self._within(some, squares.max(axis=1))
        reach = np.maximum(within, limits[:, -1])
        nearer = np.empty(edges.shape, np.int64)
        found = np.empty((len(some), self._most), np.int64)
        exact = np.empty(found.shape)
        table = self._tables.pop()
        for block, columns in self._blocks(some, reach):
            width = len(self._points) if columns is None else len(columns)
            lows = self._bounds.lower(some[block], columns, table[: len(block) * width])
            for place, low in zip(block, lows, strict=True):
                own = some[place]
                # Copies of a point are the nearest to it: nothing is computed for them.
                copies = self._copies(own)
                low[copies if columns is None else np.searchsorted(columns, copies)] = np.inf
                row = CertainRow(
                    self._bounds, own, low, limits[place], within[place], self._most, columns
                )
                apart = self._squares(own, row.others)
                count = row.nearer(apart, edges[place]) + len(copies) * (edges[place] > 0)
                nearer[place, order[place]] = count
                # In the order of the points where they are equally near.
                near = np.flatnonzero(row.near)
                near = near[apart[near].argsort(kind="stable")[: self._most]]
                found[place] = np.append(copies, row.others[near])[: self._most]
                exact[place] = np.append(np.zeros(len(copies)), apart[near])[: self._most]
        self._tables.append(table)
        return Ranked(nearer, found, exact)

    def _within(self, some: np.ndarray, squares: np.ndarray) -> np.ndarray:
        """Return limits within which the nearest of some points lie, (b,).

        ``squares`` are those of distances within which they lie.
        """
        known = _limits(squares[:, None], self._bounds.common[some])[:, 0]
        if len(some) <= self._most:
            return known
        others = np.sort(some)
        upper = self._bounds.lower(some, others)
        upper += self._bounds.width(some[:, None], others)
        upper.partition(self._most - 1, axis=1)
        return np.minimum(known, upper[:, self._most - 1])

    def _blocks(
        self, some: np.ndarray, reach: np.ndarray
    ) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
        """Yield places in some, and the points to compare those with; None for all."""
        # Those that reach as far together, for few do so across most points.
        order, choose = reach.argsort(), self._rough
        for start in range(0, len(some), self._step):
            block, columns = order[start : start + self._step], None
            if choose is not None:
                columns = choose.reached(some[block], reach[block])
                if len(columns) > _MANY * len(self._points):
                    columns = choose = None
            yield block, columns

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
