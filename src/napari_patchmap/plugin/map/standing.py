"""Which patches stand for the others on the map as it is now, found in another thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QObject
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.in_view import PointGrid, within
from napari_patchmap.explore.thinning import Thinned, clear_of, thin
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.newest import Newest


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found for a map: its points by place, and who stands for them."""

    count: int
    among: np.ndarray
    grid: PointGrid
    thinned: Thinned | None


@dataclass(frozen=True, eq=False)
class _Wish:
    """What to look at, and objects that say by their identity whether it has changed."""

    of: tuple[object, ...]
    places: np.ndarray
    among: np.ndarray
    groups: np.ndarray | None
    thinned: bool

    def __call__(self, watch: Watch) -> tuple[_Wish, _Found]:
        """Find it, in another thread."""
        grid = PointGrid(self.places[self.among])
        thinned = None
        if self.thinned:
            thinned = thin(self.places, self.among, self.groups, watch=watch)
        return self, _Found(len(self.places), self.among, grid, thinned)


class _Kept(QObject):
    """What was found last, and whether it is of what is there now."""

    def __init__(self, parent: QWidget, changed: Callable[[], None]) -> None:
        super().__init__(parent)
        self._changed = changed
        self._asked = self._of = tuple[object, ...]()
        self._found: _Found | None = None
        self._newest = Newest(self, "Choosing pictures", self._on_done)

    def look(self, of: tuple[object, ...], wish: Callable[[], _Wish]) -> _Found | None:
        """Return what was found, and look again if that is of something else by now."""
        if not _same(self._asked, of):
            self._asked = of
            self._newest.ask(wish())
        return self._found

    def is_of(self, of: tuple[object, ...]) -> bool:
        """Whether what was found is of just this."""
        return self._found is not None and _same(self._of, of)

    def _on_done(self, result: tuple[_Wish, _Found]) -> None:
        wish, self._found = result
        self._of = wish.of
        self._changed()


class Standing:
    """Finds what is in view of a map, and which patches stand for it.

    Parameters
    ----------
    owner : ShownMap
    parent : QWidget
        With it the work in the other thread ends.
    changed : callable
        Called when something else was found.
    """

    def __init__(self, owner: ShownMap, parent: QWidget, changed: Callable[[], None]) -> None:
        self._owner = owner
        self._all, self._selected = _Kept(parent, changed), _Kept(parent, changed)

    # -- what there is -------------------------------------------------------------

    def _of(self, thinned: bool) -> tuple[object, ...]:
        owner = self._owner
        points, colouring = owner.points, owner.colouring
        assert points is not None
        column = "" if colouring is None else colouring.column
        return (*owner.board.shown_things, column, str(thinned))

    def _wish(self, of: tuple[object, ...], thinned: bool, selected: bool = False) -> _Wish:
        owner = self._owner
        points, colouring = owner.points, owner.colouring
        assert points is not None
        places, among = owner.board.positions, points.shown
        if selected:
            among = np.zeros_like(among)
            among[owner.workspace.selection] = True
            among &= points.shown
        maps = len(places) // max(len(points.data), 1)
        groups = None
        if colouring is not None and colouring.names:
            groups = np.tile(colouring.codes, maps)
        return _Wish(of, places, np.flatnonzero(np.tile(among, maps)), groups, thinned)

    def _shown(self, rows: np.ndarray) -> np.ndarray:
        points = self._owner.points
        assert points is not None
        return rows[points.shown[rows % len(points.data)]]

    # -- what is asked -------------------------------------------------------------

    def all_in_view(
        self, low: np.ndarray, high: np.ndarray, most: int, *, thinned: bool
    ) -> np.ndarray | None:
        """Return the rows of all points within a box, None if there are more than that.

        ``thinned`` says whether :meth:`in_view` will be asked as well.
        """
        of = self._of(thinned)
        found = self._all.look(of, lambda: self._wish(of, thinned))
        if found is not None and self._all.is_of(of):
            if found.grid.has_more(low, high, most):
                return None
            return found.among[found.grid.inside(low, high)]
        inside = within(self._owner.board.positions, low, high)
        rows = self._shown(np.flatnonzero(inside))
        return rows if len(rows) <= most else None

    def in_view(self, low: np.ndarray, high: np.ndarray, apart: float) -> np.ndarray:
        """Return the rows that stand for what is within a box, nowhere nearer than ``apart``.

        The current patch is one of them, and as many of the selected as there is room for.
        """
        owner, points, workspace = self._owner, self._owner.points, self._owner.workspace
        assert points is not None
        places = owner.board.positions
        of = self._of(True)
        found = self._all.look(of, lambda: self._wish(of, True))
        rows = np.empty(0, np.intp)
        if workspace.current >= 0:
            current = owner.board.rows(np.array([workspace.current]))
            rows = self._shown(current[within(places[current], low, high)])
        layers = [found]
        if len(workspace.selection):
            chosen = (*of, workspace.selection)
            selected = self._selected.look(
                chosen, lambda: self._wish(chosen, True, selected=True)
            )
            layers = [selected, found] if self._selected.is_of(chosen) else layers
        for layer in layers:
            # Of a map that has moved meanwhile, patches stay until others are found.
            if layer is not None and layer.thinned is not None and layer.count == len(places):
                more = self._shown(layer.thinned.in_view(low, high, apart))
                more = more[clear_of(places[more], places[rows], apart)] if len(rows) else more
                rows = np.concatenate([rows, more])
        return rows


def _same(these: tuple[object, ...], those: tuple[object, ...]) -> bool:
    """Whether two tuples hold the same objects, or words that are alike."""
    return len(these) == len(those) and all(
        one is other or (isinstance(one, str) and one == other)
        for one, other in zip(these, those, strict=True)
    )
