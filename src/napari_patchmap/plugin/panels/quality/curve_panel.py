"""How many labels are enough? Found out in the background, shown as it grows."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QCheckBox, QSpinBox

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.panels.quality.curve_plot import CurvePlot
from napari_patchmap.plugin.panels.quality.growing import GrowingAnswer
from napari_patchmap.plugin.panels.quality.question import Question
from napari_patchmap.plugin.qt.basics import button, label, row
from napari_patchmap.quality.figure import GrowingWatch
from napari_patchmap.quality.label_curve import (
    AS_PUBLISHED,
    PUBLISHED,
    USUAL,
    CurveConfig,
    curve_said,
    label_curve,
)

if TYPE_CHECKING:
    from napari_patchmap.runs import Run


class CurvePanel(GrowingAnswer):
    """Draws labels again and again, and shows how good classifiers of the features are."""

    key = "label_curve"

    def __init__(self, viewer: Viewer) -> None:
        begin = button(
            "Find out",
            "",
            "<qt>Train four classifiers on the features with 1 to 1,000 labels of each class, "
            "and test them on patches that were held out. In the background.</qt>",
        )
        super().__init__(viewer, begin)
        self.repeats = QSpinBox()
        self.repeats.setRange(1, 1000)
        self.repeats.setValue(CurveConfig().repeats)
        self.repeats.setSuffix(" draws")
        self.repeats.setToolTip(
            "<qt>How often labels are drawn at random; the more, the surer. Published: 100."
            "</qt>"
        )
        self.power = QCheckBox("normal")
        self.power.setToolTip(
            "<qt>Make each feature as normal as it can be (Yeo-Johnson) before labels are "
            "learned, as published; otherwise features are only centred and scaled.</qt>"
        )
        self.pca = QCheckBox("PCA")
        self.pca.setToolTip(
            "<qt>Turn features to their principal components, as published.</qt>"
        )
        self.stopped = QCheckBox("early stop")
        self.stopped.setToolTip(
            "<qt>Train the linear layer as published: slowly, and until labels that it does "
            "not learn (30 % of those of each class) are told no better; so it tells less from "
            "few labels. Otherwise it is quickly trained on all.</qt>"
        )
        self.published = button(
            "As published",
            "link",
            "<qt>Set what Nielsen et al. 2023 did: 100 draws, normal features, PCA, "
            "a linear layer that is stopped early.</qt>",
        )
        self._choose(CurveConfig())
        self.plot = CurvePlot(viewer)
        self.legend = label("", "hint", wrap=True)
        self.question = Question(
            "How many labels are enough?",
            self,
            row(self.repeats, self.power, self.pca, self.stopped, 1),
            row(self.begin, self.published, 1),
            self.work.with_button("Stop; what is known so far stays."),
            self.plot,
            self.legend,
            self.said,
        )
        self.published.clicked.connect(lambda: self._choose(PUBLISHED))
        self.watch_workspace()

    def _choose(self, config: CurveConfig) -> None:
        self.repeats.setValue(config.repeats)
        self.power.setChecked(config.power)
        self.pca.setChecked(config.pca)
        self.stopped.setChecked(config.classifiers == AS_PUBLISHED)

    def take_up(self, run: Run | None, patches: PatchSet | None) -> bool:
        """Whether there are features and labels."""
        featured = run is not None and run.dimensions > 0
        return featured and patches is not None and patches.labels is not None

    def prepare(self, run: Run, patches: PatchSet) -> Callable[[GrowingWatch], object]:
        """Read the settings; return what draws the curves."""
        labels = patches.labels
        assert labels is not None
        config = CurveConfig(
            repeats=self.repeats.value(),
            power=self.power.isChecked(),
            pca=self.pca.isChecked(),
            classifiers=AS_PUBLISHED if self.stopped.isChecked() else USUAL,
        )
        return lambda look: label_curve(run.features, labels, config, look)

    def show_found(self, found: dict[str, Any]) -> None:
        """Show curves as :func:`napari_patchmap.quality.label_curve.label_curve` gives them."""
        self.plot.show_curves(found)
        self.legend.setText(self.plot.legend())
        self.said.setText(curve_said(found) if found else "")
        for part in (self.plot, self.legend, self.said):
            part.setVisible(bool(found))
