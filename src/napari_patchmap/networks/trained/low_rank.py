"""Low-rank adapters: small matrices beside the layers of a network, which itself rests.

A layer with weights W becomes W + (alpha / r) B A, with B of r columns and A of r rows:
equation (3) of Hu et al., "LoRA: Low-rank adaptation of large language models", 2021. B begins
as zero, so the network begins as it came.
"""

from __future__ import annotations

import math
from typing import TypeGuard

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

from napari_patchmap.networks.trained.making import make_net, pooled
from napari_patchmap.networks.trained.network_blocks import blocks_of
from napari_patchmap.networks.trained.trained_record import TrainedRecord

#: It stays when another rank is chosen, so that rates need not change (Hu et al., section 4.1):
#: twice the usual rank, as is common for vision transformers.
_ALPHA = 16.0

#: In the names of layers that only bring a network's shortcuts to its sides.
_SHORTCUT = "downsample"

_Matrix = nn.Linear | nn.Conv2d


class LowRank(nn.Module):
    """The adapter of a linear layer or 1 x 1 convolution.

    The layer calls it after each of its own calls (it is a forward hook), so that the layer and
    the names of its weights stay as timm has them.
    """

    scale: Tensor

    def __init__(self, layer: _Matrix, rank: int) -> None:
        super().__init__()
        outputs, inputs = layer.weight.shape[:2]
        self.a = nn.Parameter(torch.empty(rank, inputs))
        self.b = nn.Parameter(torch.zeros(outputs, rank))
        nn.init.kaiming_uniform_(self.a, a=math.sqrt(5))  # as torch begins linear layers
        self.register_buffer("scale", torch.tensor(_ALPHA / rank))
        #: Whether the layer's own weights have it already.
        self.merged = False

    def forward(self, layer: _Matrix, given: tuple[Tensor], made: Tensor) -> Tensor:
        """Add to what the layer made what the adapter makes of the same input."""
        if self.merged:
            return made
        (x,) = given
        a, b = (self.scale * self.a).to(x.dtype), self.b.to(x.dtype)
        if isinstance(layer, nn.Linear):
            return made + linear(linear(x, a), b)
        low = conv2d(x, a[:, :, None, None], stride=layer.stride)
        return made + conv2d(low, b[:, :, None, None])

    @torch.no_grad()
    def merge(self, layer: _Matrix) -> None:
        """Add the adapter to the layer's weights, once."""
        if not self.merged:
            change = self.scale * (self.b @ self.a)
            layer.weight += change.view_as(layer.weight).to(layer.weight.dtype)
            self.merged = True


class LowRankAdapters(nn.ModuleList):
    """The adapters of a network, with random weights; none where the record's rank is 0."""

    def __init__(self, net: nn.Module, record: TrainedRecord, channels: int) -> None:
        super().__init__()
        self._names = layers_to_adapt(record, channels) if record.rank else ()
        for layer in self._layers(net):
            adapter = LowRank(layer, record.rank)
            layer.register_forward_hook(adapter)
            self.append(adapter)

    @property
    def each(self) -> list[LowRank]:
        """The adapter of each layer."""
        return [one for one in self if isinstance(one, LowRank)]

    def merge(self, net: nn.Module) -> None:
        """Add all of them to the weights of their network, once; it is faster then."""
        for adapter, layer in zip(self.each, self._layers(net), strict=True):
            adapter.merge(layer)

    def call_merged(self) -> None:
        """Say that the network's weights have them already."""
        for adapter in self.each:
            adapter.merged = True

    def _layers(self, net: nn.Module) -> list[_Matrix]:
        layers = map(net.get_submodule, self._names)
        return [layer for layer in layers if _is_matrix(layer)]


def layers_to_adapt(record: TrainedRecord, channels: int) -> tuple[str, ...]:
    """Name the layers that get adapters of the record's rank; no weights are made.

    They are those linear layers and 1 x 1 convolutions of the blocks (not of attention alone:
    Dettmers et al., "QLoRA", 2023) of which the adapter is smaller than the layer. Where
    attention uses the weights of a layer without calling it, that is left out.
    """
    called: dict[str, None] = {}
    takes = channels if record.channels == "adapted" else record.takes
    with torch.device("meta"), torch.inference_mode():
        net = make_net(record, channels).eval()
        blocks = blocks_of(net)
        for name, layer in net.named_modules():
            inside = _SHORTCUT not in name and blocks.get(f"{name}.weight", 0) > 0
            if inside and _is_matrix(layer) and _is_worth(layer, record.rank):
                layer.register_forward_hook(lambda *_, name=name: called.setdefault(name))
        pooled(net, torch.empty(1, takes, *record.size), record.pooling)
    return tuple(called)


def _is_matrix(layer: nn.Module) -> TypeGuard[_Matrix]:
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size == (1, 1) and layer.groups == 1
    return isinstance(layer, nn.Linear)


def _is_worth(layer: _Matrix, rank: int) -> bool:
    outputs, inputs = layer.weight.shape[:2]
    return rank * (outputs + inputs) < outputs * inputs
