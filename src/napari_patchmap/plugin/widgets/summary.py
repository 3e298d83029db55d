"""What was loaded: figures, labels, what was left out, and a sheet of random patches."""

from __future__ import annotations

import numpy as np
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_patchmap.explore.palette import categorical_colours, label_order, missing_colour
from napari_patchmap.patches import PatchSet, headline
from napari_patchmap.plugin.form import Fold
from napari_patchmap.plugin.widgets.panel import label
from napari_patchmap.plugin.widgets.parts import Bars, Elided, PictureGrid, button, row

#: How many random patches are shown.
SHEET = 30

#: Rows of labels and of left-out files that are shown; more are counted.
_MOST_ROWS = 24


class Summary(QWidget):
    """Tells what a patch set holds before anything is trained on it."""

    def __init__(self) -> None:
        super().__init__()
        self._patches: PatchSet | None = None
        self._random = np.random.default_rng(0)
        self.title = Elided("heading")
        self.facts = label("", wrap=True)
        self.notes = label("", "hint", wrap=True)
        self.sheet = PictureGrid(44)
        self.sheet.setToolTip("Patches picked at random, as the network will see them.")
        self.again = button("Other patches", "link", "Pick other random patches.")
        self.again.clicked.connect(self.draw)
        self.bars = Bars("How many patches each label has.")
        self.labels_heading = label("Labels", "group")
        self.skipped = Fold("")
        self.skipped_text = label("", "hint", wrap=True)
        inside = QVBoxLayout(self.skipped.body)
        inside.setContentsMargins(4, 0, 0, 0)
        inside.addWidget(self.skipped_text)
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 4, 0, 0)
        rows.setSpacing(6)
        rows.addWidget(self.title)
        rows.addWidget(self.facts)
        rows.addWidget(self.notes)
        rows.addWidget(self.skipped)
        rows.addWidget(self.sheet)
        rows.addLayout(row(self.again, 1))
        rows.addWidget(self.labels_heading)
        rows.addWidget(self.bars)
        self.hide()

    def show_patches(self, patches: PatchSet | None) -> None:
        """Describe a patch set, or nothing."""
        self._patches = patches
        self.setVisible(patches is not None)
        if patches is None:
            return
        self.title.say(patches.name)
        self.facts.setText("\n".join(headline(patches)))
        notes = getattr(patches, "notes", [])
        self.notes.setText(" ".join(notes))
        self.notes.setVisible(bool(notes))
        self._show_labels(patches)
        self._show_skipped(patches)
        self.draw()

    def draw(self) -> None:
        """Pick other random patches."""
        if self._patches is not None:
            count = min(SHEET, len(self._patches))
            picked = self._random.choice(len(self._patches), count, replace=False)
            self.sheet.show_pictures([self._patches.thumbnail(int(i), 64) for i in picked])

    def _show_labels(self, patches: PatchSet) -> None:
        rows = label_rows(patches)
        self.labels_heading.setText(f"{len(rows)} labels" if rows else "No labels")
        self.labels_heading.setToolTip(
            "" if rows else "None are needed for a map; they only colour it and measure it."
        )
        shown = rows[:_MOST_ROWS]
        if len(rows) > len(shown):
            grey = QColor.fromRgbF(*missing_colour().tolist())
            shown.append((grey, f"and {len(rows) - len(shown)} more", 0.0, ""))
        self.bars.show_rows(shown)
        self.bars.setVisible(bool(rows))

    def _show_skipped(self, patches: PatchSet) -> None:
        skipped = patches.skipped
        self.skipped.setVisible(bool(skipped))
        self.skipped.rename(f"{len(skipped):,} {plural(len(skipped), 'image')} left out")
        lines = [f"{s.source}: {s.reason}" for s in skipped[:_MOST_ROWS]]
        if len(skipped) > len(lines):
            lines.append(f"and {len(skipped) - len(lines):,} more")
        self.skipped_text.setText("\n".join(lines))


def label_rows(patches: PatchSet) -> list[tuple[QColor, str, float, str]]:
    """Return colour, name, share of the most frequent, and count of each label."""
    counts = patches.label_counts()
    if patches.labels is None or counts.empty:
        return []
    names = label_order(patches.labels)
    colours = categorical_colours(len(names))
    most = max(int(counts.max()), 1)
    rows = [
        (QColor.fromRgbF(*colour.tolist()), name, int(counts[name]) / most, f"{counts[name]:,}")
        for name, colour in zip(names, colours, strict=True)
    ]
    if "" in counts:
        grey = QColor.fromRgbF(*missing_colour().tolist())
        rows.append((grey, "without a label", int(counts[""]) / most, f"{counts['']:,}"))
    return rows


def plural(count: int, noun: str) -> str:
    """Return the noun in the right number."""
    if count == 1:
        return noun
    return noun + ("es" if noun.endswith("ch") else "s")
