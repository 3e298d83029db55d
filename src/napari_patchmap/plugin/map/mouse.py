"""Clicking, drawing around and hovering over points, on any layer in pan mode.

A drag with the lasso in hand, or with Ctrl, selects anew; with Shift it adds to the
selection, with Alt or "Take away" it takes out of it. Esc gives a lasso up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.compat import isalive
from qtpy.QtGui import QColor

from napari_patchmap.explore.lasso import points_inside, thinned
from napari_patchmap.explore.selection import How
from napari_patchmap.explore.words import caption
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.canvas.press import Press
from napari_patchmap.plugin.canvas.two_views import to_canvas, to_map
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.close_up import CloseUp
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.map.placed_layers import PlacedLayer
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.qt.theme import qcolor
from napari_patchmap.plugin.workspace import Workspace

#: How far from a point, in canvas pixels, the mouse still means it.
_REACH = 7.0

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
    take_away_changed(bool)
        What is drawn around is taken out of the selection from now on, or not any more.
    """

    lasso_changed = Signal(bool)
    take_away_changed = Signal(bool)

    def __init__(
        self, viewer: Viewer, owner: ShownMap, close_up: CloseUp, overlay: CanvasOverlay
    ) -> None:
        self._owner = owner
        self.workspace = owner.workspace
        self.overlay, self.close_up = overlay, close_up
        self._lasso = self._take_away = False
        self._zoom_box: list[Any] = []
        #: What the card is of: placed patches or None for the map's, which one, and where.
        self._hovered: tuple[PlacedLayer | None, int, tuple[float, float]] | None = None
        for arrived in (owner.thumbnails.arrived, owner.placed.arrived):
            arrived.connect(self._on_picture)
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_wheel_callbacks.append(self._on_wheel)

    @property
    def lasso(self) -> bool:
        """Whether a plain drag draws a lasso instead of moving the map."""
        return self._lasso

    def set_lasso(self, on: bool) -> None:
        """Take up or put down the lasso tool."""
        if on == self._lasso:
            return
        self._lasso = on
        callbacks = self._owner.viewer.mouse_drag_callbacks
        if on:
            # napari zooms into a box on Alt+drag; with the lasso in hand Alt takes away.
            self._zoom_box = [f for f in callbacks if f.__name__ == "drag_to_zoom"]
            for function in self._zoom_box:
                callbacks.remove(function)
        else:
            callbacks.extend(self._zoom_box)
        self.lasso_changed.emit(on)

    @property
    def take_away(self) -> bool:
        """Whether what is drawn around is taken out of the selection, as with Alt."""
        return self._take_away

    def set_take_away(self, on: bool) -> None:
        """Let the lasso take away, or select."""
        if on != self._take_away:
            self._take_away = on
            self.take_away_changed.emit(on)

    @property
    def hovered(self) -> int:
        """The patch of the map under the mouse, -1 for none."""
        return -1 if self._hovered is None or self._hovered[0] is not None else self._hovered[1]

    # -- callbacks of the viewer ---------------------------------------------------

    def _on_drag(self, viewer: Viewer, event: Any) -> Iterator[None]:
        owner = self._owner
        if event.button != 1 or not self._ready():
            return
        self.put_away()
        modifiers = {str(getattr(key, "name", key)) for key in event.modifiers}
        drawing = self._lasso or bool(modifiers & {"Shift", "Control"})
        how = _how(modifiers, self._take_away and drawing)
        press, (other, index) = Press(event), self._under(event)
        if drawing:
            self.overlay.start_lasso(viewer, press.start)
        yield from press.follow(event, taken=drawing)  # a lasso must not move the camera
        if drawing:
            if not self.overlay.drawing:
                return  # given up with Esc
            path = self.overlay.end_lasso()
            press.went(path)  # the overlay sees more of it than napari tells
        if not press.is_click:
            if drawing:
                self._enclose(thinned(np.array(path), 1.5), how)
        elif other is not None:
            owner.placed.select(other, index, add="Shift" in modifiers)
        else:
            owner.placed.let_go()
            self._click(index, _clicked(modifiers, index, self.workspace, how))

    def escape(self) -> None:
        """Give up the lasso that is being drawn, or else select nothing."""
        if self.overlay.drawing:
            self.overlay.end_lasso()
        else:
            self.workspace.clear_selection()
            self._owner.placed.let_go()

    def _enclose(self, path: np.ndarray, how: How) -> None:
        owner, points = self._owner, self._owner.points
        if points is not None:
            viewer, places = owner.viewer, owner.board.positions
            if points.data.shape[1] == 3:  # what the lasso encloses as it is seen
                inside = points_inside(to_canvas(viewer, places), path)
            else:
                inside = points_inside(places, to_map(viewer, path))
            chosen = np.zeros(len(points.data), bool)
            chosen[inside % len(chosen)] = True  # on whichever map
            self.workspace.select(owner.visible(np.flatnonzero(chosen)), how)

    def _click(self, index: int, how: How) -> None:
        if index >= 0:
            self.workspace.select(np.array([index]), how)
            if how != "subtract":
                self.workspace.set_current(index)
        elif how == "replace":
            self.workspace.clear_selection()

    def _on_move(self, viewer: Viewer, event: Any) -> None:
        if not self._ready():
            self.put_away()
            return
        other, index = self._under(event)
        if index < 0:
            self.put_away()
        elif self._hovered is None or (other, index) != self._hovered[:2]:
            self._hovered = other, index, tuple(event.pos[:2])
            self._show_card()

    def _on_wheel(self, viewer: Viewer, event: Any) -> None:
        self.put_away()

    # -- helpers -------------------------------------------------------------------

    def _ready(self) -> bool:
        points, viewer = self._owner.points, self._owner.viewer
        if points is None or not points.visible:
            return False
        if viewer.dims.ndisplay != points.data.shape[1]:
            return False
        active = viewer.layers.selection.active
        return active is None or not active.visible or str(active.mode) == "pan_zoom"

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

    def _under(self, event: Any) -> tuple[PlacedLayer | None, int]:
        """Return the patch under the mouse, and what it was placed with if it was."""
        pixel = np.asarray(event.pos[:2], float)
        other, index = self._placed_at(pixel)
        return (other, index) if other is not None else (None, self.patch_at(pixel))

    def _placed_at(self, pixel: np.ndarray) -> tuple[PlacedLayer | None, int]:
        """Return the placed patch at a pixel; they lie on top of the map's own."""
        for other in self._owner.placed.listed:
            index = other.find(self._owner.viewer, pixel, _REACH)
            if index >= 0:
                return other, index
        return None, -1

    def _on_picture(self) -> None:
        """Show a picture that has been read on the card that waits for it."""
        if isalive(self.overlay) and self.overlay.has_card:
            self._show_card()

    def _show_card(self) -> None:
        owner = self._owner
        patches, colouring = owner.workspace.patches, owner.colouring
        if self._hovered is None or patches is None or colouring is None:
            return
        other, index, place = self._hovered
        if other is not None and other not in owner.placed.listed:
            self.put_away()  # its layer has gone under the mouse
            return
        if other is not None:
            thumbnails, lines = other.thumbnails, other.words(index)
            frame = QColor(marks.PLACED_COLOUR)
        else:
            thumbnails, lines = owner.thumbnails, caption(patches.table, index)
            lines[:0] = owner.workspace.annotations.of(index)
            frame = qcolor(colouring.colours[index, :3])
            if patches.is_missing(index):
                lines.append("image missing")
        picture = thumbnails.get(index, _CARD, self.overlay.devicePixelRatioF())
        if thumbnails.trouble(index):
            lines.append("image cannot be read")
        self.overlay.draw_card(owner.viewer, place, picture, lines, frame)

    def put_away(self) -> None:
        """Take away the card of the point under the mouse."""
        self._hovered = None
        self.overlay.clear_card()


def _how(modifiers: set[str], take_away: bool) -> How:
    if "Alt" in modifiers or take_away:
        return "subtract"
    return "add" if "Shift" in modifiers else "replace"


def _clicked(modifiers: set[str], index: int, workspace: Workspace, how: How) -> How:
    """Say what a click does: with Ctrl, as in lists of files, it adds or takes away."""
    if "Control" not in modifiers or how == "subtract":
        return how
    return "subtract" if index in workspace.selection else "add"
