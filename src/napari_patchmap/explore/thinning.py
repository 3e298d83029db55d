"""Which patches' pictures stand for all of a map, at every zoom.

Every patch gets a *reach*: pictures of those whose reach is at least ``apart`` are nowhere
nearer to each other than ``apart``, along y or along x. So whoever shows these, as squares of
that side, shows no picture over another, and each picture that is seen stays when one
comes closer: others join it. Which patches those are does not depend on where the camera
stands, so nothing jumps when it moves.

Patches are admitted from coarse to fine, each step at half the distance of the one before.
At each, first come the groups, the rarest first: each in the densest place of its own where
there is room, and then wherever it makes up a share of a neighbourhood that a picture would
stand for. So a rare class is not hidden by a common one that lies around it. Then come the
cells of a grid, the fullest first, each with the patch nearest to the mean of its commonest
group: not an odd one at the edge, and no empty place between two groups. Within a step the
distance to what was admitted before is the reach, so that pictures come one by one, and
not four times as many at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from napari_patchmap.explore.cell_groups import CellGroups, first_least
from napari_patchmap.explore.in_view import PointGrid, within

#: Steps of half the distance each; cells of the finest, in the largest extent of the map.
_STEPS = 12

#: Step down to which each group gets a picture wherever there is room for one, and the
#: cells in which that is looked for; for so many groups, the rarest.
_SEARCH, _MOST_GROUPS = 5, 64

#: A group gets a picture in a neighbourhood of so many pictures a side, if its share is due.
_AROUND_STEPS = 2
_DUE = 1 / 4 ** (_AROUND_STEPS + 1)


@dataclass(frozen=True, eq=False)
class Thinned:
    """Patches in the order in which their pictures come as one zooms in.

    Attributes
    ----------
    rows : ndarray of intp, shape (k,)
        Those that ever get a picture.
    reach : ndarray of float64, shape (k,)
        Largest distance between pictures at which each is shown; descending.
    """

    rows: np.ndarray
    reach: np.ndarray
    _places: np.ndarray
    _grid: PointGrid

    def in_view(self, low: np.ndarray, high: np.ndarray, apart: float) -> np.ndarray:
        """Return the rows whose pictures are shown within a box, corners (y, x).

        Parameters
        ----------
        low, high : ndarray, shape (2,)
        apart : float
            Distance of pictures in map units: no two of these are nearer to each other
            along both axes.
        """
        count = int(np.searchsorted(-self.reach, -apart, side="right"))
        if count <= self._grid.most(low, high):
            found = np.flatnonzero(within(self._places[:count], low, high))
        else:
            found = self._grid.inside(low, high)
            found = found[found < count]
        return self.rows[found]


def thin(
    places: np.ndarray,
    among: np.ndarray,
    groups: np.ndarray | None = None,
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> Thinned:
    """Choose which pictures stand for a map.

    Parameters
    ----------
    places : ndarray, shape (n, 2)
        As y, x.
    among : ndarray of intp
        Rows that may have a picture; those whose place is not finite have none.
    groups : ndarray of int, shape (n,), optional
        Of which none should be hidden by the others.
    should_stop : callable
        Asked between steps; True ends with what there is.
    """
    own = np.asarray(places[among], np.float32)
    finite = np.isfinite(own[:, 0] + own[:, 1])
    among, own = among[finite], own[finite]
    codes = np.zeros(len(own), np.int64) if groups is None else groups[among].astype(np.int64)
    at, cells = _fine_cells(own)
    codes -= codes.min(initial=0)
    order = np.argsort(cells * (int(codes.max(initial=0)) + 1) + codes, kind="stable")
    # Neighbours in the memory are neighbours on the map from here on.
    among, own, at = among[order], own[order], at[order]
    levels = [CellGroups.finest(own, cells[order], codes[order])]
    while len(levels) <= _STEPS and not should_stop():
        levels.insert(0, levels[0].coarser(own))
    admission = _Admission(own, at)
    for step in range(_STEPS):
        if should_stop() or admission.is_full:
            break
        admission.begin(step)
        if step < _SEARCH:
            for members in _groups_by_size(levels[_SEARCH]):
                if not admission.has_any(members):
                    admission.admit_first(members)
        if step > _AROUND_STEPS:
            for candidates in _due(levels[step - _AROUND_STEPS]):
                admission.admit(*candidates)
        for candidates in _parts(levels[step + 1]):
            admission.admit(*candidates)
        admission.end()
    rows, reach = admission.result()
    chosen = own[rows]
    return Thinned(among[rows], reach, chosen, PointGrid(chosen))


def _groups_by_size(level: CellGroups) -> list[np.ndarray]:
    """Return for each group, the rarest first, points where it is: the densest place first."""
    full = np.argsort(-level.counts, kind="stable")
    groups = level.groups[full]
    size = np.bincount(groups, level.counts[full])
    rarest = [int(group) for group in np.argsort(size, kind="stable") if size[group]]
    return [level.points[full[groups == group]] for group in rarest[:_MOST_GROUPS]]


def _due(level: CellGroups) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield points that stand for groups to whose share of a cell one is due, and their turn.

    Of each cell at most one at a time, that of the rarest group first.
    """
    starts, lengths = level.cell_starts()
    if not len(starts):
        return
    whole = np.repeat(np.add.reduceat(level.counts, starts), lengths)
    kept = np.flatnonzero(level.counts >= _DUE * whole)
    order = kept[np.lexsort((level.counts[kept], level.cells[kept]))]
    cells = level.cells[order]
    first = np.searchsorted(cells, cells)
    turn = np.arange(len(order)) - first
    for number in range(int(turn.max()) + 1):
        rows = order[turn == number]
        yield level.points[rows], level.counts[rows]


