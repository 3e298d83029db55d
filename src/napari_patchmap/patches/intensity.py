"""From the source's own intensities to the 8 bits that training sees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

#: Share of the pixels of each channel that may saturate at either end.
SATURATED = 0.001

#: Pixels looked at in each patch; 2,000 patches give some ten million.
_PER_PATCH = 4_096


#: Pictures whose bright pixels (those but a share of ``_SPOTS``) stay below this, of 255, are
#: too dark for people, such as fluorescence saved in 8 bits.
_DIM = 128
_SPOTS = 0.005

#: The least range of dim values, of 255, that is spread: what has less is empty but for noise.
_RANGE = 16


@dataclass(frozen=True)
class Intensity:
    """A linear scaling a channel: ``low`` becomes 0 and ``high`` becomes 255.

    Saved with a run and applied to every image that is later placed on its map,
    so that the same brightness always means the same thing.

    Parameters
    ----------
    low, high : tuple of float
        One value a channel, in the units of the source.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def identity(cls, channels: int) -> Self:
        """Leave 8-bit images as they are."""
        return cls((0.0,) * channels, (255.0,) * channels)

    @classmethod
    def measure(cls, patches: Iterable[np.ndarray], dtype: np.dtype, channels: int) -> Self:
        """Choose the scaling of a whole set from robust percentiles a channel.

        8-bit images are left alone. The rest is scaled between the 0.1 and 99.9
        percentiles over the given patches (over an evenly spread part of each
        one's pixels, where there are many); a constant channel keeps its value
        at the bottom of the range.
        """
        if dtype == np.uint8:
            return cls.identity(channels)
        pixels = np.concatenate([_some_pixels(p) for p in patches]).astype(np.float64)
        low, high = np.percentile(pixels, [100 * SATURATED, 100 * (1 - SATURATED)], axis=0)
        high = np.where(high > low, high, low + 1.0)
        return cls(tuple(map(float, low)), tuple(map(float, high)))

    @classmethod
    def for_eyes(cls, patches: Iterable[np.ndarray], channels: int, colour: bool) -> Self:
        """Choose how 8-bit pixels are brightened to be looked at.

        What is bright enough is left alone; the channels of colour images are scaled as one,
        so that hues stay.

        Parameters
        ----------
        patches : iterable of ndarray of uint8, shape (height, width, channel)
        channels : int
        colour : bool
            Whether the channels are red, green and blue.
        """
        pixels = np.concatenate([_some_pixels(patch) for patch in patches])
        low, high = np.percentile(pixels, [100 * SATURATED, 100 * (1 - _SPOTS)], axis=0)
        if colour:
            low, high = np.full(channels, low.min()), np.full(channels, high.max())
        low = np.where(high < _DIM, np.minimum(low, high - _RANGE).clip(0), 0.0)
        high = np.where(high < _DIM, np.maximum(high, low + _RANGE), 255.0)
        return cls(tuple(map(float, low)), tuple(map(float, high)))

    def then(self, second: Intensity) -> Intensity:
        """Return one scaling that does what this and another one of 8-bit values do."""
        low, high = np.asarray(self.low), np.asarray(self.high)
        unit = (high - low) / 255
        return Intensity(
            tuple(map(float, low + unit * second.low)),
            tuple(map(float, low + unit * second.high)),
        )

    @property
    def is_identity(self) -> bool:
        """Whether 8-bit values pass through unchanged."""
        return set(self.low) == {0.0} and set(self.high) == {255.0}

    def to_uint8(self, pixels: np.ndarray) -> np.ndarray:
        """Scale ``(..., channel)`` pixels of any type to uint8, clipping the ends."""
        if pixels.dtype == np.uint8 and self.is_identity:
            return pixels
        low = np.asarray(self.low, np.float32)
        gain = np.float32(255.0) / (np.asarray(self.high, np.float32) - low)
        scaled = (pixels.astype(np.float32) - low) * gain
        return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)

    def to_dict(self) -> dict[str, Any]:
        """Return the scaling as plain values for JSON."""
        return {"low": list(self.low), "high": list(self.high)}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild a scaling written by :meth:`to_dict`."""
        return cls(tuple(values["low"]), tuple(values["high"]))


def _some_pixels(patch: np.ndarray) -> np.ndarray:
    """Return at most about ``_PER_PATCH`` pixels of a patch, ``(n, channel)``."""
    pixels = patch.reshape(-1, patch.shape[-1])
    # An odd step drifts across the columns of patches with an even width.
    step = len(pixels) // _PER_PATCH
    return pixels[:: step + 1 - step % 2] if step > 1 else pixels
