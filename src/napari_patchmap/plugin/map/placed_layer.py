"""Patches of other images that were placed on the map, and what is shown of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget

from napari_patchmap.explore.paint_order import ranks
from napari_patchmap.explore.words import caption
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.canvas.two_views import to_canvas
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.qt.thumbnails import Thumbnails

#: Pixels of pictures that are kept: cards alone are painted from them.
_MOST = 2**20


class PlacedLayer:
    """A layer of placed patches with their pictures.

    Parameters
    ----------
    layer : Points
        Row i is patch i of ``patches``.
    patches : PatchSet
    table : DataFrame
        Theirs, with how unlike each is to the patches of the map.
    window : QWidget
        When it goes, no picture is read any more.

    Attributes
    ----------
    thumbnails : Thumbnails
        Pictures of the patches.
    """

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
