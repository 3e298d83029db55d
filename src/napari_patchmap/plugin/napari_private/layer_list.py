"""Changing the layers of a viewer at less cost."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from napari.components.viewer_model import ViewerModel


@contextlib.contextmanager
def choice_kept(viewer: ViewerModel) -> Iterator[None]:
    """Add layers, and leave chosen what is chosen.

    napari chooses each layer that is added and shows its controls, which takes longer than
    adding it; choosing the one before again takes as long.
    """
    layers: Any = viewer.layers
    active, usual = layers.selection.active, getattr(layers, "_activate_on_insert", True)
    layers._activate_on_insert = False
    try:
        yield
    finally:
        layers._activate_on_insert = usual
    if layers.selection.active is not active:  # this napari chose it all the same
        layers.selection.active = active


@contextlib.contextmanager
def cleaned_up_once(viewer: ViewerModel) -> Iterator[None]:
    """Remove several layers; what they held is looked for once, and not after each of them."""
    batched = getattr(viewer.layers, "batched_update", contextlib.nullcontext)
    with batched():
        yield
