"""The map in the viewer, kept in step with the workspace, and all that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from napari.viewer import Viewer

from napari_patchmap.explore.side_by_side import Turn
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.annotation_keeper import AnnotationKeeper
from napari_patchmap.plugin.canvas.above import HelpButton
from napari_patchmap.plugin.canvas.canvas_mouse import CanvasMouse
from napari_patchmap.plugin.canvas.help_card import HelpCard
from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.canvas.note import CanvasNote
from napari_patchmap.plugin.canvas.overlay import CanvasOverlay
from napari_patchmap.plugin.map.close_up import CloseUp
from napari_patchmap.plugin.map.commands import MapCommands
from napari_patchmap.plugin.map.follow_classes import FollowClasses
from napari_patchmap.plugin.map.framing import Framing
from napari_patchmap.plugin.map.giving import Giving
from napari_patchmap.plugin.map.hidden_groups import HiddenGroups
from napari_patchmap.plugin.map.keys import map_keys, viewer_keys
from napari_patchmap.plugin.map.layer_edits import LayerEdits
from napari_patchmap.plugin.map.leftovers import Leftovers
from napari_patchmap.plugin.map.maps_beside import MapsBeside
from napari_patchmap.plugin.map.mouse import MapMouse
from napari_patchmap.plugin.map.on_images import OnImages
from napari_patchmap.plugin.map.seeing import Seeing
from napari_patchmap.plugin.map.session_images import SessionImages
from napari_patchmap.plugin.map.session_keeper import SessionKeeper
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.of_viewer import OnePerViewer
from napari_patchmap.plugin.qt.keyboard import Keyboard
from napari_patchmap.plugin.source.highlights import Places
from napari_patchmap.plugin.source.image_colours import ImageColours
from napari_patchmap.plugin.source.image_opener import ImageOpener
from napari_patchmap.plugin.source.slider_link import SourceLink
from napari_patchmap.plugin.workspace import Compared

#: More points than this are sorted in the background, for the mouse to find them.
_MANY = 50_000


class MapLayer(ShownMap, OnePerViewer):
    """The map of one viewer: its layers follow the workspace, the mouse and the camera.

    Attributes
    ----------
    mouse : MapMouse
        Clicks, lasso and hovering.
    commands : MapCommands
        What keys and buttons do to the map.
    giving : Giving
        Gives classes to what is meant.
    image_colours : ImageColours
        Whether the images have the colours of the map.
    on_images : OnImages
        What is done on the images the patches were cut out of, on the same canvas.
    beside : OnImages or None
        Likewise on a canvas of their own, while there is one.
    link : SourceLink
        Steps a stack and the map together.
    seeing : Seeing
        Shows on pictures what the network looks at.
    close_up : CloseUp
        Pictures in place of points while the camera is close.
    keeper : AnnotationKeeper
        Writes what is annotated.
    follow_classes : FollowClasses
        Colours the map by what people annotate.
    hidden : HiddenGroups
        Groups of the colouring that are not shown.
    session : SessionKeeper
        Remembers how the window on a run is left.
    note : CanvasNote
        Says what the map is while none has been learned.
    opener : ImageOpener
        Opens the images that patches were cut out of from their files.
    """

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer)
        self._framing = Framing(viewer, self.views)
        self._looking = Newest(canvas_widget(viewer), "Looking where patches are")
        overlay = CanvasOverlay(viewer)
        self.close_up = CloseUp(viewer, self, overlay)
        self.seeing = Seeing(self)
        self.mouse = MapMouse(viewer, self, self.close_up, overlay)
        self.image_colours = ImageColours()
        self.on_images = OnImages(viewer, self, self.views, overlay, self.image_colours)
        self.beside: OnImages | None = None
        self.note = CanvasNote(viewer)
        self._help, self._help_button = HelpCard(viewer), HelpButton(viewer)
        self.keeper = AnnotationKeeper.of(viewer)
        self.hidden = HiddenGroups(self)
        self.giving = Giving(self)
        self.hidden.changed.connect(self._on_hidden)
        self.link = SourceLink(viewer, self.workspace, self.views, self.places, self.visible)
        overlay.resized.connect(self._on_resized)
        workspace = self.workspace
        workspace.patches_leaving.connect(lambda: self.image_colours.take(None))
        self.colouring_changed.connect(self.image_colours.take)
        workspace.patches_changed.connect(self._on_patches)
        workspace.map_changed.connect(self._on_map)
        workspace.provisional_changed.connect(self._on_provisional)
        workspace.run_changed.connect(self._on_run)
        workspace.compared_changed.connect(self._on_compared)
        workspace.selection_changed.connect(self._on_selection)
        workspace.current_changed.connect(self._on_current)
        workspace.annotations_changed.connect(self.recolour)
        workspace.suggestions_changed.connect(self.recolour)
        self.follow_classes = FollowClasses(self)
        workspace.measured_changed.connect(self.recolour)
        workspace.label_changed.connect(self.follow_label)
        self.views.changed.connect(self._on_view)
        # napari calls first who asks last: before the views take it for an image.
        self._edits = LayerEdits(viewer, self)
        self._maps_beside = MapsBeside(self, self._edits, self.close_up.refresh)
        workspace.label_changed.connect(self._name_beside)
        viewer.events.theme.connect(self._on_theme)
        viewer.events.reset_view.connect(self._on_home)
        self._take_keys(viewer)
        self.opener = ImageOpener(viewer, workspace, self.views, self.places)
        self._left_out = Leftovers(canvas_widget(viewer), workspace, self.show_placed)
        self.session = SessionKeeper(
            viewer, self, self._framing, self.hidden, self.keeper, self.image_colours,
            SessionImages(self, self.places, self.link, self.opener),
        )  # fmt: skip
        self._on_patches(workspace.patches)
        if workspace.embedding is not None:
            self._on_map(workspace.embedding)

    def _take_keys(self, viewer: Viewer) -> None:
        """Do what keys say, on the canvas and in all panels."""
        keyboard, workspace = Keyboard.of(viewer), self.workspace
        self.commands = do = MapCommands(self, self.hidden, self.show_map, self.show_patches)
        offers: dict[str, Callable[..., object]] = {
            "view": do.switch_view, "lasso": do.toggle_lasso, "take_away": do.toggle_take_away,
            "select_all": do.select_all, "select_none": self.escape,
            "invert": do.invert, "undo": workspace.undo, "redo": workspace.redo,
            "hide": do.hide, "unhide": self.hidden.show_all, "zoom": do.zoom,
            "whole": self.show_all, "pictures": self.close_up.toggle,
            "give": self.giving.by_key, "take_class": self.giving.take_class,
            "help": self._help.toggle,
        }  # fmt: skip
        for name, act in offers.items():
            keyboard.offer(name, act)
        self._help_button.button.clicked.connect(self._help.toggle)
        keyboard.listen_in_window()
        viewer_keys(viewer, keyboard, self.on_images.mouse)

    def escape(self) -> None:
        """Give up the lasso that is being drawn, on whichever canvas, or select nothing."""
        next((one for one in self._mice if one.overlay.drawing), self.mouse).escape()

    @property
    def _mice(self) -> list[CanvasMouse]:
        """The mouse on the map, and on the images of each canvas."""
        images = [] if self.beside is None else [self.beside.mouse]
        return [self.mouse, self.on_images.mouse, *images]

    def _on_hidden(self) -> None:
        """Point at nothing that is hidden under the mouse."""
        for mouse in self._mice:
            mouse.put_away()

    # -- what others ask ---------------------------------------------------------

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
        if self.points is not None:
            shown = self.turn.to_shown(embedding[:, : self.points.data.shape[1]])
            self.add("", self.placed.put(patches, shown, table, self.points))
            self.show_map()
            self._framing.fit_if_outgrown(np.concatenate([self.points.data, shown]))

    @property
    def places(self) -> Places:
        """Where patches lie in the images that are open."""
        return self.on_images.places

    def show_map(self) -> None:
        """Show the map as it was left; make its layers again if they were deleted."""
        self._remake_if_deleted()
        if self.points is not None:
            self.views.show("map")

    def show_in_image(self, index: int) -> None:
        """Show a patch in the image it was cut out of, if that is open."""
        self.workspace.set_current(index)
        if self.beside is None:
            self.views.show("source")
        shown = self.beside or self.on_images
        shown.places.bring_into_view(index)  # it may be the current one, out of view

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
        self.remove_all()
        self.views.show("source")
        self._framing.forget()
        self.thumbnails.set_patches(patches)
        self.seeing.forget()
        if patches is None:
            self.set_colouring(None)
        else:
            self.colour_at_first(patches)

    def _on_map(self, embedding: np.ndarray) -> None:
        self.board.moved()
        self.placed.forget()
        before = None if self.points is None else self.points.data
        if before is not None and before.shape[1] != embedding.shape[1]:
            self.remove_all()
        self.views.set_dimensions(embedding.shape[1])
        # A map that forms, and the one that it ends with, stay the right way up.
        if self.workspace.training and before is not None:
            self.turn = Turn.towards(embedding, before)
        else:
            self.turn = Turn()
        shown = self.turn.to_shown(embedding)
        if self.points is None:
            self._make(shown)
            self._framing.fit(shown)
        else:
            self.move_points(shown)
            self._framing.fit_if_outgrown(shown)
        if self.workspace.compared or self.board.layers:
            self._maps_beside.put(self.workspace.compared)
        self.mark_selection()
        self.mark_current()
        self._look_soon()

    def _make(self, embedding: np.ndarray) -> None:
        points = self.make_points(embedding, self._found_by_napari)
        map_keys(points, Keyboard.of(self.viewer))
        self._edits.watch(points)
        # Points that are hidden have no picture either.
        points.events.set_data.connect(self.close_up.refresh)
        points.events.set_data.connect(lambda: self.image_colours.hide(~points.shown))
        points.events.visible.connect(self.close_up.refresh)
        points.events.set_data.connect(self._look_soon)
        self.views.show("map")

    def _look_soon(self, _: Any = None) -> None:
        """Sort very many points by where they are before the mouse asks for it."""
        points, board = self.points, self.board
        moves = self.workspace.training  # soon again
        if points is not None and len(points.data) > _MANY and board.stale and not moves:
            self._looking.ask(lambda _: board.look())

    def _remake_if_deleted(self) -> None:
        if self.points is None and self.workspace.embedding is not None:
            self._on_map(self.workspace.embedding)

    def _on_provisional(self, said: str) -> None:
        """Say what the map is while none is learned; the learned one is of another scale."""
        self._say_what_it_is()
        if not said and self.points is not None:
            self._framing.fit(self.board.whole)

    def _say_what_it_is(self) -> None:
        self.note.say(self.workspace.provisional if self.views.now == "map" else "")

    def _on_run(self, run: object) -> None:
        if run is not None and self.points is not None:
            if self._moved:
                with self.quiet():
                    # What moving them left out: the thumbnail, and whoever listens.
                    self.points.data = self.points.data
            self._framing.fit(self.board.whole)

    def _name_beside(self) -> None:
        """Say whose labels the figures of maps beside each other are of."""
        if self.points is not None and self.board.layers:
            self._maps_beside.put(self.workspace.compared)

    def _on_compared(self, maps: Sequence[Compared]) -> None:
        self._remake_if_deleted()
        if self.points is not None:
            self._maps_beside.put(maps)
            if maps:
                self.views.show("map")
            self._framing.fit(self.board.whole)

    def _on_selection(self, indices: np.ndarray) -> None:
        if self.points is None:
            return
        if len(indices):
            self.placed.let_go()
        self.mark_selection()
        if not self.busy:
            self._edits.mirror()

    def _on_current(self, index: int) -> None:
        self.mark_current()
        if self.points is not None and index >= 0:
            self._framing.bring_into_view(
                self.board.positions[self.board.rows(np.array([index]))]
            )

    # -- the window changes ------------------------------------------------------

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

    def _on_home(self, event: Any) -> None:
        """Let napari's Home show all of the map; hidden images are of other sizes."""
        if self.points is not None and self.views.now == "map":
            self._framing.fit(self.board.whole)

    def _on_theme(self, event: Any) -> None:
        self._help_button.restyle(self.viewer.theme)
        self.board.restyle()
        self.mark_selection()
        self.mark_current()

    def _found_by_napari(self, place: np.ndarray) -> int:
        """Tell napari's status bar which patch is at a place, as a click would."""
        if self.points is None:
            return -1
        return self.mouse.patch_at(to_canvas(self.viewer, place[None, -self.points.ndim :])[0])
