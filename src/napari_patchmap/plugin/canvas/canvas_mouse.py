"""Clicking, drawing around and hovering over patches, on any canvas, in pan mode.

A drag with the lasso in hand, or with Ctrl, selects anew; with Shift it adds to the
selection, with Alt or "Take away" it takes out of it. Esc gives a lasso up.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.components.viewer_model import ViewerModel
from qtpy.compat import isalive

from napari_patchmap.explore.lasso import thinned
from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.canvas.hand import Hand
from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.workspace import Workspace

#: A press and release closer than this, in canvas pixels, is a click.
_STILL = 4.0


class CanvasMouse(OfViewer, Listening):
    """What the mouse does on a canvas; who shows patches there says where they are.

    Callbacks sit on the viewer, not on a layer, so that they work whichever
    layer is active; they stand back while something else is shown or when the active
    layer is being drawn on.
    """

    def __init__(
        self, viewer: ViewerModel, workspace: Workspace, hand: Hand, overlay: CanvasOverlay
    ) -> None:
        super().__init__(viewer)
        self.workspace, self.hand, self.overlay = workspace, hand, overlay
        #: What the mouse is over, and where the card of it lies, in canvas pixels (x, y).
        self._hovered: tuple[Any, tuple[float, float]] | None = None
        hand.reach(viewer)
        self.listen(hand.pointed_changed, self._on_pointed)
        overlay.left.connect(self.put_away)
        viewer.mouse_drag_callbacks.append(self._on_drag)
        viewer.mouse_move_callbacks.append(self._on_move)
        viewer.mouse_wheel_callbacks.append(self._on_wheel)

    # -- what is shown on the canvas ---------------------------------------------------

    @property
    def ready(self) -> bool:
        """Whether what people do with the mouse is meant for patches."""
        raise NotImplementedError

    def _under(self, event: Any) -> Any:
        """Return what is under the mouse, None for nothing."""
        raise NotImplementedError

    def _patch(self, under: Any) -> int:
        """Return which patch of the workspace that is, -1 for none of them."""
        raise NotImplementedError

    def _inside(self, path: np.ndarray) -> np.ndarray:
        """Return the patches within a path of canvas pixels, each (x, y)."""
        raise NotImplementedError

    def _clicked(self, under: Any, modifiers: set[str], how: How) -> None:
        raise NotImplementedError

    def _draw_card(self, under: Any, place: tuple[float, float]) -> None:
        raise NotImplementedError

    def _outlines(self, patch: int) -> list[list[tuple[float, float]]]:
        """Return lines around a patch, wherever it is seen here, in canvas pixels (x, y)."""
        raise NotImplementedError

    def _let_go(self) -> None:
        """Select nothing."""
        self.workspace.clear_selection()

    # -- callbacks of the viewer ---------------------------------------------------------

    def _on_drag(self, viewer: ViewerModel, event: Any) -> Iterator[None]:
        if event.button != 1 or not self.ready:
            return
        self.put_away()
        modifiers = {str(getattr(key, "name", key)) for key in event.modifiers}
        drawing, how = self.hand.draws(modifiers), self.hand.how(modifiers)
        press, under = _Press(event), self._under(event)
        if drawing:
            self.overlay.start_lasso(viewer, press.start)
        yield from press.follow(event, taken=drawing)  # a lasso must not move the camera
        if drawing:
            if not self.overlay.drawing:
                return  # given up with Esc
            path = self.overlay.end_lasso()
            press.went(path)  # the overlay sees more of it than napari tells
        if press.is_click:
            self._clicked(under, modifiers, how)
        elif drawing:
            self.workspace.select(self._inside(thinned(np.array(path), 1.5)), how)

    def escape(self) -> None:
        """Give up the lasso that is being drawn, or else select nothing."""
        if self.overlay.drawing:
            self.overlay.end_lasso()
        else:
            self._let_go()

    def _on_move(self, viewer: ViewerModel, event: Any) -> None:
        under = self._under(event) if self.ready else None
        if under is None:
            self.put_away()
        elif self._hovered is None or under != self._hovered[0]:
            self._hovered = under, tuple(event.pos[:2])
            self.hand.point_at(self._patch(under))
            self.show_card()

    def _on_wheel(self, viewer: ViewerModel, event: Any) -> None:
        self.put_away()

    def _on_pointed(self, patch: int) -> None:
        """Mark the patch that the mouse is over on another canvas."""
        if not isalive(self.overlay):
            return  # the window is being closed
        if patch < 0:
            self.overlay.draw_hints([])
        elif self._hovered is None and self.ready:
            self.overlay.draw_hints(self._outlines(patch))

    # -- the card under the mouse ----------------------------------------------------------

    def show_card(self) -> None:
        """Show what is under the mouse, again if its picture has been read meanwhile."""
        if self._hovered is not None and isalive(self.overlay):
            self._draw_card(*self._hovered)

    def put_away(self) -> None:
        """Take away the card of what is under the mouse."""
        if self._hovered is not None:
            self._hovered = None
            self.hand.point_at(-1)
            if isalive(self.overlay):
                self.overlay.clear_card()


class _Press:
    """A mouse button on the canvas, from where it was pressed until it is released."""

    def __init__(self, event: Any) -> None:
        #: Where it was pressed, (x, y) in canvas pixels.
        self.start = tuple(event.pos[:2])
        self._travelled = 0.0

    def follow(self, event: Any, *, taken: bool = False) -> Iterator[None]:
        """Yield until the button is released; ``taken`` keeps the camera where it is."""
        while True:
            if taken:
                event.handled = True
            self.went([event.pos[:2]])
            if event.type == "mouse_release":
                return
            yield

    def went(self, places: Any) -> None:
        """Take note of places, each (x, y), where the mouse was meanwhile."""
        away = np.abs(np.subtract(places, self.start))
        self._travelled = max(self._travelled, float(away.max(initial=0.0)))

    @property
    def is_click(self) -> bool:
        """Whether the mouse stayed where it was pressed."""
        return self._travelled <= _STILL
