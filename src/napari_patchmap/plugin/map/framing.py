"""Where the camera stands over the map, and when it may be moved for the person."""

from __future__ import annotations

import numpy as np
from napari.viewer import Viewer

from napari_patchmap.explore.in_view import box_of
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.looking import (
    camera_state,
    canvas_size,
    fit_box,
    to_canvas,
    visible_box,
)
from napari_patchmap.plugin.canvas.two_views import Views
from napari_patchmap.plugin.of_viewer import OfViewer

#: Closest the camera goes by itself, as a share of the map's extent.
_CLOSEST = 1 / 12

#: A map that has grown or shrunk by this share of its extent is fitted again.
_MUCH = 0.3

#: A map that fills less of the canvas than this is fitted again.
_SMALL = 0.7


class Framing(OfViewer):
    """Fits the camera to a map, and leaves it alone otherwise."""

    def __init__(self, viewer: Viewer, views: Views) -> None:
        super().__init__(viewer)
        self._views = views
        self._box: np.ndarray | None = None
        self._camera: tuple[float, ...] | None = None

    def forget(self) -> None:
        """Fit the next map anew."""
        self._box = self._camera = None
        self._views.forget_camera()

    @property
    def untouched(self) -> bool:
        """Whether the camera stands over the map as it was put there, not by a person."""
        camera = self._views.cameras.get("map")
        return camera is None or (*camera.centre, camera.zoom) == self._camera

    def fit(self, embedding: np.ndarray) -> None:
        """Put the camera on all of a map."""
        self._box = box_of(embedding)
        if self._views.now == "map":
            fit_box(self.viewer, *self._box)
            self._camera = camera_state(self.viewer)
        else:
            self._views.forget_camera()

    def fit_if_outgrown(self, embedding: np.ndarray) -> None:
        """Fit a first map, or one that left the frame or shrank within it.

        Where a person has moved the camera, the map has to be far out of its old frame.
        """
        box = box_of(embedding)
        if self._box is None or np.abs(box - self._box).max() > _MUCH * np.ptp(self._box):
            self.fit(embedding)
            return
        if self._views.now != "map" or self._camera != camera_state(self.viewer):
            return
        if box.shape[1] == 3:
            grown = np.linalg.norm(np.ptp(box, axis=0)) / np.linalg.norm(
                np.ptp(self._box, axis=0)
            )
            if not _SMALL < grown < 1.05:
                self.fit(embedding)
            return
        low, high = visible_box(self.viewer)
        share = (np.ptp(box, axis=0) / (high - low)).max()
        if (box[0] < low).any() or (box[1] > high).any() or share < _SMALL:
            self.fit(embedding)

    def fit_if_untouched(self, embedding: np.ndarray) -> None:
        """Fit a map to a canvas of another size, unless a person has moved the camera."""
        if self._views.now == "map" and self._camera == camera_state(self.viewer):
            self.fit(embedding)

    def show(self, places: np.ndarray, extent: float) -> None:
        """Move and zoom to some places; ``extent`` is that of the whole map."""
        self._views.show("map")
        low, high = places.min(axis=0), places.max(axis=0)
        # One point alone keeps some neighbours around it.
        room = np.maximum((extent * _CLOSEST - (high - low)) / 2, 0)
        fit_box(self.viewer, low - room, high + room, margin=0.1)

    def bring_into_view(self, places: np.ndarray) -> None:
        """Centre the first of some places if all are outside the canvas, without zooming."""
        if self._views.now != "map":
            return
        viewer, place = self.viewer, places[0]
        if len(place) == 3:
            pixels, size = to_canvas(viewer, places), canvas_size(viewer)[::-1]
            if ((pixels < 0) | (pixels > size)).any(axis=1).all():
                camera_of(viewer).center = tuple(place)
            return
        low, high = visible_box(viewer)
        if ((places < low) | (places > high)).any(axis=1).all():
            half = (high - low) / 2
            fit_box(viewer, place - half, place + half, margin=0)
