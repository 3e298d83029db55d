"""Groups of points that lie near each other."""

from __future__ import annotations

import numpy as np


def alike_groups(points: np.ndarray, rows: np.ndarray, size: int) -> list[np.ndarray]:
    """Cut points in two where they differ most, and the halves again, down to a size.

    Parameters
    ----------
    points : ndarray of float, shape (n, f)
    rows : ndarray of int, shape (m,)
        The points that are grouped.
    size : int
        Of a group; one of them is smaller where ``m`` is no multiple.

    Returns
    -------
    list of ndarray of intp
        Positions in ``rows``; each is in one group.
    """
    found, waiting = [], [np.arange(len(rows))]
    while waiting:
        group = waiting.pop()
        parts = -(-len(group) // size)
        if parts == 1:
            found.append(group)
            continue
        aside = points[rows[group]].astype(np.float64)
        aside -= aside.mean(axis=0)
        along = aside @ np.linalg.eigh(aside.T @ aside)[1][:, -1]
        cut = parts // 2 * size
        order = along.argpartition(cut)
        waiting += [group[order[cut:]], group[order[:cut]]]
    return found
