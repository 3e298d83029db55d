"""What stays of a picture when it is shifted, turned or mirrored: rings of its spectrum.

The size of a Fourier spectrum does not change when a picture is shifted, and turns when it
is turned. Along rings of it, a turn is a shift once more, which the size of a second Fourier
transform does not see (the Fourier-Mellin descriptor without its scale: Casasent and Psaltis,
"Position, rotation, and scale invariant optical correlation", Applied Optics 15, 1976).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor

#: Directions that are looked at along half a ring, and as how many a turn is told.
_DIRECTIONS, TURNS = 32, 64

#: Rings, in waves along twice the side; harmonics along them that are kept.
_RINGS = tuple(range(2, 20, 2))
_HARMONICS = 12

#: Harmonics that say what a picture is; finer ones are noise.
_SAYING = 9

_STEP = 1024


def window(side: int) -> Tensor:
    """Return weights (side, side), 1 in the middle and 0 at the edge, that a turn leaves."""
    away = from_middle(side).div(side / 2)
    radius = torch.sqrt(away[:, None].square() + away[None].square())
    return (torch.cos(((radius - 0.5) / 0.5).clamp(0, 1) * math.pi) + 1) / 2


def from_middle(side: int) -> Tensor:
    """Return how far each pixel along a side is from the middle."""
    return torch.arange(side, dtype=torch.float32) - (side - 1) / 2


def evened(grey: np.ndarray) -> Tensor:
    """Return pictures of mean 0 and variance 1 within the window, whatever their brightness."""
    weights = window(grey.shape[1])
    weights = weights / weights.sum()
    pictures = torch.from_numpy(grey.astype(np.float32))
    pictures = pictures - (pictures * weights).sum((1, 2), keepdim=True)
    spread = (pictures.square() * weights).sum((1, 2), keepdim=True).sqrt()
    return pictures / spread.clamp_min(1e-3)


def spectra_of(grey: np.ndarray) -> np.ndarray:
    """Describe pictures.

    Parameters
    ----------
    grey : ndarray of uint8, shape (n, side, side)

    Returns
    -------
    ndarray of complex64, shape (n, rings, harmonics)
        Turning a picture changes their phases alone, and mirroring makes them conjugate.
    """
    side = grey.shape[1]
    rings, weights = _rings(2 * side), window(side)
    found = np.empty((len(grey), len(_RINGS), _HARMONICS + 1), np.complex64)
    for start in range(0, len(grey), _STEP):
        some = evened(grey[start : start + _STEP]) * weights
        size = torch.fft.rfft2(some, (2 * side, 2 * side)).abs().reshape(len(some), -1)
        along = torch.log1p(size @ rings).reshape(len(some), len(_RINGS), _DIRECTIONS)
        found[start : start + _STEP] = torch.fft.rfft(along, dim=2)[..., : _HARMONICS + 1]
    return found


def standing(spectra: np.ndarray) -> np.ndarray:
    """Return what shift, turn and mirror leave of spectra, (n, d), as numbers of one weight."""
    size = np.abs(spectra[..., :_SAYING]).reshape(len(spectra), -1)
    return size / np.maximum(size.std(axis=0), 1e-6)


def turned(ours: Tensor, theirs: Tensor) -> tuple[Tensor, Tensor]:
    """Return how alike pairs of spectra are at each turn from 0 to 180 degrees.

    Returns
    -------
    plain, mirrored : Tensor, shape (b, turns)
        -1 to 1; mirrored is that of the second picture mirrored from left to right.
    """
    a, b = ours[..., 1:], theirs[..., 1:]
    size = (a.abs().square().sum((1, 2)) * b.abs().square().sum((1, 2))).sqrt()
    scale = (TURNS / 2 / size.clamp_min(1e-6))[:, None]
    alike = []
    for other in (b.conj(), b):
        waves = torch.zeros((len(a), TURNS // 2 + 1), dtype=torch.complex64)
        waves[:, 1 : _HARMONICS + 1] = (a * other).sum(1)
        alike.append(torch.fft.irfft(waves, n=TURNS) * scale)
    return alike[0], alike[1]


@lru_cache(maxsize=4)
def _rings(side: int) -> Tensor:
    """Return the matrix that reads rings out of half a spectrum, between its points."""
    half = side // 2 + 1
    matrix = torch.zeros(side * half, len(_RINGS) * _DIRECTIONS)
    # Waves along twice the side, wherever the side is another than that of the rings.
    unit = min(1.0, side / 2 / (max(_RINGS) + 1))
    for k, ring in enumerate(_RINGS):
        for j in range(_DIRECTIONS):
            angle = math.pi * j / _DIRECTIONS
            down, right = ring * unit * math.sin(angle), ring * unit * math.cos(angle)
            if right < 0:
                down, right = -down, -right
            top, left = math.floor(down), math.floor(right)
            for y in (top, top + 1):
                for x in (left, left + 1):
                    share = (1 - abs(down - y)) * (1 - abs(right - x))
                    if share > 0:
                        matrix[y % side * half + x, k * _DIRECTIONS + j] += share
    return matrix
