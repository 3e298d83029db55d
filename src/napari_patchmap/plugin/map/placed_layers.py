"""Patches of other images on the map: their layers, and which of them are selected."""

from __future__ import annotations

import weakref

import numpy as np
import pandas as pd
from napari.layers import Layer
from napari.viewer import Viewer
from psygnal import Signal

from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.map import marks
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.map.placed_layer import PlacedLayer
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.workspace import Workspace


class PlacedLayers:
    """What was placed on the map of a viewer.

    Parameters
    ----------
    viewer : Viewer
    workspace : Workspace

    Signals
    -------
    arrived()
        Pictures of placed patches are there that were asked for.
    """

    arrived = Signal()

    def __init__(self, viewer: Viewer, workspace: Workspace) -> None:
        self._viewer, self._workspace = weakref.ref(viewer), workspace
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
        """Make the layer of some patches; those of the same name go.

        Parameters
        ----------
        patches : PatchSet
        places : ndarray of float32, shape (m, d)
            As the map is shown.
        table : DataFrame
        points : PatchPoints
            Those of the map.
        """
        viewer = self._viewer()
        assert viewer is not None
        self.forget(patches.name)
        # Many more than the map has would hide it.
        smaller = min(1.0, (len(points.data) / max(1, len(places))) ** 0.5)
        size = float(points.size[0]) * smaller
        layer = marks.placed_points(patches.name, places, table, size)
        name, own = patches.name, self._workspace.patches
        if own is not None and len(own.missing) < len(own):
            patches = patches.shown_as(own)
        placed = PlacedLayer(layer, patches, table, canvas_widget(viewer))
        placed.thumbnails.arrived.connect(self.arrived.emit)
        self._layers[name] = placed
        return layer

    def forget(self, name: str | None = None) -> None:
        """Take away what has a name, or all that lies on a map that is no more."""
        viewer = self._viewer()
        for key in list(self._layers) if name is None else [name]:
            other = self._layers.get(key)
            if other is None:
                continue
            if viewer is not None and other.layer in viewer.layers:
                viewer.layers.remove(other.layer)  # of which we are told
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
