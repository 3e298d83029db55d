"""A sheet of patches that shows what a set holds at a glance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from qtpy.QtCore import QEvent, QRect, Qt
from qtpy.QtGui import QColor, QPainter
from qtpy.QtWidgets import QToolTip

from napari_patchmap.explore.words import details
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.picture_grid import PictureGrid
from napari_patchmap.plugin.qt.theme import label_colours

#: How many patches are shown, in how many columns.
SHEET, COLUMNS = 48, 8

#: Longer side of a picture in pixels: sharp on a screen with two pixels for one.
_SIDE = 84


def spread_indices(
    labels: np.ndarray | None, count: int, most: int, rng: np.random.Generator
) -> np.ndarray:
    """Choose ``most`` of ``count`` patches from all over a set, each label in turn.

    Those of a label are chosen at random; they are sorted by label, then by index.
    """
    # One from each of as many parts of the set: what lies at its end is seen, too.
    edges = np.linspace(0, count, min(count, 64 * most) + 1).astype(np.int64)
    some = edges[:-1] + (rng.random(len(edges) - 1) * np.diff(edges)).astype(np.int64)
    if labels is None:
        return np.sort(rng.choice(some, min(most, count), replace=False))
    names, first = np.unique(labels, return_index=True)
    some = np.unique(np.concatenate([some, first]))  # rare labels, too
    some = rng.permutation(some)
    codes = np.searchsorted(names, labels[some])
    turn = pd.Series(codes).groupby(codes).cumcount()
    taken = np.argsort(turn.to_numpy(), kind="stable")[:most]
    taken = taken[np.lexsort((some[taken], codes[taken]))]
    return np.asarray(some[taken])


class ContactSheet(PictureGrid):
    """Patches from all over the set, read in the background; each tells where it is from."""

    def __init__(self) -> None:
        super().__init__(columns=COLUMNS)
        self._patches: PatchSet | None = None
        self._colours: dict[str, QColor] = {}
        self._rng = np.random.default_rng(0)
        self.indices = np.empty(0, np.int64)
        self._newest = Newest(self, "Reading a few patches", self._on_read)
        self.setMouseTracking(True)

    @property
    def busy(self) -> bool:
        """Whether patches are being read."""
        return self._newest.busy

    def show_patches(self, patches: PatchSet | None) -> None:
        """Show a set; nothing of it until it has been read."""
        self._patches, self.indices = patches, np.empty(0, np.int64)
        self.show_pictures([])
        if patches is None:
            self._newest.forget()
            return
        self._colours = label_colours(patches)
        self.draw_others()

    def draw_others(self) -> None:
        """Choose other patches of the set."""
        patches, seed = self._patches, int(self._rng.integers(2**31))
        if patches is not None:
            self._newest.ask(lambda watch: _read(patches, seed, watch))

    def _on_read(self, found: tuple[PatchSet, np.ndarray, list[np.ndarray]] | None) -> None:
        if found is not None and found[0] is self._patches:
            self.indices = found[1]
            self.show_pictures(found[2])

    def patch_at(self, point: Any) -> int:
        """Return the patch that is shown at a place, -1 for none."""
        for place, index in enumerate(self.indices.tolist()):
            if self.cell(place).contains(point):
                return int(index)
        return -1

    def event(self, event: Any) -> bool:
        """Say of the patch under the mouse what the table knows of it."""
        if event.type() == QEvent.Type.ToolTip and self._patches is not None:
            index = self.patch_at(event.pos())
            if index >= 0:
                QToolTip.showText(event.globalPos(), details(self._patches.table, index), self)
                return True
        return bool(super().event(event))

    def paintEvent(self, event: Any) -> None:
        """Paint the patches, below each a line in the colour of its label."""
        super().paintEvent(event)
        labels = None if self._patches is None else self._patches.labels
        if labels is None:
            return
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        for place, index in enumerate(self.indices.tolist()):
            colour, cell = self._colours.get(labels[index]), self.cell(place)
            if colour is not None:
                painter.fillRect(QRect(cell.left(), cell.bottom(), cell.width(), 2), colour)
        painter.end()


def _read(
    patches: PatchSet, seed: int, watch: Watch
) -> tuple[PatchSet, np.ndarray, list[np.ndarray]] | None:
    rng = np.random.default_rng(seed)
    indices = spread_indices(patches.labels, len(patches), SHEET, rng)
    pictures = []
    for index in indices.tolist():
        if watch.stops:
            return None
        pictures.append(patches.thumbnail(index, _SIDE))
    return patches, indices, pictures
