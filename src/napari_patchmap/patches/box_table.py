"""The table of a patch set: where each patch comes from, and what it is called."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

#: Columns that every table has, in this order; users' columns come after them.
BOX_COLUMNS = ("source", "frame", "y", "x", "height", "width")

#: The column that says which image of a file a patch is of, where it holds several.
IMAGE = "image"


def labels_of(table: pd.DataFrame) -> np.ndarray | None:
    """Return the label column as text ("" where missing), or None without labels."""
    if "label" not in table or table["label"].isna().all():
        return None
    labels = table["label"]
    if isinstance(labels.dtype, pd.StringDtype):  # is text, and large sets wait for it
        return labels.fillna("").to_numpy(object)
    labels = labels.astype(object)
    return labels.where(labels.notna(), "").astype(str).to_numpy()


def box_table(
    sources: Sequence[str] | str, frames: Sequence[int] | np.ndarray, sizes: np.ndarray
) -> pd.DataFrame:
    """Make the table of patches that fill their whole source image.

    Parameters
    ----------
    sources : sequence of str, or one str for all
    frames : sequence of int
        Index of the patch in its source.
    sizes : ndarray of int, shape (n, 2)
        Height and width of each patch in pixels.
    """
    return pd.DataFrame(
        {
            "source": sources,
            "frame": np.asarray(frames, dtype=np.int64),
            "y": 0,
            "x": 0,
            "height": sizes[:, 0].astype(np.int64),
            "width": sizes[:, 1].astype(np.int64),
        },
        columns=list(BOX_COLUMNS),
    )
