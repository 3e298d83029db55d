"""A question that is answered when somebody asks: a heading, and below it how to ask."""

from __future__ import annotations

from qtpy.QtWidgets import QLayout, QWidget

from napari_patchmap.plugin.qt.basics import column
from napari_patchmap.plugin.qt.form import Fold


class Question(Fold):
    """A heading that unfolds to its parts; folded as long as nobody has asked."""

    def __init__(self, title: str, parent: QWidget, *parts: QWidget | QLayout) -> None:
        super().__init__(title, "question")
        self.button.setToolTip("Show or hide how this is found out, and what was found.")
        column(self.body, *parts)
        column(parent, self)
