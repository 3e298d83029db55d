"""Contrastive losses, in log space and float32."""

from __future__ import annotations

import torch
from torch import Tensor

#: Up to this many dimensions distances are sums of squared differences; beyond
#: it the pairwise differences would not fit in memory.
_DIRECT = 3


def cauchy_infonce(outputs: Tensor) -> Tensor:
    """InfoNCE with the Cauchy similarity ``1 / (1 + |x - y|^2)``.

    Equation (2) of Nwabufo et al., "Self-supervised Visualisation of Medical
    Image Datasets" (Böhm et al., ICLR 2023): each of the 2b views is compared
    with its partner against all 2b - 1 other views.

    Parameters
    ----------
    outputs : Tensor, shape (2 b, d)
        Row i and row b + i are the two views of patch i.

    Returns
    -------
    Tensor of float32, scalar
        Mean over all 2b views.

    Notes
    -----
    Coordinates of a map reach several hundreds, where the usual expansion
    |x|^2 + |y|^2 - 2xy loses the distances that matter; in two and three
    dimensions the differences are therefore taken directly.
    """
    outputs = outputs.float()
    views = len(outputs)
    with torch.autocast(outputs.device.type, enabled=False):
        distances = squared_distances(outputs)
        similarity = -torch.log1p(distances)
        similarity = similarity.masked_fill(
            torch.eye(views, dtype=torch.bool, device=outputs.device), -torch.inf
        )
        partner = outputs.roll(views // 2, dims=0)
        attraction = torch.log1p((outputs - partner).square().sum(dim=1))
        return (attraction + torch.logsumexp(similarity, dim=1)).mean()


def squared_distances(points: Tensor) -> Tensor:
    """Squared Euclidean distance of all pairs, shape (n, n), zero on the diagonal."""
    if points.shape[1] <= _DIRECT:
        total = torch.zeros((), device=points.device)
        for column in points.unbind(dim=1):
            total = total + (column[:, None] - column[None, :]).square()
        return total
    centred = points - points.mean(dim=0, keepdim=True).detach()
    squares = centred.square().sum(dim=1)
    products = centred @ centred.T
    return (squares[:, None] + squares[None, :] - 2 * products).clamp_min(0)
