"""Keeps what a person annotates and names: read when patches or a run come, written soon."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtCore import QObject

from napari_patchmap.errors import AnnotationError, RunError
from napari_patchmap.explore.findings import Findings
from napari_patchmap.lock import alone_in
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.of_viewer import OnePerViewer
from napari_patchmap.plugin.worker import Task
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.plugin.written_soon import WrittenSoon
from napari_patchmap.runs import Run
from napari_patchmap.runs.annotation_place import (
    ANNOTATIONS,
    AnnotationPlace,
    is_known,
    key_of_set,
    place_of_set,
)
from napari_patchmap.runs.finding_files import FoundThere, read_findings, save_findings

#: What is written: where, and what.
_Kept = tuple[AnnotationPlace, Findings]


class AnnotationKeeper(QObject, OnePerViewer):
    """Writes annotations and named selections of one viewer where they belong.

    That is the folder of the run on screen; without one, or where that cannot be written,
    a place of the patch set on this computer. Only one window writes to a place. When the
    viewer goes, what is not written yet is.

    Attributes
    ----------
    place : AnnotationPlace or None
        Where they are kept now, None where they cannot be.
    trouble : str
        Why they are not kept in the run's folder, or not at all; "" when all is well.

    Signals
    -------
    changed()
        AnnotationPlace or trouble are others, or everything is written.
    leaving()
        Nothing more is going to be kept in this place; others may write there next.
    """

    changed = Signal()
    leaving = Signal()

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.workspace = workspace = workspace_of(viewer)
        self.place: AnnotationPlace | None = None
        self.trouble = ""
        self._there = FoundThere(workspace.findings)
        self._alone = contextlib.ExitStack()
        #: What lies on the disk, None if that is not known to be what there is.
        self._written: Findings | None = None
        self._looking = False
        self._writer = WrittenSoon(self, "Annotations", self._order)
        self._writer.written.connect(self._on_written)
        self._writer.failed.connect(self._on_failed)
        self._writer.ended.connect(self.changed.emit)
        workspace.patches_leaving.connect(self.leave)
        workspace.patches_changed.connect(self._on_patches)
        workspace.run_changed.connect(self._on_run)
        workspace.annotations_changed.connect(self._on_findings)
        workspace.named_changed.connect(self._on_findings)
        self._on_patches(workspace.patches)
        self._on_run(workspace.run)

    @property
    def folder(self) -> Path | None:
        """The folder that annotations are kept in, None where they cannot be."""
        return None if self.place is None else self.place.folder

    @property
    def pending(self) -> bool:
        """Whether there is something that is not written yet."""
        return self.place is not None and self.workspace.findings != self._written

    def missing(self, key: int) -> int:
        """Count the patches of a named selection that are not here today."""
        return len(self._there.selected.get(key, ()))

    # -- where ------------------------------------------------------------------------

    def _on_patches(self, patches: PatchSet | None) -> None:
        if patches is not None and is_known(patches):
            self._enter(place_of_set(patches))

    def _look_up(self, patches: PatchSet) -> None:
        """Find out, beside the window, where annotations of a set from a slow disk belong."""
        self._looking = True
        task = Task(
            lambda task: key_of_set(patches, task.watch),
            "Looking for annotations",
            listed=False,
        )
        task.done.connect(lambda _: self._on_known(patches))
        task.failed.connect(self._say)
        task.ended.connect(self._on_looked_up)
        task.start()

    def _on_known(self, patches: PatchSet) -> None:
        if self.workspace.patches is not patches or self.place is not None:
            return  # others, or a run, came meanwhile
        place = place_of_set(patches)
        if place.used:  # what was just annotated must not take its place, nor be lost
            self._say(
                "These patches were annotated before; load them again to go on with that, or "
                "train a map, which keeps what you annotate now."
            )
        else:
            self._enter(place)

    def _on_looked_up(self) -> None:
        self._looking = False

    def _on_run(self, run: Run | None) -> None:
        patches = self.workspace.patches
        if run is None or run.folder is None or patches is None or self.folder == run.folder:
            return
        self.leave()
        place = AnnotationPlace(run.folder, run.numbers)
        if os.access(run.folder, os.W_OK):
            self._enter(place)
            return
        own = place_of_set(patches)
        if self._enter(own, own if own.used else place):
            self._say_elsewhere(f"Nothing can be written in {run.folder}")

    def _enter(self, place: AnnotationPlace, source: AnnotationPlace | None = None) -> bool:
        """Keep annotations in a place from now on, those that lie there or in another one."""
        if not self._lock(place):
            self._say(
                "These patches are annotated in another window or process; close it there, "
                "then load them again here."
            )
            self.workspace.refuse_annotations(self.trouble)
            self._read(place)
            return False
        self.place = place
        if self._read(source or place):
            if source is not None:  # what is of other patches stays there
                self._written, self._there = None, FoundThere(self.workspace.findings)
            self._on_findings()
        self.changed.emit()
        return self.place is not None

    def _lock(self, place: AnnotationPlace) -> bool:
        if any(
            other is not self and other.folder == place.folder for other in self.all_there_are()
        ):
            return False
        own = place.known is not None
        try:
            self._alone.enter_context(
                alone_in(place.folder if own else place.folder / ANNOTATIONS)
            )
        except RunError:
            return False
        return True

    def _read(self, place: AnnotationPlace) -> bool:
        """Take what lies in a place; return False where it is damaged, and left alone."""
        try:
            kept = read_findings(place, self.workspace.findings)
        except AnnotationError as error:
            self.place = None
            self._say(str(error))
            self.workspace.refuse_annotations(str(error))
            return False
        self._there, self._written = kept, kept.findings if kept.whole else None
        self.workspace.restore(kept.findings)
        if kept.note:
            self.workspace.say(kept.note)
        return True

    def leave(self) -> None:
        """Write what is not written yet, and keep nothing more in that place."""
        self.finish()
        self.place, self.trouble = None, ""
        self._there = FoundThere(self.workspace.findings)
        self.workspace.refuse_annotations("")

    def viewer_gone(self) -> None:
        """Write what is not written yet."""
        self.finish()

    def finish(self) -> None:
        """Write what is not written yet, and let others write there."""
        self.leaving.emit()
        try:
            self._writer.now()
        except AnnotationError as error:
            self.workspace.say(str(error))
        self._alone.close()

    # -- writing ----------------------------------------------------------------------

    def _on_findings(self, _: object = None) -> None:
        patches = self.workspace.patches
        if self.pending:
            self._writer.soon()
            return
        idle = self.place is None and not (self.trouble or self._looking)
        if idle and patches is not None and not self.workspace.findings.empty:
            self._look_up(patches)

    def _order(self) -> tuple[_Kept, Callable[[], None]] | None:
        if self.place is None or not self.pending:
            return None
        what, there, before = (self.place, self.workspace.findings), self._there, self._written
        return what, lambda: save_findings(*what, there, before)

    def _on_written(self, what: _Kept) -> None:
        place, findings = what
        if place is self.place:
            self._written = findings

    def _on_failed(self, what: _Kept, sentence: str) -> None:
        """Keep annotations in the place of the patch set where the run's cannot be written."""
        place, patches = what[0], self.workspace.patches
        if place is not self.place or patches is None:
            return
        own = place_of_set(patches)
        if place.known is not None or not self._lock(own):
            self._say(sentence)
            return
        self.place, self._written = own, None
        self._there = FoundThere(self.workspace.findings)
        self._writer.soon()
        self._say_elsewhere(sentence.partition(";")[0])

    def _say_elsewhere(self, why: str) -> None:
        self._say(f"{why}; annotations are kept in {self.folder} instead.")

    def _say(self, sentence: str) -> None:
        if sentence != self.trouble:
            self.trouble = sentence
            self.workspace.say(sentence)
        self.changed.emit()
