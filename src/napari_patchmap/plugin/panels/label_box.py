"""A list of what may be the label, wherever labels are shown."""

from __future__ import annotations

from typing import Any

from napari.viewer import Viewer
from qtpy.QtWidgets import QInputDialog, QWidget

from napari_patchmap.errors import PatchmapError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.first_look import look_at_first
from napari_patchmap.plugin.qt.basics import choice, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of

#: Shown where no column is the label yet.
_NONE = "none"

#: The last entry, and what it asks.
_NAMES = "from the names of the files…"
_HOW = (
    "How the label stands in the names of the files: {label} where it is, {} for parts of no "
    "interest, as in {label}_{}.png"
)


class LabelBox(QWidget):
    """Shows which column is the label, and makes another one the label; the map stays."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self._workspace = workspace_of(viewer)
        self.box = choice(
            "<qt>The column that is the label: it colours the map and measures it, and is "
            "never trained on. Several columns of 0 and 1, one a class, may be one label. An "
            "annotation is the label as it is when it is chosen; choose it again to take what "
            "was annotated since. Another can be chosen at any time; the map stays. Default: "
            "the one that was found.</qt>"
        )
        self.box.setAccessibleName("Label is")
        column(self, row(label("Label is"), self.box))
        self.box.activated.connect(self._on_choice)
        self._now = ""
        self._annotated: tuple[str, ...] = ()
        subscribe(self, self._workspace.patches_changed, self.show_choices)
        subscribe(self, self._workspace.annotations_changed, self._on_annotations)
        subscribe(self, self._workspace.label_changed, self.show_choices)
        self.show_choices()

    def _on_annotations(self, annotations: Annotations) -> None:
        if self._named(annotations) != self._annotated:
            self.show_choices()

    @staticmethod
    def _named(annotations: Annotations) -> tuple[str, ...]:
        """Name the annotations by which a patch is called something."""
        return tuple(one.name for one in annotations.columns if (one.codes >= 0).any())

    def show_choices(self, _: Any = None) -> None:
        """Offer what may be the label of the patches that are there."""
        patches = self._workspace.patches
        self.box.clear()
        if patches is None:
            self.hide()
            return
        names = look_at_first(patches).labels
        there = "label" in patches.table
        self._now = names[0] if there else ""
        if not there:
            self.box.addItem(_NONE, "")
        for name in names:
            self.box.addItem(name, name)
        self._annotated = self._named(self._workspace.annotations)
        for name in self._annotated:
            self.box.addItem(f"{name} (annotation)", name)
        source = patches.table["source"]
        files = len(source) > 1 and source.iloc[0] != source.iloc[-1]
        if files:
            self.box.addItem(_NAMES, _NAMES)
        self.setVisible(files or bool(self._annotated) or len(names) > there)

    def _on_choice(self, at: int) -> None:
        chosen = str(self.box.itemData(at) or "")
        if chosen == _NAMES:
            chosen, agreed = QInputDialog.getText(self, "Label", _HOW, text="{label}_{}")
            chosen = chosen.strip() if agreed else ""
        try:
            if chosen and chosen != self._now:
                self._workspace.choose_label(chosen)
        except PatchmapError as error:
            self._workspace.say(str(error))
        self.box.setCurrentIndex(max(0, self.box.findData(self._now)))
