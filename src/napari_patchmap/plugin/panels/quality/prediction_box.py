"""How well can a column be predicted from the map, and from the features?"""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QHeaderView, QTableWidgetItem

from napari_patchmap.plugin.panels.figures_table import FiguresTable, Number
from napari_patchmap.plugin.panels.quality.asked_box import AskedBox
from napari_patchmap.plugin.qt.basics import label
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.prediction_words import (
    WAYS,
    prediction_basis,
    prediction_said,
    prediction_table,
)


class PredictionBox(AskedBox):
    """Shows how often held-out patches are predicted right, as a table."""

    def add_parts(self) -> None:
        """Add the table, and what it is of."""
        self.table = _Scores()
        self.basis = label("", "hint", wrap=True)
        self.parts.addWidget(self.table)
        self.parts.addWidget(self.basis)

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say it in a sentence; the table shows the rest."""
        return [prediction_said(found.report[self.check.key])]

    def show_found(self, found: Evaluation | None) -> None:
        """Show the table as far as it is known."""
        super().show_found(found)
        if entry := self.entry:
            self.table.fill(prediction_table(entry, short=True))
            self.basis.setText(". ".join([prediction_basis(entry), *entry["left_out"]]))


class _Scores(FiguresTable):
    """Ways to predict a column, and their scores."""

    def __init__(self) -> None:
        super().__init__({"predicted by": f"<qt>{WAYS}</qt>"})
        self.setToolTip(
            "<qt>Mean and standard deviation over the times that patches were held out. "
            f"{WAYS}</qt>"
        )

    def fill(self, table: dict[str, list[str]]) -> None:
        """Show a table, by its headings."""
        self.setColumnCount(len(table))
        self.setHorizontalHeaderLabels(list(table))
        for place, cells in enumerate(table.values()):
            if place:
                fitting = QHeaderView.ResizeMode.ResizeToContents
                self.horizontalHeader().setSectionResizeMode(place, fitting)
            self.setRowCount(len(cells))
            for i, text in enumerate(cells):
                number = Number(float(i), text) if place else QTableWidgetItem(text)
                number.setToolTip(text)
                self.setItem(i, place, number)
        self.fit_height()
