"""A Points layer of which row i is patch i, whatever napari's keys are told to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Points

from napari_patchmap.explore.paint_order import paint_order
from napari_patchmap.plugin.napari_private import HookedPoints
from napari_patchmap.plugin.own_changes import Quiet

#: What napari's slider shows for the size that suits a map.
_USUAL = 10

#: Points that are painted into the small picture in the list of layers.
_THUMBNAIL = 1024

NO_EDITING = "Each point of the map is a patch, so points are not edited by hand."
NO_STYLE = 'Patchmap gives the points colour and form: see "Colour by" in Explore.'


def _not_taken(name: str) -> Any:
    """Make what a control of napari's shows, and what is not taken from there."""
    theirs = getattr(Points, name)

    def take(points: PatchPoints, value: Any) -> None:
        if not points.refuse_style(name):
            theirs.fset(points, value)

    return theirs.setter(take)


class PatchPoints(HookedPoints, Quiet):
    """Points that belong to patches: painted in a fair order, and never edited by hand.

    The order is one in which rows are painted; it never moves the rows themselves.

    Parameters
    ----------
    data : ndarray of float32, shape (n, d)
    size : float
        In map units, for all points.
    largest : float
        Upper limit of the size on the canvas, in pixels.
    **kwargs
        As for napari's Points.

    Attributes
    ----------
    say : callable
        Is told, in one sentence, why something is not done.
    """

    size: Any  # of napari's Points, which has no types
    opacity: Any
    _whole = False  # until the layer is made, napari sets its own defaults

    def __init__(self, data: np.ndarray, *, size: float, largest: float, **kwargs: Any) -> None:
        self.order = paint_order(len(data))
        self.say: Callable[[str], None] = lambda _: None
        self._unit, self._tenths, self._largest = size, float(_USUAL), largest
        # With a lower limit napari draws a border of half that width around every
        # point that is clamped, wanted or not.
        super().__init__(data, size=size, canvas_size_limits=(0, largest), **kwargs)
        self._whole = True
        self.editable = False
        # napari makes layers editable again whenever the viewer's dimensions change.
        self.events.editable.connect(self._stay_read_only)

    def _stay_read_only(self, _: Any = None) -> None:
        if self.editable:
            self.editable = False

    # -- how large --------------------------------------------------------------------

    def suit(self, size: float) -> None:
        """Take another size as the one that suits the map; what a person chose stays."""
        self._unit = size
        wanted = size * self._tenths / _USUAL
        if not len(self.size) or not 0.9 < wanted / float(self.size[0]) < 1.1:
            self.size = wanted

    def like(self, other: PatchPoints) -> None:
        """Take size and opacity of the points of another map."""
        self._unit, self._tenths = other._unit, other._tenths
        self.size = float(other.size[0]) if len(other.size) else other._unit
        self.canvas_size_limits = (0, self._largest * self.magnified)
        self.opacity = other.opacity

    @property
    def magnified(self) -> float:
        """How many times larger than suits the map a person wants the points."""
        return self._tenths / _USUAL

    @property
    def current_size(self) -> float:
        """Size of all points, in tenths of the size that suits the map: napari's slider."""
        return self._tenths

    @current_size.setter
    def current_size(self, tenths: float) -> None:
        # napari also sets it to the size of what was just selected.
        if not self._whole or not self.styled_by_hand:
            return
        self._tenths = max(1.0, float(tenths))
        self.size = self._unit * self._tenths / _USUAL
        self.canvas_size_limits = (0, self._largest * self.magnified)
        self.events.size()
        self.events.current_size()

    # -- what napari asks -------------------------------------------------------------------

    def reorder(self) -> None:
        """Paint as many rows as there are now in a fair order."""
        self.order = paint_order(len(self.data))

    def small_picture(self, height: int, width: int) -> np.ndarray:
        """Paint a part of the points, as fairly as on the canvas."""
        picture = np.zeros((height, width, 4))
        picture[..., 3] = 1
        rows = self.order[self.shown[self.order]][:_THUMBNAIL] if len(self.data) else []
        if len(rows):
            places = np.asarray(self.data)[rows][:, -2:]
            low = places.min(axis=0)
            room = np.array([height - 1, width - 1])
            scale = (room / np.maximum(np.ptp(places, axis=0), 1e-9)).min()
            at = ((places - low) * scale + (room - np.ptp(places, axis=0) * scale) / 2).round()
            at = at.astype(int).clip(0, room)
            picture[at[:, 0], at[:, 1]] = self.face_color[rows]
        picture[..., 3] *= self.opacity
        return picture

    # -- what is refused ------------------------------------------------------------------

    def add(self, coords: Any) -> None:
        """Refuse: every point is a patch."""
        self.say(NO_EDITING)

    def remove(self, indices: Any) -> None:
        """Refuse: every point is a patch."""
        self.say(NO_EDITING)

    def remove_selected(self) -> None:
        """Refuse: every point is a patch."""
        self.say(NO_EDITING)

    def pop(self, index: int = -1) -> Any:
        """Refuse: every point is a patch."""
        raise TypeError(NO_EDITING)

    def refuse(self) -> None:
        """Say that every point is a patch."""
        self.say(NO_EDITING)

    def mode_is_asked(self, mode: str) -> None:
        """Say that points are not edited, where a mode would do it."""
        if self._whole and mode != "pan_zoom":
            self.say(NO_EDITING)

    def refuse_style(self, event: str) -> bool:
        """Say that colours come from elsewhere, and let napari's control fall back."""
        if not self._whole or not self.styled_by_hand:
            return False
        if not self.busy:
            with self.quiet():
                self.say(NO_STYLE)
                getattr(self.events, event)()
        return True

    current_face_color = _not_taken("current_face_color")
    current_border_color = _not_taken("current_border_color")
    current_symbol = _not_taken("current_symbol")
