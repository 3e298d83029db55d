"""The button that writes a report about the map."""

from __future__ import annotations

from pathlib import Path

from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QPushButton

from napari_patchmap.errors import RunError
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.plugin.workspace import workspace_of

#: What a dialog offers, and the ending of each.
_KINDS = {"Page (*.html)": ".html", "PDF (*.pdf)": ".pdf"}


class SaveReport(QPushButton):
    """Asks for a file, and writes the report of the current run there, in the background."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__("Save report…")
        self._workspace = workspace_of(viewer)
        self.setToolTip(
            "<qt>The map, all figures and what they mean, the settings, and words for a paper: "
            "as one page that opens in any browser, without a network, or as a PDF.</qt>"
        )
        self._saving = Newest(self, "Writing the report", self._on_saved, self._on_failed)
        self.clicked.connect(self._ask)

    def _ask(self) -> None:
        path, chosen = QFileDialog.getSaveFileName(
            self, "Save report", "report.html", ";;".join(_KINDS)
        )
        if path:
            self.save(path, _KINDS.get(chosen, ".html"))

    def save(self, path: str | Path, ending: str = ".html") -> None:
        """Write a report about the map that is shown; the ending is for a name without one."""
        from napari_patchmap.runs.reporting.writing_reports import (
            check_report_file,
            write_report,
        )

        run, patches = self._workspace.run, self._workspace.patches
        if run is None or patches is None:
            return
        labels = patches.labels
        try:
            named = check_report_file(with_ending(path, ending))
        except RunError as error:
            self._workspace.say(str(error))
            return
        self.setEnabled(False)
        self._saving.ask(lambda watch: write_report(run, named, labels, watch))

    def _on_saved(self, path: Path) -> None:
        self.setEnabled(True)
        self._workspace.say(f"The report is saved: {path}.")

    def _on_failed(self, sentence: str) -> None:
        self.setEnabled(True)
        self._workspace.say(sentence)
