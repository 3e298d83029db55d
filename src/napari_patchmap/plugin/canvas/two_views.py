"""Two ways to look at one canvas: the map, or the images the patches come from.

A viewer has a single camera, and the coordinates of a map mean nothing in an
image. So one of the two is shown at a time, each with a camera of its own.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from napari.layers import Labels, Layer, Points, Shapes
from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.plugin.canvas.arrangement import Arrangement, camera_of
from napari_patchmap.plugin.canvas.looking import fit
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.runs.session_file import CameraPlace

View = Literal["map", "source"]

#: What the canvas of their own is called among the places of cameras.
BESIDE = "beside"

#: Marks layers of ours that lie on an image, in their metadata.
OVERLAY = "patchmap_overlay"

#: Marks, among them, tiles that are not loaded yet; names the source that they lie on.
PREVIEW = "patchmap_preview"


class Views(OfViewer, Quiet):
    """Which of the two is shown, and where its camera stands.

    Attributes
    ----------
    now : "map" or "source"
    beside : bool
        Whether the images have a canvas of their own meanwhile, so that the map can stay.

    Signals
    -------
    changed(str)
        The other one is shown.
    beside_changed(bool)
        The images have a canvas of their own, or have none any more.
    beside_moved()
        The camera of that canvas has another place, or is to have one.
    """

    changed = Signal(str)
    beside_changed = Signal(bool)
    beside_moved = Signal()

    def __init__(
        self, viewer: Viewer, owns: Callable[[Layer], bool], say: Callable[[str], None]
    ) -> None:
        super().__init__(viewer)
        self._owns = owns
        self._hidden: list[weakref.ref[Layer]] = []
        self._cameras: dict[str, tuple[tuple[float, ...], float, tuple[float, ...]]] = {}
        #: What people draw on the map; it comes and goes with the map.
        self._notes: weakref.WeakSet[Layer] = weakref.WeakSet()
        self.now: View = "source"
        self.beside = False
        self._beside_camera: CameraPlace | None = None
        self._arrangement = Arrangement(viewer, lambda: self.now == "map", say)
        viewer.layers.events.inserted.connect(self._on_inserted)

    def set_dimensions(self, dimensions: int) -> None:
        """Say how many dimensions the map has, 2 or 3; napari shows it in as many."""
        if dimensions != self._arrangement.dimensions:
            self.forget_camera()
        self._arrangement.set_dimensions(dimensions)

    @property
    def sources(self) -> list[Layer]:
        """Layers of the viewer that are neither the map nor ours on top of an image."""
        return [layer for layer in self.viewer.layers if self._is_source(layer)]

    def show(self, view: View) -> None:
        """Show the map or the source, as it was left."""
        if view == self.now:
            return
        viewer, camera = self.viewer, camera_of(self.viewer)
        self._cameras[self.now] = (
            tuple(camera.center), float(camera.zoom), tuple(camera.angles),
        )  # fmt: skip
        self.now = view
        ours = [ly for ly in viewer.layers if self._owns(ly) or ly in self._notes]
        if view == "map":
            self._hidden = [weakref.ref(ly) for ly in self.sources if ly.visible]
            _set_visible(self.sources, False)
            self._arrangement.take_map()
        else:
            self._arrangement.take_source()
            _set_visible([ly for ref in self._hidden if (ly := ref()) is not None], True)
        _set_visible(ours, view == "map")
        if view in self._cameras:
            camera.center, camera.zoom, camera.angles = self._cameras[view]
        elif view == "source" and self.sources:
            fit(viewer, self.sources)
        self.changed.emit(view)

    @property
    def cameras(self) -> dict[str, CameraPlace]:
        """Where the camera stands over each of the two, as far as they were looked at."""
        camera = camera_of(self.viewer)
        now = tuple(camera.center), float(camera.zoom), tuple(camera.angles)
        places = {**self._cameras, self.now: now}
        beside = {} if self._beside_camera is None else {BESIDE: self._beside_camera}
        return {name: CameraPlace(*one) for name, one in places.items()} | beside

    @property
    def beside_camera(self) -> CameraPlace | None:
        """Where the camera of the canvas beside the map stands, None for where it fits."""
        return self._beside_camera

    @beside_camera.setter
    def beside_camera(self, place: CameraPlace | None) -> None:
        if place != self._beside_camera:
            self._beside_camera = place
            self.beside_moved.emit()

    def put_camera(self, view: View, place: CameraPlace) -> None:
        """Put the camera somewhere over one of the two, be it shown or not."""
        self._cameras[view] = place.centre, place.zoom, place.angles
        if view == self.now:
            camera = camera_of(self.viewer)
            camera.center, camera.zoom, camera.angles = self._cameras[view]

    def add_source(self, layer: Layer) -> None:
        """Add an image of ours and look at it."""
        with self.quiet():
            self.viewer.add_layer(layer)
        self._reveal(layer)

    def add_behind(self, layer: Layer) -> None:
        """Add an image of ours for whenever images are looked at."""
        active = self.viewer.layers.selection.active
        with self.quiet():
            self.viewer.add_layer(layer)
        if self.now == "map":
            self.viewer.layers.selection.active = active
        self.keep(layer, True)

    def take_to_map(self, layer: Layer) -> None:
        """Count a layer among those that lie on the map."""
        self._notes.add(layer)

    def set_beside(self, on: bool) -> None:
        """Say whether the images have a canvas of their own."""
        if on != self.beside:
            self.beside = on
            self.beside_changed.emit(on)

    def shows(self, layer: Layer) -> bool:
        """Whether an image is to be seen wherever images are shown."""
        if self.now == "source":
            return bool(layer.visible)
        return any(ref() is layer for ref in self._hidden)

    def keep(self, layer: Layer, shown: bool) -> None:
        """Show an image, or not, wherever images are shown; the map stays where it is."""
        self._hidden = [ref for ref in self._hidden if ref() not in (None, layer)]
        if shown:
            self._hidden.append(weakref.ref(layer))
        with self.quiet():
            layer.visible = shown and self.now == "source"

    def forget_camera(self) -> None:
        """Start the next map with a fresh camera."""
        self._cameras.pop("map", None)

    def _on_inserted(self, event: Any) -> None:
        layer = event.value
        if self.now != "map" or not self._is_source(layer) or self.busy:
            return
        if _is_empty(layer):
            self._notes.add(layer)  # to be drawn on what is shown
        else:
            self._reveal(layer)

    def _is_source(self, layer: Layer) -> bool:
        ours = self._owns(layer) or layer in self._notes
        return not ours and not layer.metadata.get(OVERLAY)

    def _reveal(self, layer: Layer) -> None:
        """Turn to the source for a new layer; nobody adds one not to see it."""
        first = len(self.sources) == 1
        if self.now == "map" and self.beside:
            self.keep(layer, True)
            return
        if self.now == "map":
            self.show("source")
        layer.visible = True
        if first:
            fit(self.viewer, [layer])


def _is_empty(layer: Layer) -> bool:
    """Whether a layer has just been made by one of napari's buttons, to be drawn on."""
    if isinstance(layer, Labels):
        made = isinstance(layer.data, np.ndarray) and layer.source.path is None
        return made and not layer.data.any()
    return isinstance(layer, (Points, Shapes)) and len(layer.data) == 0


def _set_visible(layers: Sequence[Layer], visible: bool) -> None:
    for layer in layers:
        if layer.visible != visible:  # or napari draws all of it again
            layer.visible = visible
