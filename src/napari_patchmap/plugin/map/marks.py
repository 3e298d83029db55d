"""How points, selection and current patch look: the three Points layers of a map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_rgba
from napari.layers import Layer, Points

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.explore.in_view import box_of
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.plugin.map.patch_points import PatchPoints
from napari_patchmap.plugin.napari_private import replace_points, told_once

#: Names in the layer list.
MAP, SELECTED, CURRENT = "map", "map: selected", "map: current patch"

#: Begins the names of layers with patches that were placed on a map later.
PLACED = "placed: "

#: Begins the names of layers with other maps of the same patches, and names their titles.
BESIDE, TITLES = "beside: ", "map: titles"

#: Their colour; no label has it.
PLACED_COLOUR = "#ff8c00"

# Upper limits of sizes, in canvas pixels.
_LARGEST_POINT, _LARGEST_SELECTED, _RING = 13, 17, 24

#: Width in pixels over which a point's rim fades; napari's 1 pales small points.
_SOFT = 0.5

#: Rings help to see a few selected points; around many they hide each other.
_MOST_RINGS, _MOST_OUTLINES = 100, 3_000


def point_size(embedding: np.ndarray) -> float:
    """Size of a point in map units: 0.007 of the extent for 17,000, larger for fewer."""
    extent = float(np.ptp(box_of(embedding), axis=0).max()) or 1.0
    return extent * float(np.clip(0.9 / np.sqrt(len(embedding)), 0.002, 0.02))


def map_points(embedding: np.ndarray, table: pd.DataFrame, colours: np.ndarray) -> PatchPoints:
    """Make the layer of all patches, one point each, its table as features."""
    return PatchPoints(
        embedding,
        name=MAP,
        features=table,
        size=point_size(embedding),
        largest=_LARGEST_POINT,
        face_color=colours,
        border_width=0,
        antialiasing=_SOFT,
        shading="spherical" if embedding.shape[1] == 3 else "none",
    )


def selected_points(dimensions: int) -> PatchPoints:
    """Make the empty layer that brings out the selected points."""
    return PatchPoints(
        np.empty((0, dimensions)), ndim=dimensions, name=SELECTED, border_width=0,
        size=1, largest=_LARGEST_SELECTED, antialiasing=_SOFT,
    )  # fmt: skip


def current_point(dimensions: int) -> PatchPoints:
    """Make the empty layer with the ring around the current patch."""
    return PatchPoints(
        np.empty((0, dimensions)), ndim=dimensions, name=CURRENT,
        size=1, largest=_RING, face_color="transparent",
    )  # fmt: skip


def placed_points(
    name: str, embedding: np.ndarray, table: pd.DataFrame, size: float
) -> PatchPoints:
    """Make a layer of patches that were placed on the map, told from its own by form."""
    return PatchPoints(
        embedding,
        name=f"{PLACED}{name}",
        features=table,
        symbol="diamond",
        size=2 * size,
        largest=_LARGEST_SELECTED,
        face_color=PLACED_COLOUR,
        border_color="black",
        border_width=0.12,
        antialiasing=_SOFT,
    )


def is_saved_map(layer: Layer) -> bool:
    """Whether napari opened a table of ours, which holds neither sizes nor colours."""
    path = str(layer.source.path or "")
    return (
        type(layer) is Points
        and path.lower().endswith(".csv")
        and layer.ndim in (2, 3)
        and len(layer.data) > 0
        and set(BOX_COLUMNS) <= set(layer.features.columns)
    )


def look_like_map(layer: Points) -> None:
    """Give the points of a saved map the size and the colours that they had."""
    table = layer.features
    label = "label" if "label" in table and table["label"].notna().any() else ""
    layer.size = point_size(np.asarray(layer.data))
    layer.canvas_size_limits = (0, _LARGEST_POINT)
    layer.border_width = 0
    layer.antialiasing = _SOFT
    layer.face_color = colour_by(table, label).colours


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
    layer: PatchPoints, places: np.ndarray, order: np.ndarray, colours: np.ndarray,
    size: float, ring: str,
) -> None:  # fmt: skip
    """Show the selected points in full colour, outlined unless they are very many.

    ``order`` is the one in which they are painted.
    """
    few, some = len(places) <= _MOST_RINGS, len(places) <= _MOST_OUTLINES
    width = 0.15 if few else 0.1 if some else 0.0
    _replace(
        layer, places, order, size * (1.8 if few else 1.35), colours,
        np.broadcast_to(_rgba(ring), (len(places), 4)), np.full(len(places), width),
    )  # fmt: skip


def mark_current(layer: PatchPoints, places: np.ndarray, size: float, ring: str) -> None:
    """Ring one patch, or none, on each map; ``size`` is that of the map's points."""
    # Two rings, a light and a dark one, stand out from points of any colour.
    other = "black" if ring == "white" else "white"
    rings = np.array([_rgba(other), _rgba(ring)])
    _replace(
        layer,
        np.repeat(places, 2, axis=0),
        np.arange(2 * len(places)),
        9 * size,  # so large that the limit in pixels decides
        np.zeros((2 * len(places), 4), np.float32),
        np.tile(rings, (len(places), 1)),
        np.tile([0.22, 0.1], len(places)),
    )


def _replace(
    layer: PatchPoints, places: np.ndarray, order: np.ndarray, size: float, face: np.ndarray,
    border: np.ndarray, border_width: np.ndarray,
) -> None:  # fmt: skip
    """Give a marking layer other points."""
    # Old selected indices would survive the change and point at other patches.
    layer.selected_data = set()
    layer.order = order
    if replace_points(layer, places, size, face, border, border_width):
        return
    with told_once(layer):
        layer.data = places
        if len(places):
            layer.size, layer.border_width = size, border_width
            layer.face_color, layer.border_color = face, border


def _rgba(colour: str) -> np.ndarray:
    return np.array(to_rgba(colour), np.float32)


def _read_only(layer: Points) -> Points:
    def refuse(event: Any) -> None:
        if layer.editable:
            layer.editable = False

    layer.editable = False
    # napari makes layers editable again whenever the viewer's dimensions change.
    layer.events.editable.connect(refuse)
    return layer
