"""What napari knows of a layer of any kind."""

from __future__ import annotations

from napari.layers import Layer


def twin_of(layer: Layer) -> Layer:
    """Return another layer of the same data for another canvas, which looks the same.

    napari keeps with a layer what one canvas shows of it, so two cannot share one.
    """
    data, state, kind = layer.as_layer_data_tuple()
    twin = Layer.create(data, dict(state), kind)
    twin._source = layer.source  # by which we know where it is from
    return twin


def was_drawn_on(layer: Layer) -> bool:
    """Whether a person has drawn on a layer and may want to undo that before all else."""
    return bool(getattr(layer, "_undo_history", None))
