"""Label mistakes, one after the other: the picture, the evidence, and what to make of it."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QWidget

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotations import Annotation
from napari_patchmap.find.search import INDEX, Found
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe

#: Side of the picture, in pixels.
_SIDE = 96

#: The annotation that holds what was decided.
DECIDED = "checked label"


class MistakesBox(SearchBox):
    """Shows the suspects, the surest first, each to be accepted or kept as it is.

    What is decided is the annotation ``checked label``: the likely label where it was
    accepted, the old one where it was kept; it can be undone, exported and coloured by.
    """

    def add_parts(self) -> None:
        """Add the suspect that is looked at, and the buttons that decide."""
        self._at = 0
        self._pictures = MapLayer.of(self.viewer).thumbnails
        self.picture = label("")
        self.picture.setFixedSize(_SIDE, _SIDE)
        self.verdict = label("", "", wrap=True)
        self.reason = label("", "hint", wrap=True)
        self.decided = label("", "hint", wrap=True)
        self.accept = button("Accept", "", f"It is what is likely: note that as {DECIDED}.")
        self.keep = button("Keep", "", f"Its label is right: note that as {DECIDED}.")
        self.before = button("‹", "", "The suspect before.")
        self.after = button("›", "", "The next suspect.")
        self.before.setAccessibleName("Suspect before")
        self.after.setAccessibleName("Next suspect")
        self.place = label("", "hint")
        self.suspect, beside = QWidget(), QWidget()
        column(beside, self.verdict, self.reason, self.decided, spacing=2).addStretch(1)
        shown = row(self.picture, beside)
        shown.setStretch(1, 1)
        column(
            self.suspect,
            shown,
            row(self.accept, self.keep, 1, self.before, self.place, self.after),
        )
        self.parts.addWidget(self.suspect)
        self.accept.clicked.connect(lambda: self._decide("likely"))
        self.keep.clicked.connect(lambda: self._decide("label"))
        self.before.clicked.connect(lambda: self.go_to(self._at - 1))
        self.after.clicked.connect(lambda: self.go_to(self._at + 1))
        subscribe(self, self.workspace.annotations_changed, self._show)
        subscribe(self, self._pictures.arrived, self._show)

    def show_found(self, found: Found | None) -> None:
        """Show an answer, its first suspect at first."""
        super().show_found(found)
        self._at = 0
        self._show()

    def go_to(self, at: int) -> None:
        """Look at another suspect, on the map and in the gallery as well."""
        if self.found is not None and 0 <= at < len(self.found.listed):
            self._at = at
            self._show()
            self.workspace.set_current(int(self.found.listed[INDEX].iloc[at]))

    def _show(self, _: Any = None) -> None:
        listed = None if self.found is None else self.found.listed
        self.suspect.setVisible(listed is not None and len(listed) > 0)
        if listed is None or not len(listed) or self.workspace.patches is None:
            return
        one, index = listed.iloc[self._at], int(listed[INDEX].iloc[self._at])
        self.picture.setPixmap(self._pictures.get(index, _SIDE, self.devicePixelRatioF()))
        self.verdict.setText(f"{one['label']} → {one['likely']} ({100 * one['score']:.0f} %)")
        self.reason.setText(str(one["reason"]))
        kept = self.workspace.annotations.by_name.get(DECIDED)
        now = "" if kept is None else str(kept.names_of(np.array([index]))[0])
        self.decided.setText(f"You said: {now}." if now else "")
        self.place.setText(f"{self._at + 1:,} of {len(listed):,}")
        self.before.setEnabled(self._at > 0)
        self.after.setEnabled(self._at + 1 < len(listed))

    def _decide(self, what: str) -> None:
        """Note what the patch is, and go on to the next."""
        assert self.found is not None
        one, workspace = self.found.listed.iloc[self._at], self.workspace
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
            self.say(str(error))
            return
        self.go_to(self._at + 1)
