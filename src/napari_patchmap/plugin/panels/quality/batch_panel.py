"""Does the map show biology or the batch? A technical column, chosen and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.quality.even_out_box import EvenOutBox
from napari_patchmap.plugin.panels.quality.question import Question
from napari_patchmap.plugin.qt.basics import button, choice, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.batches import batch_lines, in_order
from napari_patchmap.runs.measured_columns import measured_columns

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class BatchCheck(QWidget):
    """A column to choose, what neighbours tell of it, and the map in its colours."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._viewer, self._workspace = viewer, workspace_of(viewer)
        self._batches: tuple[str, Any] | None = None
        self._then_show = False
        self.box = choice()
        self.box.setAccessibleName("Technical column")
        self.box.setToolTip(
            "<qt>What may differ for technical reasons: slide, patient, plate, day. The "
            "background colour is measured on the images themselves and, where each patch is a "
            "file of its own, so are the size of the file and its date.</qt>"
        )
        self.check = button(
            "Check",
            "",
            "See how well neighbours on the map tell this column, in the background.",
        )
        self.said = label("", "", wrap=True)
        self.numbers = label("", "hint", wrap=True)
        self.where = button("Show where", "link", "Colour the map by this column.")
        self.work = WorkBar()
        self.evening = EvenOutBox(viewer, self.box.currentText)
        self.question = Question(
            "Biology, or the batch?",
            self,
            row(self.box, self.check),
            self.work.with_button("Stop checking; nothing is changed."),
            self.said,
            self.numbers,
            row(self.where, 1),
            self.evening,
        )
        self.box.currentTextChanged.connect(lambda _: self.evening.choose())
        self.check.clicked.connect(lambda: self._on_check())
        self.where.clicked.connect(self._show_where)
        self.work.done.connect(self._on_done)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(lambda: self.check.setEnabled(True))
        subscribe(self, self._workspace.patches_changed, self._on_patches)
        subscribe(self, self._workspace.run_changed, self._on_run)
        self._on_patches()

    def show_found(self, found: dict[str, Any] | None) -> None:
        """Show what was found, or nothing."""
        lines = [] if found is None else batch_lines(found)
        self.said.setText(lines[0] if lines else "")
        self.numbers.setText("\n".join(lines[1:]))
        for part in (self.said, self.numbers, self.where):
            part.setVisible(bool(lines))
        if found is not None and self.box.findText(found["column"]) >= 0:
            self.box.setCurrentText(found["column"])

    def _on_patches(self, _: Any = None) -> None:
        self._forget()
        self.box.clear()
        patches = self._workspace.patches
        if patches is not None:
            known = [name for name in look_at_first(patches).columns if name != "label"]
            self.box.addItems([*measured_columns(patches), *map(str, known)])

    def _on_run(self, run: Any) -> None:
        self._forget()
        found = None if run is None else run.metrics.get("batch")
        self.show_found(found)
        if found:
            self.question.open(True)

    def _now(self) -> tuple[PatchSet | None, Run | None]:
        return self._workspace.patches, self._workspace.run

    def _forget(self) -> None:
        self.work.cancel()
        self._batches = None
        self.show_found(None)

    def _on_check(self, *, then_show: bool = False) -> None:
        from napari_patchmap.runs.batch_check import batches_of, check_batches

        run, patches, name = (
            self._workspace.run,
            self._workspace.patches,
            self.box.currentText(),
        )
        if run is None or patches is None or not name:
            return

        def work(watch: Watch) -> Any:
            batches = batches_of(patches.table, name, patches, watch.ends)
            found = check_batches(run, name, batches, patches.labels)
            report = {**run.metrics, "batch": found}
            return run, batches, found, run.keep(Evaluation(report, run.columns))

        self._forget()
        self._then_show = then_show
        self.check.setEnabled(False)
        self.work.start("Checking for batches", work, "checking…")

    def _on_done(self, result: Any) -> None:
        run, batches, found, trouble = result
        shown = self._workspace.run
        if shown is None or run is not shown:
            return
        self._batches = found["column"], batches
        shown.metrics["batch"] = found
        self.show_found(found)
        if trouble:
            self._workspace.say(trouble)
        if self._then_show:
            self._show_where()

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        self.said.setText(sentence)
        self.said.setVisible(True)

    def _show_where(self) -> None:
        """Colour the map by the column as the patches were divided."""
        owner, patches, run = MapLayer.of(self._viewer), *self._now()
        if patches is None or run is None or "batch" not in run.metrics:
            return
        name = run.metrics["batch"]["column"]
        owner.show_map()
        if self._batches is not None and self._batches[0] == name:
            table = pd.DataFrame({name: in_order(self._batches[1])})
            owner.set_colouring(colour_by(table, name))
        elif name in patches.table:
            owner.colour_by(name)
        else:
            self._on_check(then_show=True)  # it was found in another window
