"""Taking a selection elsewhere: a table of its rows, a sheet of its pictures."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet


def selection_table(
    patches: PatchSet, embedding: np.ndarray | None, indices: np.ndarray
) -> pd.DataFrame:
    """Return the selected rows of the table with their places on the map.

    Columns are ``index`` (row in the whole set), ``axis-0`` and ``axis-1`` if
    there is a map, then those of the table: napari's own Points layout.
    """
    rows = patches.table.iloc[indices].reset_index(drop=True)
    if embedding is not None:
        rows.insert(0, "axis-0", embedding[indices, 0])
        rows.insert(1, "axis-1", embedding[indices, 1])
    rows.insert(0, "index", np.asarray(indices))
    return rows


def contact_sheet(
    patches: PatchSet,
    indices: np.ndarray,
    frames: np.ndarray,
    side: int = 64,
    border: int = 2,
) -> np.ndarray:
    """Lay out patches as one picture on white, row by row, in the order given.

    Parameters
    ----------
    indices : ndarray of int, shape (m,)
    frames : ndarray of float, shape (m, 4)
        RGBA of the frame around each, 0 to 1.
    side : int
        Side of a cell in pixels, without the frame.
    border : int
        Width of the frame in pixels.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)
    """
    columns = max(1, math.ceil(math.sqrt(len(indices) * 1.5)))
    rows = math.ceil(len(indices) / columns)
    cell, gap = side + 2 * border, 3
    sheet = np.full((rows * (cell + gap) + gap, columns * (cell + gap) + gap, 3), 255, np.uint8)
    for place, (index, frame) in enumerate(zip(indices, frames, strict=True)):
        row, column = divmod(place, columns)
        top, left = gap + row * (cell + gap), gap + column * (cell + gap)
        sheet[top : top + cell, left : left + cell] = (frame[:3] * 255).astype(np.uint8)
        picture = patches.thumbnail(int(index), side)
        height, width = picture.shape[:2]
        y, x = top + (cell - height) // 2, left + (cell - width) // 2
        sheet[y : y + height, x : x + width] = picture
    return sheet


def random_sample(n: int, size: int, seed: int = 0) -> np.ndarray:
    """Return ``size`` different indices below ``n``, in random order, or all of them."""
    return np.random.default_rng(seed).permutation(n)[:size]
