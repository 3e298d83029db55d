"""What a person hides, groups of the colouring or patches, to see what lies below them."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from psygnal import Signal

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.plugin.map.shown_map import ShownMap


class HiddenGroups:
    """Which groups and patches are hidden, on the map and on those beside it.

    Groups stay hidden while the map is coloured by the same column. What is hidden is neither
    hit by the mouse nor drawn around; it stays selected if it was.

    Attributes
    ----------
    names : frozenset of str

    Signals
    -------
    changed()
        Others are hidden.
    """

    changed = Signal()

    def __init__(self, shown: ShownMap) -> None:
        self._shown = shown
        self.names: frozenset[str] = frozenset()
        self._column: str | None = None
        self._rows = np.empty(0, np.intp)  # patches that are hidden one by one
        self._mask: np.ndarray | None = None  # None while all are to be seen
        shown.workspace.patches_leaving.connect(self._forget)
        shown.colouring_changed.connect(self._on_colouring)
        shown.marked.connect(self._apply)

    def hide(self, names: Collection[str]) -> None:
        """Hide these groups and show all others; names of none are left out."""
        colouring = self._shown.colouring
        known = () if colouring is None else colouring.names
        self.names = frozenset(names) & frozenset(known)
        self._look()
        self._shown.mark_selection()
        self.changed.emit()

    def hide_patches(self, indices: np.ndarray) -> None:
        """Hide these patches as well."""
        self._rows = np.union1d(self._rows, indices)
        self._look()
        self._shown.mark_selection()
        self.changed.emit()

    def show_all(self) -> bool:
        """Show everything again; return whether something was hidden."""
        hidden = bool(self.names) or len(self._rows) > 0
        self._forget()
        self.hide(())
        return hidden

    def _forget(self) -> None:
        self._rows = self._rows[:0]

    def _on_colouring(self, colouring: Colouring | None) -> None:
        column = None if colouring is None else colouring.column
        known = () if colouring is None else colouring.names
        before, same = self.names, column == self._column
        self.names = before & frozenset(known) if same else frozenset()
        self._column = column
        if before or self.names:
            self._look()
            self._shown.mark_selection()
        if before != self.names:
            self.changed.emit()

    def _look(self) -> None:
        """Find the patches that are to be seen, and show them alone."""
        colouring, points = self._shown.colouring, self._shown.points
        if (self.names or len(self._rows)) and colouring is not None:
            hidden = [at for at, name in enumerate(colouring.names) if name in self.names]
            # Where a number or nothing colours the map there are no groups, nor codes.
            self._mask = np.ones(len(colouring.colours), bool)
            if hidden:
                self._mask = ~np.isin(colouring.codes, hidden)
            self._mask[self._rows] = False
            self._apply()
            return
        self._mask = None
        for layer in () if points is None else (points, *self._shown.board.maps):
            if not layer.shown.all():
                layer.shown = True

    def _apply(self) -> None:
        """Hide what is to be hidden on layers that were made meanwhile, too."""
        points, mask = self._shown.points, self._mask
        if points is None or mask is None:
            return
        for layer in (points, *self._shown.board.maps):
            same_rows = len(layer.data) == len(mask)
            if same_rows and not np.array_equal(layer.shown, mask):
                layer.shown = mask
