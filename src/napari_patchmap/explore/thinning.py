"""Which patches' pictures stand for all of a map, at every zoom.

Every patch gets a *reach*: pictures of those whose reach is at least ``apart`` are nowhere
nearer to each other than ``apart``, along y or along x. So whoever shows these, as squares of
that side, shows no picture over another, and each picture that is seen stays when one
comes closer: others join it. Which patches those are does not depend on where the camera
stands, so nothing jumps when it moves.

Patches are admitted from coarse to fine, each step at half the distance of the one before.
At each, first come the groups, the rarest first: each in a dense place of its own where
there is room, and then wherever it makes up a share of a neighbourhood that a picture would
stand for. So a rare class is not hidden by a common one that lies around it. Then come the
cells of a grid, the fullest first, each with the patch nearest to the mean of its commonest
group: not an odd one at the edge, and no empty place between two groups. Within a step the
distance to what was admitted before is the reach, so that pictures come one by one, and
not four times as many at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from napari_patchmap.explore.admission import Admission
from napari_patchmap.explore.cell_groups import STEPS, CellGroups, fine_cells, first_least
from napari_patchmap.explore.in_view import PointGrid, within
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Step down to which each group gets a picture where it is dense and there is room for one,
#: and the cells in which that is looked for; for so many groups, the rarest.
_SEARCH, _MOST_GROUPS = 5, 64

#: A place is dense if it holds this share of the points of the densest: the others are odd.
_DENSE = 0.4

#: In a neighbourhood of 4 x 4 pictures a group gets one if its share of the points is that.
_AROUND_STEPS = 2
_DUE = 1 / 4**_AROUND_STEPS


@dataclass(frozen=True, eq=False)
class Thinned:
    """Patches in the order in which their pictures come as one zooms in.

    Attributes
    ----------
    rows : ndarray of intp, shape (k,)
        Those that ever get a picture.
    reach : ndarray of float32, shape (k,)
        Largest distance between pictures at which each is shown; descending.
    """

    rows: np.ndarray
    reach: np.ndarray
    _nearness: np.ndarray  # the same, ascending
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
        # In its own type, or numpy would make another array of all.
        wanted = self._nearness.dtype.type(-apart)
        count = int(np.searchsorted(self._nearness, wanted, side="right"))
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
    watch: Watch = UNWATCHED,
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
    watch : Watch, optional
        Ends with what there is.
    """
    own = np.asarray(places[among], np.float32)
    finite = np.isfinite(own[:, 0] + own[:, 1])
    among, own = among[finite], own[finite]
    codes = np.zeros(len(own), np.int64) if groups is None else groups[among].astype(np.int64)
    at, cells = fine_cells(own)
    codes -= codes.min(initial=0)
    order = np.argsort(cells * (int(codes.max(initial=0)) + 1) + codes, kind="stable")
    # Neighbours in the memory are neighbours on the map from here on.
    among, own, at = among[order], own[order], at[order]
    levels = [CellGroups.finest(own, cells[order], codes[order])]
    while len(levels) <= STEPS and not watch.stops:
        levels.insert(0, levels[0].coarser(own))
    admission = Admission(own, at)
    for step in range(STEPS):
        if watch.stops or admission.is_full:
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
    return Thinned(among[rows], reach, -reach, chosen, PointGrid(chosen))


def _groups_by_size(level: CellGroups) -> list[np.ndarray]:
    """Return for each group, the rarest first, points where it is dense: the densest first."""
    full = np.argsort(-level.counts, kind="stable")
    groups, counts = level.groups[full], level.counts[full]
    size = np.bincount(groups, counts)
    rarest = [int(group) for group in np.argsort(size, kind="stable") if size[group]]
    found = []
    for group in rarest[:_MOST_GROUPS]:
        members = np.flatnonzero(groups == group)
        dense = members[counts[members] >= _DENSE * counts[members[0]]]
        found.append(level.points[full[dense]])
    return found


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
