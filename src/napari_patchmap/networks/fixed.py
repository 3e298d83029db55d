"""Features without a network: pixels as they are, and features of people's own.

They are backbones like any other: images in [0, 1] go in, or rows of numbers, features come
out.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

#: Name of the backbone that passes pixels on.
PIXELS = "pixels"

#: Name of the one that passes features of people's own on.
OWN = "own features"

#: In front of the name of a backbone that keeps its published weights.
PRETRAINED = "pretrained:"

#: Values that are brought to a common scale at once.
_AT_ONCE = 2**22

#: A deviation below this share of a feature's size is rounding.
_ROUNDING = 1e-6

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


class OwnFeatures(nn.Module):
    """Rows of numbers, of which a middle is taken away and which are divided by a scale.

    Until :meth:`fit` has set both they are passed on as they are. New rows are treated as
    those of the map.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.out_features = count
        self.register_buffer("mean", torch.zeros(count))
        self.register_buffer("scale", torch.ones(count))

    def forward(self, rows: Tensor) -> Tensor:
        """Return the features, float32, shape (b, out_features)."""
        return (rows.float().flatten(1) - self.mean) / self.scale

    def fit(self, rows: np.ndarray) -> np.ndarray:
        """Take the mean and the standard deviation (that of ``n``) of each feature.

        Parameters
        ----------
        rows : ndarray of float32, shape (n, d)

        Returns
        -------
        ndarray of int
            Features that are the same in all rows; they become 0.
        """
        parts = _parts(rows)
        mean = np.zeros(rows.shape[1])
        for part in parts:
            mean += rows[part].sum(axis=0, dtype=np.float64) / len(rows)
        squares = np.zeros(rows.shape[1])
        for part in parts:
            squares += ((rows[part] - mean) ** 2).sum(axis=0)
        deviation = np.sqrt(squares / len(rows))
        flat = deviation <= _ROUNDING * np.maximum(abs(mean), 1e-30)
        self.mean.copy_(torch.from_numpy(mean))
        self.scale.copy_(torch.from_numpy(np.where(flat, 1.0, deviation)))
        return np.flatnonzero(flat)

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """Return the features of rows (n, d) as float32."""
        found = np.empty(rows.shape, np.float32)
        mean, scale = self.mean.cpu().numpy(), self.scale.cpu().numpy()
        for part in _parts(rows):
            np.divide(rows[part] - mean, scale, out=found[part])
        return found


def _parts(rows: np.ndarray) -> list[slice]:
    step = max(1, _AT_ONCE // max(1, rows.shape[1]))
    return [slice(start, start + step) for start in range(0, len(rows), step)]
