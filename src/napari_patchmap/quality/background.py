"""The background of patches: what differs from slide to slide though nobody noted it."""

from __future__ import annotations

import numpy as np

from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.figure import MeasureWatch

#: Its name where columns are listed.
BACKGROUND = "background colour"

#: Longer side in pixels at which borders are looked at, and patches read at once.
_SIDE, _PART = 32, 1_024


def background(patches: PatchSet, watch: MeasureWatch | None = None) -> np.ndarray | None:
    """Measure how the backgrounds of patches differ most, (n,); higher is brighter.

    The mean colour of each patch's border, along the direction in which it varies most
    over the patches (their first principal component), in grey values of 0 to 255.

    Returns
    -------
    ndarray of float64, or None
        NaN where an image is missing. None if ``watch``, told what is done of how many,
        says to end.
    """
    height, width = patches.common_size
    shrink = min(1.0, _SIDE / max(height, width))
    size = max(2, round(height * shrink)), max(2, round(width * shrink))
    colours = np.empty((len(patches), patches.channels))
    for start in range(0, len(patches), _PART):
        if watch is not None and watch(start, len(patches)):
            return None
        rows = np.arange(start, min(start + _PART, len(patches)))
        pixels = np.asarray(patches.pixels(rows, size), np.float64)
        edges = [
            pixels[:, :, 0],
            pixels[:, :, -1],
            pixels[:, :, 1:-1, 0],
            pixels[:, :, 1:-1, -1],
        ]
        colours[rows] = np.concatenate(edges, axis=2).mean(axis=2)
    colours[patches.missing] = np.nan
    centred = colours - np.nanmean(colours, axis=0)
    known = centred[np.isfinite(centred).all(axis=1)]
    direction = np.linalg.svd(known.T @ known)[0][:, 0]
    values: np.ndarray = centred @ direction
    return values if direction.sum() >= 0 else -values
