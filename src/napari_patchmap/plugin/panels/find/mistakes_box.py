"""Label mistakes, one after the other: the picture, the evidence, and what to make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.find.search import INDEX
from napari_patchmap.plugin.panels.find.walk_box import WalkBox
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe

#: The annotation that holds what was decided.
DECIDED = "checked label"


class MistakesBox(WalkBox):
    """Shows the suspects, the surest first, each to be accepted or kept as it is.

    What is decided is the annotation ``checked label``: the likely label where it was
    accepted, the old one where it was kept; it can be undone, exported and coloured by.
    """

    def add_parts(self) -> None:
        """Add the suspect that is looked at, and the buttons that decide."""
        self.picture = self.make_picture()
        self.verdict = label("", "", wrap=True)
        self.reason = label("", "hint", wrap=True)
        self.decided = label("", "hint", wrap=True)
        self.accept = button("Accept", "", f"It is what is likely: note that as {DECIDED}.")
        self.keep = button("Keep", "", f"Its label is right: note that as {DECIDED}.")
        walk = self.make_walk("suspect")
        self.suspect, beside = QWidget(), QWidget()
        column(beside, self.verdict, self.reason, self.decided, spacing=2).addStretch(1)
        shown = row(self.picture, beside)
        shown.setStretch(1, 1)
        column(self.suspect, shown, row(self.accept, self.keep, 1, *walk))
        self.parts.addWidget(self.suspect)
        self.accept.clicked.connect(lambda: self._decide("likely"))
        self.keep.clicked.connect(lambda: self._decide("label"))
        subscribe(self, self.workspace.annotations_changed, self.show_row)

    def show_one(self, one: Any) -> None:
        """Show a suspect, or none."""
        self.suspect.setVisible(one is not None)
        if one is None:
            return
        index = int(one[INDEX])
        self.put_picture(self.picture, index)
        self.verdict.setText(f"{one['label']} → {one['likely']} ({100 * one['score']:.0f} %)")
        self.reason.setText(str(one["reason"]))
        kept = self.workspace.annotations.by_name.get(DECIDED)
        now = "" if kept is None else str(kept.names_of(np.array([index]))[0])
        self.decided.setText(f"You said: {now}." if now else "")

    def _decide(self, what: str) -> None:
        """Note what the patch is, and go on to the next."""
        assert self.found is not None
        one, workspace = self.found.listed.iloc[self.at], self.workspace
        annotations = workspace.annotations
        try:
            kept = annotations.by_name.get(DECIDED)
            if kept is None:
                kept = Annotation(DECIDED, np.full(len(workspace.table), -1, np.int16))
            kept = kept.with_classes([one[what]])
            kept = kept.give(np.array([one[INDEX]]), kept.at(one[what]))
            # The column that is worked on stays the one that it was.
            workspace.set_annotations(annotations.put(kept).worked_on(annotations.active))
        except AnnotationError as error:
            self.said.say(str(error))
            return
        self.go_to(self.at + 1)
