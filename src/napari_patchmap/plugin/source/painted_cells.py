"""Colours of the map on the cells of a slide: discs that are seen from afar, too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer
from qtpy.compat import isalive
from qtpy.QtCore import QObject

from napari_patchmap.explore.paint_order import paint_order
from napari_patchmap.explore.patch_colours import PatchColours
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.source.class_colours import lay_above
from napari_patchmap.plugin.source.place import Place

#: Pixels of the screen that a disc takes at least.
_DOT = 3

#: A disc of so many pixels of the screen lets the cell below it be seen.
_NEAR = 12

#: How much of its colour is put on a cell: as a dot from afar, and from near.
_AFAR_OPACITY, _NEAR_OPACITY = 0.9, 0.4


class PaintedCells:
    """Cells, in a Points layer of ours above their image: discs as large as the cells are.

    From afar they are dots of a size on the screen, for a cell is less than a pixel there.

    Parameters
    ----------
    place : Place
        Of an image that crops around cells were cut out of.
    viewer : callable
        Returns the viewer that the layer goes to.
    seen : callable
        Called by napari when the layer is shown or hidden.
    parent : QObject
        Goes with the canvas.
    """

    def __init__(
        self,
        place: Place,
        viewer: Callable[[], Viewer],
        seen: Callable[[Any], None],
        parent: QObject,
    ) -> None:
        self.place, self._viewer, self._parent = place, viewer, parent
        self.layer = Points(
            ndim=2, name=f"{place.layer.name} (colours)", border_width=0,
            canvas_size_limits=(_DOT, 10_000), opacity=_AFAR_OPACITY,
            metadata={OVERLAY: True}, visible=False,
        )  # fmt: skip
        self.layer.editable = False
        self.layer.events.visible.connect(seen)
        camera_of(viewer()).events.zoom.connect(self._on_zoom)
        self._laid: tuple[int, np.ndarray] | None = None  # frame, and how the image lies
        self._rows = np.empty(0, np.intp)
        self._shown: PatchColours | None = None
        self._near = False

    def show(self, colours: PatchColours, frame: int, visible: bool) -> None:
        """Give the cells of a frame their colours, unless the image is not to be seen."""
        place, layer = self.place, self.layer
        if not (visible and place.shown):
            layer.visible = False
            return
        self._lay(frame)
        if colours is not self._shown:
            self._shown = colours
            painted = colours.palette[colours.codes[self._rows]]
            # napari draws a border round what it draws larger than it is.
            layer.face_color = layer.border_color = painted
        lay_above(self._viewer(), layer, place.layer)
        layer.visible = True
        self._on_zoom()

    def _lay(self, frame: int) -> None:
        """Put the discs where the cells of a frame are."""
        place, lies, before = self.place, self.place.matrix(1), self._laid
        if before is not None and before[0] == frame and np.array_equal(before[1], lies):
            return
        self._laid, self._shown = (frame, lies), None
        rows, middles = place.middles(frame)
        order = paint_order(len(rows))  # no class lies on top of all others
        self._rows = rows[order]
        across = place.across[np.searchsorted(place.rows, self._rows)]
        self.layer.data = middles[order]
        self.layer.size = across * place.unit

    def _on_zoom(self, _: Any = None) -> None:
        """Cover cells from afar, and let them be seen from near."""
        if not isalive(self._parent) or not len(self._rows):
            return
        zoom = float(camera_of(self._viewer()).zoom)
        near = float(np.median(self.layer.size)) * zoom >= _NEAR
        if near != self._near:
            self._near = near
            self.layer.opacity = _NEAR_OPACITY if near else _AFAR_OPACITY

    def put_away(self) -> None:
        """Take the layer out of the viewer; it comes back as a person left it."""
        if self.layer in self._viewer().layers:
            self._viewer().layers.remove(self.layer)

    def leave(self) -> None:
        """Paint no cells any more."""
        camera_of(self._viewer()).events.zoom.disconnect(self._on_zoom)
        self.put_away()
