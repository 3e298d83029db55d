"""Layers of the images that patches were cut out of, as we open them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from napari.layers import Image, Labels, Layer
from napari.viewer import Viewer

from napari_patchmap.plugin.source.place import SCALE, SOURCE
from napari_patchmap.runs.source_images import SourceImage

#: Names the file, in the metadata of the layers.
PATH = "patchmap_path"

#: Colours of several channels, the first first; then they begin anew.
_CHANNELS = ("green", "magenta", "cyan", "yellow", "red", "blue")


def slide_layer(picture: np.ndarray, scale: float, path: Path, source: str) -> Image:
    """Make the layer of a slide; its coordinates are pixels at full resolution.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, 3)
    scale : float
        Pixels of the slide that one of the picture spans.
    path : Path
    source : str
        What the table of the patches calls the slide.
    """
    return Image(
        picture, rgb=True, name=path.name, scale=(scale, scale),
        translate=[(scale - 1) / 2] * 2,
        metadata={SOURCE: source, SCALE: scale, PATH: str(path)},
    )  # fmt: skip


def find_slide(viewer: Viewer, path: Path, source: str) -> Image | None:
    """Return the layer of a slide, if it is open."""
    wanted = (str(path), source)
    for layer in viewer.layers:
        if (layer.metadata.get(PATH), layer.metadata.get(SOURCE)) == wanted:
            return layer if isinstance(layer, Image) else None
    return None


def layers_of(image: SourceImage) -> list[Layer]:
    """Make the layers of an image that was read, one a channel, or of labels."""
    name, path = image.path.name, image.path
    if image.levels:  # in pixels at full resolution, which are read where they are looked at
        known = {SOURCE: image.source, SCALE: 1.0, PATH: str(path)}
        data = [*image.levels, image.pixels[0]]
        return [Image(data, multiscale=True, rgb=True, name=name, metadata=known)]
    if image.scale is not None:
        return [slide_layer(image.pixels[0], image.scale, path, image.source)]
    pixels = image.pixels[0] if len(image.pixels) == 1 else image.pixels
    known = {SOURCE: image.source, PATH: str(path)}
    if image.are_labels:
        return [Labels(pixels, name=name, metadata=known)]
    if image.rgb:
        return [Image(pixels, rgb=True, name=name, metadata=known)]
    count = pixels.shape[-1]
    if count == 1:
        return [Image(pixels[..., 0], name=name, metadata=known)]
    names = image.channel_names or tuple(map(str, range(1, count + 1)))
    return [
        Image(
            pixels[..., at], name=f"{name} {names[at]}", metadata=known, blending="additive",
            colormap=_CHANNELS[at % len(_CHANNELS)],
        )
        for at in range(count)
    ]  # fmt: skip
