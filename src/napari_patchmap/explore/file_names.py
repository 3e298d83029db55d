"""Where patches are from, as lines of text that can be pasted anywhere."""

from __future__ import annotations

import numpy as np
import pandas as pd

_BOX = ("y", "x", "height", "width")


def file_names(table: pd.DataFrame, indices: np.ndarray) -> list[str]:
    """Name the source of each patch, and its place there where it has others, too.

    Parameters
    ----------
    table : DataFrame
        The table of a patch set, see :class:`napari_patchmap.patches.PatchSet`.
    indices : ndarray of intp, shape (m,)

    Returns
    -------
    list of str
        A line a patch, in the order given. Parts are separated by tabs, so that they
        become cells of a spreadsheet: the file; the frame, if the patches of that file
        lie in several; the box in pixels, if they lie at several places or are of
        several sizes.
    """
    codes, sources = pd.factorize(table["source"].astype(str))
    frames = _differ(codes, len(sources), table["frame"].to_numpy())
    boxes = np.zeros(len(sources), bool)
    for name in _BOX:
        boxes |= _differ(codes, len(sources), table[name].to_numpy())
    some = table.iloc[indices]
    lines = []
    for code, frame, y, x, height, width in zip(
        codes[indices].tolist(), some["frame"], *(some[name] for name in _BOX), strict=True
    ):
        parts = [str(sources[code])]
        if frames[code]:
            parts.append(f"frame {frame}")
        if boxes[code]:
            parts.append(f"y {y}, x {x}, height {height}, width {width}")
        lines.append("\t".join(parts))
    return lines


def _differ(codes: np.ndarray, count: int, values: np.ndarray) -> np.ndarray:
    """Return for each source whether its patches differ in a value, ``(count,)`` bool."""
    first = np.empty(count, values.dtype)
    first[codes[::-1]] = values[::-1]
    found = np.zeros(count, bool)
    found[codes[values != first[codes]]] = True
    return found
