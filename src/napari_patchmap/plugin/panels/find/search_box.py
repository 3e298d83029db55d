"""One search in the window: its settings, its button, and what can be done with the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.find.search import INDEX, Found, Search, found_column
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.plugin.qt.form import ConfigForm, Fold
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class SearchBox(QWidget):
    """Looks for something in the patches of the map, and keeps the answer in the run.

    A box of one search adds what it needs to ``parts`` in :meth:`add_parts`, and shows it in
    :meth:`show_found`.

    Attributes
    ----------
    found : Found or None
        The answer that is shown.
    parts : QVBoxLayout
        Of all that is below the button while there is an answer.
    """

    def __init__(self, viewer: Viewer, search: Search) -> None:
        super().__init__()
        self.viewer, self.workspace, self.search = viewer, workspace_of(viewer), search
        self.found: Found | None = None
        self._so_far: Found | None = None
        self._of: Run | None = None
        about = f"<qt>{search.help}</qt>"
        self.fold = Fold(search.title, "question")
        self.fold.button.setToolTip(about)
        self.form: ConfigForm[Any] = ConfigForm(search.config())
        self.begin = button("Find", "", about)
        self.begin.setAccessibleName(f"Find: {search.title}")
        self.work = WorkBar()
        self.said = label("", "", wrap=True)
        self.lines = label("", "hint", wrap=True)
        self.answer = QWidget()
        self.look = button(
            "Look at them",
            "",
            "Select all that are listed, and sort the gallery by the list: first things first.",
        )
        self.colour = button("Colour the map", "", "Colour the map by what was found.")
        self.parts = column(self.answer, self.lines, row(self.look, self.colour, 1))
        column(
            self.fold.body,
            label(search.question, "hint", wrap=True),
            self.form,
            row(self.begin, 1),
            self.work.with_button("Stop; what was found so far stays."),
            self.said,
            self.answer,
        )
        column(self, self.fold)
        self.begin.clicked.connect(lambda: self.start())
        self.look.clicked.connect(lambda: self.look_at(self.listed_rows()))
        self.colour.clicked.connect(lambda: self.colour_by())
        self.form.refused.connect(self._on_refused)
        self.work.valueChanged.connect(self._on_progress)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        self.add_parts()
        subscribe(self, self.workspace.run_changed, self._on_run)
        subscribe(self, self.workspace.patches_changed, self._on_run)
        self._on_run()

    def add_parts(self) -> None:
        """Add to ``parts`` what the answer of this search needs besides; nothing by itself."""

    # -- what was found -------------------------------------------------------------------

    def show_found(self, found: Found | None) -> None:
        """Show an answer, or that there is none."""
        self.found = found
        lines = () if found is None else found.lines
        self.say(lines[0] if lines else "")
        self.lines.setText("\n".join(lines[1:]))
        self.lines.setVisible(len(lines) > 1)
        self.answer.setVisible(found is not None)
        self.look.setEnabled(found is not None and len(found.listed) > 0)

    def say(self, sentence: str) -> None:
        """Say one sentence below the button, or nothing."""
        self.said.setText(sentence)
        self.said.setVisible(bool(sentence))

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
            self.search.title, rank, said="In the order in which they were found.", choose=True
        )

    def colour_by(self, name: str = "") -> None:
        """Colour the map by a found column; by the first one when none is named."""
        if self.found is not None:
            owner = MapLayer.of(self.viewer)
            owner.show_map()
            owner.colour_by(found_column(name or next(iter(self.found.columns))))

    # -- looking for it --------------------------------------------------------------------

    def start(self) -> None:
        """Look for it, in the background, with the settings that are shown."""
        from napari_patchmap.runs.finding import find_in

        run, patches = self.workspace.run, self.workspace.patches
        if run is None or patches is None or self.form.trouble:
            return
        search, config, table = self.search, self.form.config, self.workspace.table

        def work(watch: Watch) -> None:
            def look(found: Found | None, done: int, total: int) -> bool:
                self._so_far = found or self._so_far
                watch.step(done, total)
                return False

            self._so_far = find_in(run, search, config, table, patches, look)

        self._so_far, self._of = None, run
        self.begin.setEnabled(False)
        self.say("")
        self.work.start(search.title, work, "beginning…")

    def take(self, found: Found) -> None:
        """Show what was found, give it to all panels, and keep it in the run's folder."""
        run = self.workspace.run
        assert run is not None
        self.workspace.take_found(self.search.key, found)
        self.show_found(found)
        if trouble := run.keep_found():
            self.workspace.say(trouble)

    def _on_refused(self, sentence: str) -> None:
        self.begin.setEnabled(not sentence and not self.work.running)

    def _on_run(self, _: Any = None) -> None:
        self.work.cancel()
        self._so_far, self._of = None, None
        run = self.workspace.run
        found = None if run is None else run.found.get(self.search.key)
        self.show_found(found)
        if found is not None:
            self.fold.open(True)

    def _on_progress(self, _: int) -> None:
        if self.work.running and self._so_far is not None:
            self.show_found(self._so_far)

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        self.say(sentence)

    def _on_ended(self) -> None:
        """Keep what was found, all of it or what it was when somebody had enough."""
        self.begin.setEnabled(not self.form.trouble)
        run, found = self._of, self._so_far
        self._so_far, self._of = None, None
        if run is not None and run is self.workspace.run and found is not None:
            self.take(found)
