"""What lies among what on the map: neighbours vote in the background, a matrix shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.quality.confusion_table import ConfusionTable
from napari_patchmap.plugin.qt.basics import column, label
from napari_patchmap.plugin.qt.theme import label_colours
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality.voting import MOST_LABELS, VOTERS, Votes, votes

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class ConfusionBox(QWidget):
    """Asks the neighbours of the labelled patches, and is hidden while there is no answer."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._workspace = viewer, workspace_of(viewer)
        about = (
            f"<qt>For each label (row), which label most of the {VOTERS} nearest neighbours "
            "have (column), over all labelled patches. Off the diagonal are patches that lie "
            "among others: transitions, mistakes of the map, or wrong labels.</qt>"
        )
        self.table = ConfusionTable(viewer)
        column(self, label("What lies among what, in %", "group", tip=about), self.table)
        self._voting = Newest(self, "Asking neighbours", self._show)
        self.table.picked.connect(self._on_cell)
        self.hide()

    def ask(self, run: Run | None, patches: PatchSet | None) -> None:
        """Let neighbours vote, where there are labels to vote on."""
        labels = None if patches is None else patches.labels
        self._voting.forget()
        self.hide()
        if run is None or patches is None or labels is None:
            return
        rows, embedding = np.flatnonzero(labels != ""), run.embedding
        if len(rows) <= VOTERS or not 2 <= len(patches.label_counts()) <= MOST_LABELS:
            return
        self._voting.ask(lambda watch: (rows, votes(embedding[rows], labels[rows], watch)))

    def _show(self, found: tuple[np.ndarray, Votes]) -> None:
        patches = self._workspace.patches
        self.show()
        if patches is not None:
            self.table.fill(found[1], found[0], label_colours(patches))

    def _on_cell(self, rows: np.ndarray, said: str) -> None:
        """Select the patches of a cell of the matrix."""
        owner = MapLayer.of(self._viewer)
        owner.show_map()
        self._workspace.select(owner.visible(rows))
        self._workspace.say(f"Selected: {len(self._workspace.selection):,} {said}.")
