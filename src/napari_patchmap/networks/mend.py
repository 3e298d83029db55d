"""Ways around what is wrong, or slow, in half-precision convolutions with a stride on CPUs.

In bfloat16 with AMX (torch 2.13), a convolution with a stride whose output is one
pixel wide reads memory that nobody wrote, forward or for its weights' gradient:
numbers at random, now and then NaN. ResNets come to that with patches of 16 px.
In float32 it is sound, and so small that the precision costs nothing.

Without AMX the gradient of the weights of such a convolution takes up to five times
as long as the convolution itself; as one product of matrices it takes about as long.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

#: Pixels under a weight that are copied side by side at a time.
_PIXELS = 2**22


class SoundConv2d(nn.Conv2d):
    """A convolution that computes in float32 on a CPU what would be one pixel wide.

    In half precision its weights' gradient is a product of matrices there.
    """

    def forward(self, images: Tensor) -> Tensor:
        """Return the convolution, in the precision of the images."""
        padding = 0 if isinstance(self.padding, str) else 2 * self.padding[1]
        rest = images.shape[-1] + padding - self.kernel_size[1]
        if images.device.type != "cpu":
            return super().forward(images)
        if rest < self.stride[1]:
            with torch.autocast("cpu", enabled=False):
                return super().forward(images.to(self.weight.dtype)).to(images.dtype)
        if torch.is_autocast_enabled("cpu") and self._is_plain and self.weight.requires_grad:
            half = torch.get_autocast_dtype("cpu")
            return _Strided.apply(
                images.to(half), self.weight.to(half), self.stride, self.padding
            )
        return super().forward(images)

    @property
    def _is_plain(self) -> bool:
        """Whether it is one of all channels, evenly spaced, padded with zeros, without bias."""
        usual = self.bias is None and self.groups == 1 and self.padding_mode == "zeros"
        return usual and self.dilation == (1, 1) and not isinstance(self.padding, str)


class _Strided(torch.autograd.Function):
    """A convolution, whose weights' gradient is a product of matrices."""

    @staticmethod
    def forward(
        ctx: Any,
        images: Tensor,
        weight: Tensor,
        stride: tuple[int, int],
        padding: tuple[int, int],
    ) -> Tensor:
        ctx.save_for_backward(images, weight)
        ctx.stride, ctx.padding = stride, padding
        return functional.conv2d(images, weight, None, stride, padding)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        images, weight = ctx.saved_tensors
        of_images = of_weight = None
        if ctx.needs_input_grad[0]:
            of_images = torch.ops.aten.convolution_backward(
                slope, images, weight, None, ctx.stride, ctx.padding,
                (1, 1), False, (0, 0), 1, (True, False, False),
            )[0]  # fmt: skip
        if ctx.needs_input_grad[1]:
            of_weight = _slope_of_weight(images, slope, weight.shape, ctx.stride, ctx.padding)
        return of_images, of_weight, None, None


def _slope_of_weight(
    images: Tensor,
    slope: Tensor,
    shape: torch.Size,
    stride: tuple[int, int],
    padding: tuple[int, int],
) -> Tensor:
    """Gradient (out, in, height, width) of a weight: slopes times the pixels under it."""
    out, channels, height, width = shape
    rows, columns = slope.shape[-2:]
    count, across = height * width * channels, rows * columns
    found = images.new_zeros(out, count, dtype=torch.float32)
    together = max(1, _PIXELS // (across * count))
    for some, slopes in zip(images.split(together), slope.split(together), strict=True):
        padded = functional.pad(some, (padding[1], padding[1], padding[0], padding[0]))
        lines = padded.permute(0, 2, 3, 1).contiguous()
        image, row, column, _ = lines.stride()
        # Pixels of a line that lie side by side under the weight are so in memory, too.
        under = lines.as_strided(
            (len(some), rows, columns, height, width * channels),
            (image, stride[0] * row, stride[1] * column, row, 1),
        )
        flat = slopes.permute(0, 2, 3, 1).reshape(-1, out)
        found += flat.T @ under.reshape(-1, count)
    product = found.to(images.dtype)
    return product.view(out, height, width, channels).permute(0, 3, 1, 2)


def mend_convolutions(network: nn.Module) -> None:
    """Make the convolutions with a stride sound; their weights and names stay."""
    for layer in network.modules():
        if type(layer) is nn.Conv2d and layer.stride[1] > 1 and layer.kernel_size[1] > 1:
            layer.__class__ = SoundConv2d
