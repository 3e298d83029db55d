"""A layer of points that asks us what napari would do by itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Points

from napari_patchmap.explore.in_view import box_of


class HookedPoints(Points):
    """Points that ask us where napari asks itself.

    Painting order, what the status bar finds, the small picture in the list, and the keys
    that paste, move or change the mode have no public way in napari: a layer of points
    is drawn in the order of its rows, and what people's keys do cannot be refused.

    Attributes
    ----------
    order : ndarray of intp, shape (n,)
        Which row is painted first, second and so on.
    find : callable or None
        Returns the row that is meant by a place (a place of the layer, or a ray's start
        in 3-D), -1 for none: what the status bar then names.
    """

    order: np.ndarray
    find: Callable[[np.ndarray], int] | None = None

    # -- what we are asked ----------------------------------------------------------------

    def reorder(self) -> None:
        """Make the order anew, of as many rows as there are now."""
        raise NotImplementedError

    def small_picture(self, height: int, width: int) -> np.ndarray:
        """Return the picture for the list of layers, ``(height, width, 4)``, 0 to 1."""
        raise NotImplementedError

    def refuse(self) -> None:
        """Say that points are not edited."""
        raise NotImplementedError

    def mode_is_asked(self, mode: str) -> None:
        """Hear that a person, or napari, wants another mode."""
        raise NotImplementedError

    @property
    def styled_by_hand(self) -> bool:
        """Whether napari's controls are used, not set to what was just selected."""
        return bool(self._update_properties)

    # -- where napari asks itself -----------------------------------------------------------

    @property
    def _type_string(self) -> str:
        return "points"  # by which napari saves, copies and lists it

    def _get_layer_slicing_state(self, data: Any, cache: bool) -> Any:
        state = super()._get_layer_slicing_state(data, cache)
        take = state._update_slice_response
        state._update_slice_response = lambda response: take(self._in_order(response))
        return state

    def _in_order(self, response: Any) -> Any:
        """Put the rows that napari draws into the order in which they are painted."""
        count = len(self.data)
        if len(self.order) != count:
            self.reorder()
        drawn = np.zeros(count, bool)
        drawn[response.indices] = True
        # In two dimensions napari draws the points that are hidden, too.
        drawn &= self.shown
        rows = self.order[drawn[self.order]]
        # What comes along with the rows is called "scale" before napari 0.9.
        name = "size" if hasattr(response, "size") else "scale"
        along = np.asarray(getattr(response, name))
        if along.ndim:
            whole = np.zeros(count, along.dtype)
            whole[response.indices] = along
            along = whole[rows]
        return dataclasses.replace(response, indices=rows, **{name: along})

    @property
    def _view_symbol(self) -> Any:
        """Tell of one point what form it has: all have the same, and napari reads each."""
        return self.symbol[self._view_indices[:1]]

    @property
    def _view_border_color(self) -> Any:
        """Tell of one point what its border looks like, where none has any."""
        rows = self._view_indices
        return self.border_color[rows if self.border_width.any() else rows[:1]]

    @property
    def _extent_data(self) -> np.ndarray:
        return box_of(self.data).astype(float) if len(self.data) else super()._extent_data

    def _get_value(self, position: Any) -> int | None:
        if self.find is None:
            value: int | None = super()._get_value(position)
            return value
        return self._found(position)

    def _get_value_3d(self, start_point: Any, end_point: Any, dims_displayed: Any) -> Any:
        if self.find is None or start_point is None:
            return super()._get_value_3d(start_point, end_point, dims_displayed)
        return self._found(start_point)

    def _found(self, place: Any) -> int | None:
        assert self.find is not None
        row = self.find(np.asarray(place, float))
        return row if row >= 0 else None

    def _update_thumbnail(self) -> None:
        self.thumbnail = self.small_picture(*self._thumbnail_shape[:2])

    def _paste_data(self) -> None:
        self.refuse()

    def _move(self, *_: Any, **__: Any) -> None:
        self.refuse()

    def _mode_setter_helper(self, mode: Any) -> Any:
        self.mode_is_asked(str(getattr(mode, "value", mode)).lower())
        return super()._mode_setter_helper(mode)
