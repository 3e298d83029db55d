"""Whitening: the main axes of features brought closer to one spread."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

#: The least spread of an axis that counts, as a share of that of the first: less is noise.
_LEAST = 1e-3

#: How much of the mean variance is added to all where there are more features than patches.
_SHRUNK = 0.1

#: Features that are whitened at most: time grows with their third power.
MOST_WHITENED = 4096


class Whitening(nn.Module):
    """Turns features to their principal axes and divides by a power of the spread of each.

    What a network learns from views in a short time lies on a few axes, such as how bright
    and how large a cell is; what else tells cells apart is there, but hardly counts in a
    distance. A power of 1 is PCA whitening, where noise counts as much as all else; 0
    changes no distance.

    Parameters
    ----------
    width : int
        How many features there are.
    """

    mean: Tensor
    axes: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("axes", torch.eye(width))

    def fit(self, features: np.ndarray, power: float) -> None:
        """Find the axes of some features.

        Parameters
        ----------
        features : ndarray of float, shape (n, width)
        power : float
            0 to 1.
        """
        mean = features.mean(axis=0, dtype=np.float64)
        covariance = np.zeros((len(mean), len(mean)))
        for part in np.array_split(features, max(1, len(features) // 4096)):
            apart = part - mean
            covariance += apart.T @ apart
        variances, axes = np.linalg.eigh(covariance / len(features))
        # Of few patches the least variances are too small: new ones vary along all axes.
        unsure = min(1.0, len(mean) / len(features))
        variances = variances.clip(0) + _SHRUNK * unsure * variances.clip(0).mean()
        variances, axes = variances[::-1], axes[:, ::-1]
        spread = np.sqrt(np.maximum(variances, _LEAST**2 * variances[0]))
        if not spread[0] > 0:  # all patches are alike
            spread = np.ones_like(spread)
        # An axis has no direction; this one does not hang on the computer.
        largest = np.abs(axes).argmax(axis=0)
        signs = np.sign(axes[largest, np.arange(len(axes))])
        # In units of the first axis, so that numbers stay of their size.
        scaled = axes * signs * (spread[0] / spread) ** power
        self.mean.copy_(torch.from_numpy(mean))
        self.axes.copy_(torch.from_numpy(np.ascontiguousarray(scaled)))

    def of(self, features: np.ndarray) -> np.ndarray:
        """Return whitened features (n, width), float32."""
        mean, axes = self.mean.cpu().numpy(), self.axes.cpu().numpy()
        return np.asarray((features - mean) @ axes, np.float32)


def whitened(features: np.ndarray, power: float) -> np.ndarray:
    """Return features (n, d) whitened by their own axes, float32."""
    whitening = Whitening(features.shape[1])
    whitening.fit(features, power)
    return whitening.of(features)
