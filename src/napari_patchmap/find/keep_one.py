"""One of each group of duplicates is kept; the others can be left out."""

from __future__ import annotations

from typing import Literal

import numpy as np

from napari_patchmap.find.patch_faults import sharpness
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Which of a group is kept.
KeptCopy = Literal["first", "sharpest"]


def spare_copies(
    groups: np.ndarray,
    keep: KeptCopy = "first",
    patches: PatchSet | None = None,
    watch: Watch = UNWATCHED,
) -> np.ndarray:
    """Return the patches that are left when one of each group is kept, in order.

    Parameters
    ----------
    groups : ndarray of str, shape (n,)
        The group of each patch, "" for none.
    keep : {"first", "sharpest"}
        The first in the order of the patches, or the one with the strongest edges.
    patches : PatchSet, optional
        The images, for the sharpest.
    watch : Watch, optional
        May end it while those are read.

    Examples
    --------
    >>> spare_copies(np.array(["a", "", "b", "a", "b"], object)).tolist()
    [3, 4]
    """
    rows = np.flatnonzero(groups != "")
    names = groups[rows].astype(str)
    edges = np.zeros(len(rows))
    if keep == "sharpest" and patches is not None:
        edges = sharpness(patches, rows, watch)
    order = np.lexsort((rows, -edges, names))
    first = (
        np.r_[True, names[order][1:] != names[order][:-1]] if len(rows) else np.empty(0, bool)
    )
    return np.sort(rows[order[~first]])
