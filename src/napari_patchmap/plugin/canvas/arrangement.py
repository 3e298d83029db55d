"""How napari arranges its canvas: 2-D or 3-D, which axes, a grid. A map has one way only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari.components.viewer_model import ViewerModel
from napari.viewer import Viewer
from qtpy.QtCore import QTimer

from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.own_changes import Quiet

_NO_GRID = "The map is one picture. Press Source first to see images in a grid."
_NO_ROLL = "The axes of the map stay as they are. Press Source first to turn those of an image."
_FLAT = "This map has two dimensions: train one with Dimensions 3 to see it in 3-D."
_SOLID = "This map has three dimensions and is shown in 3-D."


class Arrangement(OfViewer, Quiet):
    """Keeps napari's buttons from taking the map apart, and says why.

    What was set while images were shown is set again when they come back.
    """

    def __init__(
        self, viewer: Viewer, on_map: Callable[[], bool], say: Callable[[str], None]
    ) -> None:
        super().__init__(viewer)
        self._on_map, self._say = on_map, say
        self.dimensions = 2
        self._camera: tuple[Any, ...] | None = None
        self._source: tuple[int, tuple[int, ...], bool] | None = None
        viewer.dims.events.ndisplay.connect(self._on_change)
        viewer.dims.events.order.connect(self._on_change)
        _grid(viewer).events.enabled.connect(self._on_change)

    def take_map(self) -> None:
        """Arrange the canvas for the map; remember how the images had it."""
        dims, grid = self.viewer.dims, _grid(self.viewer)
        self._source = dims.ndisplay, tuple(dims.order), bool(grid.enabled)
        self._arrange()

    def take_source(self) -> None:
        """Arrange the canvas as it was for the images."""
        dims = self.viewer.dims
        ndisplay, order, grid = self._source or (2, (), False)
        with self.quiet():
            dims.ndisplay = ndisplay
            if len(order) == dims.ndim:
                dims.order = order
            _grid(self.viewer).enabled = grid

    def set_dimensions(self, dimensions: int) -> None:
        """Say how many dimensions the map has, 2 or 3."""
        self.dimensions = dimensions
        if self._on_map():
            self._arrange()

    def _arrange(self) -> None:
        dims = self.viewer.dims
        with self.quiet():
            _grid(self.viewer).enabled = False
            dims.order = tuple(range(dims.ndim))
            dims.ndisplay = self.dimensions

    def _wrong(self) -> str:
        """Say what does not suit the map, "" if all does."""
        dims = self.viewer.dims
        if dims.ndisplay != self.dimensions:
            return _FLAT if self.dimensions == 2 else _SOLID
        if tuple(dims.order) != tuple(range(dims.ndim)):
            return _NO_ROLL
        return _NO_GRID if _grid(self.viewer).enabled else ""

    def _on_change(self, _: Any = None) -> None:
        if self.busy or not self._on_map() or not self._wrong():
            return
        if self._camera is None:
            camera = camera_of(self.viewer)
            # napari moves it next, for a view that the map will not have.
            self._camera = tuple(camera.center), float(camera.zoom), tuple(camera.angles)
            # Not now: napari is in the midst of telling everybody.
            QTimer.singleShot(0, self._set_right)

    def _set_right(self) -> None:
        viewer, camera, self._camera = self._viewer(), self._camera, None
        if viewer is None or camera is None or not self._on_map():
            return  # the viewer may have gone meanwhile
        wrong = self._wrong()
        if wrong:
            self._arrange()
            kept = camera_of(viewer)
            kept.center, kept.zoom, kept.angles = camera
            self._say(wrong)


def camera_of(viewer: ViewerModel) -> Any:
    """Return the camera, wherever this napari keeps it."""
    return getattr(viewer, "scene", viewer).camera


def _grid(viewer: ViewerModel) -> Any:
    canvas = getattr(viewer, "canvas", None)
    return getattr(canvas, "grid", None) or viewer.grid
