"""Brings out the selected patches in the images they were cut out of, and finds them there."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from napari.components.viewer_model import ViewerModel
from napari.layers import Layer
from psygnal import Signal, SignalInstance
from qtpy.compat import isalive
from qtpy.QtCore import QTimer

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.patchset import same_patches
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.listening import Listening
from napari_patchmap.plugin.canvas.looking import fit_box, to_canvas, visible_box
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.canvas.two_views import PREVIEW, View
from napari_patchmap.plugin.napari_private import choice_kept
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.source.place import Place, places_in
from napari_patchmap.plugin.workspace import Workspace


class ShowsImages(Protocol):
    """What a canvas shows: the map or images, and which images those are."""

    changed: SignalInstance

    @property
    def now(self) -> View: ...

    @property
    def sources(self) -> list[Layer]: ...


class Places(OfViewer, Quiet, Listening):
    """The images on one canvas, kept in step with the workspace.

    Objects of a Labels layer and tiles of a slide that are selected on the map
    are brought out by a layer of ours above them; the current patch is framed.

    Signals
    -------
    refreshed()
        What is drawn on the images follows other places, another frame or selection.
    """

    refreshed = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        workspace: Workspace,
        views: ShowsImages,
        overlay: CanvasOverlay,
    ) -> None:
        super().__init__(viewer)
        self._workspace, self._views, self._overlay = workspace, views, overlay
        self._waiting = False
        self.found: list[Place] = []
        self._shown: PatchSet | None = None  # the patches that ``found`` holds the places of
        self.listen(workspace.patches_changed, self._on_patches)
        self.listen(workspace.selection_changed, self._refresh)
        self.listen(workspace.current_changed, self._on_current)
        self.listen(views.changed, self._on_view)
        overlay.resized.connect(self._frame)
        layers, camera = viewer.layers, camera_of(viewer)
        for event in (layers.events.inserted, layers.events.removed, layers.events.renamed):
            event.connect(self._on_layers)
        layers.selection.events.active.connect(self._on_active)
        camera.events.zoom.connect(self._on_zoom)
        camera.events.center.connect(self._frame)
        viewer.dims.events.current_step.connect(self._refresh)
        viewer.dims.events.ndisplay.connect(self._refresh)
        self.refresh()  # patches and images may be there already

    # -- where patches are ---------------------------------------------------------

    @property
    def are_shown(self) -> bool:
        """Whether images that hold patches are what the canvas shows."""
        return bool(self.found) and self._views.now == "source" and _flat(self.viewer)

    def of(self, patch: int) -> Place | None:
        """Return the place of a patch, None if its image is not open."""
        return next((place for place in self.found if place.position(patch) >= 0), None)

    @property
    def flat(self) -> bool:
        """Whether the viewer shows the last two axes, as pictures lie."""
        return _flat(self.viewer)

    @property
    def previewed(self) -> set[str]:
        """The sources on which tiles are shown that are not loaded yet."""
        marks = [ly.metadata.get(PREVIEW) for ly in self.viewer.layers if ly.visible]
        return {str(mark) for mark in marks if mark is not None}

    def sees(self, patch: int) -> bool:
        """Whether the canvas shows the frame of a patch now."""
        place = self.of(patch)
        return (
            place is not None
            and self.are_shown
            and place.shown
            and place.frame(self.viewer.dims.point) == place.frames[place.position(patch)]
        )

    def at(self, point: tuple[float, ...]) -> np.ndarray:
        """Return the patches at a place in the world, the one that is meant first."""
        found = (place.find(point) for place in self.found if place.shown)
        return np.concatenate([np.zeros(0, np.intp), *found])

    def middles(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the patches that the canvas shows, and their middles, each (y, x)."""
        point = self.viewer.dims.point
        shown = [place.middles(place.frame(point)) for place in self.found if place.shown]
        rows = np.concatenate([np.zeros(0, np.intp), *(rows for rows, _ in shown)])
        return rows, np.concatenate([np.zeros((0, 2)), *(middles for _, middles in shown)])

    # -- what is shown -------------------------------------------------------------

    def refresh(self, _: Any = None) -> None:
        """Draw again when napari is done with what it does now."""
        self._on_layers(None)

    def _on_patches(self, patches: PatchSet | None) -> None:
        self._forget()
        self._find()

    def _on_layers(self, event: Any) -> None:
        """Look again when napari is done with its list; adding to it now never ends."""
        if not self.busy and not self._waiting:
            self._waiting = True
            QTimer.singleShot(0, self._find)

    def _on_view(self, view: str) -> None:
        self._refresh()
        if view == "source":
            self.bring_into_view(self._workspace.current)

    def _on_current(self, index: int) -> None:
        if self._views.now == "source":
            self.bring_into_view(index)
        self._frame()

    def _find(self) -> None:
        """Look for the images again, and keep the overlays of those still there."""
        self._waiting = False
        if not isalive(self._overlay):
            return  # the window is being closed
        patches = self._shown = self._workspace.patches
        before = {id(place.layer): place for place in self.found}
        self.found = []
        for place in places_in(self._views.sources, patches):
            old = before.get(id(place.layer))
            if old is not None and np.array_equal(old.rows, place.rows):
                place = old
            self.found.append(place)
        for place in before.values():
            if place not in self.found:
                self._remove(place)
        for place in self.found:
            if id(place.layer) not in before:
                place.layer.events.visible.connect(self._refresh)
            if place.overlay is not None and place.overlay not in self.viewer.layers:
                place.overlay = None  # deleted by hand; drawn again with the next selection
        self._refresh()

    def _refresh(self, _: Any = None) -> None:
        """Draw what is selected, or put the overlays away."""
        patches = self._workspace.patches
        # The selection goes before other patches come: their places are not found yet.
        if self.busy or not same_patches(patches, self._shown):
            return
        if patches is None or self._views.now == "map" or not self.flat:
            for place in self.found:
                if place.overlay is not None:
                    place.overlay.visible = False
        else:
            self._draw_all(len(patches))
        self._frame()
        self.refreshed.emit()

    def _draw_all(self, patches: int) -> None:
        chosen = np.zeros(patches, bool)
        chosen[self._workspace.selection] = True
        previewed = self.previewed
        for place in self.found:
            if place.source in previewed:
                # Tiles of other settings are drawn there: these would be taken for those.
                if place.overlay is not None:
                    place.overlay.visible = False
            else:
                self._draw(place, chosen)

    def _draw(self, place: Place, chosen: np.ndarray) -> None:
        viewer = self.viewer
        if not place.shown or not (chosen.any() or place.outlined):
            if place.overlay is not None:
                place.overlay.visible = False
            return
        known = place.overlay is not None
        place.seen_at(float(camera_of(viewer).zoom))
        overlay = place.draw(place.frame(viewer.dims.point), chosen)
        if not known:
            with self.quiet(), choice_kept(viewer):
                viewer.add_layer(overlay)
        overlay.visible = True

    def _forget(self) -> None:
        places, self.found = self.found, []
        for place in places:
            self._remove(place)

    def _remove(self, place: Place) -> None:
        overlay, place.overlay = place.overlay, None
        place.layer.events.visible.disconnect(self._refresh)
        if overlay is not None and overlay in self.viewer.layers:
            with self.quiet():
                self.viewer.layers.remove(overlay)

    # -- the current patch ---------------------------------------------------------

    def bring_into_view(self, index: int) -> None:
        """Step to the frame of a patch, and centre it if it is off the canvas."""
        if not isalive(self._overlay):
            return  # the window is being closed
        viewer, place = self.viewer, self.of(index)
        if place is None or not _flat(viewer):
            return
        corners = place.corners(index)
        low, high = visible_box(viewer)
        middle = corners.mean(axis=0)
        if (middle < low).any() or (middle > high).any():
            half = (high - low) / 2
            fit_box(viewer, middle - half, middle + half, margin=0)

    def _on_zoom(self, _: Any = None) -> None:
        """Draw small boxes as large as they are seen, if some are chosen."""
        self._frame()
        zoom = float(camera_of(self.viewer).zoom)
        drawn = [place for place in self.found if place.overlay is not None]
        if self.are_shown and any(place.seen_at(zoom) for place in drawn):
            self._refresh()

    def _frame(self, _: Any = None) -> None:
        """Frame the current patch above the canvas, if it is to be seen."""
        if not isalive(self._overlay):
            return  # the window is being closed
        index = self._workspace.current
        place = self.of(index)
        if place is not None and self.sees(index):
            self._overlay.draw_box(to_canvas(self.viewer, place.corners(index)).tolist())
        else:
            self._overlay.draw_box([])

    # -- what people do ------------------------------------------------------------

    def _on_active(self, event: Any) -> None:
        """Lead a click on an overlay in the list to the image below it."""
        if self.busy or event.value is None:
            return
        for place in self.found:
            if event.value is place.overlay:
                self.viewer.layers.selection.active = place.layer


def _flat(viewer: ViewerModel) -> bool:
    """Whether the viewer shows the last two axes, as pictures lie."""
    return bool(
        viewer.dims.ndisplay == 2
        and tuple(viewer.dims.displayed) == (viewer.dims.ndim - 2, viewer.dims.ndim - 1)
    )
