"""How strongly views are varied, as the numbers that their formulas take."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig

#: A number of the host, or one that lies on the device.
Scalar = float | Tensor


class Magnitudes(NamedTuple):
    """All settings of the views that :meth:`AugmentConfig.weakened` changes.

    They may lie on the device, so that what was compiled for one strength serves all others.
    Ranges are given by their lower end and their length.
    """

    tilt: Scalar
    area: Scalar
    area_range: Scalar
    log_aspect: Scalar
    #: The largest central box of an allowed aspect.
    high: Scalar
    wide: Scalar
    top: Scalar
    left: Scalar
    brightness: Scalar
    brightness_range: Scalar
    contrast: Scalar
    contrast_range: Scalar
    saturation: Scalar
    saturation_range: Scalar
    hue: Scalar
    hue_range: Scalar
    blur: Scalar
    blur_range: Scalar

    @classmethod
    def of(cls, config: AugmentConfig, size: tuple[int, int]) -> Self:
        """Those of ``(height, width)`` patches."""
        rows, columns = size
        high = min(rows, round(columns * config.crop_aspect))
        wide = min(columns, round(rows * config.crop_aspect))
        strengths = (config.brightness, config.contrast, config.saturation)
        factors = (_range(max(0.0, 1 - strength), 1 + strength) for strength in strengths)
        numbers = [
            config.perspective_most,
            *_range(config.crop_smallest, config.crop_largest),
            math.log(config.crop_aspect),
            *(high, wide, (rows - high) // 2, (columns - wide) // 2),
            *(number for factor in factors for number in factor),
            *_range(-config.hue, config.hue),
            *_range(config.blur_least, config.blur_most),
        ]
        return cls._make(map(float, numbers))


def _range(low: float, high: float) -> tuple[float, float]:
    return low, high - low
