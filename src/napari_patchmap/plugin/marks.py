"""How points, selection and current patch look: the three Points layers of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Points

#: Names in the layer list.
MAP, SELECTED, CURRENT = "map", "map: selected", "map: current patch"

#: Begins the names of layers with patches that were placed on a map later.
PLACED = "placed: "

#: Begins the names of layers with other maps of the same patches, and names their titles.
BESIDE, TITLES = "beside: ", "map: titles"

#: Their colour; no label has it.
PLACED_COLOUR = "#ff8c00"

# Sizes have an upper limit only, in canvas pixels. With a lower one napari draws
# a border of half that width around every point that is clamped, wanted or not.
_LARGEST_POINT, _LARGEST_SELECTED, _RING = 13, 17, 24

#: Width in pixels over which a point's rim fades; napari's 1 pales small points.
_SOFT = 0.5

#: Rings help to see a few selected points; around many they hide each other.
_MOST_RINGS = 100


def point_size(embedding: np.ndarray) -> float:
    """Size of a point in map units: 0.007 of the extent for 17,000, larger for fewer."""
    extent = float(np.ptp(embedding, axis=0).max()) or 1.0
    return extent * float(np.clip(0.9 / np.sqrt(len(embedding)), 0.002, 0.02))


def map_points(embedding: np.ndarray, table: pd.DataFrame, colours: np.ndarray) -> Points:
    """Make the layer of all patches, one point each, its table as features."""
    return _read_only(
        Points(
            embedding,
            name=MAP,
            features=table,
            size=point_size(embedding),
            face_color=colours,
            border_width=0,
            canvas_size_limits=(0, _LARGEST_POINT),
            antialiasing=_SOFT,
            shading="spherical" if embedding.shape[1] == 3 else "none",
        )
    )


def selected_points(dimensions: int = 2) -> Points:
    """Make the empty layer that brings out the selected points."""
    return _read_only(
        Points(
            np.empty((0, dimensions)), ndim=dimensions, name=SELECTED, border_width=0,
            antialiasing=_SOFT,
            canvas_size_limits=(0, _LARGEST_SELECTED),
        )
    )  # fmt: skip


def current_point(dimensions: int = 2) -> Points:
    """Make the empty layer with the ring around the current patch."""
    return _read_only(
        Points(
            np.empty((0, dimensions)), ndim=dimensions, name=CURRENT,
            face_color="transparent",
            canvas_size_limits=(0, _RING),
        )
    )  # fmt: skip


def placed_points(name: str, embedding: np.ndarray, table: pd.DataFrame, size: float) -> Points:
    """Make a layer of patches that were placed on the map, told from its own by form."""
    return _read_only(
        Points(
            embedding,
            name=f"{PLACED}{name}",
            features=table,
            symbol="diamond",
            size=2 * size,
            face_color=PLACED_COLOUR,
            border_color="black",
            border_width=0.12,
            canvas_size_limits=(0, _LARGEST_SELECTED),
            antialiasing=_SOFT,
        )
    )


def titles(maps: Sequence[np.ndarray], texts: Sequence[str], colour: str) -> Points:
    """Make the layer with a title above each of some maps, left over its top edge."""
    corners = [np.array([one.min(axis=0), one.max(axis=0)]) for one in maps]
    above = np.array([low for low, _ in corners])
    if above.shape[1] == 3:  # half-way into the depth, so that it turns with its map
        above[:, 0] = [box[:, 0].mean() for box in corners]
    side = max(float(np.ptp(box, axis=0).max()) for box in corners)
    above[:, -2] -= 0.02 * side
    return _read_only(
        Points(
            above,
            name=TITLES,
            features=pd.DataFrame({"title": list(texts)}),
            text={"string": "{title}", "size": 8, "color": colour, "anchor": "upper_left"},
            size=side / 1000,
            canvas_size_limits=(0, 1),
            face_color="transparent",
            border_width=0,
        )
    )


def mark_selected(
    layer: Points, places: np.ndarray, colours: np.ndarray, size: float, ring: str
) -> None:
    """Show the selected points in full colour, with a ring each when they are few."""
    _replace(layer, places)
    if len(places):
        few = len(places) <= _MOST_RINGS
        layer.size = size * (1.8 if few else 1.25)
        layer.face_color = colours
        layer.border_color = ring
        layer.border_width = 0.15 if few else 0.0


def mark_current(layer: Points, places: np.ndarray, size: float, ring: str) -> None:
    """Ring one patch, or none, on each map; ``size`` is that of the map's points."""
    # Two rings, a light and a dark one, stand out from points of any colour.
    other = "black" if ring == "white" else "white"
    _replace(layer, np.repeat(places, 2, axis=0))
    if len(places):
        layer.size = 9 * size  # so large that the limit in pixels decides
        layer.face_color = "transparent"
        layer.border_color = [other, ring] * len(places)
        layer.border_width = [0.22, 0.1] * len(places)


def _replace(layer: Points, places: np.ndarray) -> None:
    # Old selected indices would survive the change and point at other patches.
    layer.selected_data = set()
    layer.data = places


def _read_only(layer: Points) -> Points:
    def refuse(event: Any) -> None:
        if layer.editable:
            layer.editable = False

    layer.editable = False
    # napari makes layers editable again whenever the viewer's dimensions change.
    layer.events.editable.connect(refuse)
    return layer
