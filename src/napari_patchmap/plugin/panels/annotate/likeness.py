"""More like this: the patches nearest to what is selected, or to an image from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtWidgets import QFileDialog, QWidget

from napari_patchmap.explore.similar import Similar, like_features, more_like
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.gallery_hooks import GalleryHooks
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.annotate.asking import Asking
from napari_patchmap.plugin.qt.basics import button, choice, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.qt.texts import Sentence
from napari_patchmap.runs import Placed
from napari_patchmap.runs.other_features import known_of, more_like_by
from napari_patchmap.runs.outside import place_image

#: Patches that are found at a time.
_COUNT = 60

#: Files that hold one image.
_IMAGES = "Images (*.png *.jpg *.jpeg *.tif *.tiff *.bmp *.webp *.gif *.jp2);;All files (*)"


class Likeness(QWidget):
    """Finds patches by their features, selects them and sorts the gallery by distance."""

    def __init__(self, owner: MapLayer) -> None:
        super().__init__()
        self._map, self.workspace = owner, owner.workspace
        self._gallery = GalleryHooks.of(owner.viewer)
        self.alike = button(
            "More like this", "",
            f"Select the {_COUNT} patches whose features are nearest to those selected, or to "
            "the one that is looked at.",
        )  # fmt: skip
        self.alike.clicked.connect(self._find_alike)
        self.image = button(
            "Find an image…", "",
            f"Place an image file on the map, and select the {_COUNT} patches that are most "
            "like it. Or drop it here, or onto the gallery.",
        )  # fmt: skip
        self.image.clicked.connect(self._ask_image)
        for one in (self.alike, self.image):
            one.setMinimumWidth(40)
        self.by = choice(
            "By the features of which map patches are compared: this one, or one that is shown "
            "beside it (normally this map)."
        )
        self.by.setAccessibleName("By the features of")
        self._which = QWidget()
        column(self._which, row(label("by the features of"), self.by))
        self.said = Sentence()
        self.asking = Asking(self.workspace)
        self.asking.failed.connect(lambda sentence, _: self.said.say(sentence))
        self.asking.ended.connect(self._refresh)
        finds, asking = row(self.alike, self.image), self.asking.with_button()
        column(self, finds, self._which, asking, self.said, spacing=4)
        workspace = self.workspace
        for signal in (workspace.current_changed, workspace.run_changed):
            subscribe(self, signal, self._refresh)
        subscribe(self, workspace.selection_changed, self._on_selection)
        subscribe(self, workspace.compared_changed, self._on_compared)
        subscribe(self, self._gallery.image_dropped, self.find_image)
        self._on_compared()

    # -- what is shown ----------------------------------------------------------------

    def _on_compared(self, _: object = None) -> None:
        chosen = self.by.currentData()
        self.by.clear()
        self.by.addItem("this map", None)
        for place, one in enumerate(self.workspace.compared, start=1):
            self.by.addItem(one.saved.title, one.saved)
            if one.saved is chosen:  # two maps may have one title
                self.by.setCurrentIndex(place)
        self._which.setVisible(bool(self.workspace.compared))
        self._refresh()

    def _on_selection(self, _: object) -> None:
        self.said.say("")  # it was about those that were selected
        self._refresh()

    def _refresh(self, *_: Any) -> None:
        free = self.workspace.run is not None and not self.asking.running
        self.alike.setEnabled(free and len(self._map.meant) > 0)
        self.image.setEnabled(free)
        self.said.setVisible(bool(self.said.text()) and not self.asking.running)

    # -- asking -------------------------------------------------------------------------

    def _find_alike(self) -> None:
        run, patches, rows = self.workspace.run, self.workspace.patches, self._map.meant
        if run is None or patches is None:
            return
        saved, hidden = self.by.currentData(), self._hidden()

        def work(watch: Watch) -> Similar:
            if saved is None:
                return more_like(run.features, rows, _COUNT, watch, hidden)
            return more_like_by(
                saved, known_of(patches, run, watch), rows, _COUNT, watch, hidden
            )

        by = "their features" if saved is None else f"the features of {saved.title}"
        self.said.say("")
        self.asking.ask(
            "Looking for more like this", work, lambda found: self._show(found, f"by {by}")
        )
        self._refresh()

    def _hidden(self) -> np.ndarray:
        """Return the patches whose points are not shown, which are not to be found."""
        count = len(self.workspace.patches or ())
        hidden = np.ones(count, bool)
        hidden[self._map.visible(np.arange(count))] = False
        return np.flatnonzero(hidden)

    def _ask_image(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Find an image", str(Path.home()), _IMAGES)
        if path:
            self.find_image(path)

    def find_image(self, path: str) -> None:
        """Place an image on the map, and select the patches that are most like it."""
        run = self.workspace.run
        if run is None:
            self.said.say("Train or open a map first; then an image can be looked for on it.")
            return
        if self.asking.running:
            return
        hidden = self._hidden()

        def work(watch: Watch) -> tuple[PatchSet, Placed, Similar]:
            features = run.features
            patch, placed = place_image(run, path, watch)
            found = like_features(features, placed.features, _COUNT, watch, hidden)
            return patch, placed, found

        self.said.say("")
        self.asking.ask("Looking for an image", work, self._show_image)
        self._refresh()

    # -- what came of it ---------------------------------------------------------------

    def _show(self, found: Similar, how: str, notes: Sequence[str] = ()) -> None:
        patches = self.workspace.patches
        assert patches is not None
        if not len(found.indices):
            self.said.say("No other patch is shown that could be found.")
            return
        distances = np.full(len(patches), np.nan, np.float32)
        distances[found.indices] = found.distances
        self.workspace.select(found.indices)
        self._gallery.offer("Likeness", distances, said="Distance of the features", choose=True)
        nearest, farthest = found.distances[0], found.distances[-1]
        sentence = (
            f"The {len(found.indices)} nearest {how}, at distances of {nearest:.3g} to "
            f"{farthest:.3g}."
        )
        self.said.say(" ".join([sentence, *notes]))

    def _show_image(self, answer: tuple[PatchSet, Placed, Similar]) -> None:
        patch, placed, found = answer
        table = patch.table.assign(unlikeness=placed.unlikeness)
        self._map.show_placed(patch, placed.embedding, table)
        self._show(found, f"to {patch.name} by their features", placed.notes)
