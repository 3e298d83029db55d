"""Blocks of a network, from its first layers to its last."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.making import make_net
from napari_patchmap.networks.trained.trained_record import TrainedRecord

#: Those of torchvision's ResNets, in timm's notation.
_RESNET = {"stem": r"^conv1|bn1", "blocks": r"^layer(\d+)"}


def blocks_of(net: nn.Module) -> dict[str, int]:
    """Return the block of each weight of a network by name, as timm divides it.

    0 is what comes before the first block. Blocks are those of a plain transformer, and of
    networks that make the image smaller in stages these. A network of which nobody knows
    blocks is a single one, 1.
    """
    matcher: Any = getattr(net, "group_matcher", None)
    if matcher is not None:
        groups = timm().models.group_parameters(net, matcher(coarse=True))
    elif hasattr(net, "layer4"):
        groups = timm().models.group_parameters(net, _RESNET)
    else:
        groups = {1: [name for name, _ in net.named_parameters()]}
    return {name: int(number) for number, names in groups.items() for name in names}


def count_blocks(record: TrainedRecord, channels: int) -> int:
    """Return how many blocks the network of a record has, without making its weights."""
    with torch.device("meta"):
        return max(blocks_of(make_net(record, channels)).values(), default=1)
