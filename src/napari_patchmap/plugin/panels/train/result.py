"""What came of a training: where it is saved, and saving it elsewhere."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_patchmap.errors import RunError
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.saving import with_ending
from napari_patchmap.plugin.qt.texts import Elided, Message, Wrapped
from napari_patchmap.plugin.worker import sentence_of
from napari_patchmap.runs import save_embedding_csv
from napari_patchmap.training.progress import say_time

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class Result(QWidget):
    """Path of the run and the ways to take it elsewhere."""

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._run: Run | None = None
        self._message = message
        self.title = label("This map", "group")
        self.where = Elided("hint")
        self.planned = Wrapped()
        self.open = button("Open folder", "link", "Show the run's files.")
        self.csv = button(
            "Save embedding as CSV…",
            "",
            "<qt>Positions on the map and the table, one row a patch; napari opens it as "
            "points by drag and drop.</qt>",
        )
        self.copy = button(
            "Save run as…",
            "",
            "<qt>Settings, weights, map, features and figures, in a new folder.</qt>",
        )
        self.again = button(
            "Lay out again by t-SNE",
            "",
            "<qt>Make another map of what this run has learned, without training, by the "
            "t-SNE settings under More. It is saved as a run of its own; <i>Compare maps</i> "
            "shows both.</qt>",
        )
        self.open.clicked.connect(self._open)
        self.csv.clicked.connect(self._ask_csv)
        self.copy.clicked.connect(self._ask_copy)
        column(
            self,
            row(self.title, 1, self.open),
            self.where,
            self.planned,
            row(self.csv, self.copy, 1),
            row(self.again, 1),
            spacing=5,
        )
        self.hide()

    def show_run(self, run: Run | None) -> None:
        """Show a run, or nothing."""
        self._run = run
        self.setVisible(run is not None)
        if run is not None:
            whole = "This map" if run.complete else "This map (cancelled early)"
            self.title.setText(whole)
            self.open.setVisible(run.folder is not None)
            self.where.say(str(run.folder) if run.folder else "not saved yet")
            self._say_plan(run)

    def _say_plan(self, run: Run) -> None:
        """Say what was planned and what it took; all of the plan is in the tooltip."""
        plan, seconds = run.info.get("plan"), run.info.get("seconds")
        said = []
        if plan:
            said.append(f"Planned: {plan['lines'][0]}")
        if seconds is not None:
            device = run.info.get("device")
            said.append(f"Took: {say_time(seconds)}" + (f" on {device}" if device else ""))
        if run.evened is not None:
            said += run.evened.lines()
        warning = run.metrics.get("training", {}).get("warning")
        if warning:
            said.append(warning)
        if run.embedding.shape[1] > 3:
            said.append(
                f"The map has {run.embedding.shape[1]} dimensions; the first two are shown."
            )
        self.planned.setText("\n".join(said))
        self.planned.setVisible(bool(said))
        lines = [*(plan["lines"] if plan else []), *run.info.get("notes", [])]
        self.planned.setToolTip(f"<qt>{'<br>'.join(map(escape, lines))}</qt>" if lines else "")

    def save_csv(self, path: str | Path) -> None:
        """Write the embedding as CSV; say so, or why not."""
        assert self._run is not None
        try:
            path = with_ending(path, ".csv")
            save_embedding_csv(path, self._run.embedding, self._run.table)
        except (RunError, OSError) as error:
            self._message.say(sentence_of(error), "error")
        else:
            self._message.say(f"Saved {path}.")

    def save_run(self, folder: str | Path) -> None:
        """Write the run into a new folder; say so, or why not."""
        assert self._run is not None
        try:
            self._run.save(folder)
        except (RunError, OSError) as error:
            self._message.say(sentence_of(error), "error")
        else:
            self._message.say(" ".join([f"Saved the run in {folder}.", *self._run.missed]))
            self.show_run(self._run)

    def _open(self) -> None:
        if self._run is not None and self._run.folder is not None:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(self._run.folder)))

    def _ask_csv(self) -> None:
        assert self._run is not None
        start = str(Path.home() / f"{self._run.name} map.csv")
        path, _ = QFileDialog.getSaveFileName(self, "Save embedding", start, "Table (*.csv)")
        if path:
            self.save_csv(path)

    def _ask_copy(self) -> None:
        assert self._run is not None
        start = str(Path.home() / f"{self._run.name} run")
        path, _ = QFileDialog.getSaveFileName(self, "Save run in a new folder", start)
        if path:
            self.save_run(path)
