"""Bringing patches of any size to one size, by an explicit choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, get_args

import numpy as np
import torch

#: How a patch of another size is brought to the common size.
Fit = Literal["resize", "crop", "pad"]
FITS: tuple[str, ...] = get_args(Fit)


def fit_to(patch: np.ndarray, size: tuple[int, int], how: Fit) -> np.ndarray:
    """Bring one uint8 patch ``(height, width, channel)`` to ``size``.

    ``resize`` scales both sides (and so may change the aspect);
    ``crop`` scales until the patch covers ``size`` and cuts the centre out;
    ``pad`` scales until the patch fits inside and fills the rest with its
    own mean border colour. Aspect is kept by the last two.
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
    out[:] = np.rint(border_colour(patch.transpose(2, 0, 1)[None])).astype(np.uint8)
    top, left = (size[0] - scaled[0]) // 2, (size[1] - scaled[1]) // 2
    out[top : top + scaled[0], left : left + scaled[1]] = patch
    return out


def resize(patches: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Resize ``(n, height, width, channel)`` patches of any type, bilinear and antialiased."""
    if patches.shape[1:3] == tuple(size):
        return patches
    # A copy in any case: torch takes no read-only arrays, which mapped files are.
    batch = torch.from_numpy(np.array(patches.transpose(0, 3, 1, 2), np.float32, order="C"))
    batch = torch.nn.functional.interpolate(
        batch, size=tuple(size), mode="bilinear", align_corners=False, antialias=True
    )
    if patches.dtype == np.uint8:
        return batch.round_().clamp_(0, 255).byte().permute(0, 2, 3, 1).numpy()
    out = batch.permute(0, 2, 3, 1).numpy()
    if patches.dtype.kind in "ui":
        limits = np.iinfo(patches.dtype)
        out = np.clip(np.rint(out), limits.min, limits.max)
    return out.astype(patches.dtype)


def border_pixels(patches: np.ndarray) -> np.ndarray:
    """Return the one-pixel border of patches ``(n, channel, y, x)``, ``(n, channel, m)``."""
    mask = np.ones(patches.shape[2:], bool)
    mask[1:-1, 1:-1] = False
    return patches[:, :, mask]


def border_colour(patches: np.ndarray) -> np.ndarray:
    """Mean colour, ``(channel,)``, of the one-pixel border of patches ``(n, channel, y, x)``.

    Every border pixel counts once, every patch counts the same (the fill of the
    rotations in Nwabufo et al., "Self-supervised Visualisation of Medical Image
    Datasets").
    """
    return border_pixels(patches).mean(axis=(0, 2), dtype=np.float64)


def same_aspect(have: tuple[int, int], want: tuple[int, int]) -> bool:
    """Whether ``want`` is ``have`` scaled, but for the rounding to whole pixels."""
    scales = [(w - 1) / h for w, h in zip(want, have, strict=True)]
    ends = [(w + 1) / h for w, h in zip(want, have, strict=True)]
    return max(scales) < min(ends)


def explain_sizes(name: str, counts: Mapping[tuple[int, int], int]) -> str:
    """Say that images have several sizes, most frequent first, and what to do."""
    listed = ", ".join(f"{n:,} of {w} x {h}" for (h, w), n in list(counts.items())[:3])
    more = f" and {len(counts) - 3} other sizes" if len(counts) > 3 else ""
    return (
        f"The images in {name} have {len(counts)} different sizes ({listed}{more}; "
        "width x height); choose how to bring them to one size: resize, crop or pad."
    )
