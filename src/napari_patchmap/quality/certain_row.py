"""What bounds of its distances say for certain about one point."""

from __future__ import annotations

import numpy as np

from napari_patchmap.quality.distance_bounds import DistanceBounds


class CertainRow:
    """What is certain about the distances of a point, and which must be computed.

    Parameters
    ----------
    bounds : DistanceBounds
    own : int
    low : ndarray of float32, shape (c,)
        Lower bounds.
    limits : ndarray of float32, shape (k,)
        Sorted; it is counted how many points lie nearer than each.
    within : float32
        A limit within which the nearest lie.
    most : int
        How many of the nearest are wanted.
    columns : ndarray of int, shape (c,), or None
        The points that the bounds are of; None for all.

    Attributes
    ----------
    others : ndarray of int, shape (p,)
        Points whose distances must be computed.
    near : ndarray of bool, shape (p,)
        Which of them may be among the nearest.
    """

    def __init__(
        self,
        bounds: DistanceBounds,
        own: int,
        low: np.ndarray,
        limits: np.ndarray,
        within: np.float32,
        most: int,
        columns: np.ndarray | None,
    ) -> None:
        near = np.flatnonzero(low <= max(within, limits[-1]))
        values, widest = low[near], bounds.widest(own)
        if columns is not None:
            near = columns[near]
        nearest = values[values <= within]
        if len(nearest) > most:
            nearest.partition(most - 1)
            within = min(within, nearest[most - 1] + widest)
        # Most are certain if all were as unsure as the most unsure one, which costs least.
        surely = values < (limits - widest)[:, None]
        perhaps = values < limits[:, None]
        self._surely = np.array([np.count_nonzero(one) for one in surely])
        perhaps ^= surely
        some = np.flatnonzero(perhaps.any(axis=0) | (values <= within))
        near, values, perhaps = near[some], values[some], perhaps[:, some]
        surely = perhaps & (values + bounds.width(own, near) < limits[:, None])
        self._surely += surely.sum(axis=1)
        perhaps ^= surely
        some = np.flatnonzero(perhaps.any(axis=0) | (values <= within))
        self.others, self._perhaps = near[some], perhaps[:, some]
        self.near = values[some] <= within

    def nearer(self, apart: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """Return how many lie nearer (k,), given the squares of what was to be computed."""
        return self._surely + (self._perhaps & (apart < edges[:, None])).sum(axis=1)
