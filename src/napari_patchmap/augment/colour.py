"""Brightness, contrast, saturation, hue and grey, each patch with its own strength.

All take ``(b, channel, height, width)`` images in [0, 1] and a tensor of shape
(b,), and agree with torchvision's functional operators.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.random_batch import RandomBatch

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
    order: list[int]

    @classmethod
    def draw(
        cls, config: AugmentConfig, batch: int, generator: torch.Generator, order: list[int]
    ) -> ColourChange:
        """Draw random strengths for a batch, to be applied in the given order."""
        device = generator.device

        def uniform(low: float, high: float) -> Tensor:
            return low + (high - low) * torch.rand(batch, generator=generator, device=device)

        changed = uniform(0, 1) < (config.jitter_share if config.jitter else 0.0)

        def factor(strength: float) -> Tensor:
            return torch.where(changed, uniform(max(0.0, 1 - strength), 1 + strength), 1.0)

        return cls(
            factor(config.brightness),
            factor(config.contrast),
            factor(config.saturation),
            torch.where(changed, uniform(-config.hue, config.hue), 0.0),
            uniform(0, 1) < (config.grey_share if config.grey else 0.0),
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
    return (images * _wide(factor)).clamp_(0, 1)


def adjust_contrast(images: Tensor, factor: Tensor) -> Tensor:
    """Move away from (``factor`` > 1) or towards (< 1) the mean brightness.

    The mean is that of the grey image for three channels, and each channel's
    own for any other number.
    """
    base = to_grey(images) if images.shape[1] == 3 else images
    mean = base.mean(dim=(-2, -1), keepdim=True)
    return torch.lerp(mean.expand_as(images), images, _wide(factor)).clamp_(0, 1)


def adjust_saturation(images: Tensor, factor: Tensor) -> Tensor:
    """Move colours away from (``factor`` > 1) or towards (< 1) grey."""
    grey = to_grey(images)
    return torch.lerp(grey.expand_as(images), images, _wide(factor)).clamp_(0, 1)


def adjust_hue(images: Tensor, shift: Tensor) -> Tensor:
    """Turn the colour circle by ``shift``, -0.5 to 0.5 of a full turn.

    Brightest and darkest channel of a pixel keep their values; only the hue
    between them moves (the HSV model, without going to HSV and back).
    """
    red, green, blue = images.unbind(dim=1)
    top = images.amax(dim=1)
    spread = top - images.amin(dim=1)
    inverse = torch.where(spread == 0, 0.0, 1 / spread)
    # Hue in sixths of a turn, measured from red, green or blue, whichever is brightest.
    sextant = torch.where(
        top == red,
        (green - blue) * inverse,
        torch.where(top == green, (blue - red) * inverse + 2, (red - green) * inverse + 4),
    )
    sextant += 6 * shift[:, None, None]
    out = torch.empty_like(images)
    for channel, centre in enumerate((3.0, 5.0, 1.0)):
        # A channel is darkest within one sixth of its opposite hue, brightest
        # beyond two sixths, and linear between.
        away = sextant - centre
        away -= torch.round(away / 6).mul_(6)
        weight = away.abs_().sub_(1).clamp_(0, 1)
        torch.addcmul(top - spread, spread, weight, out=out[:, channel])
    return out


def to_grey(images: Tensor) -> Tensor:
    """Return the brightness of RGB images, shape (b, 1, height, width)."""
    red, green, blue = images.unbind(dim=1)
    return (_GREY[0] * red + _GREY[1] * green + _GREY[2] * blue)[:, None]


def grey_some(images: Tensor, which: Tensor) -> Tensor:
    """Replace the images where ``which`` (b, bool) is set by their grey version."""
    return torch.where(_wide(which), to_grey(images), images)


def solarise_some(images: Tensor, which: Tensor) -> Tensor:
    """Invert values of 0.5 and more in the images where ``which`` (b, bool) is set."""
    return torch.where(_wide(which) & (images >= 0.5), 1 - images, images)


def _wide(values: Tensor) -> Tensor:
    return values[:, None, None, None]
