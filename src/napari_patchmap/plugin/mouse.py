"""Clicking, drawing around and hovering over points, on any layer in pan mode."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtGui import QColor

from napari_patchmap.explore.lasso import points_inside, thinned
from napari_patchmap.explore.selection import How
from napari_patchmap.explore.words import caption
from napari_patchmap.plugin import marks
from napari_patchmap.plugin.canvas import Glass
from napari_patchmap.plugin.guests import Guests
from napari_patchmap.plugin.views import camera_of, to_canvas, to_map

if TYPE_CHECKING:
    from napari_patchmap.plugin.layers import MapLayer

#: How far from a point, in canvas pixels, the mouse still means it.
_REACH = 7.0

#: A press and release closer than this, in canvas pixels, is a click.
_STILL = 4.0

#: Side of the thumbnail under the mouse, in pixels.
_CARD = 112


class MapMouse:
    """What the mouse does on the map.

    Callbacks sit on the viewer, not on the layer, so that they work whichever
    layer is active; they stand back when the map is hidden or when the active
    layer is being drawn on.

    Signals
    -------
    lasso_changed(bool)
        The lasso tool was taken up or put down.
    """

    lasso_changed = Signal(bool)

    def __init__(self, viewer: Viewer, owner: MapLayer) -> None:
        self._owner = weakref.ref(owner)
        self._lasso = False
        self._zoom_box: list[Any] = []
        self.glass = Glass(viewer)
        self._hovered: tuple[object, int] | None = None
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_wheel_callbacks.append(self._on_wheel)

    @property
    def lasso(self) -> bool:
        """Whether a plain drag draws a lasso instead of moving the map."""
        return self._lasso

    def set_lasso(self, on: bool) -> None:
        """Take up or put down the lasso tool."""
        owner = self._owner()
        if on == self._lasso or owner is None:
            return
        self._lasso = on
        callbacks = owner.viewer.mouse_drag_callbacks
        if on:
            # napari zooms into a box on Alt+drag; with the lasso in hand Alt takes away.
            self._zoom_box = [f for f in callbacks if f.__name__ == "drag_to_zoom"]
            for function in self._zoom_box:
                callbacks.remove(function)
        else:
            callbacks.extend(self._zoom_box)
        self.lasso_changed.emit(on)

    # -- callbacks of the viewer ---------------------------------------------------

    def _on_drag(self, viewer: Viewer, event: Any) -> Iterator[None]:
        owner = self._owner()
        if owner is None or event.button != 1 or not self._ready(owner):
            return
        self.put_away()
        how = _how(event.modifiers)
        drawing = self._lasso or "Shift" in event.modifiers
        start, index = tuple(event.pos[:2]), self._index(owner, event)
        travelled = 0.0
        event.handled = drawing  # a lasso must not move the camera
        if drawing:
            self.glass.start_lasso(viewer, start)
        yield
        while event.type == "mouse_move":
            event.handled = drawing
            travelled = max(travelled, float(np.abs(np.subtract(event.pos[:2], start)).max()))
            yield
        event.handled = drawing
        end = tuple(event.pos[:2])
        path = np.array(self.glass.end_lasso() if drawing else [start, end])
        travelled = max(travelled, float(np.abs(path - start).max()))
        if travelled <= _STILL:
            self._click(owner, index, how)
        elif drawing:
            self._enclose(owner, thinned(path, 1.5), how)

    def _enclose(self, owner: MapLayer, path: np.ndarray, how: How) -> None:
        points = owner.points
        if points is not None:
            viewer = owner.viewer
            places = owner.board.positions
            if points.data.shape[1] == 3:  # what the lasso encloses as it is seen
                inside = points_inside(to_canvas(viewer, places), path)
            else:
                inside = points_inside(places, to_map(viewer, path))
            inside = np.unique(inside % len(points.data))  # on whichever map
            owner.workspace.select(owner.visible(inside), how)

    def _click(self, owner: MapLayer, index: int, how: How) -> None:
        workspace = owner.workspace
        if index >= 0:
            workspace.select(np.array([index]), how)
            if how != "subtract":
                workspace.set_current(index)
        elif how == "replace":
            workspace.select(np.empty(0, np.intp))
            workspace.set_current(-1)

    def _on_move(self, viewer: Viewer, event: Any) -> None:
        owner = self._owner()
        if owner is None or not self._ready(owner):
            self.put_away()
            return
        guest, index = self._guest(owner, event)
        if guest is None:
            index = self._index(owner, event)
        if index < 0:
            self.put_away()
        elif (guest, index) != self._hovered:
            self._hovered = guest, index
            place = tuple(event.pos[:2])
            if guest is None:
                self._show_card(owner, index, place)
            else:
                self._show_guest(owner, guest, index, place)

    def _on_wheel(self, viewer: Viewer, event: Any) -> None:
        self.put_away()

    # -- helpers -------------------------------------------------------------------

    def _ready(self, owner: MapLayer) -> bool:
        points, viewer = owner.points, owner.viewer
        if points is None or not points.visible:
            return False
        if viewer.dims.ndisplay != points.data.shape[1]:
            return False
        active = viewer.layers.selection.active
        return active is None or not active.visible or str(active.mode) == "pan_zoom"

    def _index(self, owner: MapLayer, event: Any) -> int:
        """Patch under the mouse, -1 for none."""
        points = owner.points
        if points is not None and points.data.shape[1] == 3:
            reach = self._reach(owner) * self._zoom(owner)
            return owner.board.find_on_canvas(np.asarray(event.pos[:2], float), reach)
        return owner.board.find(self._place(owner, event), self._reach(owner))

    def _place(self, owner: MapLayer, event: Any) -> np.ndarray:
        points = owner.points
        place = event.position if points is None else points.world_to_data(event.position)
        return np.asarray(place)[-2:]

    def _zoom(self, owner: MapLayer) -> float:
        return float(camera_of(owner.viewer).zoom)

    def _reach(self, owner: MapLayer) -> float:
        points = owner.points
        assert points is not None
        size = np.clip(float(points.size[0]) * self._zoom(owner), *points.canvas_size_limits)
        # Close up a picture stands for the point, and people click on the picture.
        reach = max(_REACH, float(size) / 2 + 2, owner.close_up.side / 2)
        return reach / self._zoom(owner)

    def _guest(self, owner: MapLayer, event: Any) -> tuple[Guests | None, int]:
        """Return the placed patch under the mouse; they lie on top of the map's own."""
        pixel = np.asarray(event.pos[:2], float)
        for guest in owner.guests:
            index = guest.find(owner.viewer, pixel, _REACH)
            if index >= 0:
                return guest, index
        return None, -1

    def _show_guest(
        self, owner: MapLayer, guest: Guests, index: int, place: tuple[float, float]
    ) -> None:
        picture = guest.picture(index, _CARD, self.glass.devicePixelRatioF())
        frame = QColor(marks.PLACED_COLOUR)
        self.glass.draw_card(owner.viewer, place, picture, guest.words(index), frame)

    def _show_card(self, owner: MapLayer, index: int, place: tuple[float, float]) -> None:
        patches, colouring = owner.workspace.patches, owner.colouring
        assert patches is not None
        assert colouring is not None
        lines = caption(patches.table, index)
        picture = owner.thumbnails.get(index, _CARD, self.glass.devicePixelRatioF())
        frame = QColor.fromRgbF(*(float(c) for c in colouring.colours[index, :3]))
        self.glass.draw_card(owner.viewer, place, picture, lines, frame)

    def put_away(self) -> None:
        """Take away the card of the point under the mouse."""
        self._hovered = None
        self.glass.clear_card()


def _how(modifiers: Any) -> How:
    if "Alt" in modifiers:
        return "subtract"
    return "add" if "Shift" in modifiers else "replace"
