"""The patches themselves on the map: all of them close up, some for the others from afar."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.compat import isalive

from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.looking import canvas_size, to_canvas, visible_box
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay, Picture
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.map.standing import Standing
from napari_patchmap.plugin.qt.framed import size_of
from napari_patchmap.plugin.qt.remembered import is_on, remember_switch
from napari_patchmap.plugin.qt.theme import qcolor

#: With more points than this in view they stay points, or some stand for them.
_MOST = 250

#: Smallest and largest side of a picture in canvas pixels while all are shown.
_SIDES = (26, 72)

#: Side of those that stand for others, and their distance from middle to middle: room for
#: both frames and a gap that tells them apart.
_STANDING, _APART = 40, 49

#: Name of the switch where it is remembered.
_SWITCH = "pictures_on_map"


class CloseUp:
    """Shows pictures in place of points, or above those that they stand for.

    Signals
    -------
    switched(bool)
        From now on pictures stand for the points from afar, or do so no more.
    """

    switched = Signal(bool)

    def __init__(self, viewer: Viewer, owner: ShownMap, overlay: CanvasOverlay) -> None:
        self._owner, self._overlay = owner, overlay
        self._standing = Standing(owner, overlay, self.refresh)
        #: Whether pictures stand for the points while these are too many to be shown.
        self.from_afar = is_on(_SWITCH)
        #: Side of the pictures shown now in canvas pixels, 0 while there are none.
        self.side = 0
        self._afar = False
        camera = camera_of(viewer)
        camera.events.zoom.connect(self.refresh)
        camera.events.center.connect(self.refresh)
        owner.thumbnails.arrived.connect(self._on_pictures)
        owner.marked.connect(self.refresh)

    def toggle(self) -> None:
        """Switch pictures from afar on or off."""
        self.set_from_afar(not self.from_afar)

    def set_from_afar(self, on: bool) -> None:
        """Let pictures stand for the points from afar, or not, also in later windows."""
        if on != self.from_afar:
            self.from_afar = on
            remember_switch(_SWITCH, on)
            self.refresh()
            self.switched.emit(on)

    def refresh(self, event: Any = None) -> None:
        """Show what belongs in the present view."""
        if not isalive(self._overlay):
            return  # the window is being closed
        rows = self._rows_in_view()
        if len(rows):
            self._overlay.draw_pictures(self._pictures(rows))
        else:
            self.side = 0
            self._owner.thumbnails.forget("map")
            self._overlay.draw_pictures([])

    def _on_pictures(self, patches: frozenset[int]) -> None:
        """Show what was waited for; most is for the gallery or the card under the mouse."""
        if any(picture.patch in patches for picture in self._overlay.pictures):
            self.refresh()

    def _rows_in_view(self) -> np.ndarray:
        """Return which rows of the board are shown as pictures, and set their size."""
        owner, points, nothing = self._owner, self._owner.points, np.empty(0, np.intp)
        viewer = owner.viewer
        patches = owner.workspace.patches
        if points is None or patches is None or owner.colouring is None:
            return nothing
        if not patches.pictured:
            return nothing
        flat = viewer.dims.ndisplay == 2 and points.data.shape[1] == 2
        if not (points.visible and flat and len(points.data)):
            return nothing
        low, high = visible_box(viewer)
        zoom = camera_of(viewer).zoom
        # Half of a picture may reach into view from beyond the edge.
        edge = _SIDES[1] / 2 / zoom
        low, high = low - edge, high + edge
        rows = self._standing.all_in_view(low, high, _MOST, thinned=self.from_afar)
        self._afar = rows is None
        if rows is not None:
            area = canvas_size(viewer).prod()
            side = 0.55 * np.sqrt(area / max(len(rows), 1))
            self.side = int(np.clip(side, *_SIDES))
            return rows
        self.side = _STANDING
        return self._standing.in_view(low, high, _APART / zoom) if self.from_afar else nothing

    def _pictures(self, rows: np.ndarray) -> list[Picture]:
        owner, colouring = self._owner, self._owner.colouring
        points, workspace = owner.points, owner.workspace
        assert points is not None
        assert colouring is not None
        near = rows % len(points.data)
        chosen = owner.board.is_lifted(near)
        # From afar so do the points around; close up one looks at what is there.
        fades = bool(chosen.any()) or (self._afar and len(workspace.selection) > 0)
        # The selected ones are painted last and so lie on top, the current one over all.
        order = np.lexsort((owner.board.rank_of(near), chosen, near == workspace.current))
        near, chosen, ratio = near[order], chosen[order], self._overlay.devicePixelRatioF()
        places = to_canvas(owner.viewer, owner.board.positions[rows[order]])
        return [
            Picture(
                i,
                (x, y),
                owner.thumbnails.get(i, self.side, ratio, "map"),
                qcolor(colouring.colours[i, :3]),
                faded=fades and not picked,
                current=i == workspace.current,
            )
            for i, (x, y), picked in zip(near.tolist(), places.tolist(), chosen, strict=True)
        ]

    def find(self, pixel: np.ndarray) -> int:
        """Return the patch whose picture lies on top at a pixel (x, y), -1 for none."""
        for picture in reversed(self._overlay.pictures):
            size = size_of(picture.pixmap)
            half = np.array([size.width(), size.height()]) / 2
            if (np.abs(pixel - picture.place) <= half).all():
                return picture.patch
        return -1
