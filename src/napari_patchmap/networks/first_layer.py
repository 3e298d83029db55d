"""A first layer that is not learned: pieces of the patches, whitened.

Neighbouring pixels are much alike, so that a first layer drawn at random sees hardly more
than brightness and colour, and steps are lost until it sees fine structure. Filters that are
the main axes of small pieces of the patches, each divided by its spread, see all of it from
the first step on (Coates and Ng, "Learning feature representations with k-means", 2012).
With each axis comes its negative, since what is negative is cut off after the layer, and they
rest while all else learns (Jordan, "94 % on CIFAR-10 in 3.29 seconds on a single GPU", 2024,
section 3.2).
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

#: How the first layer of a network begins: drawn at random and learned, or whitened, at rest.
FirstLayer = Literal["learned", "whitened"]

#: Variance that is added to that of each axis, as a share of that of the first: less is noise.
_NOISE = 1e-3

#: Numbers that pieces of patches are made of, at most.
_MOST_NUMBERS = 2**23

#: Channels of which it has filters for most of the axes.
_MOST_CHANNELS = 7

#: Backbones for which it was measured to be better. Of ResNets it was not: small ones gained in
#: neighbours and lost in how far groups lie apart within two epochs; more were not tried.
_GAINING = ("compact",)


def usual_first_layer(backbone: str, channels: int) -> FirstLayer:
    """Name the first layer of a backbone that is to learn within minutes."""
    return "whitened" if backbone in _GAINING and channels <= _MOST_CHANNELS else "learned"


def first_layer_of(backbone: nn.Module) -> nn.Conv2d:
    """Return the layer that looks at the patches."""
    return next(layer for layer in backbone.modules() if isinstance(layer, nn.Conv2d))


@torch.no_grad()
def whiten_first_layer(backbone: nn.Module, images: Tensor) -> None:
    """Give the first layer its filters.

    Axes with the largest variance and their negatives come first; filters that are left over
    are random directions among the whitened pieces, of torch's global generator.

    Parameters
    ----------
    backbone : nn.Module
    images : Tensor of float, shape (n, channel, height, width)
        Some patches, [0, 1].
    """
    layer = first_layer_of(backbone)
    pieces = pieces_of(images, layer.kernel_size[0]).double().cpu()
    variances, axes = torch.linalg.eigh(torch.cov(pieces.T))
    variances, axes = variances.flip(0).clamp_min(0), axes.flip(1).T
    # The sign is chance, too, and would be another on another computer.
    axes *= axes.gather(1, axes.abs().argmax(dim=1, keepdim=True)).sign()
    spread = (variances + _NOISE * variances[0].clamp_min(1e-6)).sqrt()
    whitened = axes / spread[:, None]
    count = layer.out_channels
    paired = whitened[: count // 2]
    mixed = torch.randn(count - 2 * len(paired), len(whitened), dtype=torch.float64)
    mixed = nn.functional.normalize(mixed, dim=1) @ whitened
    filters = torch.cat([paired, -paired, mixed])
    layer.weight.copy_(filters.view_as(layer.weight))


def pieces_of(images: Tensor, side: int) -> Tensor:
    """Cut squares (p, channel x side x side) out of images, side by side, of all a few."""
    pieces = nn.functional.unfold(images, min(side, *images.shape[-2:]), stride=side)
    flat = pieces.transpose(1, 2).flatten(0, 1)
    return flat[:: max(1, flat.numel() // _MOST_NUMBERS)]
