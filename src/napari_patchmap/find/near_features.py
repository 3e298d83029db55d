"""Patches that are much nearer by their features than others are to their nearest."""

from __future__ import annotations

import numpy as np

from napari_patchmap.find.rough_neighbours import rough_neighbours
from napari_patchmap.layout.neighbour_search import Metric

#: Share of all patches whose nearest is as near as that.
_SHARE = 0.01


def near_features(
    features: np.ndarray, metric: Metric, asked: np.ndarray | None = None
) -> np.ndarray:
    """Return pairs, (m, 2), that are as near as the nearest hundredth; the nearest first.

    Parameters
    ----------
    features : ndarray of float32, shape (n, f)
    metric : {"euclidean", "cosine"}
    asked : ndarray of bool, shape (n,), optional
        Patches of which a pair has one at least; all if not given.
    """
    near, apart = rough_neighbours(features, 1, metric)
    pairs = np.stack([np.arange(len(near)), near[:, 0]], axis=1)
    close = (apart[:, 0] <= np.quantile(apart[:, 0], _SHARE)) & (pairs[:, 1] >= 0)
    if asked is not None:
        close &= asked[pairs].any(axis=1)
    pairs = pairs[np.flatnonzero(close)[np.argsort(apart[close, 0], kind="stable")]]
    ends, first = np.unique(np.sort(pairs, axis=1), axis=0, return_index=True)
    return ends[np.argsort(first)]
