"""Keeps what a person annotates: read when patches or a run come, written soon after a change."""

from __future__ import annotations

import contextlib
import os
import weakref
from pathlib import Path

import pandas as pd
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtCore import QObject, QTimer

from napari_patchmap.errors import AnnotationError, RunError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.lock import alone_in
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.worker import Task
from napari_patchmap.plugin.workspace import real_viewer, workspace_of
from napari_patchmap.runs import Run
from napari_patchmap.runs.annotation_files import (
    ANNOTATIONS,
    Place,
    place_of_set,
    read_annotations,
    save_annotations,
)

#: Milliseconds after a change until it is written; changes meanwhile go with it.
_SOON = 500


class AnnotationKeeper(QObject):
    """Writes the annotations of one viewer where they belong.

    That is the folder of the run on screen; without one, or where that cannot be written,
    a place of the patch set on this computer. Only one window writes to a place.

    Attributes
    ----------
    place : Place or None
        Where they are kept now.
    trouble : str
        Why they are not kept in the run's folder, or not at all; "" when all is well.

    Signals
    -------
    changed()
        Place or trouble are others, or everything is written.
    """

    changed = Signal()

    @classmethod
    def of(cls, viewer: Viewer) -> AnnotationKeeper:
        """Return the keeper of a viewer, made on first use; in the end it writes the rest."""
        viewer = real_viewer(viewer)
        key = id(viewer)
        if key not in _keepers:
            _keepers[key] = cls(viewer)
            weakref.finalize(viewer, _end, key)
        return _keepers[key]

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.workspace = workspace = workspace_of(viewer)
        self.place: Place | None = None
        self.trouble = ""
        self._others = pd.DataFrame()
        self._alone = contextlib.ExitStack()
        self._written: Annotations = workspace.annotations
        self._task: Task | None = None
        self._timer = QTimer(self, singleShot=True, interval=_SOON)
        self._timer.timeout.connect(self._write)
        workspace.patches_changed.connect(self._on_patches)
        workspace.run_changed.connect(self._on_run)
        workspace.annotations_changed.connect(self._on_annotations)
        if workspace.patches is not None:
            self._on_patches(workspace.patches)
            if workspace.run is not None:
                self._on_run(workspace.run)

    @property
    def pending(self) -> bool:
        """Whether something was annotated that is not written yet."""
        return self.workspace.annotations is not self._written

    def flush(self) -> None:
        """Write what is not written yet, and wait for it."""
        self._timer.stop()
        if self._task is None and self.pending and self.place is not None:
            self._save(self.place, self.workspace.annotations)

    # -- where ------------------------------------------------------------------------

    def _on_patches(self, patches: PatchSet | None) -> None:
        self._leave()
        if patches is not None:
            self._enter(place_of_set(patches))

    def _on_run(self, run: Run | None) -> None:
        patches = self.workspace.patches
        if patches is None or (run is None and self.place and self.place.known is not None):
            return
        if run is None or run.folder is None:
            self._leave()
            self._enter(place_of_set(patches))
        elif self.place is None or self.place.folder != run.folder:
            self.flush()
            self._leave()
            place = Place(run.folder, run.numbers)
            if not os.access(run.folder, os.W_OK):
                self._elsewhere(f"Nothing can be written in {run.folder}", place)
            else:
                self._enter(place)

    def _enter(self, place: Place) -> None:
        """Keep annotations in a place from now on; take those that lie there."""
        try:
            self._alone.enter_context(alone_in(place.folder / ANNOTATIONS))
        except RunError:
            self.place = None
            self._say(
                "These patches are annotated in another window or process; close it there, "
                "then load them again here."
            )
            self.workspace.refuse_annotations(self.trouble)
            self._read(place)
            return
        self.place = place
        self._read(place)
        self.changed.emit()

    def _elsewhere(self, why: str, place: Place | None = None) -> None:
        """Keep annotations in the place of the patch set, and say so once."""
        if place is not None:
            self._read(place)
        assert self.workspace.patches is not None
        here = self.workspace.annotations
        self._alone.close()
        self._enter(place_of_set(self.workspace.patches))
        if self.workspace.annotations is not here and not here.empty and place is None:
            self.workspace.restore_annotations(here)
        if self.place is not None:
            self._say(f"{why}; annotations are kept in {self.place.folder} instead.")

    def _leave(self) -> None:
        self.flush()
        self._alone.close()
        self.place, self.trouble = None, ""
        self._others = pd.DataFrame()
        self.workspace.refuse_annotations("")
        self._written = self.workspace.annotations

    def _read(self, place: Place) -> None:
        """Take the annotations of a place; a damaged one is left alone."""
        if not place.used:
            if not self.workspace.annotations.empty:
                self._timer.start()
            return
        try:
            kept = read_annotations(place)
        except AnnotationError as error:
            self.place = None
            self._say(str(error))
            self.workspace.refuse_annotations(str(error))
            return
        self._others, self._written = kept.others, kept.annotations
        self.workspace.restore_annotations(kept.annotations)

    # -- writing ----------------------------------------------------------------------

    def _on_annotations(self, annotations: Annotations) -> None:
        if self.place is not None and self.pending:
            self._timer.start()

    def _write(self) -> None:
        place, annotations, others = self.place, self.workspace.annotations, self._others
        if place is None or self._task is not None or not self.pending:
            return
        self._task = task = Task(
            lambda _: save_annotations(place, annotations, others), "Annotations", listed=False
        )
        task.done.connect(lambda _: self._on_written(annotations))
        task.failed.connect(self._on_failed)
        task.ended.connect(self._on_ended)
        task.start()

    def _on_written(self, annotations: Annotations) -> None:
        self._written = annotations

    def _on_failed(self, sentence: str) -> None:
        if self.place is not None and self.place.known is None:
            self._elsewhere(sentence.partition(";")[0])
        else:
            self._say(sentence)

    def _on_ended(self) -> None:
        self._task = None
        if self.pending and not self.trouble:
            self._timer.start()
        self.changed.emit()

    def _save(self, place: Place, annotations: Annotations) -> None:
        try:
            save_annotations(place, annotations, self._others)
            self._written = annotations
        except AnnotationError as error:
            self._say(str(error))

    def _say(self, sentence: str) -> None:
        if sentence != self.trouble:
            self.trouble = sentence
            self.workspace.say(sentence)
        self.changed.emit()


def _end(key: int) -> None:
    keeper = _keepers.pop(key)
    keeper.flush()
    keeper._alone.close()


def folder_of(keeper: AnnotationKeeper) -> Path | None:
    """Return the folder that annotations are kept in, None where they cannot be."""
    return None if keeper.place is None else keeper.place.folder


_keepers: dict[int, AnnotationKeeper] = {}
