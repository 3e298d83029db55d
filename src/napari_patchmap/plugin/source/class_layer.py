"""New Labels layers whose values are the classes of the patches, to keep and to save."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from napari.layers import Labels
from napari.utils.colormaps import DirectLabelColormap

from napari_patchmap.explore.class_image import object_class_image
from napari_patchmap.explore.patch_colours import PatchClasses
from napari_patchmap.explore.tile_image import TileImage
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.source.place import Place


@dataclass(frozen=True, eq=False)
class ClassPicture:
    """The values of one layer, and how it lies in the world, as napari's layers take it."""

    place: Place
    values: np.ndarray
    lies: dict[str, Any]


def class_pictures(
    places: Sequence[Place], classes: PatchClasses, watch: Watch
) -> list[ClassPicture]:
    """Make the pictures of some images; for another thread.

    Raises
    ------
    LoadCancelled
        If the caller wants to stop.
    """
    made = []
    for place in places:
        values = classes.values[place.rows]
        if isinstance(place.layer, Labels):
            layer = place.layer
            picture = object_class_image(place.labels, place.frames, place.ids, values, watch)
            shape = (layer.data[0] if layer.multiscale else layer.data).shape
            made.append(ClassPicture(place, picture.reshape(shape), _like(layer)))
        else:
            made.append(_tiles(place, values))
    return made


def class_layer(picture: ClassPicture, classes: PatchClasses, several: bool) -> Labels:
    """Make a layer of a picture; ``several`` says whether there are others beside it."""
    colours: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
    colours.update(enumerate(classes.palette, start=1))
    name = f"{classes.column} classes"
    known = {
        # By this column napari finds, and shows, what a value means.
        "index": np.arange(1, len(classes.names) + 1),
        "class": np.array(classes.names, object),
        "colour": [_hex(colour) for colour in classes.palette],
    }
    return Labels(
        picture.values, name=f"{name} ({picture.place.layer.name})" if several else name,
        features=pd.DataFrame(known), colormap=DirectLabelColormap(color_dict=colours),
        **picture.lies,
    )  # fmt: skip


def _like(layer: Labels) -> dict[str, Any]:
    """Say how a picture lies that has the pixels of a layer."""
    return {
        "scale": layer.scale, "translate": layer.translate, "rotate": layer.rotate,
        "shear": layer.shear, "affine": layer.affine, "opacity": layer.opacity,
        "units": layer.units, "axis_labels": layer.axis_labels,
    }  # fmt: skip


def _tiles(place: Place, values: np.ndarray) -> ClassPicture:
    """Make the picture of tiles: of each frame, as fine as their grid."""
    image = TileImage(place.boxes, place.picture.size)
    frames = np.arange(place.layer.data.shape[0] if place.timed else 1)
    planes = []
    for frame in frames:
        rows = np.flatnonzero(place.frames == frame)
        planes.append(np.append(values[rows], 0)[image.numbers(rows) - 1])
    dtype = np.min_scalar_type(int(values.max()) if len(values) else 0)
    picture = np.array(planes, dtype)
    matrix = place.matrix(image.step, image.corner)
    straight = not (matrix[0, 1] or matrix[1, 0])
    lies: dict[str, Any] = {"affine": matrix}
    if straight:
        lies = {"scale": matrix.diagonal()[:2], "translate": matrix[:2, 2]}
    if not place.timed:
        return ClassPicture(place, picture[0], lies)
    whole = np.eye(4)
    whole[1:, 1:] = matrix
    whole[0, 0], whole[0, 3] = place.layer.scale[0], place.layer.translate[0]
    return ClassPicture(place, picture, {"affine": whole})


def _hex(colour: np.ndarray) -> str:
    red, green, blue = (colour[:3] * 255).round().astype(int).tolist()
    return f"#{red:02x}{green:02x}{blue:02x}"
