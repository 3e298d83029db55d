"""What is open in the viewer, for runs that were made of it."""

from __future__ import annotations

from napari.layers import Image, Labels
from napari.viewer import Viewer

from napari_patchmap.plugin.views import OVERLAY
from napari_patchmap.runs import OpenLayer


def open_layers(viewer: Viewer) -> tuple[OpenLayer, ...]:
    """List the images and labels of a viewer, without what we drew above them."""
    found = []
    for layer in viewer.layers:
        if isinstance(layer, Image | Labels) and not layer.metadata.get(OVERLAY):
            data = layer.data[0] if layer.multiscale else layer.data
            labels = isinstance(layer, Labels)
            rgb = not labels and bool(layer.rgb)
            found.append(OpenLayer(layer.name, data, rgb, labels))
    return tuple(found)
