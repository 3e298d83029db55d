"""All patches as small grey pictures in memory, for what compares pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_patchmap.find.readable import readable
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.fit import resize
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Longest and shortest side in pixels.
_LONGEST, _SHORTEST = 32, 8

#: Grey levels by which the pixels of a patch with something in it differ, at least.
_FLAT = 1.5

#: Patches that are read at a time.
_STEP = 512


@dataclass(frozen=True, eq=False)
class SmallPictures:
    """Grey pictures of one square size; row i is patch i.

    Parameters
    ----------
    grey : ndarray of uint8, shape (n, side, side)
        The mean of the channels.
    there : ndarray of bool, shape (n,)
        Whether the pixels of a patch could be read.
    scale : float
        Pixels of a patch in one of the small picture.
    """

    grey: np.ndarray
    there: np.ndarray
    scale: float

    def __len__(self) -> int:
        return len(self.grey)

    @property
    def side(self) -> int:
        """Height and width in pixels."""
        return int(self.grey.shape[1])

    def flat(self) -> np.ndarray:
        """Return which pictures hold nothing that could be compared, (n,)."""
        found = np.empty(len(self), bool)
        for start in range(0, len(self), _STEP):
            some = self.grey[start : start + _STEP].astype(np.float32)
            # Means of two by two pixels: noise alone is nothing.
            smooth = some[:, 1:, 1:] + some[:, :-1, 1:] + some[:, 1:, :-1] + some[:, :-1, :-1]
            found[start : start + _STEP] = (smooth / 4).std(axis=(1, 2)) < _FLAT
        return found


def small_pictures(
    patches: PatchSet, side: int | None = None, watch: Watch = UNWATCHED
) -> SmallPictures:
    """Read all patches as small grey pictures.

    Parameters
    ----------
    patches : PatchSet
    side : int, optional
        Of the pictures; as the patches are, but from 8 to 32 pixels, if not given.
    watch : Watch
        Told how many of how many are read; what was not read by the end is not there.
    """
    longest = max(patches.common_size)
    side = side or int(np.clip(longest, _SHORTEST, _LONGEST))
    height, width = patches.training_size(side)
    grey = np.zeros((len(patches), side, side), np.uint8)
    there = np.zeros(len(patches), bool)
    for start in range(0, len(patches), _STEP):
        rows = np.arange(start, min(start + _STEP, len(patches)))
        rows, pixels = readable(patches, rows, (height, width))
        if len(rows):
            grey[rows] = _square(pixels.mean(axis=1, dtype=np.float32), side)
            there[rows] = True
        if watch.ends(min(start + _STEP, len(patches)), len(patches)):
            break
    return SmallPictures(grey, there, longest / side)


def _square(grey: np.ndarray, side: int) -> np.ndarray:
    """Bring pictures (n, height, width) to a square; the edge goes on where they are narrow."""
    height, width = grey.shape[1:]
    if max(height, width) < side:
        scale = side / max(height, width)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        grey = resize(grey[..., None], size)[..., 0]
        height, width = grey.shape[1:]
    top, left = (side - height) // 2, (side - width) // 2
    around = (0, 0), (top, side - height - top), (left, side - width - left)
    return np.rint(np.pad(grey, around, mode="edge")).astype(np.uint8)
