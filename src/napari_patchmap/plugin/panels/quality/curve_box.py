"""How many labels are enough? Shown as curves that grow."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtWidgets import QWidget

from napari_patchmap.plugin.panels.quality.asked_box import AskedBox
from napari_patchmap.plugin.panels.quality.curve_plot import CurvePlot
from napari_patchmap.plugin.qt.basics import button, label
from napari_patchmap.quality import Evaluation
from napari_patchmap.quality.curve_words import curve_said
from napari_patchmap.quality.label_curve import PUBLISHED


class CurveBox(AskedBox):
    """Shows how good classifiers of the features are as curves."""

    def beside(self) -> Sequence[QWidget]:
        """Return the button that sets what was published."""
        self.published = button(
            "As published",
            "link",
            "<qt>Set what Nielsen et al. 2023 did: 100 draws, normal features, PCA, a linear "
            "layer that is stopped early.</qt>",
        )
        self.published.clicked.connect(lambda: self.form.set_config(PUBLISHED))
        return (self.published,)

    def add_parts(self) -> None:
        """Add the curves, and their names."""
        self.plot = CurvePlot(self.viewer)
        self.legend = label("", "hint", wrap=True)
        self.parts.addWidget(self.plot)
        self.parts.addWidget(self.legend)

    def lines_of(self, found: Evaluation) -> Sequence[str]:
        """Say it in a sentence; the curves show the rest."""
        return [curve_said(found.report[self.check.key])]

    def show_found(self, found: Evaluation | None) -> None:
        """Show the curves as far as they are known."""
        super().show_found(found)
        self.plot.show_curves(self.entry)
        self.legend.setText(self.plot.legend())
