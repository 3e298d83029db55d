"""The "Quality" panel: how well the map agrees with the labels, and what that means."""

from __future__ import annotations

from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.figures_table import help_of
from napari_patchmap.plugin.panels.quality.label_table import LabelTable
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.docks import lead
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.theme import label_colours
from napari_patchmap.quality import FIGURES, defined_in
from napari_patchmap.quality.figure import QualityFigure, capitalised
from napari_patchmap.quality.report import label_figures

#: Figures beside each other.
_BESIDE = 2

#: What there is to be had without labels.
_WITHOUT = (
    "What can be judged without them: whether the groups hold together when you look at the "
    "patches in Explore, and whether another map of the same patches, set beside this one in "
    "Compare, keeps them together as well."
)


class Quality(WorkPanel):
    """Quality figures of the current map."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.report: dict[str, Any] = {}
        self.figures = {figure.key: _Figure(figure) for figure in FIGURES}
        self.notes = label("", "hint", wrap=True)
        self.heading = label("Label by label", "group")
        self.table = LabelTable()
        figures = QGridLayout()
        for number, shown in enumerate(self.figures.values()):
            figures.addWidget(shown, *divmod(number, _BESIDE))
        self.column.addLayout(figures)
        self.column.addWidget(self.notes)
        self.column.addWidget(self.heading)
        self.column.addWidget(self.table)
        self.column.addStretch(1)
        self.again = button(
            "Measure again", "", "Compute the figures of the map again, in the background."
        )
        self.labels = button(
            "Add labels →",
            "link",
            "<qt>Load the same images with a table of labels; the figures then come.</qt>",
        )
        self.footer.addLayout(row(self.labels, self.again, 1))
        self.lead_to("compare", "Compare with other maps")
        self._newest = Newest(self, "Measuring the map", self.show_report, self._on_failed)
        self.again.clicked.connect(self.measure)
        lead(self.labels, self.viewer, lambda: "load")
        self.table.picked.connect(self._on_picked)
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self._on_run(self.workspace.run)

    def measure(self) -> None:
        """Compute the figures of the current map in the background."""
        run, patches = self.workspace.run, self.workspace.patches
        if run is None or patches is None:
            return
        labels = patches.labels
        self.notes.setText("Measuring…")
        self.notes.show()
        self._newest.ask(lambda _: run.measured(labels))

    def _on_picked(self, name: str) -> None:
        """Select the patches of a label on the map."""
        patches = self.workspace.patches
        if patches is not None and patches.labels is not None:
            owner = MapLayer.of(self.viewer)
            owner.show_map()
            self.workspace.select(owner.visible(np.flatnonzero(patches.labels == name)))

    def _on_patches(self, _: Any) -> None:
        self._on_run(self.workspace.run)

    def _on_run(self, run: Any) -> None:
        self._newest.forget()
        if run is None:
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
            self.measure()

    def _on_failed(self, sentence: str) -> None:
        self.notes.setText(sentence)
        self.notes.show()

    def show_report(self, report: dict[str, Any]) -> None:
        """Show figures as :func:`napari_patchmap.quality.evaluate` gives them."""
        self.report = report
        for shown in self.figures.values():
            shown.show_report(report)
        notes = list(report.get("notes", []))
        if not defined_in(report):
            notes.insert(0, f"{report['n']:,} patches on the map.")
        patches = self.workspace.patches
        labels = None if patches is None else patches.labels
        if labels is None:
            notes.append(_WITHOUT)
        self.labels.setVisible(labels is None)
        self.again.setVisible(labels is not None or any(not f.needs_labels for f in FIGURES))
        self.notes.setText(" ".join(notes))
        self.notes.setVisible(bool(notes))
        rows = label_figures(report)
        self.table.fill(rows, {} if patches is None else label_colours(patches))
        self.heading.setVisible(bool(rows))
        self.table.setVisible(bool(rows))


class _Figure(QWidget):
    """One large number with its name, its sample size and an explanation."""

    def __init__(self, figure: QualityFigure) -> None:
        super().__init__()
        self._figure = figure
        self.value = label("", "figure")
        self.size = label("", "hint", wrap=True)
        name = label(capitalised(figure.name), "group")
        column(self, name, self.value, self.size, spacing=0).addStretch(1)
        self.setToolTip(help_of(figure))

    def show_report(self, report: dict[str, Any]) -> None:
        """Show the number and what it was computed on, or nothing if it is not known."""
        known = bool(report.get(self._figure.key))
        self.setVisible(known)
        if known:
            self.value.setText(self._figure.text(report))
            self.size.setText(self._figure.basis_of(report))
