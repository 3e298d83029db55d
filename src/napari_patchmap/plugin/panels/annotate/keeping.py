"""Annotations from a file of a person's, and where they are kept now."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.annotation_keeper import AnnotationKeeper
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import button, column
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.runs.annotation_files import save_annotations
from napari_patchmap.runs.annotation_place import ANNOTATIONS, AnnotationPlace
from napari_patchmap.runs.class_table import ClassTable, read_classes, with_names
from napari_patchmap.runs.identity import identify, places_of


class Keeping(QWidget):
    """Takes classes in from a table, says where annotations are kept, and writes a copy."""

    def __init__(self, keeper: AnnotationKeeper) -> None:
        super().__init__()
        self._keeper, self.workspace = keeper, keeper.workspace
        self.said, self.kept = Sentence(), Sentence()
        self.copy = button(
            "Save a copy in another folder…",
            "",
            "Write the annotations into a folder of your choice; Import takes them in again.",
        )
        self.copy.clicked.connect(self._ask_folder)
        column(self, self.said, self.kept, self.copy, spacing=4)
        self._reader = Newest(self, "Importing classes", self._on_read, self._say_error)
        self._saver = Newest(self, "Saving annotations", self._on_saved, self._say_error)
        subscribe(self, self.workspace.patches_changed, self._forget)

    def refresh(self) -> None:
        """Say where annotations are kept, or why they are not."""
        keeper, empty = self._keeper, self.workspace.annotations.empty
        trouble, folder = keeper.trouble, keeper.folder
        if trouble:
            said = trouble
        elif folder is None or empty:
            said = ""
        elif keeper.pending:
            said = "saving…"
        else:
            own = self.workspace.run is not None and self.workspace.run.folder == folder
            said = "Saved in the folder of the run" if own else "Saved on this computer"
        self.kept.say(said, "error" if trouble else "hint")
        self.kept.setToolTip("" if folder is None else str(folder))
        self.copy.setVisible(bool(trouble) and not empty)

    def _say(self, sentence: str) -> None:
        self.said.say(sentence, "hint")

    def _say_error(self, sentence: str) -> None:
        self.said.say(sentence, "error")

    def _forget(self, _: object) -> None:
        self._say("")

    # -- from a table -------------------------------------------------------------------

    def ask_table(self) -> None:
        """Let a person choose the table to take classes from."""
        path, _ = QFileDialog.getOpenFileName(self, "Import classes", "", "*.csv *.tsv *.txt")
        if path:
            self.import_table(path)

    def import_table(self, path: str | Path) -> None:
        """Give patches without a class the one that a table has for them, as one step."""
        patches, run = self.workspace.patches, self.workspace.run
        if patches is None:
            return
        wanted = self.workspace.annotations.active
        known = places_of(patches.table) if run is None else run.who
        self._say("Reading…")

        def work(watch: Watch) -> tuple[PatchSet, Path, ClassTable]:
            return patches, Path(path), read_classes(path, patches, known, wanted, watch)

        self._reader.ask(work)

    def _on_read(self, found: tuple[PatchSet, Path, ClassTable]) -> None:
        patches, path, table = found
        workspace = self.workspace
        if workspace.patches is not patches:
            return
        try:
            now, given, differ = with_names(workspace.annotations.now, table.names)
            workspace.set_annotations(workspace.annotations.put(now))
        except AnnotationError as error:
            self._say_error(f"{path}: {error}")
            return
        said = [f"{given:,} patches have the class that {path.name} says."]
        if differ:
            said.append(f"{differ:,} have another one here, and keep it.")
        self._say(" ".join([*said, *table.notes]))

    # -- a copy -------------------------------------------------------------------------

    def _ask_folder(self) -> None:
        folder = QFileDialog.getExistingDirectory(self, "Folder for a copy of the annotations")
        if folder:
            self.save_copy(folder)

    def save_copy(self, folder: str | Path) -> None:
        """Write the annotations, and which patches they are of, into a folder."""
        workspace, folder = self.workspace, Path(folder)
        patches, run, annotations = workspace.patches, workspace.run, workspace.annotations
        if patches is None:
            return

        def work(watch: Watch) -> Path:
            if (folder / ANNOTATIONS).exists():
                raise AnnotationError(
                    f"{folder} holds annotations already; choose another folder."
                )
            known = identify(patches, watch, hurry=True) if run is None else run.who
            numbers = np.arange(len(patches))
            save_annotations(
                AnnotationPlace(folder, numbers, known), annotations, pd.DataFrame()
            )
            return folder

        self._saver.ask(work)

    def _on_saved(self, folder: Path) -> None:
        self._say(f"A copy of the annotations is in {folder}.")
