"""The pixels of those patches that can be read; a file may have gone or be damaged."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import PatchSet


def readable(
    patches: PatchSet, rows: np.ndarray, size: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Read some patches; those that are missing or cannot be read are left out.

    Parameters
    ----------
    patches : PatchSet
    rows : ndarray of int, shape (m,)
    size : (height, width)

    Returns
    -------
    rows : ndarray of intp, shape (k,)
        Those that were read, in their order.
    pixels : ndarray of uint8, shape (k, channel, height, width)
    """
    rows = np.asarray(rows, np.intp)
    rows = rows[~np.isin(rows, patches.missing)]
    nothing = np.empty((0, patches.channels, *size), np.uint8)
    if not len(rows):
        return rows, nothing
    try:
        return rows, patches.pixels(rows, size)
    except (PatchError, OSError):
        found = []
    for row in rows.tolist():  # one of them; the others are worth reading
        try:
            found.append((row, patches.pixels([row], size)[0]))
        except (PatchError, OSError):
            continue
    if not found:
        return rows[:0], nothing
    return np.array([row for row, _ in found], np.intp), np.stack([one for _, one in found])
