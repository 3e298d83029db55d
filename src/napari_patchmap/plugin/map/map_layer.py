"""The map in the viewer: a Points layer and what marks patches on it."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtCore import QTimer

from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.explore.side_by_side import Turn
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.canvas.note import CanvasNote
from napari_patchmap.plugin.canvas.two_views import Views, to_canvas
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.board import Board
from napari_patchmap.plugin.map.close_up import CloseUp
from napari_patchmap.plugin.map.fade import Fade
from napari_patchmap.plugin.map.framing import Framing
from napari_patchmap.plugin.map.keys import map_keys, viewer_keys
from napari_patchmap.plugin.map.mouse import MapMouse
from napari_patchmap.plugin.map.moving import move_points
from napari_patchmap.plugin.map.patch_points import NO_EDITING, PatchPoints
from napari_patchmap.plugin.map.placed_layers import PlacedLayers
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.qt.theme import contrast
from napari_patchmap.plugin.qt.thumbnails import Thumbnails
from napari_patchmap.plugin.source.highlights import Places
from napari_patchmap.plugin.source.slider_link import SourceLink
from napari_patchmap.plugin.workspace import Compared, Workspace, real_viewer, workspace_of
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
    placed : Placed
        Patches of other images on this map.
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
        self._layers: dict[str, PatchPoints] = {}
        self.board = Board(viewer, lambda: self._layers.get(marks.MAP))
        self.placed = PlacedLayers(self)
        self.colouring: Colouring | None = None
        self._turn = Turn()
        self.thumbnails = Thumbnails(canvas_widget(viewer))
        self.workspace: Workspace = workspace_of(viewer)
        self.views = Views(viewer, self.owns, self.workspace.say)
        self._framing = Framing(viewer, self.views)
        self._fade = Fade(viewer)
        self.mouse = MapMouse(viewer, self)
        self.mouse.overlay.resized.connect(self._on_resized)
        self.close_up = CloseUp(viewer, self, self.mouse.overlay)
        self.places = Places(viewer, self.workspace, self.views, self.mouse.overlay)
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
        # napari calls first who asks last: before the views take it for an image.
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)
        viewer.events.theme.connect(self._on_theme)
        viewer.events.reset_view.connect(self._on_home)
        viewer_keys(viewer, self)
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
    def points(self) -> PatchPoints | None:
        """The Points layer "map", None while there is no map."""
        return self._layers.get(marks.MAP)

    @property
    def marked(self) -> PatchPoints | None:
        """The layer that brings out the selected points."""
        return self._layers.get(marks.SELECTED)

    def owns(self, layer: Layer) -> bool:
        """Whether a layer is one of the map's."""
        ours = (*self._layers.values(), *self.board.layers.values())
        return any(layer is one for one in ours) or self._is_placed(layer)

    def _is_placed(self, layer: Layer) -> bool:
        return any(layer is other.layer for other in self.placed.listed)

    def colour_by(self, column: str) -> None:
        """Colour the points by a column of the table; an empty name means all alike."""
        patches = self.workspace.patches
        if patches is None:
            return
        self.colouring = colour_by(patches.table, column)
        self._paint()
        self.colouring_changed.emit(self.colouring)

    def select_all(self) -> None:
        """Select all patches whose points are shown."""
        if self.points is not None:
            self.workspace.select(self.visible(np.arange(len(self.points.data))))

    def visible(self, indices: np.ndarray) -> np.ndarray:
        """Drop patches whose points are not shown."""
        return indices if self.points is None else indices[self.points.shown[indices]]

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
        shown = self._turn.to_shown(embedding[:, : self.points.data.shape[1]])
        other = self.placed.put(patches, shown, table)
        if other is not None:
            self._add("", other.layer)
            self.show_map()
            self._framing.fit_if_outgrown(np.concatenate([self.points.data, shown]))

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
        self.placed.forget()
        before = None if self.points is None else self.points.data
        if before is not None and before.shape[1] != embedding.shape[1]:
            self._remove_all()
        self.views.set_dimensions(embedding.shape[1])
        # A map that forms, and the one that it ends with, stay the right way up.
        if self.workspace.training and before is not None:
            self._turn = Turn.towards(embedding, before)
        else:
            self._turn = Turn()
        shown = self._turn.to_shown(embedding)
        if self.points is None:
            self._make(shown)
            self._framing.fit(shown)
        else:
            self._move(shown)
            self._framing.fit_if_outgrown(shown)
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
            layer.events.visible.connect(self.close_up.refresh)
        self._mirror()
        self._paint()
        self._mark_current()

    def _on_selection(self, indices: np.ndarray) -> None:
        if self.points is None:
            return
        if len(indices):
            self.placed.let_go()
        self._mark_selection()
        if not self._busy:
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
        map_keys(points, self)
        points.find = self._found_by_napari
        points.events.data.connect(self._on_edited)
        # Points that are hidden have no picture either.
        points.events.set_data.connect(self.close_up.refresh)
        points.events.visible.connect(self.close_up.refresh)
        points.events.size.connect(self._on_look)
        points.events.opacity.connect(self._on_look)
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
            self.points.suit(marks.point_size(embedding))

    def _layer(self, name: str) -> PatchPoints:
        """Return one of the marking layers, made again if somebody deleted it."""
        if name not in self._layers:
            make = marks.selected_points if name == marks.SELECTED else marks.current_point
            assert self.points is not None
            self._add(name, make(self.points.data.shape[1]))
        return self._layers[name]

    def _add(self, name: str, layer: PatchPoints) -> None:
        if name:
            self._layers[name] = layer
        layer.say = self.workspace.say
        active = self.viewer.layers.selection.active if name != marks.MAP else layer
        with self._quiet():
            self.viewer.add_layer(layer)
            self.viewer.layers.selection.active = active
        layer.visible = name == marks.MAP or self.views.now == "map"

    def _paint(self) -> None:
        """Give all points their colours."""
        if self.points is None or self.colouring is None:
            return
        self.points.face_color = self.colouring.colours
        self.board.paint(self.colouring.colours)
        self._mark_selection()

    def _mark_selection(self) -> None:
        """Fade all points but the selected ones, which are painted over the others."""
        points, chosen = self.points, self.workspace.selection
        if points is None or self.colouring is None:
            return
        layer = self._layer(marks.SELECTED)
        self.board.lift(chosen)
        self._fade.set([points, *self.board.maps], faded=len(chosen) > 0)
        if len(chosen) or len(layer.data):
            rows = self.board.rows(chosen)
            marks.mark_selected(
                layer,
                self.board.positions[rows],
                self.board.rank[rows].argsort(),
                self.colouring.colours[rows % len(points.data)],
                float(points.size[0]),
                contrast(self.viewer),
            )
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
        self.placed.forget()
        self.board.remove()
        self.close_up.refresh()
        for layer in layers:
            if layer in self.viewer.layers:
                self.viewer.layers.remove(layer)

    def _remake_if_deleted(self) -> None:
        if self.points is None and self.workspace.embedding is not None:
            self._on_map(self.workspace.embedding)

    # -- what people do to the layers ---------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        """Show a saved map that napari opened as a map, and with the map if there is one."""
        if marks.is_saved_map(event.value):
            marks.look_like_map(event.value)
            if self.points is not None:
                self.views.take_to_map(event.value)
                self.show_map()

    def _on_removed(self, event: Any) -> None:
        layer = event.value
        self.placed.removed(layer)
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
        if active is None or active is self.points or self._is_placed(active):
            return
        if self.owns(active) and self.points is not None and not self._busy:
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
            self.points.selected_data = set()
            self.points.data = self._turn.to_shown(embedding)
            self.points.size = float(self.points.size[0])
            self.points.border_width = 0
            self.points.features = patches.table
        self._paint()
        self.workspace.say(NO_EDITING)

    def _on_mirror(self, event: Any) -> None:
        if not self._busy and self.points is not None:
            with self._quiet():  # napari's own assignment is not over yet
                self.workspace.select(np.array(sorted(self.points.selected_data), np.intp))
            QTimer.singleShot(0, self._mirror)

    def _on_look(self, event: Any = None) -> None:
        """Let the selected points and other maps follow napari's sliders."""
        points = self.points
        if points is not None:
            self.board.restyle_points()
            self._layer(marks.SELECTED).like(points)
            self._mark_selection()

    def _found_by_napari(self, place: np.ndarray) -> int:
        """Tell napari's status bar which patch is at a place, as a click would."""
        viewer = self._viewer()
        if viewer is None or self.points is None:
            return -1
        return self.mouse.patch_at(to_canvas(viewer, place[None, -self.points.ndim :])[0])

    def _on_home(self, event: Any) -> None:
        """Let napari's Home show all of the map; hidden images are of other sizes."""
        if self.points is not None and self.views.now == "map":
            self._framing.fit(self.board.whole)

    def _on_theme(self, event: Any) -> None:
        self.board.restyle()
        self._mark_selection()
        self._mark_current()


_maps: dict[int, MapLayer] = {}
