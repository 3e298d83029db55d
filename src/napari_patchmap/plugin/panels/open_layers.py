"""What is open in the viewer, for runs that were made of it."""

from __future__ import annotations

from napari.layers import Image, Labels
from napari.viewer import Viewer

from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.runs import OpenLayer


def open_layers(viewer: Viewer) -> tuple[OpenLayer, ...]:
    """List the images and labels of a viewer, without what we drew above them."""
    ours = (layer for layer in viewer.layers if not layer.metadata.get(OVERLAY))
    listed = (open_layer(layer) for layer in ours if isinstance(layer, Image | Labels))
    return tuple(one for one in listed if one is not None)


def open_layer(layer: Image | Labels | None) -> OpenLayer | None:
    """Return a layer with its pixels at full resolution; None for none."""
    if layer is None:
        return None
    labels = isinstance(layer, Labels)
    data = layer.data[0] if layer.multiscale else layer.data
    return OpenLayer(layer.name, data, not labels and bool(layer.rgb), labels)
