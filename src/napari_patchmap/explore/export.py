"""Taking a selection elsewhere: a sheet of its pictures."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Side of a picture on a sheet, width of its frame, and what is between two, in pixels.
_SIDE, _FRAME, _GAP = 64, 2, 3


def contact_sheet(
    patches: PatchSet,
    indices: np.ndarray,
    frames: np.ndarray,
    watch: Watch = UNWATCHED,
    picture: Callable[[int, int], np.ndarray] | None = None,
) -> np.ndarray:
    """Lay out patches as one picture on white, row by row, in the order given.

    Parameters
    ----------
    indices : ndarray of int, shape (m,)
    frames : ndarray of float, shape (m, 4)
        RGBA of the frame around each, 0 to 1.
    watch : Watch, optional
        Hears how many patches have been read, and may stop it.
    picture : callable, optional
        Makes the picture of a patch, uint8 RGB, of a longer side, instead of the patch itself.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    PatchError
        If a patch cannot be read; LoadCancelled where ``watch`` wants to stop.
    """
    columns = max(1, math.ceil(math.sqrt(len(indices) * 1.5)))
    rows = math.ceil(len(indices) / columns)
    cell, gap = _SIDE + 2 * _FRAME, _GAP
    sheet = np.full((rows * (cell + gap) + gap, columns * (cell + gap) + gap, 3), 255, np.uint8)
    for place, (index, frame) in enumerate(zip(indices, frames, strict=True)):
        watch.step(place, len(indices))
        row, column = divmod(place, columns)
        top, left = gap + row * (cell + gap), gap + column * (cell + gap)
        sheet[top : top + cell, left : left + cell] = (frame[:3] * 255).astype(np.uint8)
        made = (picture or patches.thumbnail)(int(index), _SIDE)
        height, width = made.shape[:2]
        y, x = top + (cell - height) // 2, left + (cell - width) // 2
        sheet[y : y + height, x : x + width] = made
    watch.step(len(indices), len(indices))
    return sheet


def random_sample(n: int, size: int) -> np.ndarray:
    """Return ``size`` different indices below ``n``, in random order, or all of them."""
    return np.random.default_rng(0).permutation(n)[:size]
