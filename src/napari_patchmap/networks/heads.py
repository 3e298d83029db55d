"""What follows the features while a network learns: hidden layers and an output layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn


def projector(
    width: int, hidden: Sequence[int], out_dim: int, *, norm: bool
) -> tuple[nn.Sequential, nn.Linear]:
    """Make a projector: linear layers with ReLU between them.

    There is no output layer where ``out_dim`` is 0, for features alone. ``norm`` normalises
    the features and the hidden layers by the batch.
    """
    layers: list[nn.Module] = [nn.BatchNorm1d(width, affine=False)] if norm else []
    for units in hidden:
        layers.append(nn.Linear(width, units, bias=not norm))
        layers += [nn.BatchNorm1d(units)] if norm else []
        layers.append(nn.ReLU(inplace=True))
        width = units
    output = nn.Linear(width, out_dim) if out_dim else None
    return nn.Sequential(*layers), output  # type: ignore[return-value]


def prototypes(
    width: int, hidden: Sequence[int], out_dim: int, *, norm: bool
) -> tuple[nn.Sequential, nn.Module]:
    """Make DINO's: GELU after all hidden layers but the last, small weights, prototypes."""
    layers: list[nn.Module] = [nn.BatchNorm1d(width, affine=False)] if norm else []
    for i, units in enumerate(hidden):
        linear = nn.Linear(width, units)
        nn.init.trunc_normal_(linear.weight, std=0.02)
        nn.init.zeros_(linear.bias)
        if i:
            layers += [nn.BatchNorm1d(width)] if norm else []
            layers.append(nn.GELU())
        layers.append(linear)
        width = units
    return nn.Sequential(*layers), Prototypes(width, out_dim)


class Prototypes(nn.Module):
    """Cosine of the angle between features and each of some directions.

    A linear layer with weight normalisation whose lengths are fixed at 1, on
    normalised features: the last layer of Caron et al. 2021.
    """

    def __init__(self, width: int, count: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, width))
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """Return the cosines, shape (b, count)."""
        normalised = nn.functional.normalize(features, dim=1)
        return nn.functional.linear(normalised, nn.functional.normalize(self.weight, dim=1))


class HeadKind(NamedTuple):
    """How a head is made, and whether its outputs can be places on a map.

    If not, they are of use while the network learns and may be too many to be kept.
    """

    #: Makes the hidden layers and the output layer for features of some width.
    make: Callable[..., tuple[nn.Sequential, nn.Module]]
    makes_map: bool = True


#: All heads by the name that is saved with a run.
HEADS = {
    "projector": HeadKind(projector),
    "prototypes": HeadKind(prototypes, makes_map=False),
}
