"""Patches of other images on the map: their layers, and which of them are selected."""

from __future__ import annotations

import numpy as np
import pandas as pd
from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.paint_order import ranks
from napari_patchmap.explore.words import caption
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.of_viewer import OfViewer
from napari_patchmap.plugin.qt.thumbnails import Thumbnails
from napari_patchmap.plugin.workspace import Workspace

#: Pixels of pictures that are kept: cards alone are painted from them.
_MOST = 2**20


class PlacedLayer:
    """A layer of placed patches with their pictures."""

    def __init__(
        self, layer: PatchPoints, patches: PatchSet, table: pd.DataFrame, window: QWidget
    ) -> None:
        self.layer = layer
        self._name, self._table = patches.name, table
        self.thumbnails = Thumbnails(window, _MOST)
        self.thumbnails.set_patches(patches)

    def find(self, viewer: Viewer, pixel: np.ndarray, reach: float) -> int:
        """Return the patch that is meant by a pixel (x, y) of the canvas, -1 for none.

        The topmost of those painted there, or else the closest one in reach.
        """
        layer = self.layer
        if not layer.visible or not len(layer.data):
            return -1
        away = to_canvas(viewer, np.asarray(layer.data)) - pixel
        size = float(layer.size[0]) * camera_of(viewer).zoom
        half = float(np.clip(size, *layer.canvas_size_limits)) / 2
        covering = np.flatnonzero((np.abs(away).sum(axis=1) <= half) & layer.shown)  # diamonds
        if len(covering):
            return int(covering[ranks(layer.order)[covering].argmax()])
        apart = np.linalg.norm(away, axis=1)
        apart[~layer.shown] = np.inf
        nearest = int(apart.argmin())
        return nearest if apart[nearest] <= reach else -1

    def words(self, index: int) -> list[str]:
        """Say what a placed patch is: its label and source, and how unlike the map's."""
        lines = [f"placed: {self._name}", *caption(self._table, index)]
        if "unlikeness" in self._table:
            lines.append(f"unlikeness {self._table['unlikeness'].iloc[index]:.2f}")
        return lines


class PlacedLayers(OfViewer):
    """What was placed on the map of a viewer.

    Signals
    -------
    arrived()
        Pictures of placed patches are there that were asked for.
    """

    arrived = Signal()

    def __init__(self, viewer: Viewer, workspace: Workspace) -> None:
        super().__init__(viewer)
        self._workspace = workspace
        self._layers: dict[str, PlacedLayer] = {}

    @property
    def listed(self) -> list[PlacedLayer]:
        """What lies on the map, the latest first."""
        return list(reversed(self._layers.values()))

    def has(self, layer: Layer) -> bool:
        """Whether a layer is one of these."""
        return any(layer is other.layer for other in self._layers.values())

    def put(
        self, patches: PatchSet, places: np.ndarray, table: pd.DataFrame, points: PatchPoints
    ) -> PatchPoints:
        """Make the layer of some patches on a map of ``points``; those of the same name go."""
        self.forget(patches.name)
        # Many more than the map has would hide it.
        smaller = min(1.0, (len(points.data) / max(1, len(places))) ** 0.5)
        size = float(points.size[0]) * smaller
        layer = marks.placed_points(patches.name, places, table, size)
        name, own = patches.name, self._workspace.patches
        if own is not None and len(own.missing) < len(own):
            patches = patches.shown_as(own)
        placed = PlacedLayer(layer, patches, table, canvas_widget(self.viewer))
        placed.thumbnails.arrived.connect(lambda _: self.arrived.emit())
        self._layers[name] = placed
        return layer

    def forget(self, name: str | None = None) -> None:
        """Take away what has a name, or all that lies on a map that is no more."""
        for key, other in list(self._layers.items()):
            if name in (None, key):
                if other.layer in self.viewer.layers:
                    self.viewer.layers.remove(other.layer)  # of which we are told
                self.removed(other.layer)

    def removed(self, layer: object) -> None:
        """Forget what somebody took away."""
        for name, other in list(self._layers.items()):
            if other.layer is layer:
                del self._layers[name]
                other.thumbnails.set_patches(None)

    def select(self, other: PlacedLayer, index: int, *, add: bool) -> None:
        """Select a placed patch in its own layer; those of the map are let go."""
        before = set(other.layer.selected_data) if add else set()
        self._workspace.clear_selection()
        self.let_go()
        other.layer.selected_data = before | {index}

    def let_go(self) -> None:
        """Select none of the placed patches."""
        for other in self.listed:
            if other.layer.selected_data:
                other.layer.selected_data = set()
