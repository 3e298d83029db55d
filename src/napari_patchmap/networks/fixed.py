"""Features without a network: pixels as they are.

They are a backbone like any other: images in [0, 1] go in, features come out.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

#: Name of the backbone that passes pixels on.
PIXELS = "pixels"

#: In front of the name of a backbone that keeps its published weights.
PRETRAINED = "pretrained:"

#: Pixels times channels from which on their main axes are taken, and how many: as
#: Nwabufo et al. do for PCam16 (96 x 96 RGB) and not for 28 x 28.
_LARGE, _AXES = 4096, 100


class PixelFeatures(nn.Module):
    """Pixels in a row; of large patches their main axes, set by :meth:`fit`."""

    mean: Tensor
    axes: Tensor | None

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        length = channels * size[0] * size[1]
        self.out_features = _AXES if length > _LARGE else length
        self.register_buffer("mean", torch.zeros(length))
        self.register_buffer("axes", torch.eye(_AXES, length) if length > _LARGE else None)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, float32, shape (b, out_features)."""
        flat = images.float().flatten(1)
        if self.axes is None:
            return flat
        with torch.autocast(images.device.type, enabled=False):
            return (flat - self.mean) @ self.axes.T

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Find the main axes of some images in [0, 1]; nothing to do for small ones."""
        if self.axes is None:
            return
        flat = images.float().flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        rank = min(_AXES, len(flat) - 1)
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            _, _, vectors = torch.pca_lowrank(flat, q=rank, center=True, niter=4)
        # One sign for everybody: the largest component is positive.
        largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
        self.axes.zero_()
        self.axes[:rank].copy_((vectors * largest.sign()).T)
