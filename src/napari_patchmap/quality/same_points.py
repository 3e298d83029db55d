"""Points that are the same as others, as those of empty patches are."""

from __future__ import annotations

import numpy as np

#: Rows that are compared at once.
_ROWS = 2**12


def same_points(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the group of the same points that each is in, and how many come before it.

    Parameters
    ----------
    points : ndarray of float, shape (n, f)

    Returns
    -------
    group, before : ndarray of int, shape (n,)
    """
    hashes = np.fromiter((hash(row.tobytes()) for row in points), np.int64, len(points))
    _, first, group, size = np.unique(
        hashes, return_index=True, return_inverse=True, return_counts=True
    )
    several = np.flatnonzero(size[group] > 1)
    for start in range(0, len(several), _ROWS):
        some = several[start : start + _ROWS]
        other = (points[some] != points[first[group[some]]]).any(axis=1)
        # Others of the same hash, as good as never: no group is wrong, but one is in parts.
        group[some[other]] = len(points) + some[other]
    order = np.argsort(group, kind="stable")
    ordered = group[order]
    before = np.empty(len(points), np.intp)
    before[order] = np.arange(len(points)) - np.searchsorted(ordered, ordered)
    return group, before
