"""Moving the points of a map without making each of them anew."""

from __future__ import annotations

from typing import Any

import numpy as np
from napari.viewer import Viewer

from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.napari_private import markers_of


def move_points(viewer: Viewer, layer: PatchPoints, places: np.ndarray) -> None:
    """Give the points of a map other places; order, colours and sizes stay.

    napari's own assignment prepares colour, symbol and outline of every point
    again and tells all listeners row by row, which blocks the window for a moment
    that people feel while a map is moving. Here only places are copied. Where
    napari's inner parts are not as they are known, its own way is taken.

    Parameters
    ----------
    viewer : Viewer
    layer : PatchPoints
        Its data is replaced by ``places``, which must not be changed afterwards.
    places : ndarray of float32, shape (n, 2)
    """
    markers = _markers(viewer, layer)
    if markers is None or len(places) != len(layer.data) or not layer.shown.all():
        layer.data = places
        return
    layer._data = places
    drawn = markers._data
    drawn["a_position"][:, :2] = places[layer.order, ::-1]
    markers._vbo.set_data(drawn)
    markers.update()
    layer.refresh(thumbnail=False, data_displayed=False, highlight=False, extent=True)


def _markers(viewer: Viewer, layer: PatchPoints) -> Any:
    """Return what draws the points, None if it is not as expected or not in 2-D."""
    markers = markers_of(viewer, layer)
    try:
        known = (
            layer._data.shape == (len(markers._data), 2)
            and "a_position" in markers._data.dtype.names
            and hasattr(markers._vbo, "set_data")
        )
    except (AttributeError, TypeError):
        return None
    return markers if known and layer.visible and viewer.dims.ndisplay == 2 else None
