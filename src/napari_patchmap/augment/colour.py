"""Brightness, contrast, saturation, hue and grey, each patch with its own strength.

All take ``(b, channel, height, width)`` images in [0, 1] and a tensor of shape
(b,), and agree with torchvision's functional operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.magnitudes import Magnitudes, Scalar
from napari_patchmap.augment.random_batch import Lot, RandomBatch

#: Weights of red, green and blue in grey (ITU-R 601-2, as torchvision has them).
_GREY = (0.2989, 0.587, 0.114)


@dataclass
class ColourChange(RandomBatch):
    """Colour parameters of a batch of ``b`` views, each a tensor of shape (b,).

    ``order`` is the order of brightness, contrast, saturation and hue (0 to 3):
    one random order a batch, since a sort by patch would cost more than it brings.
    """

    brightness: Tensor
    contrast: Tensor
    saturation: Tensor
    hue: Tensor
    grey: Tensor
    order: Sequence[int]

    #: Random numbers that a view takes.
    NUMBERS: ClassVar[int] = 6

    @classmethod
    def of(
        cls, config: AugmentConfig, magnitudes: Magnitudes, lot: Lot, order: Sequence[int] = ()
    ) -> ColourChange:
        """Make strengths of random numbers, to be applied in the given order.

        Of the settings only the switches and shares count.
        """
        changed = lot() < (config.jitter_share if config.jitter else 0.0)

        def uniform(low: Scalar, length: Scalar, otherwise: float) -> Tensor:
            return torch.where(changed, low + length * lot(), otherwise)

        return cls(
            uniform(magnitudes.brightness, magnitudes.brightness_range, 1.0),
            uniform(magnitudes.contrast, magnitudes.contrast_range, 1.0),
            uniform(magnitudes.saturation, magnitudes.saturation_range, 1.0),
            uniform(magnitudes.hue, magnitudes.hue_range, 0.0),
            lot() < (config.grey_share if config.grey else 0.0),
            order,
        )

    def apply(self, images: Tensor, config: AugmentConfig, *, is_rgb: bool) -> Tensor:
        """Recolour ``(b, channel, height, width)`` images in [0, 1]."""
        steps: dict[int, Callable[[Tensor], Tensor]] = {}
        if config.jitter:
            steps[0] = lambda x: adjust_brightness(x, self.brightness)
            steps[1] = lambda x: adjust_contrast(x, self.contrast)
            if is_rgb:
                steps[2] = lambda x: adjust_saturation(x, self.saturation)
                steps[3] = lambda x: adjust_hue(x, self.hue)
        for step in self.order:
            if step in steps:
                images = steps[step](images)
        if config.grey and is_rgb:
            images = grey_some(images, self.grey)
        return images


def adjust_brightness(images: Tensor, factor: Tensor) -> Tensor:
    """Multiply by ``factor`` (1 changes nothing), clipped to [0, 1]."""
    return (images * wide(factor)).clamp_(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from (``factor`` > 1) or towards (< 1) the mean brightness.

    The mean is that of the grey image for three channels, and each channel's
    own for any other number.
    """
    base = to_grey(images) if images.shape[1] == 3 else images
    return away_from(base.mean(dim=(-2, -1), keepdim=True), images, factor)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move colours away from (``factor`` > 1) or towards (< 1) grey."""
    return away_from(to_grey(images), images, factor)


def away_from(base: Tensor, images: Tensor, factor: Tensor) -> Tensor:
    """Move away from (``factor`` > 1) or towards (< 1) ``base``, clipped to [0, 1]."""
    return torch.lerp(base.expand_as(images), images, wide(factor)).clamp_(0, 1)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the colour circle by ``shift``, -0.5 to 0.5 of a full turn.

    Brightest and darkest channel of a pixel keep their values; only the hue
    between them moves (the HSV model, without going to HSV and back).
    """
    low, spread, hue = hue_of(images.unbind(dim=1), shift[:, None, None])
    out = torch.empty_like(images)
    for channel in range(3):
        torch.addcmul(low, spread, weight_of(hue, channel), out=out[:, channel])
    return out


def hue_of(channels: Sequence[Tensor], shift: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the darkest channel of each pixel, its distance to the brightest, and the hue.

    Hue is turned by ``shift`` full turns, and counted in sixths of a turn from red. The
    channels, red, green and blue, are of one shape.
    """
    red, green, blue = channels
    top = torch.maximum(torch.maximum(red, green), blue)
    low = torch.minimum(torch.minimum(red, green), blue)
    spread = top - low
    inverse = torch.where(spread == 0, 0.0, 1 / spread)
    # Measured from red, green or blue, whichever is brightest.
    hue = torch.where(
        top == red,
        (green - blue) * inverse,
        torch.where(top == green, (blue - red) * inverse + 2, (red - green) * inverse + 4),
    )
    hue += 6 * shift
    return top - spread, spread, hue


def weight_of(hue: Tensor, channel: int) -> Tensor:
    """Say where a channel lies between the darkest (0) and the brightest (1) of a pixel.

    It is darkest within one sixth of its opposite hue, brightest beyond two sixths, and linear
    between.
    """
    away = hue - (3.0, 5.0, 1.0)[channel]
    away -= torch.round(away / 6).mul_(6)
    return away.abs_().sub_(1).clamp_(0, 1)


def to_grey(images: Tensor) -> Tensor:
    """Return the brightness of RGB images, shape (b, 1, height, width)."""
    return grey_of(images.unbind(dim=1))[:, None]


def grey_of(channels: Sequence[Tensor]) -> Tensor:
    """Return the brightness of red, green and blue, all of one shape."""
    red, green, blue = channels
    return _GREY[0] * red + _GREY[1] * green + _GREY[2] * blue


def grey_some(images: Tensor, which: Tensor) -> Tensor:
    """Replace the images where ``which`` (b, bool) is set by their grey version."""
    return torch.where(wide(which), to_grey(images), images)


def solarise_some(images: Tensor, which: Tensor) -> Tensor:
    """Invert values of 0.5 and more in the images where ``which`` (b, bool) is set."""
    return torch.where(wide(which) & (images >= 0.5), 1 - images, images)


def wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]
