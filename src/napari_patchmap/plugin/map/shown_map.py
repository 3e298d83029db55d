"""The layers that show a map, and what marks patches on them; it asks nothing of the mouse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.explore.side_by_side import Turn
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.canvas.hand import Hand
from napari_patchmap.plugin.canvas.two_views import Views
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.board import Board
from napari_patchmap.plugin.map.fade import Fade
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.map.placed_layers import PlacedLayers
from napari_patchmap.plugin.napari_private import (
    canvas_widget,
    choice_kept,
    cleaned_up_once,
    move_in_place,
    paint_in_place,
)
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.own_changes import Quiet
from napari_patchmap.plugin.qt.theme import contrast
from napari_patchmap.plugin.qt.thumbnails import Thumbnails
from napari_patchmap.plugin.workspace import Workspace, workspace_of


class ShownMap(OfViewer, Quiet):
    """The points of a map, the marks above them and the maps beside it.

    Attributes
    ----------
    workspace : Workspace
    views : Views
        Whether the map or the source images are shown.
    hand : Hand
        The lasso, and the patch under the mouse.
    thumbnails : Thumbnails
        Pictures of the current patches.
    placed : PlacedLayers
        Patches of other images on this map.
    board : Board
        Where patches lie, on this map and on others beside it.
    colouring : Colouring or None
        Colours of the current patches.
    turn : Turn
        How the map is turned from what the workspace has.

    Signals
    -------
    colouring_changed(Colouring or None)
        Other colours, or other patches.
    marked()
        Points, their colours or their marks are others.
    """

    colouring_changed = Signal(object)
    marked = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._layers: dict[str, PatchPoints] = {}
        self.workspace: Workspace = workspace_of(viewer)
        self.board = Board(viewer, lambda: self._layers.get(marks.MAP))
        self.placed = PlacedLayers(viewer, self.workspace)
        self.hand = Hand()
        self.views = Views(viewer, self.owns, self.workspace.say)
        self.thumbnails = Thumbnails(canvas_widget(viewer))
        self.colouring: Colouring | None = None
        self.turn = Turn()
        self._fade = Fade(viewer)
        self._moved = False  # in a way that told nobody

    # -- what there is -------------------------------------------------------------

    @property
    def points(self) -> PatchPoints | None:
        """The Points layer "map", None while there is no map."""
        return self._layers.get(marks.MAP)

    @property
    def selected_points(self) -> PatchPoints | None:
        """The layer that brings out the selected points, None until there were any."""
        return self._layers.get(marks.SELECTED)

    def owns(self, layer: Layer) -> bool:
        """Whether a layer is one of the map's."""
        ours = (*self._layers.values(), *self.board.layers.values())
        return any(layer is one for one in ours) or self.placed.has(layer)

    def visible(self, indices: np.ndarray) -> np.ndarray:
        """Drop patches whose points are not shown."""
        return indices if self.points is None else indices[self.points.shown[indices]]

    @property
    def meant(self) -> np.ndarray:
        """The patches that a person means: selected, else under the mouse, else looked at."""
        workspace = self.workspace
        if len(workspace.selection) or workspace.patches is None:
            return workspace.selection
        index = self.hand.pointed if self.hand.pointed >= 0 else workspace.current
        return np.array([index] if index >= 0 else [], np.intp)

    # -- layers --------------------------------------------------------------------

    def make_points(
        self, embedding: np.ndarray, find: Callable[[np.ndarray], int]
    ) -> PatchPoints:
        """Make the layer of a first map; ``find`` tells napari which patch is at a place."""
        patches = self.workspace.patches
        assert patches is not None
        assert self.colouring is not None
        points = marks.map_points(embedding, patches.table, self.colouring.colours)
        points.find = find
        self.add(marks.MAP, points)
        return points

    def move_points(self, embedding: np.ndarray) -> None:
        """Give the points other places."""
        assert self.points is not None
        with self.quiet():
            moves = self.workspace.training  # many times
            self._moved = moves and move_in_place(self.viewer, self.points, embedding)
            if not self._moved:
                self.points.data = embedding
            self.points.suit(marks.point_size(embedding))

    def turn_by(self, matrix: np.ndarray) -> None:
        """Turn the map about its centre by an orthogonal matrix, if it has as many axes."""
        embedding = self.workspace.embedding
        if self.points is None or embedding is None or len(matrix) != embedding.shape[1]:
            return
        self.turn = Turn.about_centre(embedding, matrix)
        self.board.moved()
        self.move_points(self.turn.to_shown(embedding))

    def add(self, name: str, layer: PatchPoints) -> None:
        """Put a layer into the viewer; with a name, as one of the map's own."""
        if name:
            self._layers[name] = layer
        layer.say = self.workspace.say
        with self.quiet():
            if name == marks.MAP:
                self.viewer.add_layer(layer)
            else:
                with choice_kept(self.viewer):
                    self.viewer.layers.insert(self._place_of(name), layer)
        visible = name == marks.MAP or self.views.now == "map"
        if layer.visible != visible:  # or napari draws all of it again
            layer.visible = visible

    def _place_of(self, name: str) -> int:
        """Return where in the list a new layer belongs: what marks, right above the map."""
        layers, order = self.viewer.layers, (marks.MAP, marks.SELECTED, marks.CURRENT)
        if name not in order:
            return len(layers)
        lower = [self._layers.get(one) for one in order[: order.index(name)]]
        lower += self.board.layers.values()
        return 1 + max(layers.index(one) for one in lower if one in layers)

    def lost(self, layer: Layer) -> str:
        """Take note that somebody removed a layer; return its name, "" if not ours."""
        name = next((name for name, ours in self._layers.items() if ours is layer), "")
        self._layers.pop(name, None)
        return name

    def remove_all(self) -> None:
        """Take all layers away."""
        layers, self._layers = list(self._layers.values()), {}
        self.placed.forget()
        self.board.remove()
        self.marked.emit()
        if not layers:
            return  # napari cleans up after none, too, which takes half a second
        with cleaned_up_once(self.viewer):
            for layer in layers:
                if layer in self.viewer.layers:
                    self.viewer.layers.remove(layer)

    def _layer(self, name: str, needed: bool) -> PatchPoints | None:
        """Return one of the marking layers, made as soon as it is needed, None until then."""
        if name not in self._layers and needed:
            make = marks.selected_points if name == marks.SELECTED else marks.current_point
            assert self.points is not None
            self.add(name, layer := make(self.points.data.shape[1]))
            if name == marks.SELECTED:
                layer.like(self.points)
        return self._layers.get(name)

    # -- how they look -------------------------------------------------------------

    def colour_by(self, column: str) -> None:
        """Colour the points by an annotation or a column of the table; "" means all alike."""
        patches, annotations = self.workspace.patches, self.workspace.annotations.by_name
        found = self.workspace.suggestions
        if column == SUGGESTED and found is not None:
            now = self.workspace.annotations.now.with_classes(found.classes)
            to = np.array([*(now.at(name) for name in found.classes), -1], np.int16)
            suggested = replace(now, name=SUGGESTED, codes=to[found.codes])
            self.set_colouring(suggested.colouring())
        elif column in annotations:
            self.set_colouring(annotations[column].colouring())
        elif column in self.workspace.measured:
            self.set_colouring(colour_by(self.workspace.table, column))
        elif patches is not None:
            first = look_at_first(patches).colouring
            known = column == first.column
            self.set_colouring(first if known else colour_by(patches.table, column))

    def colour_at_first(self, patches: PatchSet) -> None:
        """Colour the points by what the patches are called, until a person chooses."""
        self.colour_by("label" if patches.labels is not None else "")

    def recolour(self) -> None:
        """Follow the annotation or figure of the map's colours; if it has gone, colour anew."""
        shown, patches = self.colouring, self.workspace.patches
        if shown is None or patches is None or shown.column in ("", *patches.table.columns):
            return
        if len(shown.colours) != len(patches):
            return  # the map of others is taken away in a moment
        there = shown.column == SUGGESTED and self.workspace.suggestions is not None
        known = {**self.workspace.annotations.by_name, **self.workspace.measured}
        if there or shown.column in known:
            self.colour_by(shown.column)
        else:
            self.colour_at_first(patches)

    def follow_label(self) -> None:
        """Show what the patches are called now, where the map has those colours."""
        shown, patches = self.colouring, self.workspace.patches
        if shown is None or patches is None:
            return
        if self.points is not None:
            for layer in (self.points, *self.board.maps):
                layer.features = patches.table
        own = shown.column in ("", SUGGESTED, *self.workspace.table)
        self.colour_by(shown.column if own else "label")

    def set_colouring(self, colouring: Colouring | None) -> None:
        """Give the points other colours, and tell everybody."""
        self.colouring = colouring
        self.paint()
        self.colouring_changed.emit(colouring)

    def paint(self) -> None:
        """Give all points their colours."""
        if self.points is None or self.colouring is None:
            return
        colours = self.colouring.colours
        for layer in (self.points, *self.board.maps):
            if not paint_in_place(self.viewer, layer, colours):
                layer.face_color = colours
        self.mark_selection()

    def follow_look(self) -> None:
        """Let the selected points and other maps look like the points of the map."""
        if self.points is not None:
            self.board.restyle_points()
            if self.selected_points is not None:
                self.selected_points.like(self.points)
            self.mark_selection()

    def mark_selection(self) -> None:
        """Fade all points but the selected ones, which are painted over the others."""
        points, chosen = self.points, self.workspace.selection
        if points is None or self.colouring is None:
            return
        layer = self._layer(marks.SELECTED, needed=len(chosen) > 0)
        self.board.lift(chosen)
        self._fade.set([points, *self.board.maps], faded=len(chosen) > 0)
        if layer is not None and (len(chosen) or len(layer.data)):
            rows = self.board.rows(self.visible(chosen))
            marks.mark_selected(
                layer,
                self.board.positions[rows],
                self.board.painting(chosen),
                self.colouring.colours[rows % len(points.data)],
                float(points.size[0]),
                contrast(self.viewer),
            )
        self.marked.emit()

    def mark_current(self) -> None:
        """Ring the patch that is being looked at, on all maps."""
        points, index = self.points, self.workspace.current
        if points is not None:
            rows = self.board.rows(np.array([index]) if index >= 0 else np.empty(0, np.intp))
            size, ring = float(points.size[0]), contrast(self.viewer)
            layer = self._layer(marks.CURRENT, needed=len(rows) > 0)
            if layer is not None and (len(rows) or len(layer.data)):
                marks.mark_current(layer, self.board.positions[rows], size, ring)
        self.marked.emit()
