"""Lays a crop around each object: which ones, how large, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.crop_config import CropConfig
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.readers.objects.crop_images import (
    Classes,
    CropImages,
    LazyClasses,
    Snapshot,
)
from napari_patchmap.patches.readers.objects.find_objects import Objects
from napari_patchmap.patches.readers.objects.frames import Frames
from napari_patchmap.patches.watch import Watch

#: Share of the objects that fit into the crop whose size is chosen from them.
_FITTING = 0.95


@dataclass
class Crops:
    """Crops, their boxes (``plane`` counts through all planes) and what to say of them."""

    images: Images
    table: pd.DataFrame
    notes: list[str]


def cut(
    pixels: Frames,
    planes: Frames,
    found: Sequence[Objects],
    config: CropConfig,
    name: str,
    watch: Watch,
    *,
    snapshot: bool,
) -> Crops:
    """Lay a crop around each object that was found in the label images ``planes``.

    ``name`` is what people call these. ``snapshot`` says that they may change after this, so
    that masks are taken now.

    Raises
    ------
    PatchError
        If no object is left, or pixels of another resolution are wanted.
    """
    if config.mpp is not None or config.level is not None:
        raise PatchError(
            f"The image of {name} is no slide, of which crops could be read at another "
            "resolution; leave micrometres per pixel and level open."
        )

    def classes(table: pd.DataFrame) -> Classes:
        lazy = LazyClasses(planes, table)
        return Snapshot(lazy, table, np.array(planes.shapes), watch) if snapshot else lazy

    return lay(pixels, found, config, name, classes)


def lay(
    pixels: Frames,
    found: Sequence[Objects],
    config: CropConfig,
    name: str,
    classes: Callable[[pd.DataFrame], Classes],
) -> Crops:
    """Lay a crop around each of the objects, of which there are some for each plane of pixels.

    ``name`` is what people call these. ``classes`` returns what tells the objects of a table
    of crops apart.

    Raises
    ------
    PatchError
        If no object is left.
    """
    plane = np.repeat(np.arange(len(found)), [len(one) for one in found])
    ids = np.concatenate([one.ids for one in found])
    boxes = np.concatenate([one.boxes for one in found])
    area = np.concatenate([one.area for one in found])
    centroids = np.concatenate([one.centroids for one in found])
    shapes = np.array(pixels.shapes)[plane]
    small = area < config.smallest
    at_border = (boxes[:, :2] <= 0).any(axis=1) | (boxes[:, 2:] >= shapes).any(axis=1)
    skipped = at_border & ~small if config.border == "skip" else np.zeros(len(ids), bool)
    kept = np.flatnonzero(~small & ~skipped)
    if not len(kept):
        raise PatchError(_explain_nothing_left(name, small, skipped, area, config))
    boxes = boxes[kept]
    longer = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    size = config.size or _fitting_size(longer, config.padding)
    # Around the box, not the centroid: an object that fits is then never cut, however bent.
    corners = (boxes[:, :2] + boxes[:, 2:] - size) // 2
    table = pd.DataFrame(
        {
            "plane": plane[kept],
            "y": corners[:, 0],
            "x": corners[:, 1],
            "height": size,
            "width": size,
            "label_id": ids[kept],
            "area": area[kept],
            "centroid_y": centroids[kept, 0].round(2),
            "centroid_x": centroids[kept, 1].round(2),
        }
    )
    notes = [f"Each object was cut out in a square of {size} x {size} pixels."]
    cropped = int((longer > size).sum())
    if cropped:
        notes.append(f"{_objects(cropped)} larger than the crop and cut at its edge.")
    if small.any():
        count = int(small.sum())
        notes.append(f"{_objects(count)} smaller than {config.smallest} pixels and skipped.")
    if skipped.any():
        notes.append(f"{_objects(int(skipped.sum()))} at the border and skipped.")
    if any(one.negative for one in found):
        notes.append(f"Negative numbers in {name} were taken as background.")
    masked = config.mask_neighbours or config.mask_background
    kinds = classes(table) if masked else None
    images: Images = CropImages(pixels, table, kinds, config.mask_background)
    return Crops(images, table, notes)


def _explain_nothing_left(
    name: str, small: np.ndarray, skipped: np.ndarray, area: np.ndarray, config: CropConfig
) -> str:
    if small.all():
        return (
            f"All {len(area):,} objects of {name} are smaller than {config.smallest} pixels "
            f"(the largest has {area.max():,}); lower the smallest area."
        )
    return (
        f"All objects of {name} touch the border of the image ({skipped.sum():,}) or are too "
        f"small ({small.sum():,}); keep those at the border."
    )


def _fitting_size(longer: np.ndarray, padding: int) -> int:
    """Choose an even side into which most objects fit with the padding around them."""
    side = int(np.ceil(np.quantile(longer, _FITTING))) + 2 * padding
    return min(2048, max(4, side + side % 2))


def _objects(count: int) -> str:
    return f"{count:,} objects were" if count > 1 else "1 object was"
