"""Points gathered by the cells of finer and finer grids, and by group within each cell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: How often the square around a map is halved: the finest grid has 4,096 x 4,096 cells.
STEPS = 12


@dataclass(frozen=True, eq=False)
class CellGroups:
    """What there is in the cells of one grid: a row a group in a cell, neighbours together.

    Attributes
    ----------
    cells : ndarray of int64, shape (m,)
        Numbers of the cells along a curve on which four make one of the next coarser grid;
        ascending.
    groups : ndarray of int64, shape (m,)
        Ascending within a cell.
    counts : ndarray of int64, shape (m,)
        Points of the group in the cell.
    points : ndarray of intp, shape (m,)
        The one of them that is about nearest to their mean.
    """

    cells: np.ndarray
    groups: np.ndarray
    counts: np.ndarray
    points: np.ndarray
    _sums: tuple[np.ndarray, ...]

    @classmethod
    def finest(cls, places: np.ndarray, cells: np.ndarray, groups: np.ndarray) -> CellGroups:
        """Gather points, already sorted by cell and group.

        Parameters
        ----------
        places : ndarray, shape (n, 2)
        cells, groups : ndarray of int, shape (n,)
        """
        ones, each = np.ones(len(cells), np.int64), np.arange(len(cells))
        sums = tuple(places.T.astype(np.float64))
        return cls(cells, groups, ones, each, sums).gathered(places)

    def coarser(self, places: np.ndarray) -> CellGroups:
        """Gather what there is in the cells of the next coarser grid."""
        cells, groups = self.cells >> 2, self.groups
        counts, points, sums = self.counts, self.points, self._sums
        if groups.any():
            order = np.argsort(cells * (int(groups.max()) + 1) + groups, kind="stable")
            cells, groups, counts, points = (
                values[order] for values in (cells, groups, counts, points)
            )
            sums = tuple(one[order] for one in sums)
        return CellGroups(cells, groups, counts, points, sums).gathered(places)

    def gathered(self, places: np.ndarray) -> CellGroups:
        """Make one row of those that are of one group in one cell."""
        new = (self.cells[1:] != self.cells[:-1]) | (self.groups[1:] != self.groups[:-1])
        starts = _starts(new, len(self.cells))
        counts = np.add.reduceat(self.counts, starts) if len(starts) else self.counts
        sums = tuple(np.add.reduceat(one, starts) if len(starts) else one for one in self._sums)
        lengths = np.diff(starts, append=len(self.cells))
        away = np.zeros(len(self.cells), np.float32)
        for axis, values in enumerate(places.T):
            mean = (sums[axis] / counts).astype(np.float32)
            away += (values[self.points] - np.repeat(mean, lengths)) ** 2
        points = self.points[first_least(away, starts, lengths)]
        return CellGroups(self.cells[starts], self.groups[starts], counts, points, sums)

    def cell_starts(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the first row of each cell, and how many rows it has."""
        starts = _starts(self.cells[1:] != self.cells[:-1], len(self.cells))
        return starts, np.diff(starts, append=len(self.cells))


def _starts(new: np.ndarray, count: int) -> np.ndarray:
    return np.flatnonzero(np.concatenate([[True], new])) if count else np.empty(0, np.intp)


def first_least(values: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return where the least value, or the first of them, is in each of some pieces."""
    if len(starts) == len(values):
        return starts
    least = np.flatnonzero(values == np.repeat(np.minimum.reduceat(values, starts), lengths))
    return least[np.searchsorted(least, starts)]


def side_of(places: np.ndarray) -> float:
    """Return the side of the square that is halved again and again."""
    side = float(np.ptp(places, axis=0).max()) if len(places) else 0.0
    return side * (1 + 1e-6) if side > 0 else 1.0


def fine_cells(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of the finest grid, as (y, x), and numbered along a curve."""
    whole = 1 << STEPS
    low = places.min(axis=0) if len(places) else np.zeros(2)
    at = np.clip((places - low) / side_of(places) * whole, 0, whole - 1).astype(np.int64)
    return at, _spread(at[:, 0]) << 1 | _spread(at[:, 1])


def _spread(values: np.ndarray) -> np.ndarray:
    """Put a zero between the bits of whole numbers of up to 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | values << shift) & mask
    return values
