"""All that patches are on the images of one canvas: brought out, pointed at, drawn around."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.components.viewer_model import ViewerModel

from napari_patchmap.explore.lasso import points_inside
from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.canvas.canvas_mouse import CanvasMouse
from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map.card import draw_card
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.source.class_painter import ClassPainter
from napari_patchmap.plugin.source.highlights import Places, ShowsImages
from napari_patchmap.plugin.source.image_colours import ImageColours


class OnImages:
    """What is done on the images of a viewer, be it that of the window or one beside it.

    Whatever else is painted on images, made from a viewer and the images it shows, belongs
    here: it is then to be seen on either canvas.

    Attributes
    ----------
    places : Places
        Brings out the selected patches, and finds patches.
    painter : ClassPainter
        Paints the colours of the map on them.
    mouse : ImageMouse
        Clicks, lasso and hovering.
    """

    def __init__(
        self,
        viewer: ViewerModel,
        owner: ShownMap,
        images: ShowsImages,
        overlay: CanvasOverlay,
        colours: ImageColours,
    ) -> None:
        self.places = Places(viewer, owner.workspace, images, overlay)
        self.painter = ClassPainter(viewer, images, self.places, colours, overlay)
        self.mouse = ImageMouse(viewer, owner, self.places, overlay)

    def leave(self) -> None:
        """Follow nothing any more: the canvas goes."""
        parts: tuple[Listening, ...] = (self.painter, self.places, self.mouse)
        for part in parts:
            part.leave()


class ImageMouse(CanvasMouse):
    """What the mouse does on the images of a viewer; what it is over is a patch."""

    def __init__(
        self, viewer: ViewerModel, owner: ShownMap, places: Places, overlay: CanvasOverlay
    ) -> None:
        super().__init__(viewer, owner.workspace, owner.hand, overlay)
        self._owner, self._places = owner, places
        self.listen(owner.thumbnails.arrived, self.show_card)

    @property
    def ready(self) -> bool:
        active = self.viewer.layers.selection.active
        free = active is None or not active.visible or str(active.mode) in ("pan_zoom", "pick")
        return free and self._places.are_shown

    def _under(self, event: Any) -> int | None:
        found = self._owner.visible(self._places.at(tuple(event.position)))
        return int(found[0]) if len(found) else None

    def _patch(self, under: int) -> int:
        return under

    def _inside(self, path: np.ndarray) -> np.ndarray:
        rows, middles = self._places.middles()
        inside = rows[points_inside(to_canvas(self.viewer, middles), path)]
        return self._owner.visible(np.unique(inside))

    def _clicked(self, under: int | None, modifiers: set[str], how: How) -> None:
        """Look at a patch; Shift or Ctrl selects it as well, Alt takes it away."""
        if under is None:
            return
        if how == "subtract":
            self.workspace.select(np.array([under]), how)
            return
        if modifiers & {"Shift", "Control"}:
            self.workspace.select(np.array([under]), "add")
        self.workspace.set_current(under)

    def _let_go(self) -> None:
        super()._let_go()
        self._owner.placed.let_go()

    def _draw_card(self, under: int, place: tuple[float, float]) -> None:
        draw_card(self._owner, self.overlay, self.viewer, under, place)

    def _outlines(self, patch: int) -> list[list[tuple[float, float]]]:
        place = self._places.of(patch)
        if place is None or not self._places.sees(patch):
            return []
        return [to_canvas(self.viewer, place.corners(patch)).tolist()]
