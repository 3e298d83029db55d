"""The "Patches" gallery: the selected patches as pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtCore import Qt
from qtpy.QtGui import QGuiApplication, QImage
from qtpy.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSizePolicy,
    QSlider,
    QVBoxLayout,
    QWidget,
)

from napari_patchmap.errors import RunError
from napari_patchmap.explore.export import contact_sheet, random_sample
from napari_patchmap.explore.words import breakdown
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.keys import selection_keys
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.explore.thumbnail_view import ThumbnailView
from napari_patchmap.plugin.qt.saving import save_image, with_ending
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.thumbnails import to_image
from napari_patchmap.plugin.qt.work_bar import WorkBar
from napari_patchmap.plugin.workspace import real_viewer, workspace_of
from napari_patchmap.runs import save_embedding_csv

#: How many patches are shown, at random, when none is selected.
_SAMPLE = 300

#: A contact sheet beyond this many pictures is no longer a page to look at.
_MOST_ON_SHEET = 600


class Gallery(QWidget):
    """Thumbnails of the selected patches, or of a random few when none is."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__()
        viewer = real_viewer(viewer)
        self._map = MapLayer.of(viewer)
        self._workspace = workspace = workspace_of(viewer)
        self._header = QLabel()
        self._header.setTextFormat(Qt.TextFormat.RichText)
        # May be cut off, but must never make the dock wider.
        self._header.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.grid = ThumbnailView(viewer, self._map)
        self.thumbnail_size = QSlider(Qt.Orientation.Horizontal)
        self.thumbnail_size.setRange(24, 160)
        self.thumbnail_size.setValue(self.grid.painter.side)
        self.thumbnail_size.setFixedWidth(84)
        self.thumbnail_size.setToolTip("Size of the pictures: 24 to 160 pixels (normally 56)")
        self.save = self._save_button()
        self.reading = WorkBar()
        self.reading.setFixedWidth(140)
        self.reading.done.connect(self._on_sheet)
        self.reading.failed.connect(lambda sentence, _: workspace.say(sentence))
        self.reading.ended.connect(self._enable_saving)
        bar = QHBoxLayout()
        bar.addWidget(self._header, 1)
        bar.addWidget(self.thumbnail_size)
        bar.addLayout(self.reading.with_button())
        bar.addWidget(self.save)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.addLayout(bar)
        layout.addWidget(self.grid, 1)
        self.thumbnail_size.valueChanged.connect(self.grid.set_side)
        self.grid.looked_at.connect(workspace.set_current)
        self.grid.opened.connect(self._on_opened)
        subscribe(self, workspace.selection_changed, self._refresh)
        subscribe(self, workspace.map_changed, self._on_map)
        subscribe(self, workspace.current_changed, self.grid.follow)
        subscribe(self, self._map.colouring_changed, self._refresh)
        selection_keys(self, workspace)
        self._refresh()

    def _save_button(self) -> QPushButton:
        button, menu = QPushButton(), QMenu(self)
        button.setText("Save")
        button.setToolTip(
            "Save the selected patches as a table or as one picture; "
            "with nothing selected, all that is shown here"
        )
        button.setMenu(menu)
        menu.addAction("Save selection as CSV…", self._ask_csv)
        menu.addAction("Save contact sheet as PNG…", self._ask_sheet)
        menu.addAction("Copy contact sheet", self.copy_sheet)
        return button

    # -- what is shown ---------------------------------------------------------------

    def _refresh(self, *_: object) -> None:
        workspace, chosen = self._workspace, self._workspace.selection
        patches, colouring = workspace.patches, self._map.colouring
        self._has_map = workspace.embedding is not None
        self._enable_saving()
        if patches is None or colouring is None:
            self.grid.show_patches(np.empty(0, np.intp), -1)
            self._say("<b>No patches yet.</b> Load patches first; they will be shown here.")
            return
        total = len(patches)
        if len(chosen):
            self.grid.show_patches(chosen, workspace.current)
            words = breakdown(colouring, chosen)
            self._say(f"<b>{len(chosen):,} of {total:,} selected</b>&nbsp; {words}")
        else:
            shown = random_sample(total, _SAMPLE)
            self.grid.show_patches(shown, workspace.current)
            what = "All" if len(shown) == total else f"{len(shown)} random patches of the"
            how = "Click a point on the map, or hold Ctrl and draw around some."
            how = how if self._has_map else "Train a map to sort them by looks."
            self._say(f"<b>Nothing selected.</b> {how} {what} {total:,}:")

    def _say(self, text: str) -> None:
        self._header.setText(text)
        self._header.setToolTip(text)

    def _on_map(self, _: object) -> None:
        # The pictures stay the same while a map is training; only the first one is news.
        if not self._has_map:
            self._refresh()

    def _on_opened(self, index: int) -> None:
        self._map.show_patches(np.array([index]))

    # -- taking it elsewhere ---------------------------------------------------------

    def save_csv(self, path: str | Path) -> None:
        """Write the rows of what is shown, with their places on the map."""
        patches = self._workspace.patches
        assert patches is not None
        rows = np.sort(self.grid.patches.indices)
        embedding = self._workspace.embedding
        if embedding is None:  # no coordinates yet
            embedding = np.empty((len(patches), 0))
        try:
            path = with_ending(path, ".csv")
            save_embedding_csv(path, embedding, patches.table, rows)
        except RunError as error:
            self._workspace.say(str(error))
        else:
            self._workspace.say(f"Saved {len(rows):,} patches to {path}.")

    def save_sheet(self, path: str | Path) -> None:
        """Write what is shown as one picture, PNG if its name says nothing else."""
        self._make_sheet("Saving a contact sheet", lambda sheet: save_image(path, sheet))

    def copy_sheet(self) -> None:
        """Put what is shown on the clipboard as one picture."""
        self._make_sheet("Making a contact sheet", to_image)

    def _make_sheet(self, name: str, use: Callable[[np.ndarray], Any]) -> None:
        """Read what is shown, at most 600 patches, and use the sheet of them; all elsewhere."""
        patches, colouring = self._workspace.patches, self._map.colouring
        if patches is None or colouring is None or self.reading.running:
            return
        rows = self.grid.patches.indices
        if len(rows) > _MOST_ON_SHEET:
            rows = np.sort(rows[random_sample(len(rows), _MOST_ON_SHEET)])
        frames = colouring.colours[rows]

        def work(watch: Watch) -> Any:
            return use(contact_sheet(patches, rows, frames, watch=watch))

        self.reading.start(name, work)
        self._enable_saving()

    def _on_sheet(self, made: Path | QImage) -> None:
        if isinstance(made, QImage):
            QGuiApplication.clipboard().setImage(made)
            self._workspace.say("The contact sheet is on the clipboard.")
        else:
            self._workspace.say(f"Saved {made}.")

    def _enable_saving(self) -> None:
        there = self._workspace.patches is not None
        self.save.setEnabled(there and not self.reading.running)

    def _ask_csv(self) -> None:
        path, _ = QFileDialog.getSaveFileName(self, "Save selection", "selection.csv", "*.csv")
        if path:
            self.save_csv(path)

    def _ask_sheet(self) -> None:
        path, _ = QFileDialog.getSaveFileName(
            self, "Save contact sheet", "patches.png", "*.png"
        )
        if path:
            self.save_sheet(path)
