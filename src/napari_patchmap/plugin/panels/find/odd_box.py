"""Odd patches of one reason, or of any, in the gallery, and the first of them selected."""

from __future__ import annotations

import numpy as np

from napari_patchmap.find.odd import BECAUSE, ODDNESS
from napari_patchmap.find.search import Found
from napari_patchmap.plugin.panels.find.list_buttons import save_button
from napari_patchmap.plugin.panels.find.search_box import SearchBox
from napari_patchmap.plugin.qt.basics import button, choice, label, number, row

#: What stands for all reasons.
_ANY = "any reason"


class OddBox(SearchBox):
    """Shows odd patches, the oddest first, of one reason or all, and selects the first."""

    def add_parts(self) -> None:
        """Add the choice of a reason and of how many."""
        self.look.hide()  # its work is done below, for a reason and a number
        self.reason = choice("Only patches that are odd for this reason.")
        self.count = number(1, 10_000_000, 100, "How many of the oddest are selected.")
        self.first = button(
            "Select the oddest",
            "",
            "<qt>Select so many of the oddest and show them in the gallery, the oddest first. "
            "“Leave out the selected” below then trains again without them.</qt>",
        )
        self.save = save_button(self)
        self.parts.addLayout(row(label("Odd for"), self.reason))
        self.parts.addLayout(row(self.first, self.count, 1))
        self.parts.addLayout(row(self.save, 1))
        self.first.clicked.connect(lambda: self.look_at(self.odd_rows()[: self.count.value()]))
        self.reason.currentTextChanged.connect(lambda _: self._count())

    def show_found(self, found: Found | None) -> None:
        """Show an answer, and the reasons in it with how many patches have each."""
        super().show_found(found)
        self.look.hide()
        before = self.reason.currentData()
        self.reason.blockSignals(True)
        self.reason.clear()
        self.reason.addItem(_ANY, "")
        counts = {} if found is None else found.report.get("reasons", {})
        for words, count in sorted(counts.items(), key=lambda one: -one[1]):
            if count:
                self.reason.addItem(f"{words} ({count:,})", words)
        self.reason.setCurrentIndex(max(0, self.reason.findData(before)))
        self.reason.blockSignals(False)
        self._count()

    def odd_rows(self) -> np.ndarray:
        """Return the patches that are odd for the chosen reason, the oddest first, (m,)."""
        if self.found is None:
            return np.empty(0, np.intp)
        because, wanted = self.found.columns[BECAUSE], self.reason.currentData() or ""
        there = [bool(one) and (not wanted or wanted in one.split(", ")) for one in because]
        rows = np.flatnonzero(there)
        return rows[np.argsort(-self.found.columns[ODDNESS][rows], kind="stable")]

    def _count(self) -> None:
        self.first.setEnabled(len(self.odd_rows()) > 0)

    def listed_rows(self) -> np.ndarray:
        """Return all odd patches, the oddest first."""
        return self.odd_rows()
