"""What becomes of what was read: patches, a run with its map, or patches placed on a map."""

from __future__ import annotations

from napari.viewer import Viewer
from qtpy.QtCore import QObject, Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.load.chosen import Chosen
from napari_patchmap.plugin.panels.load.opening import Opened
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Placed, Run

TRAINING = "A map is being trained; cancel it or wait before loading others."


class Outcome(QObject):
    """Hands on what was read, and brings people to where it goes on.

    Signals
    -------
    said(str, str)
        A sentence about it, and how it is shown: "note" or "error".
    """

    said = Signal(str, str)

    def __init__(self, parent: QObject, viewer: Viewer, chosen: Chosen) -> None:
        super().__init__(parent)
        self._map, self._workspace = MapLayer.of(viewer), workspace_of(viewer)
        self._chosen = chosen

    def open(self, opened: Opened) -> bool:
        """Show patches, with the map or the interrupted training that came with them.

        Returns whether they were taken.
        """
        workspace, viewer = self._workspace, self._map.viewer
        if workspace.training:
            self.said.emit(TRAINING, "error")
            return False
        self._chosen.take(opened.patches, opened.patches if opened.run is None else None)
        if opened.run is not None:
            workspace.set_run(opened.run)
        workspace.set_unfinished(opened.unfinished)
        self.said.emit(opened.sentence, "note")
        if opened.run is not None:
            show_panel(viewer, "explore")  # there is nothing left to load
            self._map.session.restore(opened.session)
            if opened.sentence:
                workspace.say(opened.sentence)
        elif opened.unfinished is not None:
            show_panel(viewer, "train")  # where it is resumed
        return True

    def place(self, patches: PatchSet, placed: Placed, run: Run) -> bool:
        """Show patches that were placed on the map of a run; return whether they were."""
        if self._workspace.run is not run:
            self.said.emit(
                "Another map was opened meanwhile; place the images on that one.", "error"
            )
            return False
        table = patches.table.assign(unlikeness=placed.unlikeness)
        self._map.show_placed(patches, placed.embedding, table)
        sentence = (
            f"{len(patches):,} patches of {patches.name} are placed on the map, as a layer of "
            "their own; File > Save Selected Layers writes it as CSV."
        )
        joined = () if patches.own is None else patches.own.notes
        self.said.emit(" ".join([sentence, *joined, *placed.notes]), "note")
        return True
