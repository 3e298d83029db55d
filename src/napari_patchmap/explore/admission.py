"""Points that are admitted one after the other if they are far enough from those before."""

from __future__ import annotations

import numpy as np

from napari_patchmap.explore.cell_groups import STEPS, side_of

#: Cells around the grid, so that each has neighbours.
_EDGE = 2


class Admission:
    """Points that were admitted, the cells that they lie in, and how far they are apart.

    In a step all are at least as far apart, along y or along x, as its cells are wide, so
    that each cell holds one at most; each step's cells are half as wide as those before.

    Parameters
    ----------
    places : ndarray of float32, shape (n, 2)
        Neighbours should follow each other, which is faster.
    at : ndarray of int64, shape (n, 2)
        Their cells in the finest grid.
    """

    def __init__(self, places: np.ndarray, at: np.ndarray) -> None:
        self._y, self._x = places.T.copy()
        self._at_y, self._at_x = at.T.copy()
        self._side = side_of(places)
        self._waits = np.ones(len(places), bool)
        self._rows = np.empty(0, np.intp)
        self._reach = np.empty(0, np.float32)

    @property
    def is_full(self) -> bool:
        """Whether all are admitted."""
        return len(self._rows) == len(self._waits)

    def begin(self, step: int) -> None:
        """Begin a step: from now on that far from each other."""
        self._apart = self._side / 2**step
        self._shift = STEPS - step
        self._wide = 2**step + 2 * _EDGE
        #: For each cell the number of the one admitted point in it, and of the candidate.
        self._taken = np.full(self._wide**2, -1, np.int32)
        self._asking = np.full(self._wide**2, -1, np.int32)
        self._before = len(self._rows)
        self._taken[self._cell(self._rows)] = np.arange(len(self._rows), dtype=np.int32)

    def _cell(self, rows: np.ndarray) -> np.ndarray:
        y, x = self._at_y[rows] >> self._shift, self._at_x[rows] >> self._shift
        cells: np.ndarray = (y + _EDGE) * self._wide + (x + _EDGE)
        return cells

    def _distance(self, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
        away = np.abs(self._y[rows] - self._y[others])
        return np.maximum(away, np.abs(self._x[rows] - self._x[others]))

    def _free(self, rows: np.ndarray, cells: np.ndarray) -> np.ndarray:
        """Return which of some rows are far enough from all that are admitted."""
        free = np.arange(len(rows))
        for offset in self._offsets(1):
            there = self._taken[cells[free] + offset]
            near = np.flatnonzero(there >= 0)
            close = self._distance(rows[free[near]], self._rows[there[near]]) < self._apart
            free = np.delete(free, near[close])
        return free

    def _offsets(self, reach: int) -> list[int]:
        """Return the steps to the cells around one, itself first: it decides most often."""
        around = range(-reach, reach + 1)
        steps = [(abs(y) + abs(x), y * self._wide + x) for y in around for x in around]
        return [step for _, step in sorted(steps)]

    def admit(self, rows: np.ndarray, after: np.ndarray) -> None:
        """Admit those for which there is room, as if one came after the other.

        At most one in a cell; the lower ``after``, the sooner it comes.
        """
        waits = np.flatnonzero(self._waits[rows])
        rows, after = rows[waits], after[waits]
        cells = self._cell(rows)
        while len(rows):
            free = self._free(rows, cells)
            rows, cells, after = rows[free], cells[free], after[free]
            won = self._first(rows, cells, after)
            new = rows[won]
            number = np.arange(len(self._rows), len(self._rows) + len(new), dtype=np.int32)
            self._taken[cells[won]] = number
            self._rows = np.concatenate([self._rows, new])
            self._waits[new] = False
            rows, cells, after = rows[~won], cells[~won], after[~won]

    def has_any(self, rows: np.ndarray) -> bool:
        """Whether one of some is admitted."""
        return not self._waits[rows].all()

    def admit_first(self, rows: np.ndarray) -> None:
        """Admit the first for which there is room, and no other."""
        free = self._free(rows, self._cell(rows))[:1]
        self.admit(rows[free], np.zeros(len(free)))

    def _first(self, rows: np.ndarray, cells: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Return which come before all of their neighbours that are too near."""
        self._asking[cells] = np.arange(len(rows), dtype=np.int32)
        won = np.ones(len(rows), bool)
        for offset in self._offsets(1)[1:]:
            here = np.flatnonzero(won)
            there = self._asking[cells[here] + offset]
            asks = np.flatnonzero(there >= 0)
            here, there = here[asks], there[asks]
            sooner = (after[there] < after[here]) | (
                (after[there] == after[here]) & (there < here)
            )
            here, there = here[sooner], there[sooner]
            won[here[self._distance(rows[here], rows[there]) < self._apart]] = False
        self._asking[cells] = -1
        return won

    def end(self) -> None:
        """End a step: say how far each is from those before it."""
        new = np.arange(self._before, len(self._rows))
        rows = self._rows[new]
        order = np.argsort(rows)
        new, rows = new[order], rows[order]
        cells, reach = self._cell(rows), np.full(len(rows), 2 * self._apart, np.float32)
        for offset in self._offsets(2)[1:]:
            there = self._taken[cells + offset]
            near = np.flatnonzero((there >= 0) & (there < new))
            away = self._distance(rows[near], self._rows[there[near]])
            reach[near] = np.minimum(reach[near], away)
        if self._before == 0:
            reach[new == 0] = np.inf
        reach_in_turn = np.empty_like(reach)
        reach_in_turn[new - self._before] = reach
        self._reach = np.concatenate([self._reach, reach_in_turn])

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows that were admitted and their reach, the farthest first."""
        order = np.argsort(-self._reach, kind="stable")
        return self._rows[order], self._reach[order]
