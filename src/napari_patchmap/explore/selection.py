"""A selection of patches: a sorted array of indices, and how it changes."""

from __future__ import annotations

from typing import Literal

import numpy as np

How = Literal["replace", "add", "subtract"]

#: Nothing selected.
NOTHING: np.ndarray = np.empty(0, np.intp)


def changed(selection: np.ndarray, indices: np.ndarray, how: How = "replace") -> np.ndarray:
    """Return a selection replaced, widened or narrowed by indices; the same one if equal."""
    wanted = np.unique(np.asarray(indices, dtype=np.intp))
    if how == "add":
        wanted = np.union1d(selection, wanted)
    elif how == "subtract":
        wanted = np.setdiff1d(selection, wanted, assume_unique=True)
    return selection if np.array_equal(wanted, selection) else wanted
