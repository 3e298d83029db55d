"""How napari arranges its canvas: 2-D or 3-D, which axes, a grid. A map has one way only."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from napari.viewer import Viewer
from qtpy.QtCore import QTimer

_NO_GRID = "The map is one picture. Press Source first to see images in a grid."
_NO_ROLL = "The axes of the map stay as they are. Press Source first to turn those of an image."
_FLAT = "This map has two dimensions: train one with Dimensions 3 to see it in 3-D."
_SOLID = "This map has three dimensions and is shown in 3-D."


class Arrangement:
    """Keeps napari's buttons from taking the map apart, and says why.

    What was set while images were shown is set again when they come back.

    Parameters
    ----------
    viewer : Viewer
    on_map : callable
        Whether the map is what is shown now.
    say : callable
        Tells the person one sentence.
    """

    def __init__(
        self, viewer: Viewer, on_map: Callable[[], bool], say: Callable[[str], None]
    ) -> None:
        self._viewer = weakref.ref(viewer)
        self._on_map, self._say = on_map, say
        self.dimensions = 2
        self._setting = False
        self._camera: tuple[Any, ...] | None = None
        self._source: tuple[int, tuple[int, ...], bool] | None = None
        viewer.dims.events.ndisplay.connect(self._on_change)
        viewer.dims.events.order.connect(self._on_change)
        _grid(viewer).events.enabled.connect(self._on_change)

    def take_map(self) -> None:
        """Arrange the canvas for the map; remember how the images had it."""
        viewer = self._viewer()
        if viewer is not None:
            dims = viewer.dims
            self._source = dims.ndisplay, tuple(dims.order), bool(_grid(viewer).enabled)
            self._arrange(viewer)

    def take_source(self) -> None:
        """Arrange the canvas as it was for the images."""
        viewer = self._viewer()
        if viewer is None:
            return
        ndisplay, order, grid = self._source or (2, (), False)
        self._setting = True
        try:
            viewer.dims.ndisplay = ndisplay
            if len(order) == viewer.dims.ndim:
                viewer.dims.order = order
            _grid(viewer).enabled = grid
        finally:
            self._setting = False

    def set_dimensions(self, dimensions: int) -> None:
        """Say how many dimensions the map has, 2 or 3."""
        self.dimensions = dimensions
        viewer = self._viewer()
        if viewer is not None and self._on_map():
            self._arrange(viewer)

    def _arrange(self, viewer: Viewer) -> None:
        self._setting = True
        try:
            _grid(viewer).enabled = False
            viewer.dims.order = tuple(range(viewer.dims.ndim))
            viewer.dims.ndisplay = self.dimensions
        finally:
            self._setting = False

    def _wrong(self, viewer: Viewer) -> str:
        """Say what does not suit the map, "" if all does."""
        if viewer.dims.ndisplay != self.dimensions:
            return _FLAT if self.dimensions == 2 else _SOLID
        if tuple(viewer.dims.order) != tuple(range(viewer.dims.ndim)):
            return _NO_ROLL
        return _NO_GRID if _grid(viewer).enabled else ""

    def _on_change(self, _: Any = None) -> None:
        viewer = self._viewer()
        if viewer is None or self._setting or not self._on_map() or not self._wrong(viewer):
            return
        if self._camera is None:
            camera = camera_of(viewer)
            # napari moves it next, for a view that the map will not have.
            self._camera = tuple(camera.center), float(camera.zoom), tuple(camera.angles)
            # Not now: napari is in the midst of telling everybody.
            QTimer.singleShot(0, self._set_right)

    def _set_right(self) -> None:
        viewer, camera, self._camera = self._viewer(), self._camera, None
        if viewer is None or camera is None or not self._on_map():
            return
        wrong = self._wrong(viewer)
        if wrong:
            self._arrange(viewer)
            kept = camera_of(viewer)
            kept.center, kept.zoom, kept.angles = camera
            self._say(wrong)


def camera_of(viewer: Viewer) -> Any:
    """Return the camera, wherever this napari keeps it."""
    return getattr(viewer, "scene", viewer).camera


def _grid(viewer: Viewer) -> Any:
    canvas = getattr(viewer, "canvas", None)
    return getattr(canvas, "grid", None) or viewer.grid
