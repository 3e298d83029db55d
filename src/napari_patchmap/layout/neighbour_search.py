"""Nearest neighbours among features: all pairs are compared, nothing is approximated."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

Metric = Literal["euclidean", "cosine"]

#: Similarities that are in memory at once, and values of features.
_PAIRS, _VALUES = 2**24, 2**25
_PAIRS_ON_GPU = 2**27

#: More than are wanted are looked at closely, for those at the edge.
_SPARE = 8


def nearest(
    features: np.ndarray,
    count: int,
    metric: Metric = "euclidean",
    *,
    device: torch.device | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest other patches of each patch.

    Parameters
    ----------
    features : ndarray of float, shape (n, d)
    count : int
        Neighbours of each patch; fewer if there are not so many others.
    metric : {"euclidean", "cosine"}
        Distance; that of the cosine is 1 minus the cosine.
    device : torch.device, optional
        Where they are looked for; on the CPU by default.

    Returns
    -------
    indices : ndarray of int64, shape (n, count)
        The nearest first, never the patch itself.
    distances : ndarray of float32, shape (n, count)
    """
    (points,) = _comparable(metric, features)
    points = points.to(device or points.device)
    own = torch.arange(len(points), device=points.device)
    return _nearest(points, points, own, min(count, len(points) - 1), metric)


def nearest_of(
    features: np.ndarray,
    among: np.ndarray,
    count: int,
    metric: Metric = "euclidean",
    *,
    without: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the patches that are nearest to other features.

    Parameters
    ----------
    features : ndarray of float, shape (m, d)
    among : ndarray of float, shape (n, d)
    count : int
        Neighbours of each; fewer than n.
    metric : {"euclidean", "cosine"}
    without : ndarray of int, shape (m,)
        Which of the patches is none of the neighbours of each.

    Returns
    -------
    indices : ndarray of int64, shape (m, count)
        The nearest first.
    distances : ndarray of float32, shape (m, count)
    """
    points, asked = _comparable(metric, among, features)
    own = torch.from_numpy(np.array(without, np.int64))
    return _nearest(points, asked, own, count, metric)


def _nearest(
    points: Tensor, asked: Tensor, own: Tensor, count: int, metric: Metric
) -> tuple[np.ndarray, np.ndarray]:
    """Find the nearest points (n, d) of some (m, d), of each but one, which is ``own``."""
    # Those of a cosine are all of one length.
    lengths = points.square().sum(dim=1) / 2
    squares = torch.zeros_like(lengths) if metric == "cosine" else lengths
    candidates = min(count + _SPARE, len(points) - 1)
    indices, distances = [], []
    pairs = _PAIRS if points.device.type == "cpu" else _PAIRS_ON_GPU
    rows = torch.arange(len(asked), device=points.device)
    for part in rows.split(max(1, pairs // len(points))):
        # Largest where x y - |y|^2 / 2 is, which orders as the distance does.
        closeness = torch.addmm(-squares[None, :], asked[part], points.T)
        closeness[rows[: len(part)], own[part]] = -torch.inf
        found = closeness.topk(candidates, dim=1).indices.sort(dim=1).values
        apart = _distances(asked, points, part, found, metric)
        apart, order = apart.sort(dim=1, stable=True)
        indices.append(found.gather(1, order[:, :count]))
        distances.append(apart[:, :count])
    return torch.cat(indices).cpu().numpy(), torch.cat(distances).cpu().numpy()


def nearer(
    features: np.ndarray,
    others: np.ndarray,
    among: np.ndarray,
    metric: Metric = "euclidean",
    *,
    without: np.ndarray,
) -> np.ndarray:
    """Count the patches that are nearer to features (m, d) than others (m, d) are, (m,).

    Other arguments as for :func:`nearest_of`.
    """
    points, asked, partners = _comparable(metric, among, features, others)
    own, counts = torch.from_numpy(np.array(without, np.int64)), []
    limits = (asked - partners).square().sum(dim=1)
    for part in torch.arange(len(asked)).split(max(1, _PAIRS // len(points))):
        apart = torch.cdist(
            asked[part], points, compute_mode="donot_use_mm_for_euclid_dist"
        ).square_()
        apart[torch.arange(len(part)), own[part]] = torch.inf
        counts.append((apart < limits[part, None]).sum(dim=1))
    return torch.cat(counts).numpy()


def _comparable(metric: Metric, *features: np.ndarray) -> list[Tensor]:
    """Return features of one space such that Euclidean distances order them by the metric."""
    points = [torch.from_numpy(np.ascontiguousarray(one, np.float32)) for one in features]
    if metric == "cosine":
        return [torch.nn.functional.normalize(one, dim=1) for one in points]
    middle = points[0].mean(dim=0)  # small numbers lose less in products
    return [one - middle for one in points]


def _distances(
    asked: Tensor, points: Tensor, part: Tensor, found: Tensor, metric: Metric
) -> Tensor:
    """Distances of some features to the points found for each, shape (b, k).

    Directly, one by one: products of matrices are rounded as the threads happen to
    share the work, and a t-SNE makes another map of another last digit.
    """
    rows = max(1, _VALUES // (found.shape[1] * points.shape[1]))
    apart = []
    for mine, theirs in zip(part.split(rows), found.split(rows), strict=True):
        first, second = asked[mine, None], points[theirs]
        if metric == "cosine":
            apart.append((1 - (first * second).sum(dim=2)).clamp_min_(0))
        else:
            apart.append((first - second).square_().sum(dim=2).sqrt_())
    return torch.cat(apart)
