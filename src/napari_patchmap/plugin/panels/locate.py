"""Says which images of a run are missing, and looks for them where the person says."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_patchmap.patches import Kind, PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.panels.open_layers import open_layers
from napari_patchmap.plugin.qt.basics import button, column, row
from napari_patchmap.plugin.qt.dropped import dropped_paths
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Message
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, reopen_patches, say_missing


class LocateImages(QWidget):
    """One sentence and the way to the images; hidden while none is missing."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = real_viewer(viewer)
        self._workspace = workspace_of(self.viewer)
        self.message = Message()
        self.button = button(
            "Locate images…",
            "",
            "<qt>Say where the images are now: in a folder or file of another name or "
            "place. They are known by their content, and the run remembers where they "
            "were.</qt>",
        )
        self.other = button(
            "",
            "link",
            "<qt>Whatever is at hand: one of the images tells where the others are, so does "
            "a folder above them. You can also drop it here.</qt>",
        )
        self.link = button(
            "Link open layers",
            "",
            "<qt>Look for the images in the layers that are open in this viewer, whatever "
            "they are called.</qt>",
        )
        answer = QWidget()
        answer.setProperty("role", "answer")
        answer.setLayout(row(self.button, self.link, self.other, 1))
        self.message.below.addWidget(answer)
        column(self, self.message)
        self._finder = Newest(
            self, "Looking for the images of a run", self._on_found, self._on_failed
        )
        self.button.clicked.connect(lambda: self._ask(self._in_a_file))
        self.other.clicked.connect(lambda: self._ask(not self._in_a_file))
        self.setAcceptDrops(True)
        self.link.clicked.connect(lambda: self.locate(None))
        subscribe(self, self._workspace.patches_changed, self._show)
        subscribe(self, self._workspace.run_changed, self._show)
        self._show()

    def locate(self, where: str | Path | None) -> None:
        """Look for what is missing in a folder or file, or in the open layers."""
        run, patches = self._workspace.run, self._workspace.patches
        if run is None or patches is None:
            return
        if self._workspace.training:
            self._say("A map is being trained; wait for it, or cancel it.", "error")
            return
        layers = open_layers(self.viewer)
        self._set_busy(True)
        self._say("Looking for the images…")

        def work(watch: Watch) -> tuple[Run, PatchSet, PatchSet, str]:
            found = reopen_patches(run, where=where, layers=layers, watch=watch)
            return run, patches, found, "" if where is None else os.fspath(where)

        self._finder.ask(work)

    def _on_found(self, found: tuple[Run, PatchSet, PatchSet, str]) -> None:
        run, before, patches, where = found
        self._set_busy(False)
        workspace = self._workspace
        if workspace.run is not run or workspace.patches is not before or workspace.training:
            self._show()
            return
        if len(patches.missing) >= len(before.missing):
            self._on_failed(f"None of the missing images is in {where or 'the open layers'}.")
            return
        unfinished, compared = workspace.unfinished, workspace.compared
        kept = MapLayer.of(self.viewer).session
        session = kept.note()
        workspace.set_patches(patches)
        workspace.set_run(run)
        # The rows are the same as before.
        workspace.set_unfinished(unfinished)
        workspace.set_compared(compared)
        kept.restore(replace(session, view="map"))

    def _on_failed(self, sentence: str) -> None:
        self._set_busy(False)
        self._say(sentence, "error")

    def _show(self, _: Any = None) -> None:
        run, patches = self._workspace.run, self._workspace.patches
        sentence = "" if run is None or patches is None else say_missing(patches)
        self._say(sentence, "note")
        self.setVisible(bool(sentence))
        self.other.setText("by their folder…" if self._in_a_file else "by one of them…")
        if patches is not None:
            self.link.setVisible("layer" in patches.origin)

    def _say(self, sentence: str, level: str = "info") -> None:
        self.message.say(sentence, level)

    def _set_busy(self, busy: bool) -> None:
        self.button.setEnabled(not busy)
        self.link.setEnabled(not busy)

    @property
    def _in_a_file(self) -> bool:
        """Whether the images were in one file, not in a folder."""
        patches = self._workspace.patches
        origin = {} if patches is None else patches.origin
        kind = origin.get("kind")
        named_so = Path(str(origin.get("path") or "")).suffix.lower() not in ("", ".zarr")
        return kind == Kind.LAYER or (kind not in (None, Kind.FOLDER) and named_so)

    def _ask(self, a_file: bool) -> None:
        patches = self._workspace.patches
        if patches is None:
            return
        before = str(patches.origin.get("path") or "")
        start = next(
            (str(one) for one in Path(before).parents if before and one.is_dir()),
            str(Path.home()),
        )
        if a_file:
            path, _ = QFileDialog.getOpenFileName(self, "Locate the images", start)
        else:
            path = QFileDialog.getExistingDirectory(self, "Locate the images", start)
        if path:
            self.locate(path)

    def dragEnterEvent(self, event: Any) -> None:
        """Take a file or a folder."""
        if event.mimeData().hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        """Look for the images where the person points."""
        for path in dropped_paths(event)[:1]:
            self.locate(str(path))
