"""Bringing patches of any size to one size, by an explicit choice."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch

#: How a patch of another size is brought to the common size.
Fit = Literal["resize", "crop", "pad"]
FITS: tuple[str, ...] = get_args(Fit)


def fit_to(patch: np.ndarray, size: tuple[int, int], how: Fit) -> np.ndarray:
    """Bring one uint8 patch to ``size``.

    Parameters
    ----------
    patch : ndarray of uint8, shape (height, width, channel)
    size : (height, width)
    how : {"resize", "crop", "pad"}
        ``resize`` scales both sides (and so may change the aspect);
        ``crop`` scales until the patch covers ``size`` and cuts the centre out;
        ``pad`` scales until the patch fits inside and fills the rest with its
        own mean border colour. Aspect is kept by the last two.

    Returns
    -------
    ndarray of uint8, shape (size[0], size[1], channel)
    """
    height, width = patch.shape[:2]
    if (height, width) == tuple(size):
        return patch
    if how == "resize":
        return resize(patch[None], size)[0]
    ratios = size[0] / height, size[1] / width
    scale = max(ratios) if how == "crop" else min(ratios)
    scaled = (max(1, round(height * scale)), max(1, round(width * scale)))
    patch = resize(patch[None], scaled)[0]
    if how == "crop":
        top, left = (scaled[0] - size[0]) // 2, (scaled[1] - size[1]) // 2
        return patch[top : top + size[0], left : left + size[1]]
    out = np.empty((*size, patch.shape[2]), np.uint8)
    out[:] = np.rint(border_colour(patch[None])).astype(np.uint8)
    top, left = (size[0] - scaled[0]) // 2, (size[1] - scaled[1]) // 2
    out[top : top + scaled[0], left : left + scaled[1]] = patch
    return out


def resize(patches: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize ``(n, height, width, channel)`` uint8 patches, bilinear and antialiased."""
    if patches.shape[1:3] == tuple(size):
        return patches
    # A copy in any case: torch takes no read-only arrays, which mapped files are.
    batch = torch.from_numpy(np.array(patches.transpose(0, 3, 1, 2), np.float32, order="C"))
    batch = torch.nn.functional.interpolate(
        batch, size=tuple(size), mode="bilinear", align_corners=False, antialias=True
    )
    return batch.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).numpy()


def border_colour(patches: np.ndarray) -> np.ndarray:
    """Mean colour over the one-pixel border of ``(n, height, width, channel)`` patches.

    Every border pixel counts once, every patch counts the same (the fill of the
    rotations in Nwabufo et al., "Self-supervised Visualisation of Medical Image
    Datasets").

    Returns
    -------
    ndarray of float64, shape (channel,)
    """
    mask = np.ones(patches.shape[1:3], bool)
    mask[1:-1, 1:-1] = False
    return patches[:, mask].mean(axis=(0, 1), dtype=np.float64)
