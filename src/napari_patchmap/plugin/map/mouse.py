"""The mouse on the map: which point is meant, what a lasso encloses, the card of a point."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtGui import QColor

from napari_patchmap.explore.lasso import points_inside
from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.canvas_mouse import CanvasMouse
from napari_patchmap.plugin.canvas.looking import to_canvas, to_map
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.card import SIDE, draw_card
from napari_patchmap.plugin.map.close_up import CloseUp
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.map.placed_layers import PlacedLayer
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.workspace import Workspace

#: How far from a point, in canvas pixels, the mouse still means it.
_REACH = 7.0

#: Corners of the ring around a point that the mouse is over on another canvas.
_RING = np.linspace(0, 2 * np.pi, 25)[:-1]


class MapMouse(CanvasMouse):
    """What the mouse does on the map.

    What it is over is a patch, and the layer of placed patches that it is from, if it is.
    """

    def __init__(
        self, viewer: Viewer, owner: ShownMap, close_up: CloseUp, overlay: CanvasOverlay
    ) -> None:
        super().__init__(viewer, owner.workspace, owner.hand, overlay)
        self._owner, self.close_up = owner, close_up
        for arrived in (owner.thumbnails.arrived, owner.placed.arrived):
            self.listen(arrived, self.show_card)

    # -- what is shown on the canvas ---------------------------------------------------

    @property
    def ready(self) -> bool:
        points, viewer = self._owner.points, self._owner.viewer
        if points is None or not points.visible:
            return False
        if viewer.dims.ndisplay != points.data.shape[1]:
            return False
        active = viewer.layers.selection.active
        return active is None or not active.visible or str(active.mode) == "pan_zoom"

    def _under(self, event: Any) -> tuple[PlacedLayer | None, int] | None:
        pixel = np.asarray(event.pos[:2], float)
        other, index = self._placed_at(pixel)
        if other is None:
            index = self.patch_at(pixel)
        return (other, index) if index >= 0 else None

    def _patch(self, under: tuple[PlacedLayer | None, int]) -> int:
        return under[1] if under[0] is None else -1

    def _inside(self, path: np.ndarray) -> np.ndarray:
        owner, points = self._owner, self._owner.points
        assert points is not None
        viewer, places = owner.viewer, owner.board.positions
        if points.data.shape[1] == 3:  # what the lasso encloses as it is seen
            inside = points_inside(to_canvas(viewer, places), path)
        else:
            inside = points_inside(places, to_map(viewer, path))
        chosen = np.zeros(len(points.data), bool)
        chosen[inside % len(chosen)] = True  # on whichever map
        return owner.visible(np.flatnonzero(chosen))

    def _clicked(
        self, under: tuple[PlacedLayer | None, int] | None, modifiers: set[str], how: How
    ) -> None:
        other, index = (None, -1) if under is None else under
        placed = self._owner.placed
        if other is not None:
            placed.select(other, index, add="Shift" in modifiers)
            return
        placed.let_go()
        how = _clicked(modifiers, index, self.workspace, how)
        if index >= 0:
            self.workspace.select(np.array([index]), how)
            if how != "subtract":
                self.workspace.set_current(index)
        elif how == "replace":
            self.workspace.clear_selection()

    def _let_go(self) -> None:
        super()._let_go()
        self._owner.placed.let_go()

    def _outlines(self, patch: int) -> list[list[tuple[float, float]]]:
        owner = self._owner
        points = owner.points
        if points is None or not points.shown[patch]:
            return []
        zoom = float(camera_of(owner.viewer).zoom)
        radius = max(self._radius(points, zoom) + 4, self.close_up.side * 0.75)
        ring = radius * np.stack([np.cos(_RING), np.sin(_RING)], axis=1)
        places = owner.board.positions[owner.board.rows(np.array([patch]))]
        return [(pixel + ring).tolist() for pixel in to_canvas(owner.viewer, places)]

    # -- which point is meant ------------------------------------------------------------

    def patch_at(self, pixel: np.ndarray) -> int:
        """Return the patch that is meant by a pixel (x, y) of the canvas, -1 for none.

        Clicks, the card under the mouse and napari's status bar all go by this: it is
        the one that is seen there, on top of the others.
        """
        owner, points = self._owner, self._owner.points
        if points is None or self._placed_at(pixel)[0] is not None:
            return -1
        viewer, zoom = owner.viewer, float(camera_of(owner.viewer).zoom)
        if points.data.shape[1] == 3:
            return owner.board.find_on_canvas(pixel, max(_REACH, self._radius(points, zoom)))
        if self.close_up.side:
            # Close up a picture stands for the point, and people click on the picture.
            index = self.close_up.find(pixel)
            if index >= 0:
                return index
        size = self._radius(points, zoom)
        lifted = self._radius(owner.selected_points, zoom)
        return owner.board.find(
            to_map(viewer, pixel[None])[0], size / zoom, max(_REACH, size + 2) / zoom,
            lifted / zoom,
        )  # fmt: skip

    def _radius(self, points: PatchPoints | None, zoom: float) -> float:
        """Radius of the points of a layer in canvas pixels."""
        if points is None or not len(points.size):
            return 0.0
        return float(np.clip(float(points.size[0]) * zoom, *points.canvas_size_limits)) / 2

    def _placed_at(self, pixel: np.ndarray) -> tuple[PlacedLayer | None, int]:
        """Return the placed patch at a pixel; they lie on top of the map's own."""
        for other in self._owner.placed.listed:
            index = other.find(self._owner.viewer, pixel, _REACH)
            if index >= 0:
                return other, index
        return None, -1

    def _draw_card(
        self, under: tuple[PlacedLayer | None, int], place: tuple[float, float]
    ) -> None:
        owner, (other, index) = self._owner, under
        if other is None:
            draw_card(owner, self.overlay, owner.viewer, index, place)
        elif other not in owner.placed.listed:
            self.put_away()  # its layer has gone under the mouse
        else:
            ratio, lines = self.overlay.devicePixelRatioF(), other.words(index)
            picture = other.thumbnails.get(index, SIDE, ratio)
            if other.thumbnails.trouble(index):
                lines.append("image cannot be read")
            frame = QColor(marks.PLACED_COLOUR)
            self.overlay.draw_card(owner.viewer, place, picture, lines, frame)


def _clicked(modifiers: set[str], index: int, workspace: Workspace, how: How) -> How:
    """Say what a click does: with Ctrl, as in lists of files, it adds or takes away."""
    if "Control" not in modifiers or how == "subtract":
        return how
    return "subtract" if index in workspace.selection else "add"
