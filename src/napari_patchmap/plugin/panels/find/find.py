"""The "Find" panel: what is in the patches, one search below the other."""

from __future__ import annotations

from typing import Any

import napari.viewer

from napari_patchmap.find.searches import SEARCHES
from napari_patchmap.plugin.panels.find.leave_out import LeaveOut
from napari_patchmap.plugin.panels.find.mistakes_box import MistakesBox
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.panel import WorkPanel

#: Boxes that can do more with what they found, by the key of the search.
BOXES: dict[str, type[SearchBox]] = {"mistakes": MistakesBox}


class Find(WorkPanel):
    """All searches; each unfolds to its settings, its button and its answer."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.boxes = {
            search.key: BOXES.get(search.key, SearchBox)(self.viewer, search)
            for search in SEARCHES
        }
        for box in self.boxes.values():
            self.column.addWidget(box)
        self.column.addStretch(1)
        self.leave_out = LeaveOut(self.viewer)
        self.footer.addWidget(self.leave_out)
        self.lead_to("quality", "How good is the map?")
        self.guard_wheel()
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.patches_changed, self._on_run)
        self._on_run()

    def _on_run(self, _: Any = None) -> None:
        workspace = self.workspace
        if workspace.patches is None:
            self.need("Load patches first.", "load")
        elif workspace.run is None:
            self.need("Train a map first: patches are compared by what it learned.", "train")
        else:
            self.need("")
