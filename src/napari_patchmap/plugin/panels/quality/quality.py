"""The "Quality" panel: how well the map agrees with the labels, and what that means."""

from __future__ import annotations

from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtCore import Qt, Signal
from qtpy.QtGui import QColor, QPixmap
from qtpy.QtWidgets import QHBoxLayout, QTableWidgetItem, QVBoxLayout, QWidget

from napari_patchmap.explore.palette import categorical_colours, label_order
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.figures import (
    KNN_TIP,
    SILHOUETTE_TIP,
    FiguresTable,
    Number,
)
from napari_patchmap.plugin.qt.panel import WorkPanel, label
from napari_patchmap.plugin.qt.parts import button, row
from napari_patchmap.plugin.worker import Newest
from napari_patchmap.quality import evaluate

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
        self.knn = _Figure("15-NN accuracy", KNN_TIP)
        self.silhouette = _Figure("Silhouette", SILHOUETTE_TIP)
        self.notes = label("", "hint", wrap=True)
        self.heading = label("Label by label", "group")
        self.table = _Table()
        figures = QHBoxLayout()
        figures.addWidget(self.knn)
        figures.addWidget(self.silhouette)
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
        self._newest = Newest(self, "Measuring the map")
        self._newest.done.connect(self.show_report)
        self._newest.failed.connect(self._on_failed)
        self.again.clicked.connect(self.measure)
        self.labels.clicked.connect(self._to_load)
        self.table.picked.connect(self._on_picked)
        self.listen(self.workspace.run_changed, self._on_run)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self._on_run(self.workspace.run)

    def measure(self) -> None:
        """Compute the figures of the current map in the background."""
        run, patches = self.workspace.run, self.workspace.patches
        if run is None or patches is None:
            return
        embedding, labels = run.embedding, patches.labels
        self.notes.setText("Measuring…")
        self.notes.show()
        self._newest.ask(lambda _: evaluate(embedding, labels))

    def _to_load(self) -> None:
        self._go("load")

    def _on_picked(self, name: str) -> None:
        """Select the patches of a label on the map."""
        patches = self.workspace.patches
        if patches is not None and patches.labels is not None:
            MapLayer.of(self.viewer).show_map()
            self.workspace.select(np.flatnonzero(patches.labels == name))

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
        if {"n", "knn", "silhouette"} <= set(run.metrics):
            self.show_report(run.metrics)
        else:
            self.measure()

    def _on_failed(self, sentence: str) -> None:
        self.notes.setText(sentence)
        self.notes.show()

    def show_report(self, report: dict[str, Any]) -> None:
        """Show figures as :func:`napari_patchmap.quality.evaluate` gives them."""
        self.report = report
        knn, outline = report["knn"], report["silhouette"]
        self.knn.setVisible(knn is not None)
        self.silhouette.setVisible(outline is not None)
        if knn is not None:
            self.knn.show_figure(
                f"{100 * knn['accuracy']:.1f} %", f"on {knn['test_n']:,} held-out patches"
            )
        if outline is not None:
            self.silhouette.show_figure(
                f"{outline['mean']:.2f}", f"over {outline['n']:,} patches"
            )
        notes = list(report.get("notes", []))
        if knn is None and outline is None:
            notes.insert(0, f"{report['n']:,} patches on the map.")
        labels = None if self.workspace.patches is None else self.workspace.patches.labels
        if labels is None:
            notes.append(_WITHOUT)
        self.labels.setVisible(labels is None)
        self.again.setVisible(labels is not None)
        self.notes.setText(" ".join(notes))
        self.notes.setVisible(bool(notes))
        rows = _rows(knn, outline)
        order = label_order(labels) if labels is not None else []
        colours = dict(zip(order, categorical_colours(len(order)), strict=True))
        self.table.fill(rows, {k: QColor.fromRgbF(*c.tolist()) for k, c in colours.items()})
        self.heading.setVisible(bool(rows))
        self.table.setVisible(bool(rows))


def _rows(knn: Any, outline: Any) -> list[tuple[str, int, Any, int, Any]]:
    """Return label, patches, accuracy, patches it was measured on, silhouette of each label."""
    right = (knn or {}).get("per_class", {})
    tight = (outline or {}).get("per_class", {})
    return [
        (
            name,
            tight.get(name, {}).get("n", 0),
            right.get(name, {}).get("accuracy"),
            right.get(name, {}).get("n", 0),
            tight.get(name, {}).get("mean"),
        )
        for name in dict.fromkeys([*right, *tight])
    ]


class _Figure(QWidget):
    """One large number with its name, its sample size and an explanation."""

    def __init__(self, name: str, tip: str) -> None:
        super().__init__()
        self.value = label("", "figure")
        self.size = label("", "hint", wrap=True)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(0)
        rows.addWidget(label(name, "group"))
        rows.addWidget(self.value)
        rows.addWidget(self.size)
        rows.addStretch(1)
        self.setToolTip(tip)

    def show_figure(self, value: str, size: str) -> None:
        """Show the number and what it was computed on."""
        self.value.setText(value)
        self.size.setText(size)


class _Table(FiguresTable):
    """Figures of each label; a click on a heading sorts, one on a row selects on the map.

    Signals
    -------
    picked(str)
        The label of the row that was clicked.
    """

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__(
            {
                "Label": "",
                "n": "Patches with this label.",
                "15-NN": KNN_TIP,
                "Silhouette": SILHOUETTE_TIP,
            }
        )
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.cellClicked.connect(lambda i, _: self.picked.emit(self.item(i, 0).text()))

    def fill(
        self, rows: list[tuple[str, int, Any, int, Any]], colours: dict[str, QColor]
    ) -> None:
        """Show one row a label, the weakest first."""
        self.setSortingEnabled(False)
        self.setRowCount(len(rows))
        for i, (name, count, right, tested, tight) in enumerate(rows):
            first = QTableWidgetItem(name)
            first.setToolTip(f"{name}: click to select its patches on the map.")
            if name in colours:
                swatch = QPixmap(10, 10)
                swatch.fill(colours[name])
                first.setData(Qt.ItemDataRole.DecorationRole, swatch)
            self.setItem(i, 0, first)
            self.setItem(i, 1, Number(count, f"{count:,}"))
            accuracy = "–" if right is None else f"{100 * right:.0f} %"
            self.setItem(i, 2, Number(right, accuracy, f"On {tested:,} held-out patches."))
            self.setItem(i, 3, Number(tight, "–" if tight is None else f"{tight:.2f}"))
        self.setSortingEnabled(True)
        self.sortItems(2, Qt.SortOrder.AscendingOrder)
        self.fit_height()
