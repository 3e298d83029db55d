"""What the features say about patches: classes for the rest, and the next to do."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from qtpy.QtWidgets import QGridLayout, QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.suggest import Suggestions, suggest
from napari_patchmap.explore.useful import most_useful
from napari_patchmap.percent import percent
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.annotate.asking import Asking
from napari_patchmap.plugin.qt.basics import (
    button,
    column,
    label,
    line,
    number,
    row,
    set_look,
)
from napari_patchmap.plugin.qt.subscribe import subscribe

#: Patches that are shown at a time: the next to annotate, the doubtful.
_NEXT, _DOUBTFUL = 20, 60

#: How a person goes through patches that are asked one after the other.
_HOW = "1 to 9 says what the framed one is"

#: Order of the gallery in which what is doubtful comes first.
_CONFIDENCE = "Confidence"


class _Words(Sequence[str]):
    """What is written on the picture of each patch: how sure its suggestion is."""

    def __init__(self, found: Suggestions) -> None:
        self._found = found

    def __len__(self) -> int:
        return len(self._found.codes)

    def __getitem__(self, index: Any) -> Any:
        rejected = self._found.codes[index] < 0
        return "rejected" if rejected else percent(self._found.confidence[index])


class Suggesting(QWidget):
    """Asks the features of the run, in the background, and takes or leaves what they say."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self.workspace = owner, owner.workspace
        self._gallery = GalleryHooks.of(owner.viewer)
        self.rest = button(
            "Suggest the rest", "",
            "Learn from the annotated patches what the others are. Two classes of three "
            "patches each are enough to begin with.",
        )  # fmt: skip
        self.next = button(
            f"Next {_NEXT}", "",
            f"Show the {_NEXT} patches that are most useful to annotate next, one after the "
            "other: doubtful, and different from each other.",
        )  # fmt: skip
        self.rest.clicked.connect(self._suggest)
        self.next.clicked.connect(self._choose_next)
        self.working = Asking(self.workspace)
        self.working.failed.connect(lambda sentence, _: self._say(sentence))
        self.working.ended.connect(self._refresh)
        self.said = label("", "hint", wrap=True)

        tip = "How sure a suggestion has to be: 0 to 100 % (normally 90 %)."
        self.sure = number(0, 100, 90, tip, "%")
        self.sure.setAccessibleName("Sure at least")
        self.sure.valueChanged.connect(self._refresh)
        self.accept_sure = button("", "", "Annotate these patches as suggested.")
        self.accept_sure.clicked.connect(lambda: self._accept(self._sure_rows(), unseen=True))
        self.accept = button(
            "Accept", "",
            "Annotate the selected patches, or the one that is looked at, as suggested.",
        )  # fmt: skip
        self.accept.clicked.connect(self._accept_meant)
        self.reject = button(
            "Reject", "",
            "Drop the suggestions for the selected patches, or for the one that is looked at.",
        )  # fmt: skip
        self.reject.clicked.connect(self._reject)
        self.doubtful = button(
            "Doubtful", "",
            f"Show the {_DOUBTFUL} suggestions that are least sure, one after the other.",
        )  # fmt: skip
        self.doubtful.clicked.connect(self._choose_doubtful)
        self._answers = QWidget()
        sure = row(label("Sure at least"), self.sure, self.accept_sure)
        column(self._answers, sure, _grid(self.accept, self.reject, self.doubtful), spacing=4)

        asks, working = _grid(self.rest, self.next), self.working.with_button()
        column(self, line(), asks, working, self.said, self._answers)
        workspace = self.workspace
        for signal in (
            workspace.annotations_changed, workspace.selection_changed, workspace.run_changed,
            workspace.current_changed,
        ):  # fmt: skip
            subscribe(self, signal, self._refresh)
        subscribe(self, workspace.suggestions_changed, self._on_suggestions)
        self._refresh()

    # -- what is shown ------------------------------------------------------------------

    def _on_suggestions(self, found: Suggestions | None) -> None:
        self._say("" if found is None else found.sentence)
        poor = found is not None and not found.better_than_chance
        set_look(self.said, "role", "error" if poor else "hint")
        if found is None:
            self._gallery.withdraw(_CONFIDENCE)
        else:
            self._gallery.offer(
                _CONFIDENCE, found.confidence, texts=_Words(found), said="How sure it is"
            )
            recalls = "".join(
                f"<tr><td>{html.escape(name)}</td><td>{percent(share)} of {count:,}</td></tr>"
                for name, (share, count) in found.recalls.items()
            )
            self.said.setToolTip(
                f"Recognised while held out ({found.splits}):<table>{recalls}</table>"
                "Patches that were drawn around are alike, and so easier than others; those "
                "that were asked for are harder. How many of the others are right lies mostly "
                "between that and the mean of what their suggestions say of themselves."
            )
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        workspace, busy = self.workspace, self.working.running
        there = workspace.run is not None
        free = there and not busy
        annotation, refused = workspace.annotations.now, bool(workspace.annotations_trouble)
        self.rest.setEnabled(free and bool((annotation.counts() > 0).sum() > 1))
        self.next.setEnabled(free)
        found = workspace.suggestions
        self._answers.setVisible(found is not None and not busy)
        self.said.setVisible(bool(self.said.text()) and not busy)
        if found is None:
            return
        self.accept_sure.setText(f"Accept {len(self._sure_rows()):,}")
        chosen = len(self._open(self._map.meant))
        for one in (self.accept, self.reject):
            one.setEnabled(chosen > 0 and not refused)
        self.accept_sure.setEnabled(not refused)

    def _say(self, sentence: str) -> None:
        self.said.setText(sentence)
        self.said.setToolTip("")
        self.said.setVisible(bool(sentence))

    def _open(self, rows: np.ndarray) -> np.ndarray:
        """Of some patches, those that are suggested a class and have none."""
        found = self.workspace.suggestions
        if found is None:
            return rows[:0]
        codes = self.workspace.annotations.now.codes
        return rows[(codes[rows] < 0) & (found.codes[rows] >= 0)]

    def _sure_rows(self) -> np.ndarray:
        found = self.workspace.suggestions
        if found is None:
            return np.empty(0, np.intp)
        return self._open(np.flatnonzero(found.confidence >= self.sure.value() / 100))

    # -- asking -------------------------------------------------------------------------

    def _suggest(self) -> None:
        run, annotation = self.workspace.run, self.workspace.annotations.now
        if run is not None:
            names = [one.name for one in annotation.classes]
            self._say("")
            self.working.ask(
                "Suggesting classes",
                lambda watch: suggest(
                    run.features, annotation.codes, names, watch, unseen=annotation.unseen
                ),
                self.workspace.set_suggestions,
            )
            self._refresh()

    def _choose_next(self) -> None:
        run, found = self.workspace.run, self.workspace.suggestions
        codes = self.workspace.annotations.now.codes
        if run is not None:
            self._say("")
            self.working.ask(
                "Looking for the next to annotate",
                lambda watch: most_useful(run.features, found, codes, _NEXT, watch=watch),
                lambda rows: self._ask_each(rows, "most useful to annotate next"),
            )
            self._refresh()

    def _ask_each(self, rows: np.ndarray, what: str) -> None:
        """Let a person say of patch after patch what it is."""
        rows = self._map.visible(rows)
        if len(rows):
            self._gallery.ask_each(rows, f"{len(rows):,} {what}: {_HOW}")
        else:
            self._say("There are none left to annotate.")

    # -- taking what was suggested ----------------------------------------------------

    def _accept(self, rows: np.ndarray, unseen: bool = False) -> None:
        found, annotations = self.workspace.suggestions, self.workspace.annotations
        if found is None or not len(rows):
            return
        # By name: classes may have been renamed, merged or deleted since.
        to = np.array([annotations.now.at(name) for name in found.classes], np.int16)
        codes = to[found.codes[rows]]
        known = codes >= 0
        try:
            self.workspace.set_annotations(
                annotations.put(annotations.now.take(rows[known], codes[known], unseen))
            )
        except AnnotationError as error:
            self._say(str(error))

    def _accept_meant(self) -> None:
        rows = self._open(self._map.meant)
        self._accept(rows)
        self._map.giving.answered(rows)

    def _reject(self) -> None:
        found = self.workspace.suggestions
        if found is not None:
            codes, confidence = found.codes.copy(), found.confidence.copy()
            rows = self._open(self._map.meant)
            codes[rows], confidence[rows] = -1, 0
            self.workspace.set_suggestions(replace(found, codes=codes, confidence=confidence))
            self._map.giving.answered(rows)

    def _choose_doubtful(self) -> None:
        found, patches = self.workspace.suggestions, self.workspace.patches
        if found is not None and patches is not None:
            rows = self._open(self._map.visible(np.arange(len(patches))))
            order = np.argsort(found.confidence[rows], kind="stable")
            self._gallery.offer(
                _CONFIDENCE, found.confidence, texts=_Words(found), said="How sure it is",
                choose=True,
            )  # fmt: skip
            self._ask_each(rows[order[:_DOUBTFUL]], "least sure")


def _grid(*buttons: QWidget) -> QGridLayout:
    grid = QGridLayout()
    grid.setSpacing(4)
    for at, one in enumerate(buttons):
        one.setMinimumWidth(40)
        grid.addWidget(one, 0, at)
    return grid
