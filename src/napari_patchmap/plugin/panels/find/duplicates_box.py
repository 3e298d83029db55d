"""Duplicates, one pair after the other: both pictures, how alike, and what to do with them."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtWidgets import QWidget

from napari_patchmap.find.duplicate_list import GROUP
from napari_patchmap.find.keep_one import spare_copies
from napari_patchmap.find.search import BESIDE, INDEX, OTHER, THERE, FindInput
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.panels.find.list_buttons import save_button
from napari_patchmap.plugin.panels.find.second_images import SecondImages
from napari_patchmap.plugin.panels.find.walk_box import WalkBox
from napari_patchmap.plugin.qt.basics import button, choice, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.runs import Run

#: Which of a group is kept, by what the list says.
_KEPT = {"the first": "first", "the sharpest": "sharpest"}


class DuplicatesBox(WalkBox):
    """Shows the pairs, those whose labels differ first, and selects what can be left out."""

    def add_parts(self) -> None:
        """Add the pair that is looked at, and what can be done with all of them."""
        self.second = SecondImages()
        self.further.addWidget(self.second)
        self._sparing = Newest(self, "Choosing copies", self._on_spare, self.said.say)
        self.left, self.right = self.make_picture(), self.make_picture()
        self.names = label("", "", wrap=True)
        self.reason = label("", "hint", wrap=True)
        walk = self.make_walk("pair")
        self.mark = button(
            "Select the group", "", "Select all patches that show the same as these two."
        )
        self.kept = choice("Which of each group is kept: the first, or the sharpest.")
        self.kept.addItems(list(_KEPT))
        self.spare = button(
            "Keep one of each",
            "",
            "<qt>Select all copies but one of each group. “Leave out the selected” below then "
            "trains again without them.</qt>",
        )
        self.pair, beside = QWidget(), QWidget()
        column(beside, self.names, self.reason, spacing=2).addStretch(1)
        shown = row(self.left, self.right, beside)
        shown.setStretch(2, 1)
        column(self.pair, shown, row(self.mark, 1, *walk))
        self.parts.addWidget(self.pair)
        self.parts.addLayout(row(self.spare, self.kept))
        self.save = save_button(self)
        self.parts.addLayout(row(self.save, 1))
        subscribe(self, self.second.pictures.arrived, self.show_row)
        self.mark.clicked.connect(self._select_group)
        self.spare.clicked.connect(self._choose_spare)

    def against(self, run: Run, watch: Watch) -> FindInput | None:
        """Open the other images that were chosen, in the background."""
        return self.second.open(run, watch)

    def listed_rows(self) -> np.ndarray:
        """Return the patches of all pairs, each beside its copies."""
        if self.found is None:
            return np.empty(0, np.intp)
        sides = [name for name in (BESIDE, INDEX) if name in self.found.listed]
        rows = self.found.listed[sides].to_numpy(np.intp).reshape(-1)
        return rows[np.sort(np.unique(rows, return_index=True)[1])]

    def show_one(self, one: Any) -> None:
        """Show a pair, or none."""
        self.pair.setVisible(one is not None)
        grouped = self.found is not None and bool((self.found.columns[GROUP] != "").any())
        self.spare.setEnabled(one is not None and grouped)
        across = one is not None and OTHER in one
        for widget in (self.spare, self.kept):
            widget.setVisible(not across)  # what both sets have is no copy within this one
        if one is None:
            return
        for shown, side in ((self.left, BESIDE), (self.right, INDEX)):
            if side in one:
                self.put_picture(shown, int(one[side]))
                shown.setToolTip(str(self.workspace.table["source"].iloc[int(one[side])]))
        # Those of a second set are there as long as it is open.
        open_there = THERE in one and self.second.show_opened()
        self.left.setVisible(BESIDE in one or open_there)
        if open_there:
            self.put_picture(self.left, int(one[THERE]), self.second.pictures)
            self.left.setToolTip(str(one[OTHER]))
        self.names.setText(_names(one))
        score = "" if np.isnan(one["score"]) else f"{one['score']:.3f}: "
        self.reason.setText(f"{score}{one['reason']}")
        self.mark.setEnabled(bool(one["group"]))

    def _select_group(self) -> None:
        if self.found is not None:
            group = self.found.listed["group"].iloc[self.at]
            self.workspace.select(np.flatnonzero(self.found.columns[GROUP] == group))

    def _choose_spare(self) -> None:
        """Choose all copies but one of each group; the sharpest is looked for in a thread."""
        if self.found is None:
            return
        groups, patches = self.found.columns[GROUP], self.workspace.patches
        keep: Any = _KEPT[self.kept.currentText()]
        self._sparing.ask(lambda watch: spare_copies(groups, keep, patches, watch))

    def _on_spare(self, rows: np.ndarray) -> None:
        self.workspace.select(rows)
        self.said.say(f"{len(rows):,} copies are selected; one of each group is not.")


def _names(one: Any) -> str:
    """Say the labels of a pair, that they differ first of all."""
    if OTHER in one:
        labels = f"\nLabels differ: {one['label there']} there, {one['label']} here"
        return f"Among the others: {one[OTHER]}{labels if one['labels differ'] else ''}"
    if not one["label"] and not one["label beside"]:
        return str(one["group"])
    if one["labels differ"]:
        return f"Labels differ: {one['label beside']}, {one['label']}"
    return f"{one['label beside'] or 'no label'}, {one['label'] or 'no label'}"
