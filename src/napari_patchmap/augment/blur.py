"""Gaussian blur, each patch with its own width; agrees with torchvision's operator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.magnitudes import Magnitudes
from napari_patchmap.augment.random_batch import Lot, RandomBatch

#: Side of the kernel as a share of the patch's shorter side (Chen et al. 2020, SimCLR).
_KERNEL_SHARE = 0.1

#: Width of a Gaussian that blurs nothing.
_NONE = 1e-3


@dataclass
class Blur(RandomBatch):
    """Standard deviations of a batch of ``b`` views in pixels, shape (b,)."""

    sigma: Tensor

    #: Random numbers that a view takes.
    NUMBERS: ClassVar[int] = 2

    @classmethod
    def of(cls, config: AugmentConfig, magnitudes: Magnitudes, lot: Lot) -> Blur:
        """Say by random numbers which views are blurred, and how much.

        Of the settings only the share of blurred views counts.
        """
        blurred = lot() < config.blur_share
        sigma = magnitudes.blur + magnitudes.blur_range * lot()
        return cls(torch.where(blurred, sigma, _NONE))

    def apply(self, images: Tensor) -> Tensor:
        """Blur ``(b, channel, height, width)`` images."""
        side = min(images.shape[-2:])
        return gaussian_blur(images, self.sigma, kernel_size(side))


def kernel_size(side: int) -> int:
    """Odd side of the kernel for patches with a shorter side of so many pixels."""
    return max(3, int(_KERNEL_SHARE * side) | 1)


def gaussian_blur(images: Tensor, sigma: Tensor, kernel: int) -> Tensor:
    """Blur images (b, channel, height, width) with Gaussians, each of its own width.

    They are cut off at the edge of the kernel, whose side is odd; borders are mirrored, so
    sides have to be longer than half of it.
    """
    reach = kernel // 2
    steps = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    weights = torch.exp(-0.5 * (steps / sigma[:, None].to(images.dtype)).square())
    weights = (weights / weights.sum(dim=1, keepdim=True))[:, :, None, None, None]
    padded = nn.functional.pad(images, (reach, reach, reach, reach), mode="reflect")
    height, width = images.shape[-2:]
    # One direction after the other; shifted copies are faster than a convolution
    # whose kernel differs from patch to patch.
    rows = padded[:, :, :height] * weights[:, 0]
    for k in range(1, kernel):
        rows.addcmul_(padded[:, :, k : k + height], weights[:, k])
    out = rows[..., :width] * weights[:, 0]
    for k in range(1, kernel):
        out.addcmul_(rows[..., k : k + width], weights[:, k])
    return out
