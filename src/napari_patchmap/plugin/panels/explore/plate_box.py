"""The plate that patches come from: what its wells are coloured by, and the wells."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.plate_wells import (
    NUMBER,
    Wells,
    figures_of,
    usual_figure,
    well_figure,
    wells_of,
)
from napari_patchmap.explore.selection import How
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.plate_picture import PlatePicture
from napari_patchmap.plugin.qt.basics import choice, column, label, row
from napari_patchmap.plugin.qt.fold import Fold
from napari_patchmap.plugin.qt.subscribe import subscribe


class PlateBox(QWidget):
    """Shown where the table says which well each patch is of; goes with map and selection."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self.workspace = owner, owner.workspace
        self._of: PatchSet | None = None
        self.wells: Wells | None = None
        self.plate = choice("Which plate is shown.")
        self.plate.setAccessibleName("Plate")
        self.figure = choice(
            "What colours the wells: how many patches they hold, the share of a group, or the "
            "mean of a number. Groups and numbers are those of Colour by, above."
        )
        self.figure.setAccessibleName("Wells show")
        self.picture = PlatePicture(owner.viewer)
        self.fold = Fold("Plate")
        self._plates = QWidget()
        column(self._plates, row(label("Plate"), self.plate))
        shown = row(label("Wells show"), self.figure)
        column(self.fold.body, self._plates, shown, self.picture, spacing=4)
        column(self, self.fold)
        self.plate.activated.connect(self._refresh)
        self.figure.activated.connect(self._refresh)
        self.picture.picked.connect(self._on_picked)
        self.fold.toggled.connect(self._refresh)
        subscribe(self, owner.colouring_changed, self._on_colouring)
        subscribe(self, self.workspace.selection_changed, self._show_selected)
        self._on_colouring(owner.colouring)

    # -- what is shown ------------------------------------------------------------------

    def _on_colouring(self, colouring: Colouring | None) -> None:
        """List what this colouring offers; stay with what was chosen where it does."""
        self._look_for_wells()
        if self.wells is None or colouring is None:
            return
        before, listed = self.figure.currentData(), [*figures_of(colouring)]
        self.figure.clear()
        for title in listed:
            self.figure.addItem(title, title)
        stays = before in listed and before != NUMBER
        chosen = before if stays else usual_figure(colouring)
        self.figure.setCurrentIndex(listed.index(chosen))
        self._refresh()

    def _look_for_wells(self) -> None:
        patches = self.workspace.patches
        if patches is self._of:
            return
        self._of = patches
        self.wells = None if patches is None else wells_of(patches.table)
        self.setVisible(self.wells is not None)
        self.fold.open(self.wells is not None)
        self.plate.clear()
        if self.wells is not None:
            self.plate.addItems([name or "no name" for name in self.wells.plates])
            self._plates.setVisible(len(self.wells.plates) > 1)

    def _refresh(self, *_: Any) -> None:
        patches, colouring = self.workspace.patches, self._map.colouring
        if self.wells is None or colouring is None or patches is None:
            return
        if patches is not self._of or len(colouring.colours) != len(patches):
            return  # the colours of others, for a moment
        if self.fold.button.isChecked():
            plate, title = (
                max(0, self.plate.currentIndex()),
                self.figure.currentData() or NUMBER,
            )
            table = self.workspace.table
            self.picture.show_figure(well_figure(self.wells, plate, title, colouring, table))
            self._show_selected()

    def _show_selected(self, *_: Any) -> None:
        if self.wells is not None and self.workspace.patches is self._of:
            plate = max(0, self.plate.currentIndex())
            chosen: np.ndarray = self.workspace.selection
            self.picture.show_selected(self.wells.counted(plate, chosen))

    # -- what people do -----------------------------------------------------------------

    def _on_picked(self, row: int, column: int, how: How) -> None:
        if self.wells is not None:
            rows = self.wells.inside(max(0, self.plate.currentIndex()), row, column)
            self.workspace.select(self._map.visible(rows), how)
