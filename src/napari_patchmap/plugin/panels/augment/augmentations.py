"""The "Augmentations" panel: presets, a form and a live preview of the views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import napari.viewer
import numpy as np
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QFormLayout, QVBoxLayout

from napari_patchmap.augment import JITTERS, PRESETS, AugmentConfig, notes, preview_views
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.qt.basics import button, choice, label, line, row
from napari_patchmap.plugin.qt.form import ConfigForm
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.qt.picture_grid import PictureGrid
from napari_patchmap.plugin.qt.texts import Message

#: Name shown when the settings are none of the presets.
CUSTOM = "custom"

#: How many views of the patch are shown, in rows of five.
VIEWS = 15

_PAUSE_MS = 150

#: What each preset is for, beside its name in the list.
_FOR = {
    "natural": "with an up and a down",
    "right-angles": "no upright side",
    "rotations": "single cells",
    "dino": "for the method DINO",
    "histology": "stained tissue",
}

#: What it does, said below the list.
_DOES = {
    "natural": "Crops, left-right flips and colour, for images with an up and a down, such as "
    "photographs.",
    "right-angles": "Also up-down flips and quarter turns, for images without an upright side, "
    "such as tissue.",
    "rotations": "Also any angle, for single cells in the middle of their patch.",
    "dino": "Tilts, any angle, blur and solarisation, as published for the method DINO.",
    "histology": "Tiny crops, quarter turns, strong colour and blur, for stained tissue.",
    CUSTOM: "Your own choice of the settings below.",
}


class Augmentations(WorkPanel):
    """Edits the workspace's augmentations and shows what they do to a patch."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self._index = 0
        self._seed = 0
        self._random = np.random.default_rng()

        self.preset = choice(
            "<qt>A set of augmentations to start from: what does not matter in your images. "
            "Default: rotations.</qt>"
        )
        for name in PRESETS:
            self.preset.addItem(f"{name} · {_FOR[name]}", name)
        self.preset.addItem(CUSTOM, CUSTOM)
        self.does = label("", "hint", wrap=True)
        self.jitter = choice(
            "<qt>How strongly colours are changed at random, as compared for tissue by Ciga et "
            "al. 2022: medium was best there. Default: as set below.</qt>"
        )
        self.jitter.addItem("as set below", "")
        for name, (brightness, _, _, hue) in JITTERS.items():
            self.jitter.addItem(name, name)
            self.jitter.setItemData(
                self.jitter.count() - 1,
                f"Brightness, contrast and saturation {brightness:g}, hue {hue:g}.",
                Qt.ItemDataRole.ToolTipRole,
            )
        self.original = PictureGrid(columns=1)
        self.original.setFixedWidth(88)
        self.original.setToolTip("The patch as it is.")
        self.caption = label("", "hint", wrap=True)
        self.other = button("Another patch", "", "Preview another patch, picked at random.")
        self.again = button("Other views", "", "Make other random views of the same patch.")
        self.views = PictureGrid(columns=5)
        self.views.setToolTip("What the network sees: it learns that these are the same patch.")
        self.note = Message()
        self.refusal = Message()
        self.form = ConfigForm(self.workspace.augment)

        choices = QFormLayout()
        choices.setContentsMargins(0, 0, 0, 0)
        choices.setHorizontalSpacing(10)
        choices.setVerticalSpacing(4)
        choices.addRow("Preset", self.preset)
        choices.addRow(self.does)
        choices.addRow("Colour jitter", self.jitter)
        self.column.addLayout(choices)
        side = row(self.other, self.again, 1)
        top = row(self.original)
        beside = QVBoxLayout()
        beside.addWidget(self.caption)
        beside.addLayout(side)
        beside.addStretch(1)
        top.addLayout(beside, 1)
        self.column.addLayout(top)
        self.column.addWidget(self.views)
        self.column.addWidget(self.note)
        self.column.addWidget(line())
        self.column.addWidget(self.form)
        self.column.addStretch(1)
        self.footer.addWidget(self.refusal)
        self.next = self.lead_to("train", "Next: train a map", "primary")

        self._previews = Newest(
            self, "Previewing augmentations", self._show_views, self._on_trouble
        )
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS, timeout=self._preview)
        self.preset.activated.connect(self._on_preset)
        self.jitter.activated.connect(self._on_jitter)
        self.form.changed.connect(self.workspace.set_augment)
        self.form.refused.connect(self._on_refused)
        workspace = self.workspace
        # What cannot be taken goes with the panel.
        self.destroyed.connect(lambda: workspace.refuse_augment(""))
        self.other.clicked.connect(self.another_patch)
        self.again.clicked.connect(self._other_views)
        self.listen(self.workspace.patches_changed, self._on_patches)
        self.listen(self.workspace.augment_changed, self._on_augment)
        self.listen(self.workspace.current_changed, self._on_current)
        self._on_augment(self.workspace.augment)
        self._on_patches(self.workspace.patches)
        self.guard_wheel()

    # -- what changes ---------------------------------------------------------------

    def another_patch(self) -> None:
        """Preview a patch picked at random."""
        patches = self.workspace.patches
        if patches is not None:
            self._index = int(self._random.integers(len(patches)))
            self._pause.start(0)

    def _other_views(self) -> None:
        self._seed += 1
        self._pause.start(0)

    def _on_preset(self, _: int) -> None:
        name = self.preset.currentData()
        if name != CUSTOM:
            self.workspace.set_augment(AugmentConfig.preset(name))
            self.form.set_config(self.workspace.augment)  # what was refused goes
        self._show_preset(self.workspace.augment)

    def _on_jitter(self, _: int) -> None:
        name = self.jitter.currentData()
        if name:
            self.workspace.set_augment(self.workspace.augment.jittered(name))
        self._show_preset(self.workspace.augment)

    def _on_refused(self, sentence: str) -> None:
        self.refusal.say(sentence, "error")
        self.workspace.refuse_augment(sentence)

    def _on_augment(self, config: AugmentConfig) -> None:
        if config != self.form.config:
            self.form.set_config(config)
        self._show_preset(config)
        self._show_notes()
        self._pause.start()

    def _show_preset(self, config: AugmentConfig) -> None:
        called = config.called if config.called in PRESETS else CUSTOM
        self.preset.setCurrentIndex(self.preset.findData(called))
        self.does.setText(_DOES[called])
        self.jitter.setCurrentIndex(self.jitter.findData(config.jitter_strength))

    def _on_patches(self, patches: Any) -> None:
        if patches is None:
            self.need("Load patches first: the preview shows what happens to them.")
        elif len(patches.missing) == len(patches):
            self.need("The images of this run are gone; locate them, or load patches.")
        else:
            self.need("")
            self._show_notes()
            self._on_current(self.workspace.current)
            self.another_patch()

    def _on_current(self, index: int) -> None:
        if index >= 0:
            self._index = index
            self._pause.start()

    def _show_notes(self) -> None:
        patches = self.workspace.patches
        said = notes(self.workspace.augment, patches) if patches is not None else []
        self.note.say(" ".join(said), "note")

    # -- the preview -----------------------------------------------------------------

    def _preview(self) -> None:
        """Make the views in the background; the newest wish wins."""
        patches, config = self.workspace.patches, self.workspace.augment
        if patches is None or self.missing or self._index >= len(patches):
            return
        index, seed = self._index, self._seed

        def work(watch: Watch) -> _Preview:
            views = preview_views(patches, index, config, VIEWS, seed, watch)
            return _Preview(patches, index, patches.thumbnail(index, 88), views)

        self._previews.ask(work)

    def _show_views(self, made: _Preview) -> None:
        if made.patches is not self.workspace.patches:
            return
        self.original.show_pictures([made.picture])
        self.views.show_pictures(list(made.views))
        labels = made.patches.labels
        named = f" · {labels[made.index]}" if labels is not None and labels[made.index] else ""
        height, width = made.views.shape[1:3]
        self.caption.setText(
            f"Patch {made.index:,}{named}\n{len(made.views)} views of it, {width} x {height} px"
        )

    def _on_trouble(self, sentence: str) -> None:
        self.note.say(sentence, "error")


@dataclass(frozen=True)
class _Preview:
    """A patch and views of it."""

    patches: PatchSet
    index: int
    picture: np.ndarray
    views: np.ndarray
