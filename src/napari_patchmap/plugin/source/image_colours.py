"""Whether patches have the colours of their points on the images they come from, and which."""

from __future__ import annotations

import numpy as np
from psygnal import Signal

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.patch_colours import PatchColours, patch_colours
from napari_patchmap.plugin.own_changes import Quiet


class ImageColours(Quiet):
    """The colours of a map for the images; all that paint on them follow this one.

    Attributes
    ----------
    on : bool
        Whether images are painted.
    colouring : Colouring or None
        What the map is coloured by.

    Signals
    -------
    changed()
        Images are painted in other colours, or not any more.
    """

    changed = Signal()

    def __init__(self) -> None:
        self.on = False
        self.colouring: Colouring | None = None
        self._hidden: np.ndarray | None = None
        self._now: PatchColours | None = None

    @property
    def now(self) -> PatchColours | None:
        """The colours to paint with, None for none."""
        colouring = self.colouring
        if not self.on or colouring is None or not colouring.column:
            return None
        if self._now is None:
            hidden = self._hidden
            fits = hidden is not None and len(hidden) == len(colouring.colours)
            self._now = patch_colours(colouring, hidden if fits else None)
        return self._now

    def switch(self, on: bool) -> None:
        """Paint the images, or leave them as they were."""
        if on != self.on:
            self.on = on
            self.changed.emit()

    def take(self, colouring: Colouring | None) -> None:
        """Follow other colours of the map; None while there are none, or other patches come."""
        self.colouring, self._now = colouring, None
        if colouring is None:
            self._hidden = None
        self.changed.emit()

    def hide(self, hidden: np.ndarray) -> None:
        """Leave out patches whose points are not shown; ``hidden`` is ``(n,)`` bool."""
        before = self._hidden
        if not hidden.any():
            self._hidden = None
        elif before is None or not np.array_equal(hidden, before):
            self._hidden = hidden.copy()
        if self._hidden is not before:
            self._now = None
            self.changed.emit()
