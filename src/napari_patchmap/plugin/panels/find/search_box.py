"""One search in the window: its settings, its button, and what can be done with the answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from napari.viewer import Viewer

from napari_patchmap.find.search import INDEX, FindInput, Found, Search, found_column
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.ask_box import AskBox
from napari_patchmap.plugin.qt.basics import button, row
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.quality.label_changes import other_label

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class SearchBox(AskBox[Found]):
    """Looks for something in the patches of the map, and keeps the answer in the run."""

    def __init__(self, viewer: Viewer, search: Search) -> None:
        self.search = search
        self.look = button(
            "Look at them",
            "",
            "Select all that are listed, and sort the gallery by the list: first things first.",
        )
        self.colour = button("Colour the map", "", "Colour the map by what was found.")
        super().__init__(
            viewer,
            search.title,
            search.help,
            search.config(),
            begin="Find",
            question=search.question,
        )
        place = self.parts.indexOf(self.lines) + 1
        self.parts.insertLayout(place, row(self.look, self.colour, 1))
        self.look.clicked.connect(lambda: self.look_at(self.listed_rows()))
        self.colour.clicked.connect(lambda: self.colour_by())

    def found_in(self, run: Run) -> Found | None:
        """Return what was found in a run."""
        return run.found.get(self.search.key)

    def lines_of(self, found: Found) -> Sequence[str]:
        """Return the lines that were found."""
        return found.lines

    def stale(self, found: Found) -> str:
        """Say so if it is of another label than the patches have."""
        return other_label(found.report, self.label_from)

    def show_found(self, found: Found | None) -> None:
        """Show an answer, or that there is none."""
        super().show_found(found)
        self.look.setEnabled(found is not None and len(found.listed) > 0)

    def against(self, run: Run, watch: Watch) -> FindInput | None:
        """Open a second set to look across, in the background; none by itself."""
        return None

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[Watch], Found | None]:
        """Read the settings; return the search."""
        from napari_patchmap.runs.finding import find_in

        search, config, table = self.search, self.form.config, self.workspace.table

        def answer(watch: Watch) -> Found:
            against = self.against(run, watch)
            return find_in(run, search, config, table, patches, watch, against)

        return answer

    def take(self, found: Found) -> None:
        """Show what was found, give it to all panels, and keep it in the run's folder."""
        run = self.workspace.run
        assert run is not None
        self.workspace.take_found(self.search.key, found)
        self.show_found(found)
        if trouble := run.keep_found():
            self.workspace.say(trouble)

    # -- what can be done with it ----------------------------------------------------------

    def listed_rows(self) -> np.ndarray:
        """Return the patches that are listed, each once, the most important first, (m,)."""
        if self.found is None:
            return np.empty(0, np.intp)
        rows = self.found.listed[INDEX].to_numpy(np.intp)
        return rows[np.sort(np.unique(rows, return_index=True)[1])]

    def look_at(self, rows: np.ndarray) -> None:
        """Select patches, and show them in this order in the gallery."""
        show_panel(self.viewer, "gallery")
        rank = np.full(len(self.workspace.table), np.nan)
        rank[rows] = np.arange(1, len(rows) + 1)
        self.workspace.select(np.sort(rows))
        GalleryHooks.of(self.viewer).offer(
            self.title, rank, said="In the order in which they were found.", choose=True
        )

    def colour_by(self, name: str = "") -> None:
        """Colour the map by a found column; by the first one when none is named."""
        if self.found is not None:
            owner = MapLayer.of(self.viewer)
            owner.show_map()
            owner.colour_by(found_column(name or next(iter(self.found.columns))))
