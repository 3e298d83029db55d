"""Contrastive losses, in log space and float32."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

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
    dimensions the differences are therefore taken directly. The loss is the sum
    of two logarithms, log(1 + d^2) of the partner and log of the summed
    similarities; these lie in (0, 1] and cannot vanish in float32, so that no
    logarithm or exponential of single pairs is needed. The gradient is written
    out: less than half the time of automatic differentiation on a CPU.
    """
    loss: Tensor = _CauchyInfoNCE.apply(outputs)
    return loss


def nt_xent(outputs: Tensor, temperature: float = 0.5) -> Tensor:
    """InfoNCE with the cosine similarity: SimCLR's normalised cross-entropy, NT-Xent.

    Equation (1) of Chen et al., "A simple framework for contrastive learning of
    visual representations", ICML 2020 (and of Nwabufo et al.). Outputs and result are as
    those of :func:`cauchy_infonce`, but lengths do not matter. The smaller the temperature
    (above 0), the more the nearest negatives count.
    """
    with torch.autocast(outputs.device.type, enabled=False):
        points = nn.functional.normalize(outputs.float(), dim=1)
        views = len(points)
        similarity = points @ points.T / temperature
        itself = torch.eye(views, dtype=torch.bool, device=points.device)
        similarity = similarity.masked_fill(itself, -torch.inf)
        partner = torch.arange(views, device=points.device).roll(views // 2)
        return nn.functional.cross_entropy(similarity, partner)


class _CauchyInfoNCE(torch.autograd.Function):
    """With D_ik the squared distances and s_ik = 1 / (1 + D_ik), the loss is the mean
    over i of log(1 + D_ip) + log sum_k s_ik, p the partner of i and k != i.
    """

    @staticmethod
    def forward(ctx: Any, outputs: Tensor) -> Tensor:
        with torch.autocast(outputs.device.type, enabled=False):
            points = outputs.detach().float()
            views = len(points)
            similarity = squared_distances(points).add_(1).reciprocal_().fill_diagonal_(0)
            total = similarity.sum(dim=1, keepdim=True)
            # dL/dD_ik = (1[k = p] s_ip - s_ik^2 / sum_k s_ik) / 2b
            weights = similarity.square_().div_(total).div_(-views)
            pair = points - points.roll(views // 2, dims=0)
            apart = 1 + pair.square().sum(dim=1, keepdim=True)
            # Each pair is attracted from both sides, hence 4 and not 2.
            gradient = _gradient(weights, points) + 4 * pair / (apart * views)
            ctx.save_for_backward(gradient)
            ctx.kind = outputs.dtype
            return (apart.log() + total.log()).mean()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        (gradient,) = ctx.saved_tensors
        return (gradient * grads[0]).to(ctx.kind)


def _gradient(weights: Tensor, points: Tensor) -> Tensor:
    """Gradient of sum_ik weights_ik |x_i - x_k|^2 with regard to the points."""
    if points.shape[1] > _DIRECT:
        ends = weights.sum(dim=1, keepdim=True) + weights.sum(dim=0)[:, None]
        return 2 * (ends * points - weights @ points - weights.T @ points)
    columns = []
    for column in points.unbind(dim=1):
        forces = (column[:, None] - column[None, :]).mul_(weights)
        columns.append(forces.sum(dim=1) - forces.sum(dim=0))
    return 2 * torch.stack(columns, dim=1)


def squared_distances(points: Tensor) -> Tensor:
    """Squared Euclidean distance of all pairs, shape (n, n), zero on the diagonal."""
    if points.shape[1] <= _DIRECT:
        first, *rest = points.unbind(dim=1)
        total = (first[:, None] - first[None, :]).square_()
        for column in rest:
            total.addcmul_(*(2 * [column[:, None] - column[None, :]]))
        return total
    centred = points - points.mean(dim=0, keepdim=True)
    squares = centred.square().sum(dim=1)
    total = torch.addmm(squares[:, None] + squares[None, :], centred, centred.T, alpha=-2)
    return total.clamp_min_(0)
