"""What is to be seen of patches in a few numbers: brightness, colour, contrast, size."""

from __future__ import annotations

import numpy as np

from napari_patchmap.find.readable import readable
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.readers.slides.foreground import otsu
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Longer side in pixels at which patches are measured, and patches read at once.
_SIDE, _PART = 48, 128

#: What having more and less of each measure is called; channels have names of their own.
SAID = {
    "brightness": ("brighter", "darker"),
    "contrast": ("more contrast", "less contrast"),
    "red or green": ("redder", "greener"),
    "yellow or blue": ("yellower", "bluer"),
    "colourfulness": ("more colourful", "paler"),
    "covered area": ("larger", "smaller"),
}


def measured(
    patches: PatchSet, rows: np.ndarray, watch: Watch = UNWATCHED
) -> dict[str, np.ndarray]:
    """Measure some patches.

    Colours are the two opponent axes, red less green and yellow less blue, and their
    distance from grey. The covered area is the share of pixels that differ from the middle
    colour of the patch's own border by more than a threshold for all (Otsu 1979).

    Parameters
    ----------
    patches : PatchSet
    rows : ndarray of int, shape (m,)
    watch : Watch
        What was not measured by the end is NaN.

    Returns
    -------
    dict of str to ndarray of float64, shape (m,)
        NaN where an image is missing or cannot be read.
    """
    size = patches.training_size(_SIDE)
    found: dict[str, list[np.ndarray]] = {}
    standing, read = [], []
    for start in range(0, len(rows), _PART):
        if watch.ends(start, len(rows)):
            break
        some, whole = readable(patches, rows[start : start + _PART], size)
        if not len(some):
            continue
        pixels = whole.astype(np.float32)
        read.append(np.flatnonzero(np.isin(rows, some)))
        for name, values in _of_pixels(patches, pixels).items():
            found.setdefault(name, []).append(values)
        standing.append(_from_border(pixels))
    if not read:
        return {}
    apart = np.concatenate(standing)
    found["covered area"] = [(apart > otsu(apart)).mean(axis=1)]
    at = np.concatenate(read)
    return {
        name: _spread(np.concatenate(parts), at, len(rows)) for name, parts in found.items()
    }


def _of_pixels(patches: PatchSet, pixels: np.ndarray) -> dict[str, np.ndarray]:
    """Measure ``(n, channel, height, width)``."""
    means = pixels.mean(axis=(2, 3))
    grey = pixels.mean(axis=1)
    found = {"brightness": means.mean(axis=1), "contrast": grey.std(axis=(1, 2))}
    if patches.is_rgb:
        red_green = means[:, 0] - means[:, 1]
        yellow_blue = (means[:, 0] + means[:, 1]) / 2 - means[:, 2]
        found |= {"red or green": red_green, "yellow or blue": yellow_blue}
        found["colourfulness"] = np.hypot(red_green, yellow_blue)
    elif means.shape[1] > 1:
        found |= {name: means[:, at] for at, name in enumerate(patches.channel_names)}
    return found


def _from_border(pixels: np.ndarray) -> np.ndarray:
    """How far each pixel's colour is from that of the border, (n, pixels)."""
    edges = [pixels[:, :, 0], pixels[:, :, -1], pixels[:, :, :, 0], pixels[:, :, :, -1]]
    border = np.median(np.concatenate(edges, axis=2), axis=2)
    apart: np.ndarray = np.linalg.norm(pixels - border[:, :, None, None], axis=1)
    return apart.reshape(len(pixels), -1)


def _spread(values: np.ndarray, at: np.ndarray, count: int) -> np.ndarray:
    out = np.full(count, np.nan)
    out[at] = values
    return out