def _parts(level: CellGroups) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield points that stand for cells, every second along each axis, fullest first."""
    starts, lengths = level.cell_starts()
    if not len(starts):
        return
    commonest = first_least(-level.counts, starts, lengths)
    full = -np.add.reduceat(level.counts, starts)
    part = level.cells[starts] & 3
    for number in range(4):
        rows = np.flatnonzero(part == number)
        yield level.points[commonest[rows]], full[rows]


class _Admission:
    """Points that were admitted, the cells that they lie in, and how far they are apart."""

    def __init__(self, places: np.ndarray, at: np.ndarray) -> None:
        self._y, self._x = places.T.copy()
        self._at_y, self._at_x = at.T.copy()
        self._side = _side(places)
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
        self._shift = _STEPS - step
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


#: Cells around the grid, so that each has neighbours.
_EDGE = 2


def _side(places: np.ndarray) -> float:
    """Return the side of the square that is halved again and again."""
    side = float(np.ptp(places, axis=0).max()) if len(places) else 0.0
    return side * (1 + 1e-6) if side > 0 else 1.0


def _fine_cells(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the cells of the finest grid, as (y, x), and numbered along a curve."""
    whole = 1 << _STEPS
    low = places.min(axis=0) if len(places) else np.zeros(2)
    at = np.clip((places - low) / _side(places) * whole, 0, whole - 1).astype(np.int64)
    return at, _spread(at[:, 0]) << 1 | _spread(at[:, 1])


def _spread(values: np.ndarray) -> np.ndarray:
    """Put a zero between the bits of whole numbers of up to 16 bits."""
    for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
        values = (values | values << shift) & mask
    return values


def clear_of(places: np.ndarray, taken: np.ndarray, apart: float) -> np.ndarray:
    """Return which places are nowhere nearer than ``apart`` to some that are taken.

    Parameters
    ----------
    places : ndarray, shape (m, 2)
    taken : ndarray, shape (k, 2)
        A few hundred: each is compared with each.
    apart : float
        Along y or along x.
    """
    away = np.abs(places[:, None] - taken[None])
    clear: np.ndarray = (np.maximum(away[..., 0], away[..., 1]) >= apart).all(axis=1)
    return clear
