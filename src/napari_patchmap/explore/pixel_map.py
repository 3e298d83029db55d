"""A map of pixels: two principal components, to look at until a network has learned."""

from __future__ import annotations

import time

import numpy as np

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Patches whose components are computed; the others are projected onto them.
_SAMPLE = 2_000

#: Longer side in pixels, and values of a patch, at which patches are compared.
_SIDE, _VALUES = 16, 1_024

#: Patches that are read at once.
_PART = 2_048

#: Seconds after which nobody waits for a slow disk any longer.
_LATEST = 10.0

#: Spread of the map along its longer axis: about that of a map that is learned.
_SPREAD = 10.0


def pixel_map(
    patches: PatchSet,
    *,
    seconds: float = 2.0,
    watch: Watch = UNWATCHED,
) -> np.ndarray | None:
    """Lay patches out by the two main directions in which their pixels differ.

    Parameters
    ----------
    patches : PatchSet
    seconds : float
        Of this thread, whatever else the computer does. When it would take longer there
        is no map: it is a first look and no more.
    watch : Watch, optional
        Ends without a map.

    Returns
    -------
    ndarray of float32, shape (n, 2), or None
        Also None where all patches are alike.
    """
    began, count, size = time.thread_time(), len(patches), _size(patches)
    late = time.monotonic() + _LATEST
    if count < 3:
        return None
    sample = np.linspace(0, count - 1, min(count, _SAMPLE)).round().astype(int)
    parts = []
    for start in range(0, len(sample), _PART // 4):
        rows = sample[start : start + _PART // 4]
        parts.append(_flat(patches, rows, size))
        taken = (time.thread_time() - began) / (start + len(rows))
        # What all patches would take, by what those have that were read.
        slow = taken * (len(sample) + count * (count > len(sample))) > seconds
        if watch.stops or slow or time.monotonic() > late:
            return None
    some = np.concatenate(parts)
    mean = some.mean(axis=0)
    spread, directions = np.linalg.eigh(np.cov(some - mean, rowvar=False))
    if not spread[-1] > 1e-9:
        return None
    onto = directions[:, [-2, -1]]  # the main one from left to right
    if count == len(sample):
        places = (some - mean) @ onto
    else:
        places = np.empty((count, 2), np.float32)
        for start in range(0, count, _PART):
            rows = np.arange(start, min(count, start + _PART))
            places[rows] = (_flat(patches, rows, size) - mean) @ onto
            if watch.stops or time.monotonic() > late:
                return None
    return (places * (_SPREAD / np.sqrt(spread[-1]))).astype(np.float32)


def _size(patches: PatchSet) -> tuple[int, int]:
    """Height and width at which patches are compared, in their own aspect."""
    height, width = patches.common_size
    most = min(_SIDE, int(np.sqrt(_VALUES / patches.channels)))
    scale = min(1.0, max(2, most) / max(height, width))
    return max(1, round(height * scale)), max(1, round(width * scale))


def _flat(patches: PatchSet, rows: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the pixels of some patches, one row each, as float32 of 0 to 1."""
    pixels = patches.pixels(rows, size)
    return pixels.reshape(len(rows), -1).astype(np.float32) / 255
