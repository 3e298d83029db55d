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


def painting(order: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return which of some rows, by its place among them, is painted first, second and so on.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
        See :func:`paint_order`.
    rows : ndarray of int, shape (m,)
        No row twice.
    """
    place = np.full(len(order), -1, np.intp)
    place[rows] = np.arange(len(rows))
    painted: np.ndarray = place[order]
    return painted[painted >= 0]
