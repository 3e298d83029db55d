"""What people do in napari to the layers of a map: taken over, led elsewhere, or undone."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QTimer

from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.patch_points import NO_EDITING, PatchPoints
from napari_patchmap.plugin.map.shown_map import ShownMap
from napari_patchmap.plugin.of_viewer import OfViewer

#: Up to here the selection is mirrored into the layer, for napari's features table.
MOST_MIRRORED = 5_000


class LayerEdits(OfViewer):
    """Keeps the layers of a map whole: row i of them is patch i, whatever people do."""

    def __init__(self, viewer: Viewer, shown: ShownMap) -> None:
        super().__init__(viewer)
        self._shown = shown
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        viewer.layers.selection.events.active.connect(self._on_active)

    def watch(self, points: PatchPoints) -> None:
        """Heed what is done to the points of a map that was just made."""
        points.events.data.connect(self._on_edited)
        points.events.size.connect(self._on_look)
        points.events.opacity.connect(self._on_look)
        points.selected_data.events.items_changed.connect(self._on_selected)

    def mirror(self) -> None:
        """Tell napari's features table what is selected, while that is cheap.

        napari marks it on the layer as well, which one of several maps must not have alone.
        """
        shown, chosen = self._shown, self._shown.workspace.selection
        if shown.points is not None:
            with shown.quiet():
                few = len(chosen) < MOST_MIRRORED and not shown.board.layers
                shown.points.selected_data = set(chosen.tolist()) if few else set()

    def _on_selected(self, event: Any) -> None:
        """Take over what was selected in napari's features table."""
        shown = self._shown
        if not shown.busy and shown.points is not None:
            with shown.quiet():  # napari's own assignment is not over yet
                chosen = np.array(sorted(shown.points.selected_data), np.intp)
                shown.workspace.select(chosen)
            QTimer.singleShot(0, self.mirror)

    def _on_look(self, event: Any = None) -> None:
        self._shown.follow_look()  # napari's sliders were moved

    def _on_edited(self, event: Any) -> None:
        """Undo deleting or moving points by napari's own keys: row i is patch i."""
        shown, embedding = self._shown, self._shown.workspace.embedding
        points = shown.points
        if shown.busy or points is None or embedding is None:
            return
        if str(event.action).lower().endswith("ing"):
            return  # announced only, nothing has happened yet
        patches = shown.workspace.patches
        assert patches is not None
        with shown.quiet():
            points.selected_data = set()
            points.data = shown.turn.to_shown(embedding)
            points.size = float(points.size[0])
            points.border_width = 0
            points.features = patches.table
        shown.paint()
        shown.workspace.say(NO_EDITING)

    def _on_active(self, event: Any) -> None:
        """Lead a click on one of the marking layers in the list to the map itself."""
        shown, active = self._shown, event.value
        if active is None or active is shown.points or shown.placed.has(active):
            return
        if shown.owns(active) and shown.points is not None and not shown.busy:
            shown.viewer.layers.selection.active = shown.points

    def _on_inserted(self, event: Any) -> None:
        """Show a saved map that napari opened as a map, and with the map if there is one."""
        if marks.is_saved_map(event.value):
            marks.look_like_map(event.value)
            if self._shown.points is not None:
                self._shown.views.take_to_map(event.value)
                self._shown.views.show("map")

    def _on_removed(self, event: Any) -> None:
        shown, layer = self._shown, event.value
        shown.placed.removed(layer)
        # Not now: napari is in the midst of changing its list.
        if shown.lost(layer) == marks.MAP:
            QTimer.singleShot(0, self._clean_up)
        if any(layer is one for one in shown.board.maps):
            QTimer.singleShot(0, self._leave_out_removed)

    def _clean_up(self) -> None:
        if self._viewer() is not None and self._shown.points is None:
            self._shown.remove_all()
            self._shown.views.show("source")

    def _leave_out_removed(self) -> None:
        """Compare with one map less, since somebody removed its layer."""
        viewer, shown = self._viewer(), self._shown
        if viewer is None or shown.points is None:
            return  # all layers went together
        there = [layer in viewer.layers for layer in shown.board.maps]
        maps = shown.workspace.compared
        if len(maps) == len(there):
            kept = [one for one, still in zip(maps, there, strict=True) if still]
            shown.workspace.set_compared(kept)
