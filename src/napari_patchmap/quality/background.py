"""The background of patches: what differs from slide to slide though nobody noted it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.fit import border_pixels
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.batches import OTHER, as_batches

#: Its name where columns are listed.
BACKGROUND = "background colour"

#: Far out is what lies so many interquartile ranges beyond the middle half; a range is no less
#: than so many grey values.
_FAR, _LEAST = 3.0, 4.0

#: Longer side in pixels at which borders are looked at, and patches read at once.
_SIDE, _PART = 32, 1_024


def background(patches: PatchSet, watch: Watch = UNWATCHED) -> np.ndarray:
    """Divide patches by their backgrounds: how bright they are, and those of another colour.

    The mean colour of each patch's border is taken along the directions in which it varies most
    over the patches (principal components), in grey values of 0 to 255. The first is divided
    into fifths. What lies far out along another one, beyond three interquartile ranges (Tukey
    1977), is a group of its own, however small: a few hundred bluish images among thousands.

    Returns
    -------
    ndarray of str, shape (n,)
        The group of each patch, "" where its image is missing; fifths are named by their ends,
        the higher the brighter.

    Raises
    ------
    LoadCancelled
        If ``watch`` wants to stop.
    """
    colours = _border_colours(patches, watch)
    centred = colours - np.nanmean(colours, axis=0)
    known = np.isfinite(centred).all(axis=1)
    directions = np.linalg.svd(centred[known].T @ centred[known])[0]
    values = centred @ directions
    first = values[:, 0] if directions[:, 0].sum() >= 0 else -values[:, 0]
    groups = as_batches(pd.Series(first)).astype(object)
    for number, rows in enumerate(_far_out(values[:, 1:]), 1):
        groups[rows] = OTHER if number == 1 else f"{OTHER} {number}"
    return groups.astype(str)


def _far_out(values: np.ndarray) -> list[np.ndarray]:
    """Return the rows far below and far above along each of some directions, most first."""
    if not values.shape[1]:
        return []
    low, high = np.nanquantile(values, [0.25, 0.75], axis=0)
    ranges = np.maximum(high - low, _LEAST)
    below, above = (low - values) / ranges, (values - high) / ranges
    beyond = np.nan_to_num(np.hstack([below, above]), nan=-1.0)
    furthest = beyond.argmax(axis=1)
    out = beyond.max(axis=1) > _FAR
    found = [np.flatnonzero(out & (furthest == side)) for side in range(beyond.shape[1])]
    return sorted((rows for rows in found if len(rows)), key=len, reverse=True)


def _border_colours(patches: PatchSet, watch: Watch) -> np.ndarray:
    """Return the mean colour of each patch's border, (n, channel), NaN where it is missing."""
    size = patches.training_size(_SIDE)
    colours = np.empty((len(patches), patches.channels))
    for start in range(0, len(patches), _PART):
        watch.step(start, len(patches))
        rows = np.arange(start, min(start + _PART, len(patches)))
        pixels = np.asarray(patches.pixels(rows, size), np.float64)
        colours[rows] = border_pixels(pixels).mean(axis=2)
    colours[patches.missing] = np.nan
    return colours
