"""Images of one set that lie in several places, and a picture for those that lie nowhere."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from napari_patchmap.patches.images import Images

#: Grey levels, of 1, of the ground of that picture and of its cross.
_GROUND, _CROSS = 0.22, 0.55


class GatheredImages(Images):
    """Images out of several others, in an order of their own.

    Parameters
    ----------
    parts : sequence of Images
        Of one pixel type and channel count; at least one, unless all are missing.
    part, row : ndarray of int, shape (n,)
        In which of them each image lies, -1 where in none, and which one there it is.
    missing : tuple of (height, width)
        Size of the picture of those that lie nowhere.
    dtype, channels
        Of the images.
    low, high : ndarray, shape (channels,)
        Intensities that are shown as black and white, for that picture.
    """

    def __init__(
        self,
        parts: Sequence[Images],
        part: np.ndarray,
        row: np.ndarray,
        *,
        missing: tuple[int, int],
        dtype: np.dtype,
        channels: int,
        low: np.ndarray,
        high: np.ndarray,
    ) -> None:
        self._parts, self._part, self._row = list(parts), part, row
        self.dtype, self.channels = dtype, channels
        self._missing = missing, np.asarray(low, float), np.asarray(high, float)
        self.sizes = np.empty((len(part), 2), np.int64)
        self.sizes[:] = missing
        for k, images in enumerate(self._parts):
            here = part == k
            self.sizes[here] = images.sizes[row[here]]
        self.sequential = any(images.sequential for images in self._parts)

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        part = int(self._part[index])
        return self._parts[part][int(self._row[index])] if part >= 0 else self._no_picture()

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images of one size as ``(n, height, width, channel)``."""
        indices = np.asarray(indices, np.intp)
        if not self.uniform:
            return super().take(indices)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        parts = self._part[indices]
        for k in np.unique(parts).tolist():
            here = parts == k
            if k >= 0:
                out[here] = self._parts[k].take(self._row[indices[here]])
            else:
                out[here] = self._no_picture()
        return out

    def _no_picture(self) -> np.ndarray:
        (height, width), low, high = self._missing
        levels = low + missing_picture(height, width)[..., None] * (high - low)
        return levels.astype(self.dtype)


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
