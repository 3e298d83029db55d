"""A selection of patches: a sorted array of indices, and how it changes."""

from __future__ import annotations

from typing import Literal

import numpy as np

How = Literal["replace", "add", "subtract"]

#: Nothing selected.
NOTHING: np.ndarray = np.empty(0, np.intp)


def changed(selection: np.ndarray, indices: np.ndarray, how: How = "replace") -> np.ndarray:
    """Return a selection replaced, widened or narrowed by indices; the same one if equal."""
    wanted = np.asarray(indices, dtype=np.intp)
    if how == "replace" and not (wanted[1:] > wanted[:-1]).all():
        wanted = np.unique(wanted)
    elif how != "replace":
        there = np.zeros(1 + max(selection.max(initial=-1), wanted.max(initial=-1)), bool)
        there[selection] = True
        there[wanted] = how == "add"
        wanted = np.flatnonzero(there)
    return selection if np.array_equal(wanted, selection) else wanted
