"""Changing many points at once, past what napari checks and tells for each of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from napari.layers import Points
from napari.viewer import Viewer

from napari_patchmap.plugin.napari_private.hooked_points import HookedPoints


def markers_of(viewer: Viewer, layer: Points) -> Any:
    """Return what draws the points of a layer, None where napari keeps it elsewhere."""
    try:
        return viewer.window._qt_viewer.canvas.layer_to_visual[layer].node.points_markers
    except (AttributeError, KeyError):
        return None


@contextlib.contextmanager
def told_once(layer: Points) -> Iterator[None]:
    """Change all of a layer's points, and have them drawn once instead of five times."""
    with (
        layer.events.blocker_all(),
        layer._face.events.blocker_all(),
        layer._border.events.blocker_all(),
    ):
        yield
    layer.refresh()


def move_in_place(viewer: Viewer, layer: HookedPoints, places: np.ndarray) -> bool:
    """Give the points of a layer other places; order, colours and sizes stay.

    napari's own assignment prepares colour, symbol and outline of every point
    again and tells all listeners row by row, which blocks the window for a moment
    that people feel while a map is moving. Here only places are copied.

    Parameters
    ----------
    viewer : Viewer
    layer : HookedPoints
        Its data is replaced by ``places``, which must not be changed afterwards.
    places : ndarray of float32, shape (n, 2)

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are
        known, or the map is not flat and whole.
    """
    markers = markers_of(viewer, layer)
    try:
        drawn = markers._data
        known = (
            layer._data.shape == places.shape == (len(drawn), 2)
            and "a_position" in drawn.dtype.names
            and hasattr(markers._vbo, "set_data")
        )
    except (AttributeError, TypeError):
        return False
    if not (known and layer.visible and layer.shown.all() and viewer.dims.ndisplay == 2):
        return False
    layer._data = places
    drawn["a_position"][:, :2] = places[layer.order, ::-1]
    markers._vbo.set_data(drawn)
    markers.update()
    layer.refresh(thumbnail=False, data_displayed=False, highlight=False, extent=True)
    return True


def paint_in_place(viewer: Viewer, layer: HookedPoints, colours: np.ndarray) -> bool:
    """Give the points of a layer other colours; places, order and sizes stay.

    napari's own assignment compares all colours with the old ones and prepares everything
    else of each point again, row by row.

    Parameters
    ----------
    viewer : Viewer
    layer : HookedPoints
    colours : ndarray of float32, shape (n, 4)
        RGBA, 0 to 1; must not be changed afterwards.

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are known.
    """
    markers = markers_of(viewer, layer)
    try:
        drawn, rows = markers._data, layer._view_indices
        kept: dict[str, Any] = layer._face.__dict__
        known = (
            kept["colors"].shape == colours.shape
            and len(drawn) == len(rows) > 0
            and "a_bg_color" in drawn.dtype.names
            and hasattr(markers._vbo, "set_data")
        )
    except (AttributeError, KeyError, TypeError):
        return False
    if not known:
        return False
    kept["colors"] = colours
    drawn["a_bg_color"] = colours[rows]
    markers._vbo.set_data(drawn)
    markers.update()
    layer._update_thumbnail()
    return True


def replace_points(
    layer: HookedPoints,
    places: np.ndarray,
    size: float,
    face: np.ndarray,
    border: np.ndarray,
    border_width: np.ndarray,
) -> bool:
    """Give a layer other points, and have them drawn once.

    napari's own assignment lists all rows for its listeners, and cuts or extends one property
    after the other, each of which it checks.

    Parameters
    ----------
    layer : HookedPoints
        Without features.
    places : ndarray, shape (n, d)
    size : float
        Of all of them.
    face, border : ndarray of float32, shape (n, 4)
    border_width : ndarray of float, shape (n,)

    Returns
    -------
    bool
        False, and nothing is changed, where napari's inner parts are not as they are known.
    """
    count, look = len(places), {"_face": face, "_border": border}
    arrays = {
        "_data": places,
        "_size": np.full(count, size),
        "_border_width": border_width,
        "_symbol": np.full(count, layer.current_symbol, object),
        "_shown": np.ones(count, bool),
    }
    try:
        known = all(name in vars(layer) for name in arrays) and all(
            "colors" in vars(getattr(layer, name)) for name in look
        )
        resize = layer._feature_table.resize
    except (AttributeError, TypeError):
        return False
    if not known:
        return False
    layer.__dict__.update(arrays)
    for name, colours in look.items():
        getattr(layer, name).__dict__["colors"] = colours
    with layer.events.blocker_all():
        resize(count)
    layer.refresh()
    return True
