"""Taking what the gallery shows elsewhere: a table, a picture, names on the clipboard."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtGui import QGuiApplication, QImage
from qtpy.QtWidgets import QFileDialog, QMenu, QPushButton

from napari_patchmap.errors import RunError
from napari_patchmap.explore.export import contact_sheet, random_sample
from napari_patchmap.explore.file_names import file_names
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.actions import ACTIONS
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.patch_cells import PatchModel
from napari_patchmap.plugin.qt.saving import save_image, with_ending
from napari_patchmap.plugin.qt.thumbnails import to_image
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.runs import save_embedding_csv

#: A contact sheet beyond this many pictures is no longer a page to look at.
_MOST_ON_SHEET = 600


class SaveShown(QPushButton):
    """The button "Save": what is selected, or else what is shown, in the order shown.

    Parameters
    ----------
    owner : MapLayer
    shown : PatchModel
        The patches that are shown.

    Attributes
    ----------
    reading : WorkBar
        Shows how far a contact sheet is.
    """

    def __init__(self, owner: MapLayer, shown: PatchModel) -> None:
        super().__init__("Save")
        self._map, self._workspace, self._shown = owner, owner.workspace, shown
        self.reading = WorkBar()
        self.reading.setFixedWidth(140)
        self.reading.done.connect(self._on_sheet)
        self.reading.failed.connect(lambda sentence, _: self._workspace.say(sentence))
        self.reading.ended.connect(self.refresh)
        self.setToolTip(
            "Save the selected patches as a table or as one picture; "
            "with nothing selected, all that is shown here"
        )
        menu = QMenu(self)
        menu.addAction(f"Save selection as CSV…\t{ACTIONS['save'].shown}", self.ask_csv)
        menu.addAction("Save contact sheet as PNG…", self._ask_sheet)
        menu.addAction("Copy contact sheet", self.copy_sheet)
        menu.addAction(f"Copy file names\t{ACTIONS['copy'].shown}", self.copy_names)
        self.setMenu(menu)

    def refresh(self) -> None:
        """Let it be pressed while there are patches; one sheet is made at a time."""
        there = self._workspace.patches is not None
        self.setEnabled(there and not self.reading.running)

    def _meant(self) -> np.ndarray:
        shown, chosen = self._shown.indices, self._workspace.selection
        if not len(chosen):
            return shown
        here = shown[np.isin(shown, chosen)]
        return np.concatenate([here, np.setdiff1d(chosen, here)])

    # -- names -----------------------------------------------------------------------

    def copy_names(self) -> None:
        """Put where the patches are from on the clipboard."""
        self.copy_names_of(self._meant())

    def copy_names_of(self, indices: np.ndarray) -> None:
        """Put where some patches are from on the clipboard."""
        patches = self._workspace.patches
        if patches is not None:
            lines = file_names(patches.table, indices)
            QGuiApplication.clipboard().setText("\n".join(lines))
            names = "1 file name is" if len(lines) == 1 else f"{len(lines):,} file names are"
            self._workspace.say(f"{names} on the clipboard.")

    # -- a table ---------------------------------------------------------------------

    def ask_csv(self) -> bool:
        """Ask for a file and write the table; False for no patches."""
        if self._workspace.patches is None:
            return False
        path, _ = QFileDialog.getSaveFileName(self, "Save selection", "selection.csv", "*.csv")
        if path:
            self.save_csv(path)
        return True

    def save_csv(self, path: str | Path) -> None:
        """Write the rows of the patches, with their places on the map."""
        patches = self._workspace.patches
        assert patches is not None
        rows = np.sort(self._meant())
        embedding = self._workspace.embedding
        if embedding is None:  # no coordinates yet
            embedding = np.empty((len(patches), 0))
        try:
            path = with_ending(path, ".csv")
            save_embedding_csv(path, embedding, self._workspace.table, rows)
        except RunError as error:
            self._workspace.say(str(error))
        else:
            self._workspace.say(f"Saved {len(rows):,} patches to {path}.")

    # -- a picture -------------------------------------------------------------------

    def _ask_sheet(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save contact sheet", "patches.png", "*.png"
        )
        if path:
            self.save_sheet(path)

    def save_sheet(self, path: str | Path) -> None:
        """Write the patches as one picture, PNG if its name says nothing else."""
        self._make_sheet("Saving a contact sheet", lambda sheet: save_image(path, sheet))

    def copy_sheet(self) -> None:
        """Put the patches on the clipboard as one picture."""
        self._make_sheet("Making a contact sheet", to_image)

    def _make_sheet(self, name: str, use: Callable[[np.ndarray], Any]) -> None:
        """Read the patches, at most 600, and use the sheet of them; all elsewhere."""
        patches, colouring = self._workspace.patches, self._map.colouring
        if patches is None or colouring is None or self.reading.running:
            return
        rows = self._meant()
        if len(rows) > _MOST_ON_SHEET:
            rows = np.sort(rows[random_sample(len(rows), _MOST_ON_SHEET)])
        frames, lens = colouring.colours[rows], self._map.seeing.lens()

        def work(watch: Watch) -> Any:
            return use(contact_sheet(patches, rows, frames, watch=watch, picture=lens))

        self.reading.start(name, work)
        self.refresh()

    def _on_sheet(self, made: Path | QImage) -> None:
        if isinstance(made, QImage):
            QGuiApplication.clipboard().setImage(made)
            self._workspace.say("The contact sheet is on the clipboard.")
        else:
            self._workspace.say(f"Saved {made}.")
