"""The map in the viewer: a Points layer and what marks patches on it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Layer, Points
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_patchmap.explore.colouring import Colouring, colour_by, dimmed
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin import marks
from napari_patchmap.plugin.board import Board
from napari_patchmap.plugin.close_up import CloseUp
from napari_patchmap.plugin.framing import Framing
from napari_patchmap.plugin.guests import Guests
from napari_patchmap.plugin.keys import layer_keys
from napari_patchmap.plugin.mouse import MapMouse
from napari_patchmap.plugin.moving import move_points
from napari_patchmap.plugin.notes import CanvasNote
from napari_patchmap.plugin.opening import MISSING
from napari_patchmap.plugin.places import Places
from napari_patchmap.plugin.quiet import Quiet
from napari_patchmap.plugin.source_link import SourceLink
from napari_patchmap.plugin.theme import contrast
from napari_patchmap.plugin.thumbnails import Thumbnails
from napari_patchmap.plugin.views import Views
from napari_patchmap.plugin.workspace import Compared, real_viewer, workspace_of
from napari_patchmap.runs import caption_of

#: Up to here the selection is mirrored into the layer, for napari's features table.
MOST_MIRRORED = 5_000


class MapLayer(Quiet):
    """The layers that show the map of one viewer, kept in step with its workspace.

    Attributes
    ----------
    workspace : Workspace
    views : Views
        Whether the map or the source images are shown.
    mouse : MapMouse
        Clicks, lasso and hovering.
    places : Places
        Brings out the selected patches in the images they were cut out of.
    link : SourceLink
        Steps a stack and the map together.
    thumbnails : Thumbnails
        Pictures of the current patches.
    close_up : CloseUp
        Pictures in place of points while the camera is close.
    board : Board
        Where patches lie, on this map and on others beside it.
    colouring : Colouring or None
        Colours of the current patches.

    Signals
    -------
    colouring_changed(Colouring or None)
        Other colours, or other patches.
    """

    colouring_changed = Signal(object)

    @classmethod
    def of(cls, viewer: Viewer) -> MapLayer:
        """Return the map of a viewer, made on first use."""
        viewer = real_viewer(viewer)
        key = id(viewer)
        if key not in _maps:
            _maps[key] = cls(viewer)
            weakref.finalize(viewer, _maps.pop, key, None)
        return _maps[key]

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = weakref.ref(viewer)
        self._layers: dict[str, Points] = {}
        self.board = Board(viewer, lambda: self._layers.get(marks.MAP))
        self._guests: dict[str, Guests] = {}
        self.colouring: Colouring | None = None
        self.thumbnails = Thumbnails()
        self.workspace = workspace_of(viewer)
        self.views = Views(viewer, self.owns)
        self._framing = Framing(viewer, self.views)
        self.mouse = MapMouse(viewer, self)
        self.mouse.glass.resized.connect(self._on_resized)
        self.close_up = CloseUp(viewer, self, self.mouse.glass)
        self.places = Places(viewer, self.workspace, self.views, self.mouse.glass)
        self.note = CanvasNote(viewer)
        self.link = SourceLink(viewer, self.workspace, self.views, self.places)
        self.workspace.patches_changed.connect(self._on_patches)
        self.workspace.map_changed.connect(self._on_map)
        self.workspace.provisional_changed.connect(self._on_provisional)
        self.workspace.run_changed.connect(self._on_run)
        self.workspace.compared_changed.connect(self._on_compared)
        self.workspace.selection_changed.connect(self._on_selection)
        self.workspace.current_changed.connect(self._on_current)
        self.views.changed.connect(self._on_view)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.events.theme.connect(self._on_theme)
        self._on_patches(self.workspace.patches)
        if self.workspace.embedding is not None:
            self._on_map(self.workspace.embedding)

    # -- what others ask ---------------------------------------------------------

    @property
    def viewer(self) -> Viewer:
        """The viewer; it outlives every event that leads here."""
        viewer = self._viewer()
        assert viewer is not None
        return viewer

    @property
    def points(self) -> Points | None:
        """The Points layer "map", None while there is no map."""
        return self._layers.get(marks.MAP)

    def owns(self, layer: Layer) -> bool:
        """Whether a layer is one of the map's."""
        ours = (*self._layers.values(), *self.board.layers.values())
        return any(layer is one for one in ours)

    def colour_by(self, column: str) -> None:
        """Colour the points by a column of the table; an empty name means all alike."""
        patches = self.workspace.patches
        if patches is None:
            return
        self.colouring = colour_by(patches.table, column)
        self._paint()
        self.colouring_changed.emit(self.colouring)

    def visible(self, indices: np.ndarray) -> np.ndarray:
        """Drop patches whose points are not shown."""
        return indices if self.points is None else indices[self.points.shown[indices]]

    @property
    def guests(self) -> list[Guests]:
        """What was placed on the map, the latest first."""
        return [self._guests[k] for k in reversed(self._guests) if k in self._layers]

    def show_placed(
        self, patches: PatchSet, embedding: np.ndarray, table: pd.DataFrame
    ) -> None:
        """Show patches that were placed on the map; those of the same name go.

        Parameters
        ----------
        patches : PatchSet
        embedding : ndarray of float32, shape (m, 2) or (m, 3)
        table : DataFrame
            Shown by napari as the layer's features.
        """
        if self.points is None:
            return
        name = patches.name
        key = f"{marks.PLACED}{name}"
        old = self._layers.pop(key, None)
        if old is not None and old in self.viewer.layers:
            self.viewer.layers.remove(old)
        embedding = embedding[:, : self.points.data.shape[1]]
        # Many more than the map has would hide it.
        smaller = min(1.0, (len(self.points.data) / max(1, len(embedding))) ** 0.5)
        size = float(self.points.size[0]) * smaller
        layer = marks.placed_points(name, embedding, table, size)
        self._add(key, layer)
        self._guests.pop(key, None)
        own = self.thumbnails.patches
        if own is not None and own.origin.get("kind") != MISSING:
            patches = patches.shown_as(own)
        self._guests[key] = Guests(layer, patches, table)
        self.show_map()
        self._framing.fit_if_outgrown(np.concatenate([self.points.data, embedding]))

    def _forget_placed(self) -> None:
        """Take away what was placed on a map that is no more."""
        self._guests.clear()
        for key in [key for key in self._layers if key.startswith(marks.PLACED)]:
            layer = self._layers.pop(key)
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def show_map(self) -> None:
        """Show the map as it was left; make its layers again if they were deleted."""
        self._remake_if_deleted()
        if self.points is not None:
            self.views.show("map")

    def show_all(self) -> None:
        """Show the map with the camera on all of it."""
        self.show_map()
        if self.points is not None:
            self._framing.fit(self.board.whole)

    def show_patches(self, indices: np.ndarray) -> None:
        """Move and zoom the camera to some patches, on all maps that are shown."""
        if self.points is not None and len(indices):
            extent = float(np.ptp(self.points.data, axis=0).max())
            self._framing.show(self.board.positions[self.board.rows(indices)], extent)

    # -- the workspace changes --------------------------------------------------

    def _on_patches(self, patches: PatchSet | None) -> None:
        self._remove_all()
        self.views.show("source")
        self._framing.forget()
        self.thumbnails.set_patches(patches)
        if patches is None:
            self.colouring = None
        else:
            self.colouring = colour_by(
                patches.table, "label" if patches.labels is not None else ""
            )
        self.colouring_changed.emit(self.colouring)

    def _on_map(self, embedding: np.ndarray) -> None:
        self.board.moved()
        self._forget_placed()
        if self.points is not None and self.points.data.shape[1] != embedding.shape[1]:
            self._remove_all()
        self.views.set_dimensions(embedding.shape[1])
        if self.points is None:
            self._make(embedding)
            self._framing.fit(embedding)
        else:
            self._move(embedding)
            self._framing.fit_if_outgrown(embedding)
        if self.workspace.compared or self.board.layers:
            self._put_beside(self.workspace.compared)
        self._mark_selection()
        self._mark_current()

    def _on_provisional(self, said: str) -> None:
        """Say what the map is while none is learned; the learned one is of another scale."""
        self._say_what_it_is()
        if not said and self.points is not None:
            self._framing.fit(self.board.whole)

    def _say_what_it_is(self) -> None:
        self.note.say(self.workspace.provisional if self.views.now == "map" else "")

    def _on_run(self, run: object) -> None:
        if run is not None and self.points is not None:
            with self._quiet():
                # What moving them left out: the thumbnail, and whoever listens.
                self.points.data = self.points.data
            self._framing.fit(self.board.whole)

    def _on_compared(self, maps: Sequence[Compared]) -> None:
        self._remake_if_deleted()
        if self.points is not None:
            self._put_beside(maps)
            if maps:
                self.views.show("map")
            self._framing.fit(self.board.whole)

    def _put_beside(self, maps: Sequence[Compared]) -> None:
        """Show these maps, and no others, beside the map; titles say which is which."""
        run = self.workspace.run
        if self.points is None:
            return
        title = self.points.name if run is None else caption_of(
            run.config, run.layout, run.metrics, complete=run.complete
        )  # fmt: skip
        with self._quiet():
            self.board.put_beside(title, [(one.saved.caption, one.embedding) for one in maps])
        for layer in self.board.layers.values():
            layer.visible = self.views.now == "map"
        self._mirror()
        self._paint()
        self._mark_current()

    def _on_selection(self, indices: np.ndarray) -> None:
        if self.points is None:
            return
        self._paint()
        self._mirror()

    def _mirror(self) -> None:
        """Tell napari's features table what is selected, while that is cheap.

        napari marks it on the layer as well, which one of several maps must not have alone.
        """
        chosen = self.workspace.selection
        if self.points is not None:
            with self._quiet():
                few = len(chosen) < MOST_MIRRORED and not self.board.layers
                self.points.selected_data = set(chosen.tolist()) if few else set()

    def _on_current(self, index: int) -> None:
        self._mark_current()
        if self.points is not None and index >= 0:
            self._framing.bring_into_view(
                self.board.positions[self.board.rows(np.array([index]))]
            )

    def _on_resized(self) -> None:
        if self.points is not None:
            self._framing.fit_if_untouched(self.board.whole)
        self.close_up.refresh()

    def _on_view(self, view: str) -> None:
        """Give the keyboard to what is shown."""
        self.mouse.put_away()
        self.close_up.refresh()
        self._say_what_it_is()
        shown = (
            [self.points] if view == "map" else [ly for ly in self.views.sources if ly.visible]
        )
        if shown and shown[-1] is not None:
            self.viewer.layers.selection.active = shown[-1]

    # -- layers -----------------------------------------------------------------

    def _make(self, embedding: np.ndarray) -> None:
        patches = self.workspace.patches
        assert patches is not None
        assert self.colouring is not None
        points = marks.map_points(embedding, patches.table, self.colouring.colours)
        self._add(marks.MAP, points)
        layer_keys(points, self.workspace, lambda: self.mouse.set_lasso(not self.mouse.lasso))
        points.events.data.connect(self._on_edited)
        points.selected_data.events.items_changed.connect(self._on_mirror)
        self._layer(marks.SELECTED)
        self._layer(marks.CURRENT)
        self.views.show("map")

    def _move(self, embedding: np.ndarray) -> None:
        assert self.points is not None
        with self._quiet():
            if self.workspace.training:
                move_points(self.viewer, self.points, embedding)
            else:
                self.points.data = embedding
            size = marks.point_size(embedding)
            if not 0.9 < size / float(self.points.size[0]) < 1.1:
                self.points.size = size

    def _layer(self, name: str) -> Points:
        """Return one of the marking layers, made again if somebody deleted it."""
        if name not in self._layers:
            make = marks.selected_points if name == marks.SELECTED else marks.current_point
            assert self.points is not None
            self._add(name, make(self.points.data.shape[1]))
        return self._layers[name]

    def _add(self, name: str, layer: Points) -> None:
        self._layers[name] = layer
        active = self.viewer.layers.selection.active if name != marks.MAP else layer
        with self._quiet():
            self.viewer.add_layer(layer)
            self.viewer.layers.selection.active = active
        layer.visible = name == marks.MAP or self.views.now == "map"

    def _paint(self) -> None:
        """Give all points their colours, faded where not selected."""
        if self.points is None or self.colouring is None:
            return
        colours = dimmed(self.colouring.colours, self.workspace.selection)
        self.points.face_color = colours
        self.board.paint(colours)
        self._mark_selection()

    def _mark_selection(self) -> None:
        points, chosen = self.points, self.workspace.selection
        if points is None or self.colouring is None:
            return
        layer = self._layer(marks.SELECTED)
        if len(chosen) or len(layer.data):
            size, ring = float(points.size[0]), contrast(self.viewer)
            rows = self.board.rows(chosen)
            colours = self.colouring.colours[rows % len(points.data)]
            marks.mark_selected(layer, self.board.positions[rows], colours, size, ring)
        self.close_up.refresh()

    def _mark_current(self) -> None:
        points, index = self.points, self.workspace.current
        if points is not None:
            rows = self.board.rows(np.array([index]) if index >= 0 else np.empty(0, np.intp))
            size, ring = float(points.size[0]), contrast(self.viewer)
            layer = self._layer(marks.CURRENT)
            if len(rows) or len(layer.data):
                marks.mark_current(layer, self.board.positions[rows], size, ring)
        self.close_up.refresh()

    def _remove_all(self) -> None:
        layers, self._layers = list(self._layers.values()), {}
        self.board.remove()
        self.close_up.refresh()
        for layer in layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _remake_if_deleted(self) -> None:
        if self.points is None and self.workspace.embedding is not None:
            self._on_map(self.workspace.embedding)

    # -- what people do to the layers ---------------------------------------------

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        for name, ours in list(self._layers.items()):
            if ours is layer:
                del self._layers[name]
                if name == marks.MAP:
                    # Not now: napari is in the midst of changing its list.
                    QTimer.singleShot(0, self._clean_up)
        if any(layer is one for one in self.board.maps):
            QTimer.singleShot(0, self._leave_out_removed)

    def _leave_out_removed(self) -> None:
        """Compare with one map less, since somebody removed its layer."""
        if self._viewer() is None or self.points is None:
            return  # all layers went together
        there = [layer in self.viewer.layers for layer in self.board.maps]
        maps = self.workspace.compared
        if len(maps) == len(there):
            kept = [one for one, still in zip(maps, there, strict=True) if still]
            self.workspace.set_compared(kept)

    def _clean_up(self) -> None:
        if self._viewer() is not None and self.points is None:
            self._remove_all()
            self.views.show("source")

    def _on_active(self, event: Any) -> None:
        """Lead a click on one of the marking layers in the list to the map itself."""
        active = event.value
        marking = active is not None and active is not self.points and self.owns(active)
        if marking and self.points is not None and not self._busy:
            self.viewer.layers.selection.active = self.points

    def _on_edited(self, event: Any) -> None:
        """Undo deleting or moving points by napari's own keys: row i is patch i."""
        embedding = self.workspace.embedding
        if self._busy or self.points is None or embedding is None:
            return
        if str(event.action).lower().endswith("ing"):
            return  # announced only, nothing has happened yet
        patches = self.workspace.patches
        assert patches is not None
        with self._quiet():
            self.points.data = embedding
            self.points.size = marks.point_size(embedding)
            self.points.border_width = 0
            self.points.features = patches.table
        self._paint()
        self.workspace.say(
            "Each point of the map is a patch, so points are not edited by hand."
        )

    def _on_mirror(self, event: Any) -> None:
        if not self._busy and self.points is not None:
            self.workspace.select(np.array(sorted(self.points.selected_data), np.intp))

    def _on_theme(self, event: Any) -> None:
        self.board.restyle()
        self._mark_selection()
        self._mark_current()


_maps: dict[int, MapLayer] = {}
