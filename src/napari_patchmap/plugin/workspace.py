"""The one state of a viewer that all dock widgets share.

Widgets read its attributes, change them through its methods alone and subscribe to its
signals; they never call each other. Everything here happens in the GUI thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from psygnal import Signal
from psygnal.utils import iter_signal_instances

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.errors import PatchError
from napari_patchmap.explore.selection import NOTHING
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.labels.choice import GIVEN, with_label
from napari_patchmap.plugin.napari_private import free_where_it_was_drawn
from napari_patchmap.plugin.notifications import teller
from napari_patchmap.plugin.of_viewer import OnePerViewer
from napari_patchmap.plugin.torch_threads import compute_elsewhere
from napari_patchmap.plugin.undoable import Undoable

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_patchmap.find.search import Found
    from napari_patchmap.quality import Evaluation
    from napari_patchmap.runs import Run, SavedMap


@dataclass(frozen=True, eq=False)
class Compared:
    """A saved map that is looked at beside the current one.

    Parameters
    ----------
    saved : SavedMap
    embedding : ndarray of float32, shape (n, d)
        Row i is patch i of the current patches.
    """

    saved: SavedMap
    embedding: np.ndarray


class Workspace(Undoable, OnePerViewer):
    """Current patches, augmentations, map and selection of one viewer.

    What is selected and annotated, with its signals, is that of :class:`Undoable`.

    Attributes
    ----------
    patches : PatchSet or None
        Those that were loaded last.
    augment : AugmentConfig
        The augmentations as edited.
    augment_trouble : str
        Why the augmentations that are shown cannot be taken, "" if they can.
    embedding : ndarray of float32, shape (n, 2) or (n, 3), or None
        The map as shown.
    provisional : str
        What the map is while none has been learned, "" when it is a learned one.
    run : Run or None
        The run that made the map, once it has ended.
    unfinished : Path or None
        Folder of an interrupted training of the current patches, if one was opened.
    left_out : PatchSet or None
        Patches that were taken out of those that were loaded, to be placed on their next map.
    compared : tuple of Compared
        Other maps of the current patches that are shown beside the map.
    current : int
        Index of the patch that is being looked at, -1 for none.
    training : bool
        Whether a run is being trained in this viewer.

    Signals
    -------
    patches_leaving()
        Others will take the place of the patches; what there is of these is still there.
    patches_changed(PatchSet or None)
        Other patches were loaded; map and selection have been emptied before.
    augment_changed(AugmentConfig)
        The augmentations were edited.
    augment_refused(str)
        What is shown as augmentations cannot be taken, and why; "" once it can.
    map_changed(ndarray)
        A first or another embedding of the current patches, ``(n, 2)`` float32,
        columns axis-0 (y) and axis-1 (x); also while a run is training.
    provisional_changed(str)
        What the map is in place of a learned one, "" when it is one; after ``map_changed``.
    unfinished_changed(Path or None)
        Folder of an interrupted training of the current patches that was opened.
    run_changed(Run or None)
        A finished, stopped or opened run belongs to the map.
    label_changed()
        The patches have another label, and the figures of the one before are gone.
    measured_changed()
        Quality figures of each patch, or what was found of it, are there, others, or gone.
    compared_changed(tuple of SavedMap)
        Other maps of the patches are shown beside the map, or none.
    current_changed(int)
        The one patch that is being looked at, -1 for none.
    training_changed(bool)
        A run started (True) or ended (False).
    status_changed(str)
        One sentence for the person.
    """

    patches_leaving = Signal()
    patches_changed = Signal(object)
    augment_changed = Signal(object)
    augment_refused = Signal(str)
    map_changed = Signal(object)
    provisional_changed = Signal(str)
    unfinished_changed = Signal(object)
    run_changed = Signal(object)
    label_changed = Signal()
    measured_changed = Signal()
    compared_changed = Signal(object)
    current_changed = Signal(int)
    training_changed = Signal(bool)
    status_changed = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        compute_elsewhere()  # this is the thread of the window
        self.patches: PatchSet | None = None
        self.augment = AugmentConfig()
        self.augment_trouble = ""
        self.embedding: np.ndarray | None = None
        self.provisional = ""
        self.run: Run | None = None
        self.unfinished: Path | None = None
        self._whole: tuple[PatchSet, np.ndarray] | None = None
        self.compared: tuple[Compared, ...] = ()
        self._table_of: tuple[Any, ...] = ()
        self._table = pd.DataFrame()
        self.current = -1
        self.training = False

    # -- patches and map -----------------------------------------------------

    def set_patches(self, patches: PatchSet | None) -> None:
        """Take other patches; the map and the selection of the old ones go."""
        self._take_patches(patches, None)

    def _take_patches(
        self, patches: PatchSet | None, whole: tuple[PatchSet, np.ndarray] | None
    ) -> None:
        """Take other patches; if they are some of others, those and the rows that they are."""
        self.patches_leaving.emit()
        self._whole = whole
        self.patches = patches
        self.embedding = None
        self._set_provisional("")
        self.run = None
        self.unfinished = None
        self.set_compared(())
        self.set_suggestions(None)
        count = 0 if patches is None else len(patches)
        self.start_anew(count)
        self.current = -1
        self.run_changed.emit(None)
        self.tell_all()
        self.current_changed.emit(-1)
        self.patches_changed.emit(patches)

    @property
    def left_out(self) -> PatchSet | None:
        """Patches that were taken out of those that were loaded, if any were."""
        if self._whole is None:
            return None
        whole, kept = self._whole
        left = np.setdiff1d(np.arange(len(whole)), kept)
        return replace(whole.picked(left), name=f"left out of {whole.name}")

    def leave_out(self, rows: np.ndarray) -> None:
        """Go on without some patches, and without map; what people called the others stays.

        Raises
        ------
        ValueError
            If none would be left.
        AnnotationError
            If annotations cannot be changed now; the others are then not annotated.
        """
        if self.patches is None:
            return
        whole, kept = self._whole or (self.patches, np.arange(len(self.patches)))
        stay = np.setdiff1d(np.arange(len(kept)), rows)
        if not len(stay):
            raise ValueError("no patch would be left")
        annotations = self.annotations.picked(stay)
        self._take_patches(whole.picked(kept[stay]), (whole, kept[stay]))
        if not annotations.empty:
            self.set_annotations(annotations)

    def take_back(self) -> None:
        """Take the patches that were left out back, to the others; the map goes."""
        if self._whole is not None:
            self.set_patches(self._whole[0])

    def choose_label(self, column: str) -> None:
        """Make another column the label: of the patches, of their run, and in its folder.

        Map, selection and annotations stay. An annotation is the label as it is now.

        Parameters
        ----------
        column : str
            See :func:`napari_patchmap.patches.labels.choice.choose_label`.

        Raises
        ------
        PatchError
            If there is no such column, it makes no label, or a map is being trained; nothing
            is changed then.
        """
        patches, run = self.patches, self.run
        if patches is None:
            return
        if self.training:
            raise PatchError(
                "A map is being trained; cancel it or wait before choosing another label."
            )
        before = patches.label_from or GIVEN
        if before in self.annotations.by_name:
            raise PatchError(
                f"An annotation is called {before}, as the label would be once it is a column "
                "like others; give the annotation another name first."
            )
        annotated = self.annotations.names
        labelled = with_label(patches, column, annotated)
        trouble = "" if run is None else run.use_label(column, before, annotated)
        # The same patches in the same order: nothing that is shown of them has to go.
        self.patches = labelled
        self.measured_changed.emit()
        self.label_changed.emit()
        if trouble:
            self.say(trouble)

    def set_augment(self, config: AugmentConfig) -> None:
        """Take other augmentations."""
        if config != self.augment:
            self.augment = config
            self.augment_changed.emit(config)

    def refuse_augment(self, sentence: str) -> None:
        """Say that what is shown as augmentations is not ``augment``; "" once it is."""
        if sentence != self.augment_trouble:
            self.augment_trouble = sentence
            self.augment_refused.emit(sentence)

    def _set_provisional(self, said: str) -> None:
        if said != self.provisional:
            self.provisional = said
            self.provisional_changed.emit(said)

    def set_embedding(self, embedding: np.ndarray, provisional: str = "") -> None:
        """Show a map of the current patches; the selection stays.

        Of more than two dimensions the first two are shown.

        Raises
        ------
        ValueError
            If there is not exactly one row for each patch.
        """
        rows = -1 if self.patches is None else len(self.patches)
        if embedding.ndim != 2 or len(embedding) != rows or embedding.shape[1] < 2:
            raise ValueError("the embedding must have one (y, x) row for each patch")
        shown = 3 if embedding.shape[1] == 3 else 2  # of more, the first two
        self.embedding = np.ascontiguousarray(embedding[:, :shown], np.float32)
        self.map_changed.emit(self.embedding)
        self._set_provisional(provisional)

    def set_run(self, run: Run) -> None:
        """Take a run of the current patches and show its map."""
        self.set_suggestions(None)
        self.run = run
        # It need not be shown beside itself.
        own = None if run.folder is None else run.folder.resolve()
        self.compared = tuple(one for one in self.compared if one.saved.folder != own)
        self._table_of = ()
        self.set_embedding(run.embedding)
        self.run_changed.emit(run)
        self.measured_changed.emit()

    def set_unfinished(self, folder: Path | None) -> None:
        """Name an interrupted training of the current patches."""
        self.unfinished = folder
        self.unfinished_changed.emit(folder)

    def set_compared(self, maps: Sequence[Compared]) -> None:
        """Show these maps beside the map, and no others.

        Raises
        ------
        ValueError
            If one has not exactly one row for each patch.
        """
        rows = -1 if self.patches is None else len(self.patches)
        if any(len(one.embedding) != rows for one in maps):
            raise ValueError("each map must have one row for each patch")
        if tuple(maps) != self.compared:
            self.compared = tuple(maps)
            self.compared_changed.emit(self.compared)

    # -- looking at patches ------------------------------------------------------

    @property
    def table(self) -> pd.DataFrame:
        """The table of the patches, with what people called them, what was found and measured.

        One row a patch. Nobody changes it: it is the same until something else is annotated
        or measured.
        """
        if self.patches is None:
            return pd.DataFrame()
        patches, annotations, measured = self.patches, self.annotations, self.measured
        if self._table_of != (patches, annotations, tuple(measured)):
            more = pd.DataFrame(measured, index=patches.table.index)
            table = pd.concat([patches.table, annotations.table(), more], axis=1)
            self._table_of, self._table = (patches, annotations, tuple(measured)), table
        return self._table

    @property
    def measured(self) -> dict[str, np.ndarray]:
        """What was measured and found of each patch, (n,), by the names of the columns."""
        run, patches = self.run, self.patches
        if run is None or patches is None or self.training or len(run) != len(patches):
            return {}
        return run.more_columns

    def take_measured(self, found: Evaluation) -> None:
        """Take quality figures of the run, as its ``measured`` gives them."""
        if self.run is not None:
            # What was found out meanwhile and is no figure stays.
            self.run.metrics = {**self.run.metrics, **found.report}
            if found.columns:
                self._table_of = ()
                self.run.columns = {**self.run.columns, **found.columns}
                self.measured_changed.emit()

    def take_found(self, key: str, found: Found) -> None:
        """Take what a search found in the patches of the run."""
        if self.run is not None:
            self._table_of = ()
            self.run.found = {**self.run.found, key: found}
            self.measured_changed.emit()

    def clear_selection(self) -> None:
        """Select nothing and look at nothing."""
        self.select(NOTHING)
        self.set_current(-1)

    def set_current(self, index: int) -> None:
        """Look at one patch; the selection stays."""
        if index != self.current:
            self.current = int(index)
            self.current_changed.emit(self.current)

    # -- what is going on -----------------------------------------------------

    def set_training(self, training: bool) -> None:
        """Say that training started or ended; other maps make room for one that forms."""
        if training != self.training:
            self.training = training
            if training:
                self.set_compared(())
            self.training_changed.emit(training)
            self.measured_changed.emit()  # the map is another already

    def say(self, sentence: str) -> None:
        """Tell the person one sentence."""
        self.status_changed.emit(sentence)

    # -- the viewer --------------------------------------------------------------

    @classmethod
    def made_for(cls, viewer: Viewer) -> Self:
        """Make the workspace of a viewer."""
        made = cls()
        # napari's own way of telling: a note in the corner that goes by itself.
        made.status_changed.connect(teller(viewer))
        free_where_it_was_drawn(viewer)
        return made

    def viewer_gone(self) -> None:
        """Tell nobody any more: a training may end after its window has gone."""
        for signal in iter_signal_instances(self):
            signal.disconnect()


def workspace_of(viewer: Viewer) -> Workspace:
    """Return the workspace of a viewer, made on first use and gone with the viewer."""
    return Workspace.of(viewer)
