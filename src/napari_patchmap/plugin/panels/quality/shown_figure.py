"""A quality figure as it is shown: one large number, explained."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QWidget

from napari_patchmap.plugin.panels.figures_table import help_of
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.quality.baselines import baseline_text
from napari_patchmap.quality.figure import QualityFigure, capitalised


class ShownFigure(QWidget):
    """One large number with its name, what it was computed on and an explanation."""

    def __init__(self, figure: QualityFigure) -> None:
        super().__init__()
        self.figure = figure
        self.value = label("", "figure")
        self.size = label("", "hint", wrap=True)
        self.baselines = Sentence()
        self.where = button(
            "Show where", "link", "Colour the map by this figure of each patch."
        )
        self.where.setVisible(figure.each is not None)
        name = label(capitalised(figure.name), "group", wrap=True)
        where = row(self.where, 1)
        parts = (name, self.value, self.size, self.baselines, where)
        column(self, *parts, spacing=0).addStretch(1)
        self.setToolTip(help_of(figure))

    def show_report(self, report: dict[str, Any]) -> None:
        """Show the number and what it was computed on, or nothing if it is not known."""
        known = bool(report.get(self.figure.key))
        self.setVisible(known)
        if known:
            self.value.setText(self.figure.text(report))
            self.size.setText(self.figure.basis_of(report))

    def show_baselines(self, found: dict[str, Any]) -> None:
        """Show what the number would be of other things, as far as that is known."""
        text = baseline_text(found, self.figure)
        self.baselines.say(f"({text})" if text else "")
