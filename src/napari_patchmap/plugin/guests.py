"""Patches of other images that were placed on the map, and what is shown of each."""

from __future__ import annotations

import numpy as np
import pandas as pd
from napari.layers import Points
from napari.viewer import Viewer
from qtpy.QtGui import QPixmap

from napari_patchmap.explore.words import caption
from napari_patchmap.patches import PatchSet
from napari_patchmap.plugin.thumbnails import Thumbnails
from napari_patchmap.plugin.views import to_canvas


class Guests:
    """A layer of placed patches with their pictures.

    Parameters
    ----------
    layer : Points
        Row i is patch i of ``patches``.
    patches : PatchSet
    table : DataFrame
        Theirs, with how unlike each is to the patches of the map.
    """

    def __init__(self, layer: Points, patches: PatchSet, table: pd.DataFrame) -> None:
        self.layer = layer
        self._name, self._table = patches.name, table
        self._thumbnails = Thumbnails()
        self._thumbnails.set_patches(patches)

    def find(self, viewer: Viewer, pixel: np.ndarray, reach: float) -> int:
        """Return the patch closest to a pixel (x, y) of the canvas, -1 for none in reach."""
        if not self.layer.visible or not len(self.layer.data):
            return -1
        apart = np.linalg.norm(to_canvas(viewer, self.layer.data) - pixel, axis=1)
        apart[~self.layer.shown] = np.inf
        nearest = int(apart.argmin())
        return nearest if apart[nearest] <= reach else -1

    def words(self, index: int) -> list[str]:
        """Say what a placed patch is: its label and source, and how unlike the map's."""
        lines = [f"placed: {self._name}", *caption(self._table, index)]
        if "unlikeness" in self._table:
            lines.append(f"unlikeness {self._table['unlikeness'].iloc[index]:.2f}")
        return lines

    def picture(self, index: int, side: int, ratio: float) -> QPixmap:
        """Return a placed patch, ``side`` pixels long on a screen of that pixel ratio."""
        return self._thumbnails.get(index, side, ratio)
