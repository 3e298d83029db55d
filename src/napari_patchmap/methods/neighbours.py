"""Nearest neighbours among features: all pairs are compared, nothing is approximated."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch

#: Similarities that are in memory at once.
_PAIRS = 2**24


def nearest(
    features: np.ndarray, count: int, metric: Literal["euclidean", "cosine"] = "euclidean"
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other patches of each patch.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    count : int
        Neighbours of each patch; fewer if there are not so many others.
    metric : {"euclidean", "cosine"}
        Distance; that of the cosine is 1 minus the cosine.

    Returns
    -------
    indices : ndarray of int64, shape (n, count)
        The nearest first, never the patch itself.
    distances : ndarray of float32, shape (n, count)
    """
    points = torch.from_numpy(np.ascontiguousarray(features, np.float32))
    if metric == "cosine":
        points = torch.nn.functional.normalize(points, dim=1)
        squares = torch.zeros(len(points))
    else:
        points = points - points.mean(dim=0)  # small numbers lose less below
        squares = points.square().sum(dim=1) / 2
    count = min(count, len(points) - 1)
    indices, distances = [], []
    for part in torch.arange(len(points)).split(max(1, _PAIRS // len(points))):
        # Largest where x y - |y|^2 / 2 is, which orders as the distance does.
        closeness = torch.addmm(-squares[None, :], points[part], points.T)
        closeness[torch.arange(len(part)), part] = -torch.inf
        values, found = closeness.topk(count, dim=1)
        indices.append(found)
        if metric == "cosine":
            distances.append((1 - values).clamp_min_(0))
        else:
            distances.append((2 * (squares[part, None] - values)).clamp_min_(0).sqrt_())
    return torch.cat(indices).numpy(), torch.cat(distances).numpy()
