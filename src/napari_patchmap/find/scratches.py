"""Thin straight lines across a patch: scratches, fibres, seams of a camera."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

#: Directions in which lines are looked for; grey levels above which a point is no more of a
#: line than at that; share of the side that a line has at least.
_DIRECTIONS, _MOST, _LEAST = 24, 12.0, 0.7

#: Lines are looked for within this share of the side from the middle.
_AWAY = 0.4


def lines_across(grey: np.ndarray) -> np.ndarray:
    """Return how clear the clearest line across each picture is, in grey levels.

    Lines are up to two pixels wide, brighter or darker than what is beside them (what an
    opening or a closing of three pixels takes away), and are summed up along.

    Parameters
    ----------
    grey : ndarray of float32, shape (n, height, width)

    Returns
    -------
    ndarray of float32, shape (n,), 0 to 12
    """
    pictures = torch.from_numpy(np.ascontiguousarray(grey, np.float32))[:, None]
    sums = _lines(*grey.shape[1:])
    opened, closed = _grown(_grown(pictures, -1), 1), _grown(_grown(pictures, 1), -1)
    best = torch.zeros(len(pictures))
    for thin in (pictures - opened, closed - pictures):
        clear = thin.clamp(0, _MOST).reshape(len(pictures), -1) @ sums
        best = torch.maximum(best, clear.amax(dim=1))
    return best.numpy()


def _grown(pictures: Tensor, sign: int) -> Tensor:
    """Return the largest of three by three pixels, or the smallest for a sign of -1."""
    return sign * max_pool2d(sign * pictures, 3, 1, 1)


@lru_cache(maxsize=4)
def _lines(height: int, width: int) -> Tensor:
    """Return the matrix (pixels, lines) that takes means along lines."""
    y, x = np.mgrid[:height, :width].astype(float)
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    side, columns = min(height, width), []
    for angle in np.pi * np.arange(_DIRECTIONS) / _DIRECTIONS:
        across = y * np.cos(angle) + x * np.sin(angle)
        for away in np.arange(-_AWAY * side, _AWAY * side + 0.1):
            weights = np.clip(1 - np.abs(across - away), 0, 1)
            if weights.sum() >= _LEAST * side:
                columns.append((weights / weights.sum()).reshape(-1))
    return torch.from_numpy(np.stack(columns, axis=1).astype(np.float32))
