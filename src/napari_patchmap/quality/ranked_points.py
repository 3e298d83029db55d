"""Exact ranks among many points, most of which are told from a few of their numbers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from napari_patchmap.quality.nearest_so_far import NearestSoFar
from napari_patchmap.quality.pairs import Pairs, dots, squared_distances
from napari_patchmap.quality.rank_count import RankCount
from napari_patchmap.quality.same_points import same_points
from napari_patchmap.quality.turned_points import cheapest, lengths, turned_points

#: Rows and columns of distances that are computed at once: few enough for a core's cache.
#: Columns are a power of two.
ROWS, _COLUMNS = 512, 4096

#: Rows at which it is tried how many numbers are best compared at first.
_TRIED = 64

#: Of more points that are the same not all are compared.
_MANY = 100

#: Share of a distance from a middle that rounding may add.
_SLACK = 1e-9


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

    A rotation to the principal components leaves distances as they are. What a point has
    beyond its first numbers is a vector of known length, and so the distance of two points
    lies between two bounds: as if those vectors pointed the same way, or opposite ways.
    Most pairs are decided by these; of the others more numbers are compared, and at last
    all, in double precision. The bounds allow for what single precision loses.

    Parameters
    ----------
    points : ndarray of float64, shape (n, f)
    rows, others : ndarray of int, shape (m,) and (m, k)
        Points, and such as will be asked about, by which it is chosen how many numbers are
        compared at first: features of a trained network differ in few directions, other
        ones in all.
    order : ndarray of int, shape (n,)
        All points, near ones near each other as far as that is known.
    """

    def __init__(
        self, points: np.ndarray, rows: np.ndarray, others: np.ndarray, order: np.ndarray
    ) -> None:
        count, size = points.shape
        self._points, self._order = points, order
        self._place = np.empty(count, np.intp)
        self._place[self._order] = np.arange(count)
        self._columns = min(_COLUMNS, max(8, 1 << (count - 1).bit_length()))
        # The sum of n independent rounding errors is as large as the root of n.
        self._loss = (np.sqrt(size) + 8) * np.finfo(np.float32).eps / 2
        ends, turned, left = turned_points(points, order)
        self._halves = left.pop(0) ** 2 / 2
        if len(ends) > 1:
            some = np.linspace(0, len(rows) - 1, min(_TRIED, len(rows))).astype(np.intp)
            limits = self.squares(rows[some], others[some]) / 2
            start = cheapest(ends, turned, left, self._place[rows[some]], limits)
            ends, left = ends[start:], left[start:]
        first = ends[0]
        # To the first numbers: the length of the others, and half the square.
        padded = -count % self._columns
        self._rough = np.zeros((count + padded, first + 2), np.float32)
        self._rough[:count, :first] = turned[:, :first]
        self._rough[:count, first] = left[0]
        self._rough[:count, -1] = self._halves * (1 - self._loss)
        self._rough[count:, -1] = np.inf
        edges = pairwise(ends)
        self._more = [np.ascontiguousarray(turned[:, slice(*edge)]) for edge in edges]
        self._left = [one.astype(np.float32) for one in left]
        self._unsure = (2 * self._loss * self._halves).astype(np.float32)
        # Of many that are the same few are found as the nearest, and one is compared.
        group, before = same_points(points)
        self._group = group[order] if before.max() > _MANY else None
        self._before = before[order]
        tiles = range(0, count, self._columns)
        inside = [points[order[start : start + self._columns]] for start in tiles]
        self._centres = np.array([some.mean(axis=0) for some in inside])
        spread = zip(inside, self._centres, strict=True)
        self._radii = np.array([lengths(some - centre).max() for some, centre in spread])

    def squares(self, some: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Return the exact squares of the distances of some points (b,) to others (b, k)."""
        every = np.repeat(some, others.shape[1])
        found = squared_distances(self._points, every, others.reshape(-1))
        return found.reshape(others.shape)

    def of(
        self,
        some: np.ndarray,
        edges: np.ndarray,
        most: int = 0,
        within: np.ndarray | None = None,
    ) -> Ranked:
        """Count the points that lie nearer than so far, and find the nearest.

        Parameters
        ----------
        some : ndarray of int, shape (b,)
            Few enough for a part; a point is not one of its own neighbours.
        edges : ndarray of float64, shape (b, k)
            Squares of distances, as :meth:`squares` gives them.
        most : int
            How many of the nearest are found.
        within : ndarray of float64, shape (b,), optional
            Squares of distances within which there are as many.
        """
        own = self._place[some]
        common = self._halves[own] * (1 - self._loss)
        count = RankCount(edges, common)
        known = np.full(len(some), np.inf) if within is None else within / 2 - common
        nearest = NearestSoFar(len(some), most, _up(known))
        rows = self._rough[own]
        rows *= -1
        rows[:, -1] = 1
        buffer = np.empty((len(some), self._columns), np.float32)
        gaps, last = self._gaps(some), edges.max(axis=1)
        # The nearest first: then it is soon known what is too far to be looked at.
        for place in gaps.mean(axis=0).argsort():
            reach = last
            if most:
                reach = np.maximum(last, 2 * (nearest.limit.astype(np.float64) + common))
            need = np.flatnonzero(gaps[:, place] ** 2 <= reach)
            if not len(need):
                continue
            columns = slice(place * self._columns, (place + 1) * self._columns)
            mine, tile = own[need], buffer[: len(need)]
            np.matmul(rows[need], self._rough[columns].T, out=tile)
            itself = np.flatnonzero((mine >= columns.start) & (mine < columns.stop))
            tile[itself, mine[itself] - columns.start] = np.inf
            if most:
                near = tile <= nearest.limit[need][:, None]
                if self._group is not None:
                    near[:, : len(self._before[columns])] &= self._before[columns] <= most
                pairs = Pairs.among(tile, near, need, own, columns.start)
                nearest.add(pairs, self._width(pairs.own, pairs.other))
            mask = tile < count.farthest[need][:, None]
            count.add_whole(tile, mask, need, self._widest(mine, columns))
            self._count(count, Pairs.among(tile, mask, need, own, columns.start))
        return Ranked(count.nearer(), *self._nearest(some, nearest, most))

    def _gaps(self, some: np.ndarray) -> np.ndarray:
        """Return how far some points (b,) are from all of each tile, at least, (b, tiles)."""
        points = self._points[some]
        gaps = np.empty((len(some), len(self._radii)))
        for gap, centre, radius in zip(gaps.T, self._centres, self._radii, strict=True):
            gap[:] = lengths(points - centre) * (1 - _SLACK) - radius
        return np.maximum(gaps, 0, out=gaps)

    def _count(self, count: RankCount, pairs: Pairs) -> None:
        """Count pairs, of which more is looked at until it is certain where they belong."""
        for stage in range(len(self._left)):
            if stage:
                pairs = self._refined(pairs, stage)
            width = self._width(pairs.own, pairs.other, stage)
            pairs = pairs.which(count.add(pairs, width))
            if not len(pairs.row):
                return
            if self._group is not None and pairs.times is None:
                pairs = pairs.once(self._group)
        one, other = self._order[pairs.own], self._order[pairs.other]
        count.add_exact(pairs, squared_distances(self._points, one, other))

    def _refined(self, pairs: Pairs, stage: int) -> Pairs:
        """Return pairs with their lower bounds after some more numbers."""
        more, before, after = self._more[stage - 1], self._left[stage - 1], self._left[stage]
        one, other = pairs.own, pairs.other
        low = pairs.low + before[one] * before[other] - after[one] * after[other]
        low -= dots(more, one, other)
        return replace(pairs, low=low)

    def _width(self, own: np.ndarray, other: np.ndarray, stage: int = 0) -> np.ndarray:
        """Return how far the upper bounds of pairs lie above the lower ones."""
        left = self._left[stage]
        width = left[own] * left[other]
        width *= 2
        width += self._unsure[own]
        width += self._unsure[other]
        return width

    def _widest(self, own: np.ndarray, columns: slice) -> np.ndarray:
        """Return how far they lie above at most, of each row of a tile."""
        left, unsure = self._left[0], self._unsure
        return 2 * left[own] * left[columns].max() + unsure[own] + unsure[columns].max()

    def _nearest(
        self, some: np.ndarray, nearest: NearestSoFar, most: int
    ) -> tuple[np.ndarray, np.ndarray]:
        if not most:
            return np.empty((len(some), 0), np.int64), np.empty((len(some), 0))
        pairs = nearest.pairs()
        others = self._order[pairs.other]
        apart = squared_distances(self._points, some[pairs.row], others)
        ordered = np.lexsort((others, apart, pairs.row))
        starts = np.searchsorted(pairs.row[ordered], np.arange(len(some)))
        taken = ordered[starts[:, None] + np.arange(most)]
        return others[taken], apart[taken]


def _up(values: np.ndarray) -> np.ndarray:
    """Return numbers of single precision that are not smaller."""
    return np.nextafter(values.astype(np.float32), np.float32(np.inf))
