"""Pixels as people are shown them, and the picture that stands for what cannot be shown."""

from __future__ import annotations

import numpy as np

#: Grey levels, of 1, of its ground and of its cross.
_GROUND, _CROSS = 0.22, 0.55


def missing_picture(height: int, width: int) -> np.ndarray:
    """Draw what stands for an image that is missing: a cross in a frame, no image at all.

    Returns
    -------
    ndarray of float64, shape (height, width), 0 to 1
    """
    y = np.linspace(-1, 1, height)[:, None] if height > 1 else np.zeros((1, 1))
    x = np.linspace(-1, 1, width)[None, :] if width > 1 else np.zeros((1, 1))
    thick = max(2.0, min(height, width) / 14) / max(min(height, width), 1)
    cross = np.minimum(abs(x - y), abs(x + y)) < 1.4 * thick
    frame = np.maximum(abs(x), abs(y)) > 1 - 1.4 * thick
    within = np.maximum(abs(x), abs(y)) < 0.62
    return np.where((cross & within) | frame, _CROSS, _GROUND)


def as_rgb(pixels: np.ndarray) -> np.ndarray:
    """Show ``(..., channel)`` uint8 pixels as RGB: grey as grey, else the first three."""
    channels = pixels.shape[-1]
    if channels == 1:
        return np.repeat(pixels, 3, axis=-1)
    if channels == 2:
        return np.concatenate([pixels, np.zeros_like(pixels[..., :1])], axis=-1)
    return pixels[..., :3]


def no_picture(height: int, width: int) -> np.ndarray:
    """Return the RGB picture, uint8, that stands for an image that cannot be shown."""
    grey = np.rint(255 * missing_picture(height, width)).astype(np.uint8)
    return as_rgb(grey[..., None])


def plain_picture(height: int, width: int) -> np.ndarray:
    """Return the RGB picture, uint8, of a point that never had one: a grey square."""
    return np.full((height, width, 3), round(255 * _GROUND), np.uint8)
