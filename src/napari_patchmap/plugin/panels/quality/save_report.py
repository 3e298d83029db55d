"""The button that writes a page about the map."""

from __future__ import annotations

from pathlib import Path

from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_patchmap.errors import RunError
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.plugin.workspace import workspace_of


class SaveReport(QPushButton):
    """Asks for a file, and writes the report of the current run there, in the background."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Save report…")
        self._workspace = workspace_of(viewer)
        self.setToolTip(
            "<qt>One page that opens in any browser, without a network: the map, all figures "
            "and what they mean, the settings, and words for a paper.</qt>"
        )
        self._saving = Newest(self, "Writing the report", self._on_saved, self._on_failed)
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save report", "report.html", "*.html")
        if path:
            self.save(path)

    def save(self, path: str | Path) -> None:
        """Write a page about the map that is shown."""
        from napari_patchmap.runs.report_page import write_report

        run, patches = self._workspace.run, self._workspace.patches
        if run is None or patches is None:
            return
        labels = patches.labels
        try:
            named = with_ending(path, ".html")
        except RunError as error:
            self._workspace.say(str(error))
            return
        self.setEnabled(False)
        self._saving.ask(lambda _: write_report(run, named, labels))

    def _on_saved(self, path: Path) -> None:
        self.setEnabled(True)
        self._workspace.say(f"The report is saved: {path}.")

    def _on_failed(self, sentence: str) -> None:
        self.setEnabled(True)
        self._workspace.say(sentence)
