"""What a person has in hand, points at and presses, the same on all canvases of a viewer."""

from __future__ import annotations

from typing import Any

from napari.components.viewer_model import ViewerModel
from psygnal import Signal

from napari_patchmap.explore.selection import How
from napari_patchmap.plugin.of_viewer import OfViewer


class Hand:
    """The lasso, and the patch under the mouse.

    Attributes
    ----------
    pointed : int
        The patch under the mouse, on whichever canvas; -1 for none.

    Signals
    -------
    lasso_changed(bool)
        The lasso tool was taken up or put down.
    take_away_changed(bool)
        What is drawn around is taken out of the selection from now on, or not any more.
    pointed_changed(int)
        Another patch is under the mouse, -1 for none.
    """

    lasso_changed = Signal(bool)
    take_away_changed = Signal(bool)
    pointed_changed = Signal(int)

    def __init__(self) -> None:
        self._lasso = self._take_away = False
        self._zoom_boxes: list[_ZoomBox] = []
        self.pointed = -1

    def reach(self, viewer: ViewerModel) -> None:
        """Let the tools work on the canvas of a viewer as well."""
        self._zoom_boxes = [one for one in self._zoom_boxes if one.there]
        if not any(one.viewer is viewer for one in self._zoom_boxes):
            self._zoom_boxes.append(_ZoomBox(viewer))
            self._zoom_boxes[-1].allow(not self._lasso)

    @property
    def lasso(self) -> bool:
        """Whether a plain drag draws a lasso instead of moving the map."""
        return self._lasso

    def set_lasso(self, on: bool) -> None:
        """Take up or put down the lasso tool."""
        if on != self._lasso:
            self._lasso = on
            for one in self._zoom_boxes:
                one.allow(not on)
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

    def draws(self, modifiers: set[str]) -> bool:
        """Whether a drag with these keys draws a lasso."""
        return self._lasso or bool(modifiers & {"Shift", "Control"})

    def how(self, modifiers: set[str]) -> How:
        """Return what these keys do with what is drawn around or clicked."""
        if "Alt" in modifiers or (self._take_away and self.draws(modifiers)):
            return "subtract"
        return "add" if "Shift" in modifiers else "replace"

    def point_at(self, patch: int) -> None:
        """Say which patch is under the mouse, -1 for none."""
        if patch != self.pointed:
            self.pointed = patch
            self.pointed_changed.emit(patch)


class _ZoomBox(OfViewer):
    """napari zooms into a box on Alt+drag; with the lasso in hand Alt takes away."""

    def __init__(self, viewer: ViewerModel) -> None:
        super().__init__(viewer)
        self._put_by: list[Any] = []

    @property
    def there(self) -> bool:
        """Whether there still is such a viewer."""
        return self._viewer() is not None

    def allow(self, on: bool) -> None:
        """Let napari zoom into boxes, or not."""
        viewer = self._viewer()
        if viewer is None:
            return
        callbacks = viewer.mouse_drag_callbacks
        if on:
            callbacks.extend(self._put_by)
            self._put_by = []
        else:
            self._put_by = [f for f in callbacks if f.__name__ == "drag_to_zoom"]
            for function in self._put_by:
                callbacks.remove(function)
