"""A way around a fault of half-precision convolutions on CPUs.

In bfloat16 with AMX (torch 2.13), a convolution with a stride whose output is one
pixel wide reads memory that nobody wrote, forward or for its weights' gradient:
numbers at random, now and then NaN. ResNets come to that with patches of 16 px.
In float32 it is sound, and so small that the precision costs nothing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SoundConv2d(nn.Conv2d):
    """A convolution that computes in float32 on a CPU what would be one pixel wide."""

    def forward(self, images: Tensor) -> Tensor:
        """Return the convolution, in the precision of the images."""
        padding = 0 if isinstance(self.padding, str) else 2 * self.padding[1]
        rest = images.shape[-1] + padding - self.kernel_size[1]
        if images.device.type != "cpu" or rest >= self.stride[1]:
            return super().forward(images)
        with torch.autocast("cpu", enabled=False):
            return super().forward(images.to(self.weight.dtype)).to(images.dtype)


def mend_convolutions(network: nn.Module) -> None:
    """Make the convolutions with a stride sound; their weights and names stay."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d and layer.stride[1] > 1 and layer.kernel_size[1] > 1:
            layer.__class__ = SoundConv2d
