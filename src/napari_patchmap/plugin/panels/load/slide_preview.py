"""Shows which tiles a slide will be cut into, before anything is loaded or trained."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from napari.viewer import Viewer
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QWidget

from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.of_viewer import real_viewer
from napari_patchmap.plugin.panels.load.slide_layers import SlideLayers, tile_picture
from napari_patchmap.plugin.qt.basics import button, choice, column, label, row
from napari_patchmap.plugin.qt.subscribe import subscribe
from napari_patchmap.plugin.workspace import workspace_of

#: How long a change has to settle before the tiles follow, in milliseconds.
_PAUSE = 200


@dataclass(frozen=True)
class _Planned:
    path: str
    names: list[str]
    name: str
    plan: Any
    picture: np.ndarray
    step: int


class SlidePreview(QWidget):
    """The chosen tiles, drawn on the slide in the viewer, and how many they are."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        viewer = real_viewer(viewer)
        self.layers = SlideLayers(viewer)
        self._path, self._config = "", TileConfig()
        self._names: tuple[str, list[str]] = ("", [])
        self.slides = choice("The slide whose tiles are shown; all of them are loaded.")
        self.line = label("", "hint", wrap=True)
        self.button = button(
            "Show tiles",
            "link",
            "Draw on the slide which tiles will be cut out; nothing is loaded.",
        )
        line = row(self.line, self.button)
        line.setStretch(0, 1)
        column(self, self.slides, line, spacing=4)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE, timeout=self.plan)
        self._newest = Newest(self, "Looking for tissue", self._show, self._refuse)
        self.button.clicked.connect(self._on_button)
        self.slides.activated.connect(lambda _: self.plan())
        workspace = workspace_of(viewer)
        subscribe(self, workspace.patches_changed, self._on_patches)
        subscribe(self, workspace.selection_changed, self._on_marked)
        subscribe(self, workspace.current_changed, self._on_marked)
        subscribe(self, MapLayer.of(viewer).views.changed, self.layers.on_view)
        self._list([])
        self._say("")

    @property
    def busy(self) -> bool:
        """Whether tiles are being chosen."""
        return self._newest.busy or self._pause.isActive()

    def set_source(self, path: str, config: TileConfig) -> None:
        """Show the tiles of a slide, or of the first in a folder; "" for none."""
        path = os.path.abspath(os.path.expanduser(path)) if path else ""
        if path == self._path:
            return
        self._path, self._config = path, config
        self._newest.forget()
        self._list([])
        self._say("")
        if path and os.path.exists(path):
            self._pause.start()
        else:
            self._pause.stop()
            self.layers.forget_tiles()

    def set_config(self, config: TileConfig) -> None:
        """Cut the slide in another way."""
        if config != self._config:
            self._config = config
            if self._path:
                self._pause.start()

    def plan(self) -> None:
        """Choose the tiles in the background and draw them."""
        self._pause.stop()
        path, config = self._path, self._config
        if not path:
            return
        name, known = self.slides.currentText(), self._names
        self._say("Looking for tissue…")
        self._newest.ask(lambda watch: _planned(path, name, known, config, watch))

    def _on_button(self) -> None:
        if not self._path:
            self._say("Choose a slide first: type its path, browse, or drop it here.")
            return
        self.layers.clear()
        self.plan()

    def _show(self, found: _Planned | None) -> None:
        if found is None or found.path != self._path:
            return
        self._names = found.path, found.names
        if self.slides.count() != len(found.names):
            self._list(found.names)
        plan = found.plan
        text = f"{len(plan.boxes):,} of {plan.candidates:,} tiles"
        if len(plan.boxes) < plan.found:
            text += f", chosen at random from {plan.found:,} with tissue"
        if plan.mpp is not None:
            text += f", {plan.mpp:.2f} µm per pixel"
        elif plan.magnification is not None:
            text += f", {plan.magnification:.3g}x"
        self._say(text)
        self.layers.show(plan, found.name, found.picture, found.step)

    def _refuse(self, sentence: str) -> None:
        self._say(sentence)
        self.layers.forget_tiles()

    def _on_patches(self, patches: Any) -> None:
        """Leave the slide to what brings out the selection on it."""
        if patches is not None:
            self.layers.forget_tiles()

    def _on_marked(self, marked: Any) -> None:
        """Make room for the tiles that are loaded, once some of them are marked."""
        if np.size(marked) and np.max(marked) >= 0:
            self.layers.forget_tiles()

    def _list(self, names: list[str]) -> None:
        self.slides.clear()
        self.slides.addItems(names)
        self.slides.setVisible(len(names) > 1)

    def _say(self, text: str) -> None:
        self.line.setText(text)


def _planned(
    path: str,
    name: str,
    known: tuple[str, list[str]],
    config: TileConfig,
    watch: Watch,
) -> _Planned | None:
    from napari_patchmap.errors import PatchError
    from napari_patchmap.patches.readers.plate.read_plate import is_plate, read_plate
    from napari_patchmap.patches.readers.slides.find_slides import find_slides
    from napari_patchmap.patches.readers.slides.tiles import is_one_slide, plan_tiles
    from napari_patchmap.patches.watch import LoadCancelled

    given = Path(path)
    plate = is_plate(given)
    folder = not is_one_slide(given)
    if folder:
        names = known[1] if known[0] == path else []
        if not names and plate:
            names = read_plate(given, "auto", watch).sources.tolist()
        names = names or find_slides(given)
        if not names:
            raise PatchError(f"{path} holds no slides (.svs or .tif); choose another folder.")
    else:
        names = [given.name]
    name = name if name in names else names[0]
    root = given if folder else given.parent
    try:
        plan = plan_tiles(root / name, config, several=len(names) > 1, watch=watch)
    except LoadCancelled:
        return None
    picture, step = tile_picture(plan)
    return _Planned(path, names, name, plan, picture, step)
