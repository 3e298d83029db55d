"""The patches themselves on the map, once the camera is close enough to tell them apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.compat import isalive

from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay, Picture
from napari_patchmap.plugin.canvas.two_views import canvas_size, to_canvas, visible_box
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.qt.framed import size_of
from napari_patchmap.plugin.qt.theme import qcolor

#: With more points than this in view they stay points.
_MOST = 250

#: Smallest and largest side of a picture in canvas pixels.
_SIDES = (26, 72)


class CloseUp:
    """Shows pictures in place of points while few enough are in view."""

    def __init__(self, viewer: Viewer, owner: ShownMap, overlay: CanvasOverlay) -> None:
        self._owner, self._overlay = owner, overlay
        #: Side of the pictures shown now in canvas pixels, 0 while there are none.
        self.side = 0
        camera = camera_of(viewer)
        camera.events.zoom.connect(self.refresh)
        camera.events.center.connect(self.refresh)
        owner.thumbnails.arrived.connect(self.refresh)
        owner.marked.connect(self.refresh)

    def refresh(self, event: Any = None) -> None:
        """Show what belongs in the present view."""
        owner = self._owner
        if not isalive(self._overlay):
            return  # the window is being closed
        points, patches, colouring = owner.points, owner.workspace.patches, owner.colouring
        rows = np.empty(0, np.intp)
        flat = owner.viewer.dims.ndisplay == 2 and points is not None
        if points is not None and points.visible and flat and points.data.shape[1] == 2:
            low, high = visible_box(owner.viewer)
            # Half of a picture may reach into view from beyond the edge.
            edge = _SIDES[1] / 2 / camera_of(owner.viewer).zoom
            places = owner.board.positions
            inside = np.all((places > low - edge) & (places < high + edge), axis=1)
            rows = np.flatnonzero(inside)
            rows = rows[points.shown[rows % len(points.data)]]
        if not 0 < len(rows) <= _MOST or patches is None or colouring is None:
            self.side = 0
            self._overlay.draw_pictures([])
            return
        area = canvas_size(owner.viewer).prod()
        self.side = int(np.clip(0.55 * np.sqrt(area / len(rows)), *_SIDES))
        assert points is not None
        near = rows % len(points.data)
        chosen = np.isin(near, owner.workspace.selection)
        # The selected ones are painted last and so lie on top, the current one over all.
        order = np.lexsort((owner.board.rank[rows], chosen, near == owner.workspace.current))
        near, chosen, ratio = near[order], chosen[order], self._overlay.devicePixelRatioF()
        places = to_canvas(owner.viewer, owner.board.positions[rows[order]])
        self._overlay.draw_pictures(
            [
                Picture(
                    i,
                    (x, y),
                    owner.thumbnails.get(i, self.side, ratio),
                    qcolor(colouring.colours[i, :3]),
                    faded=bool(chosen.any()) and not picked,
                    current=i == owner.workspace.current,
                )
                for i, (x, y), picked in zip(
                    near.tolist(), places.tolist(), chosen, strict=True
                )
            ]
        )

    def find(self, pixel: np.ndarray) -> int:
        """Return the patch whose picture lies on top at a pixel (x, y), -1 for none."""
        for picture in reversed(self._overlay.pictures):
            size = size_of(picture.pixmap)
            half = np.array([size.width(), size.height()]) / 2
            if (np.abs(pixel - picture.place) <= half).all():
                return picture.patch
        return -1
