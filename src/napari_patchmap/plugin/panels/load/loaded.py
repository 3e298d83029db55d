"""What was loaded: figures, labels, what was left out, and a contact sheet."""

from __future__ import annotations

from collections.abc import Sequence

from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.patches import PatchSet, headline
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.plugin.panels.label_box import LabelBox
from napari_patchmap.plugin.panels.load.contact_sheet import ContactSheet
from napari_patchmap.plugin.panels.load.kept_parts import ChannelChoice
from napari_patchmap.plugin.panels.load.label_bars import LabelBars
from napari_patchmap.plugin.panels.load.skipped_images import SkippedImages
from napari_patchmap.plugin.qt.basics import button, column, label, row
from napari_patchmap.plugin.qt.texts import Elided

#: Columns that are named; more are counted.
_MOST_COLUMNS = 6


class Summary(QWidget):
    """Tells what a patch set holds before anything is trained on it."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.title = Elided("heading")
        self.facts = label("", wrap=True)
        self.columns = label("", "hint", wrap=True, tip="They can colour the map.")
        self.notes = label("", "hint", wrap=True)
        self.channels = ChannelChoice()
        self.sheet = ContactSheet()
        self.again = button("Other patches", "link", "Show others, from all over the set.")
        self.again.clicked.connect(self.sheet.draw_others)
        self.bars = LabelBars()
        self.labels_heading = label("Labels", "group")
        self.label_choice = LabelBox(viewer)
        self.skipped = SkippedImages()
        rows = column(
            self,
            self.title,
            self.facts,
            self.notes,
            self.columns,
            self.skipped,
            self.sheet,
            row(self.again, 1),
            self.channels,
            self.labels_heading,
            self.label_choice,
            self.bars,
        )
        rows.setContentsMargins(0, 4, 0, 0)
        self.hide()

    def show_patches(self, patches: PatchSet | None, channels: Sequence[str] = ()) -> None:
        """Describe a patch set, or nothing; ``channels`` are those one may choose among."""
        self.setVisible(patches is not None)
        pictured = patches is not None and patches.pictured
        self.sheet.show_patches(patches if pictured else None)
        for part in (self.sheet, self.again):
            part.setVisible(pictured)
        if patches is None:
            return
        self.title.say(patches.name)
        self.facts.setText("\n".join(headline(patches)))
        self.notes.setText(" ".join(f"{note.rstrip('.')}." for note in patches.notes))
        self.notes.setVisible(bool(patches.notes))
        self.columns.setText(_columns(patches))
        self.columns.setVisible(bool(self.columns.text()))
        self.channels.show_channels(channels, patches.channel_names)
        labels = self.bars.show_patches(patches)
        self.labels_heading.setText(f"{labels} labels" if labels else "No labels")
        self.labels_heading.setToolTip(
            "" if labels else "None are needed for a map; they only colour it and measure it."
        )
        self.skipped.show_skipped(patches.skipped)


def _columns(patches: PatchSet) -> str:
    """Name the columns that came along with the patches."""
    known = (*BOX_COLUMNS, "label")
    names = [str(name) for name in patches.table.columns if name not in known]
    more = f" and {len(names) - _MOST_COLUMNS:,} more" if len(names) > _MOST_COLUMNS else ""
    return f"Columns: {', '.join(names[:_MOST_COLUMNS])}{more}" if names else ""
