"""What was loaded: figures, labels, what was left out, and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

from qtpy.QtGui import QColor
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_patchmap.explore.palette import categorical_colours, label_order, missing_colour
from napari_patchmap.patches import PatchSet, headline
from napari_patchmap.patches.patchset import BOX_COLUMNS
from napari_patchmap.plugin.panels.load.channel_choice import ChannelChoice
from napari_patchmap.plugin.panels.load.contact_sheet import ContactSheet
from napari_patchmap.plugin.panels.load.label_choice import LabelChoice
from napari_patchmap.plugin.panels.load.left_out import LeftOut
from napari_patchmap.plugin.qt.panel import label
from napari_patchmap.plugin.qt.parts import Bars, Elided, button, row

#: Rows of labels that are shown; more are counted.
_MOST_ROWS = 24

#: Columns that are named; more are counted.
_MOST_COLUMNS = 6


class Summary(QWidget):
    """Tells what a patch set holds before anything is trained on it."""

    def __init__(self) -> None:
        super().__init__()
        self.title = Elided("heading")
        self.facts = label("", wrap=True)
        self.columns = label("", "hint", wrap=True, tip="They can colour the map.")
        self.notes = label("", "hint", wrap=True)
        self.channels = ChannelChoice()
        self.sheet = ContactSheet()
        self.again = button("Other patches", "link", "Show others, from all over the set.")
        self.again.clicked.connect(self.sheet.draw_others)
        self.bars = Bars("How many patches each label has.")
        self.labels_heading = label("Labels", "group")
        self.label_choice = LabelChoice()
        self.skipped = LeftOut()
        rows = QVBoxLayout(self)
        rows.setContentsMargins(0, 4, 0, 0)
        rows.setSpacing(6)
        for widget in (
            self.title,
            self.facts,
            self.notes,
            self.columns,
            self.skipped,
            self.sheet,
        ):
            rows.addWidget(widget)
        rows.addLayout(row(self.again, 1))
        rows.addWidget(self.channels)
        rows.addWidget(self.labels_heading)
        rows.addWidget(self.label_choice)
        rows.addWidget(self.bars)
        self.hide()

    def show_patches(self, patches: PatchSet | None, channels: Sequence[str] = ()) -> None:
        """Describe a patch set, or nothing; ``channels`` are those one may choose among."""
        self.setVisible(patches is not None)
        self.sheet.show_patches(patches)
        if patches is None:
            return
        self.title.say(patches.name)
        self.facts.setText("\n".join(headline(patches)))
        self.notes.setText(" ".join(f"{note.rstrip('.')}." for note in patches.notes))
        self.notes.setVisible(bool(patches.notes))
        self.columns.setText(_columns(patches))
        self.columns.setVisible(bool(self.columns.text()))
        self.channels.show_channels(channels, patches.channel_names)
        self._show_labels(patches)
        self.label_choice.show_patches(patches)
        self.skipped.show_skipped(patches.skipped)

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


def _columns(patches: PatchSet) -> str:
    """Name the columns that came along with the patches."""
    known = (*BOX_COLUMNS, "label")
    names = [str(name) for name in patches.table.columns if name not in known]
    more = f" and {len(names) - _MOST_COLUMNS:,} more" if len(names) > _MOST_COLUMNS else ""
    return f"Columns: {', '.join(names[:_MOST_COLUMNS])}{more}" if names else ""


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
