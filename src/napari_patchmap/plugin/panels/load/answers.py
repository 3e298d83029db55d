"""Answers to what loading may ask: sizes, axes, an array, how an image is cut."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QPushButton, QWidget

from napari_patchmap.errors import (
    MixedSizesError,
    SingleImageError,
    UnclearArrayError,
    UnclearAxesError,
)
from napari_patchmap.plugin.qt.basics import button, row

#: How images of different sizes can be brought to one, for the tooltips.
_SIZES = {
    "resize": "Shrink or enlarge every image to the most frequent size; nothing is cut.",
    "crop": "Cut out the middle at the most frequent size; the scale stays true.",
    "pad": "Put smaller images on their mean border colour; larger ones are shrunk to fit.",
}


#: How patches are cut out of an image: for the buttons, and for their tooltips.
_CUT_WORDS = {"tiles": "Cut into tiles", "objects": "Cut out objects…"}
_CUTS = {
    "tiles": "Cut the images into tiles of one size, as slides are.",
    "objects": "Choose the labels of the cells (a label image, Cellpose, QuPath or ImageJ); "
    "one patch is cut out around each.",
}


class Answers(QWidget):
    """Buttons below a question, one for each answer; hidden while nothing is asked.

    Attributes
    ----------
    buttons : dict of str to QPushButton
        The answers to what is asked now.

    Signals
    -------
    sizes_chosen(str)
        A way to bring sizes together.
    axes_chosen(str)
        The axes of a stack.
    key_chosen(str)
        The array of a file that holds the images.
    cut_chosen(str)
        How patches are cut out of an image: "tiles" or "objects".
    """

    sizes_chosen = Signal(str)
    axes_chosen = Signal(str)
    key_chosen = Signal(str)
    cut_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setProperty("role", "answer")
        self.buttons: dict[str, QPushButton] = {}
        self._row = row()
        self._row.addStretch(1)
        self.setLayout(self._row)
        self.hide()

    def ask(self, error: Exception | None) -> bool:
        """Offer the answers to an error that is a question; return whether it is one."""
        text: Callable[[str], str]
        if isinstance(error, MixedSizesError):
            tips, chosen, text = _SIZES, self.sizes_chosen, str.capitalize
        elif isinstance(error, UnclearAxesError):
            tips = {axes: f"Read the stack with the axes {axes}." for axes in error.readings}
            chosen, text = self.axes_chosen, str
        elif isinstance(error, UnclearArrayError):
            tips = {key: f"Take {key} as the images." for key in error.keys}
            chosen, text = self.key_chosen, str
        elif isinstance(error, SingleImageError):
            chosen = self.cut_chosen
            tips = {way: _CUTS[way] for way in error.ways}
            text = _CUT_WORDS.__getitem__
        else:
            return False
        self._show(tips, chosen, text)
        return True

    def offer_cuts(self, ways: Sequence[str]) -> None:
        """Offer to cut patches out of images, in some of the ways there are."""
        cuts = {way: _CUTS[way] for way in ways}
        self._show(cuts, self.cut_chosen, _CUT_WORDS.__getitem__)

    def _show(self, tips: Mapping[str, str], chosen: Any, text: Callable[[str], str]) -> None:
        for old in self.buttons.values():
            old.setParent(None)
            old.deleteLater()
        self.buttons = {key: button(text(key), "", tip) for key, tip in tips.items()}
        for place, (key, answer) in enumerate(self.buttons.items()):
            answer.clicked.connect(lambda _=False, key=key: chosen.emit(key))
            self._row.insertWidget(place, answer)
        self.setVisible(bool(self.buttons))
