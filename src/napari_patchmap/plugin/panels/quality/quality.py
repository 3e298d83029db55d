"""The "Quality" panel: whether the map can be trusted, and where."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import napari.viewer
import numpy as np
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.label_box import LabelBox
from napari_patchmap.plugin.panels.quality.asked_box import (
    AskedBox,
    AskedTogether,
    BaselinesBox,
)
from napari_patchmap.plugin.panels.quality.batch_box import BatchBox
from napari_patchmap.plugin.panels.quality.confusion_box import ConfusionBox
from napari_patchmap.plugin.panels.quality.curve_box import CurveBox
from napari_patchmap.plugin.panels.quality.label_table import LabelTable
from napari_patchmap.plugin.panels.quality.prediction_box import PredictionBox
from napari_patchmap.plugin.panels.quality.save_report import SaveReport
from napari_patchmap.plugin.panels.quality.shown_figure import ShownFigure
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.docks import lead
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.plugin.qt.theme import label_colours
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.quality import FIGURES, Evaluation, defined_in
from napari_patchmap.quality.asked import STABLE
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.baselines import BASELINES
from napari_patchmap.quality.columns import column_of
from napari_patchmap.quality.figure import NEIGHBOURS, QUESTIONS, QualityFigure
from napari_patchmap.quality.label_changes import lacks_labels
from napari_patchmap.quality.report import TRAINED_ON, label_figures

if TYPE_CHECKING:
    from napari_patchmap.runs import Run

#: Figures beside each other.
_BESIDE = 2

#: Boxes that show an answer in another way than in lines, by the key of the check.
BOXES: dict[str, type[AskedBox]] = {
    "prediction": PredictionBox,
    "label_curve": CurveBox,
    "batch": BatchBox,
}


class Quality(WorkPanel):
    """Quality figures of the current map."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.report: dict[str, Any] = {}
        self._so_far: list[dict[str, Any]] = []
        self.figures = {figure.key: ShownFigure(figure) for figure in FIGURES}
        self.notes = Sentence()
        self.heading = label("Label by label", "group")
        self.table = LabelTable()
        self.questions: dict[str, QWidget] = {}
        for question in QUESTIONS:
            self.questions[question] = self._answers(question)
            self.column.addWidget(self.questions[question])
            if question == NEIGHBOURS:
                stable = [check for check in CHECKS if check.group == STABLE]
                self.stability = AskedTogether(self.viewer, STABLE, stable)
                self.column.addWidget(self.stability)
        self.baselines = BaselinesBox(self.viewer, BASELINES)
        self.column.addWidget(self.baselines)
        self.label_box = LabelBox(self.viewer)
        self.column.addWidget(self.label_box)
        self.column.addWidget(self.heading)
        self.column.addWidget(self.table)
        self.confusion = ConfusionBox(self.viewer)
        self.column.addWidget(self.confusion)
        self.checks = {
            check.key: BOXES.get(check.key, AskedBox)(self.viewer, check)
            for check in CHECKS
            if not check.group and check is not BASELINES
        }
        for box in self.checks.values():
            self.column.addWidget(box)
        self.column.addWidget(self.notes)
        self.column.addStretch(1)
        self.again = button(
            "Measure again", "", "Compute the figures of the map again, in the background."
        )
        self.labels = button(
            "Add labels →",
            "link",
            "<qt>Load the same images with a table of labels; the figures then come.</qt>",
        )
        self.work = WorkBar()
        self.footer.addLayout(self.work.with_button("Stop measuring; the map is as it was."))
        self.save = SaveReport(self.viewer)
        self.footer.addLayout(row(self.labels, self.again, self.save, 1))
        self.lead_to("compare", "Compare with other maps")
        self._wanted = ""
        self.baselines.shown.connect(self._show_baselines)
        self._show_baselines(self.baselines.entry)
        self.work.valueChanged.connect(self._on_progress)
        self.work.done.connect(self._on_measured)
        self.work.failed.connect(self._on_failed)
        self.work.ended.connect(self._on_ended)
        self.again.clicked.connect(lambda: self.measure())
        lead(self.labels, self.viewer, lambda: "load")
        self.table.picked.connect(self._on_picked)
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.label_changed, self._on_label)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self._on_run(self.workspace.run)

    def _answers(self, question: str) -> QWidget:
        """Lay out the figures that answer a question."""
        box, grid = QWidget(), QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setVerticalSpacing(10)
        shown = [one for one in self.figures.values() if one.figure.question == question]
        for number, one in enumerate(shown):
            grid.addWidget(one, *divmod(number, _BESIDE))
            one.where.clicked.connect(partial(self.show_where, one.figure))
        for place in range(_BESIDE):
            grid.setColumnStretch(place, 1)
        column(box, label(question, "heading", wrap=True), grid, spacing=6)
        return box

    def measure(self, *, asked: bool = True) -> None:
        """Compute the figures of the current map in the background.

        Where nobody ``asked``, it is not told that a folder cannot be written.
        """
        run, patches = self.workspace.run, self.workspace.patches
        if run is None or patches is None:
            return
        labels = patches.labels
        so_far: list[dict[str, Any]] = []  # of this map, whatever another work still tells
        self._so_far = so_far

        def work(watch: Watch) -> tuple[Run, Evaluation, str]:
            missing = lacks_labels(run.metrics)
            told = replace(watch, so_far=so_far.append)
            found = run.measured(labels, watch=told, missing=missing)
            trouble = run.keep(found)
            return run, found, trouble if asked else ""

        self.work.cancel()
        self.again.setEnabled(False)
        self.work.start("Measuring the map", work, "measuring…")

    def _on_progress(self, _: int) -> None:
        """Show the figures that are known while others are computed."""
        if self._so_far and self.work.running:
            self._show_figures(self._so_far[-1])

    def show_where(self, figure: QualityFigure) -> None:
        """Colour the map by a figure of each patch, measured first if it is not known."""
        name = column_of(figure)
        if name not in self.workspace.measured:
            self._wanted = figure.key
            self.measure()
            return
        owner = MapLayer.of(self.viewer)
        owner.show_map()
        owner.colour_by(name)

    def _on_measured(self, result: tuple[Run, Evaluation, str]) -> None:
        run, found, trouble = result
        if run is not self.workspace.run:
            return  # it was of a map before
        self.workspace.take_measured(found)
        self.show_report(run.metrics)
        if trouble:
            self.workspace.say(trouble)
        wanted, self._wanted = self._wanted, ""
        if wanted and column_of(self.figures[wanted].figure) in self.workspace.measured:
            self.show_where(self.figures[wanted].figure)

    def _show_baselines(self, found: dict[str, Any]) -> None:
        """Show beside each number what it would be of other things."""
        for shown in self.figures.values():
            shown.show_baselines(found)

    def _on_ended(self) -> None:
        self.again.setEnabled(True)
        self._wanted = ""

    def _on_picked(self, name: str) -> None:
        """Select the patches of a label on the map."""
        patches = self.workspace.patches
        if patches is not None and patches.labels is not None:
            owner = MapLayer.of(self.viewer)
            owner.show_map()
            self.workspace.select(owner.visible(np.flatnonzero(patches.labels == name)))

    def _show_figures(self, report: dict[str, Any]) -> None:
        for shown in self.figures.values():
            shown.show_report(report)
        for question, box in self.questions.items():
            answers = [f for f in defined_in(report) if f.question == question]
            box.setVisible(bool(answers))

    def _on_patches(self, _: Any) -> None:
        self._on_run(self.workspace.run)

    def _on_run(self, run: Any) -> None:
        self.work.cancel()
        self._wanted = ""
        if run is None:
            for part in (*self.questions.values(), self.heading, self.table):
                part.setVisible(False)
            loaded = self.workspace.patches is not None
            self.need(
                "Train a map first: this panel then says how good it is."
                if loaded
                else "Load patches first, then train a map of them.",
                "train" if loaded else "load",
            )
            return
        self.need("")
        if {"n", *self.figures} <= set(run.metrics):
            self.show_report(run.metrics)
        else:
            self.measure(asked=False)

    def _on_label(self) -> None:
        """Put figures of the label before away, and measure those of the one there is now."""
        run = self.workspace.run
        if run is not None and run.metrics:
            self.show_report(run.metrics)
        self._on_run(run)

    def _on_failed(self, sentence: str, _: Exception | None) -> None:
        self.notes.say(sentence)

    def show_report(self, report: dict[str, Any]) -> None:
        """Show figures as :func:`napari_patchmap.quality.evaluate` gives them."""
        self.report = report
        self._show_figures(report)
        notes = list(report.get("notes", []))
        run = self.workspace.run
        if defined_in(report) and run is not None and METHODS[run.config.train.method].trains:
            notes.append(TRAINED_ON)
        if not defined_in(report):
            notes.insert(0, f"{report['n']:,} patches on the map.")
        patches = self.workspace.patches
        self.labels.setVisible(patches is None or patches.labels is None)
        self.notes.say(" ".join(notes))
        rows = label_figures(report)
        self.table.fill(rows, {} if patches is None else label_colours(patches))
        named = report.get("label_from")
        self.heading.setText(f"Label by label: {named}" if named else "Label by label")
        self.heading.setVisible(bool(rows))
        self.table.setVisible(bool(rows))
        self.confusion.ask(run, patches)
