"""In which order points are painted, so that no group lies on top of the others."""

from __future__ import annotations

import numpy as np


def paint_order(count: int) -> np.ndarray:
    """Return which point is painted first, second and so on: a shuffle, always the same.

    Painted as they come, the last class of a file hides the others wherever they mix.
    """
    return np.random.default_rng(0).permutation(count)


def ranks(order: np.ndarray) -> np.ndarray:
    """Return for each point how many are painted before it."""
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return rank
