"""What people select and find among the patches, each change a step that can be undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.findings import Findings
from napari_patchmap.explore.history import History
from napari_patchmap.explore.named_selections import NamedSelections
from napari_patchmap.explore.selection import NOTHING, How, changed

if TYPE_CHECKING:
    from napari_patchmap.explore.suggest import Suggestions


@dataclass(frozen=True, eq=False)
class _State:
    """What can be undone: which patches are selected, and what people called and kept."""

    selection: np.ndarray
    findings: Findings


class Undoable:
    """The selection, the annotations and the named selections of some patches.

    Attributes
    ----------
    suggestions : Suggestions or None
        What classes the features suggest, for the annotation that was worked on then.
    annotations_trouble : str
        Why annotations and named selections cannot be changed now, "" if they can.

    Signals
    -------
    selection_changed(ndarray)
        Sorted indices of the selected patches.
    annotations_changed(Annotations)
        Patches were annotated, or classes or columns are others.
    named_changed(NamedSelections)
        Selections were kept under names, or other ones.
    suggestions_changed(Suggestions or None)
        Classes were suggested for the patches, or are not any more.
    annotations_refused(str)
        Why annotations cannot be changed, "" once they can.
    """

    selection_changed = Signal(object)
    annotations_changed = Signal(object)
    annotations_refused = Signal(str)
    named_changed = Signal(object)
    suggestions_changed = Signal(object)

    def __init__(self) -> None:
        self.annotations_trouble = ""
        self.suggestions: Suggestions | None = None
        self._history = History(_State(NOTHING, Findings(Annotations(0))))

    @property
    def selection(self) -> np.ndarray:
        """Sorted indices of the selected patches."""
        return self._history.now.selection

    @property
    def findings(self) -> Findings:
        """What people found: their annotations and named selections."""
        return self._history.now.findings

    @property
    def annotations(self) -> Annotations:
        """What people called the patches."""
        return self.findings.annotations

    @property
    def named(self) -> NamedSelections:
        """The selections that are kept under names."""
        return self.findings.selections

    # -- steps -------------------------------------------------------------------

    def select(self, indices: np.ndarray, how: How = "replace") -> None:
        """Change the selection and tell everybody."""
        self._go_to(replace(self._history.now, selection=changed(self.selection, indices, how)))

    def annotate(self, rows: np.ndarray, at: int) -> None:
        """Give patches a class of the column that is worked on, or none with -1.

        Raises
        ------
        AnnotationError
            If annotations cannot be changed now.
        """
        self.set_annotations(self.annotations.put(self.annotations.now.give(rows, at)))

    def set_annotations(self, annotations: Annotations) -> None:
        """Take other annotations, as a step that can be undone; errors as above."""
        self._find(replace(self.findings, annotations=annotations))

    def set_named(self, selections: NamedSelections) -> None:
        """Take other named selections, as a step that can be undone; errors as above.

        Whoever deletes or replaces one by mistake takes that back as everything else.
        """
        self._find(replace(self.findings, selections=selections))

    def _find(self, findings: Findings) -> None:
        if findings != self.findings:
            if self.annotations_trouble:
                raise AnnotationError(self.annotations_trouble)
            self._go_to(replace(self._history.now, findings=findings))

    @property
    def can_undo(self) -> bool:
        """Whether something was selected or annotated that can be undone."""
        return self._history.can_undo

    @property
    def can_redo(self) -> bool:
        """Whether something was undone."""
        return self._history.can_redo

    def undo(self) -> None:
        """Go back to the selection and the annotations before."""
        before = self._history.now
        if self._history.undo():
            self._tell(before)

    def redo(self) -> None:
        """Take what was undone again."""
        before = self._history.now
        if self._history.redo():
            self._tell(before)

    def _go_to(self, state: _State) -> None:
        before = self._history.now
        same = state.selection is before.selection
        if not same or state.findings != before.findings:
            self._history.go_to(state)
            self._tell(before)

    def _tell(self, before: _State) -> None:
        now, annotations = self._history.now, self.annotations
        if annotations is not before.findings.annotations:
            if annotations.active != before.findings.annotations.active:
                self.set_suggestions(None)
            self.annotations_changed.emit(annotations)
        if self.named is not before.findings.selections:
            self.named_changed.emit(self.named)
        if now.selection is not before.selection:
            self.selection_changed.emit(now.selection)

    # -- beginnings --------------------------------------------------------------

    def start_anew(self, count: int) -> None:
        """Forget all of it for so many other patches; nobody is told yet."""
        self._history = History(_State(NOTHING, Findings(Annotations(count))), count)

    def tell_all(self) -> None:
        """Tell everybody what is selected and found now."""
        self.selection_changed.emit(self.selection)
        self.annotations_changed.emit(self.annotations)
        self.named_changed.emit(self.named)

    def restore(self, findings: Findings) -> None:
        """Take what was read from a disk: a beginning, not a step."""
        before = self._history.now
        read = {
            name: getattr(findings, name)
            for name in ("annotations", "selections")
            if getattr(findings, name) is not getattr(before.findings, name)
        }
        self._history.amend(
            lambda state: replace(state, findings=replace(state.findings, **read))
        )
        self._tell(before)

    # -- what goes with annotations -----------------------------------------------

    def set_suggestions(self, suggestions: Suggestions | None) -> None:
        """Show what classes the features suggest, or nothing."""
        if suggestions is not self.suggestions:
            self.suggestions = suggestions
            self.suggestions_changed.emit(suggestions)

    def refuse_annotations(self, sentence: str) -> None:
        """Say why annotations cannot be changed now; "" once they can."""
        if sentence != self.annotations_trouble:
            self.annotations_trouble = sentence
            self.annotations_refused.emit(sentence)
