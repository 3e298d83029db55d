"""How well can a column be predicted from the map, and from the features?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QDoubleSpinBox, QHeaderView, QSpinBox, QTableWidgetItem

from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.panels.figures_table import FiguresTable, Number
from napari_patchmap.plugin.panels.quality.growing import GrowingAnswer
from napari_patchmap.plugin.panels.quality.question import Question
from napari_patchmap.plugin.qt.basics import button, choice, label, row
from napari_patchmap.quality.figure import GrowingWatch
from napari_patchmap.quality.prediction import PredictionConfig
from napari_patchmap.quality.prediction_words import (
    WAYS,
    prediction_basis,
    prediction_said,
    prediction_table,
)
from napari_patchmap.quality.splits import SplitConfig

if TYPE_CHECKING:
    from napari_patchmap.runs import Run

#: Where no column is kept apart.
_NOTHING = "nothing"


class PredictionPanel(GrowingAnswer):
    """Holds patches out, predicts them from the others, and shows how often that is right."""

    key = "prediction"

    def __init__(self, viewer: Viewer) -> None:
        begin = button(
            "Test",
            "",
            "<qt>Hold patches out and predict their values from the others: by neighbours on "
            "the map, by neighbours among the features, and by linear models of the features. "
            "In the background.</qt>",
        )
        super().__init__(viewer, begin)
        self.target = choice(
            "<qt>What is predicted: labels or any column. Quantities, such as an area, are "
            "predicted as numbers.</qt>"
        )
        self.target.setAccessibleName("Column that is predicted")
        self.apart = choice(
            "<qt>Patches that share a value of this column (patient, slide) are never on both "
            "sides. Without it a patient who is recognised again counts as a cell that is "
            "known.</qt>"
        )
        self.apart.setAccessibleName("Column that is kept apart")
        usual = PredictionConfig()
        self.k = QSpinBox()
        self.k.setRange(1, 200)
        self.k.setValue(usual.k)
        self.k.setSuffix(" neighbours")
        self.k.setToolTip("How many nearest patches vote.")
        self.share = QDoubleSpinBox()
        self.share.setRange(1, 90)
        self.share.setDecimals(0)
        self.share.setValue(100 * usual.split.share)
        self.share.setSuffix(" % held out")
        self.share.setToolTip("Share of the patches that is held out each time.")
        self.repeats = QSpinBox()
        self.repeats.setRange(1, 100)
        self.repeats.setValue(usual.split.repeats)
        self.repeats.setSuffix(" times")
        self.repeats.setToolTip("How often patches are held out; each time others.")
        self.table = _Scores()
        self.basis = label("", "hint", wrap=True)
        self.question = Question(
            "What can be predicted?",
            self,
            self.target,
            row(label("Keep apart", tip=self.apart.toolTip()), self.apart),
            row(self.k, self.share),
            row(self.repeats, self.begin, 1),
            self.work.with_button("Stop; what is known so far stays."),
            self.said,
            self.table,
            self.basis,
        )
        self.watch_workspace()

    def take_up(self, run: Run | None, patches: PatchSet | None) -> bool:
        """Offer the columns of the patches."""
        names = [] if run is None or patches is None else look_at_first(patches).columns
        chosen = self.target.currentText(), self.apart.currentText()
        self.target.clear()
        self.target.addItems(list(names))
        self.apart.clear()
        self.apart.addItems([_NOTHING, *(name for name in names if name != "label")])
        for box, text in zip((self.target, self.apart), chosen, strict=True):
            box.setCurrentIndex(max(0, box.findText(text)))
        return bool(names)

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[GrowingWatch], object]:
        """Read the settings; return what predicts the column."""
        from napari_patchmap.runs.column_check import predict_column

        apart = self.apart.currentText() if self.apart.currentIndex() > 0 else ""
        config = PredictionConfig(
            self.target.currentText(),
            apart,
            self.k.value(),
            SplitConfig(self.share.value() / 100, self.repeats.value()),
        )
        return lambda look: predict_column(run, patches.table, config, look)

    def show_found(self, found: dict[str, Any]) -> None:
        """Show what :func:`napari_patchmap.quality.prediction.predict` found."""
        self.said.setText(prediction_said(found) if found else "")
        self.basis.setText(
            ". ".join([prediction_basis(found), *found["left_out"]]) if found else ""
        )
        if found:
            self.table.fill(prediction_table(found, short=True))
        for part in (self.said, self.table, self.basis):
            part.setVisible(bool(found))


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
