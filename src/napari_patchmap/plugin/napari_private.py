"""The only place that touches napari's private names; each has its reason.

napari offers no public way to its canvas or to what draws a layer. Should a name go, what
is drawn above the canvas or faded goes with it, and the map stays.
"""

from __future__ import annotations

from typing import Any

from napari.layers import Points
from napari.viewer import Viewer
from qtpy.QtWidgets import QWidget


def canvas_widget(viewer: Viewer) -> QWidget:
    """Return the Qt widget of the canvas: we paint above it and follow its size."""
    return viewer.window._qt_viewer.canvas.native


def markers_of(viewer: Viewer, layer: Points) -> Any:
    """Return what draws the points of a layer, None where napari keeps it elsewhere."""
    try:
        return viewer.window._qt_viewer.canvas.layer_to_visual[layer].node.points_markers
    except (AttributeError, KeyError):
        return None
