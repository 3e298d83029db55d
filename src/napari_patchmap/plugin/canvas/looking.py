"""What a canvas shows: where its camera stands, and which place is which pixel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from napari.components.viewer_model import ViewerModel
from napari.layers import Layer

from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.napari_private import canvas_widget

#: A box is this much smaller than its diagonal from most sides.
_TURNING = 0.75


def camera_state(viewer: ViewerModel) -> tuple[float, ...]:
    """Return where the camera stands, to tell later whether it was moved."""
    camera = camera_of(viewer)
    return (*camera.center, camera.zoom)


def fit(viewer: ViewerModel, layers: Sequence[Layer], margin: float = 0.06) -> None:
    """Centre the camera on some layers and zoom until they fill the canvas."""
    boxes = [np.asarray(ly.extent.world)[:, -2:] for ly in layers]
    boxes = [box for box in boxes if np.isfinite(box).all()]  # an empty layer has none
    if not boxes:
        return
    fit_box(viewer, np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0), margin)


def fit_box(
    viewer: ViewerModel, low: np.ndarray, high: np.ndarray, margin: float = 0.06
) -> None:
    """Centre the camera on a box, ``low`` and ``high`` corner as (y, x) or (z, y, x)."""
    camera = camera_of(viewer)
    camera.center = tuple((low + high) / 2)
    size = np.maximum(high - low, 1e-6)
    if len(size) == 3:  # from wherever it is looked at
        size = np.full(2, np.linalg.norm(size) * _TURNING)
    camera.zoom = float(np.min(canvas_size(viewer) * (1 - 2 * margin) / size))


def canvas_size(viewer: ViewerModel) -> np.ndarray:
    """Return the (height, width) of the canvas in pixels."""
    widget = canvas_widget(viewer)
    return np.array([widget.height(), widget.width()], float)


def visible_box(viewer: ViewerModel) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners, each (y, x), of what the canvas shows."""
    camera = camera_of(viewer)
    centre = np.asarray(camera.center)[-2:]
    half = canvas_size(viewer) / camera.zoom / 2
    return centre - half, centre + half


def to_canvas(viewer: ViewerModel, places: np.ndarray) -> np.ndarray:
    """Turn places on the map, (y, x) or (z, y, x), into pixels of the canvas, each (x, y)."""
    camera = camera_of(viewer)
    if places.shape[-1] == 3:
        right, down, _ = _canvas_axes(viewer)
        offset = places - np.asarray(camera.center)
        flat = np.stack([offset @ right, offset @ down], axis=-1)
        return flat * camera.zoom + canvas_size(viewer)[::-1] / 2
    pixels = (places - np.asarray(camera.center)[-2:]) * camera.zoom + canvas_size(viewer) / 2
    return pixels[:, ::-1]


def depth(viewer: ViewerModel, places: np.ndarray) -> np.ndarray:
    """How far behind the middle of the view places (z, y, x) are, in map units."""
    return (places - np.asarray(camera_of(viewer).center)) @ _canvas_axes(viewer)[2]


def _canvas_axes(viewer: ViewerModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Directions (z, y, x) that point right, down and away on a canvas in 3-D."""
    camera = camera_of(viewer)
    away = np.asarray(camera.view_direction, float)
    up = np.asarray(camera.up_direction, float)
    # The order z, y, x turns the hand of the cross product around.
    return np.cross(away, up), -up, away


def to_map(viewer: ViewerModel, pixels: np.ndarray) -> np.ndarray:
    """Turn pixels of the canvas, each (x, y), into places on the map, each (y, x)."""
    camera = camera_of(viewer)
    offset = (np.asarray(pixels, float)[:, ::-1] - canvas_size(viewer) / 2) / camera.zoom
    return offset + np.asarray(camera.center)[-2:]
