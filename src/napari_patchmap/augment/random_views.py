"""All that is drawn by lot for a batch of views."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.blur import Blur
from napari_patchmap.augment.colour import ColourChange
from napari_patchmap.augment.geometry import Geometry
from napari_patchmap.augment.magnitudes import Magnitudes
from napari_patchmap.augment.random_batch import Lot, RandomBatch


@dataclass
class RandomViews(RandomBatch):
    """How each of a batch of views is made; ``solarised`` is a tensor of bool.

    What most presets do not have is drawn only if it is wanted, so that their random numbers
    stay what they were.
    """

    geometry: Geometry
    colours: ColourChange
    blur: Blur | None
    solarised: Tensor | None

    @staticmethod
    def numbers(config: AugmentConfig) -> tuple[int, int]:
        """Random numbers that a view takes, before the order of the colours and after it."""
        more = Blur.NUMBERS * config.blur + config.solarise
        return Geometry.numbers(config), ColourChange.NUMBERS + more

    @classmethod
    def of(
        cls,
        config: AugmentConfig,
        magnitudes: Magnitudes,
        size: tuple[int, int],
        lots: tuple[Lot, Lot],
        order: Sequence[int] = (),
    ) -> RandomViews:
        """Make them of random numbers, for ``(height, width)`` patches.

        Of the settings only the switches and shares count.
        """
        lot, more = lots
        return cls(
            Geometry.of(config, magnitudes, size, lot),
            ColourChange.of(config, magnitudes, more, order),
            Blur.of(config, magnitudes, more) if config.blur else None,
            more() < config.solarise_share if config.solarise else None,
        )

    @classmethod
    def draw(
        cls,
        config: AugmentConfig,
        size: tuple[int, int],
        batch: int,
        generator: torch.Generator,
    ) -> RandomViews:
        """Draw a view of each of a batch of ``(height, width)`` patches."""
        first, then = cls.numbers(config)
        lot = Lot.draw(first, batch, generator)
        order = draw_order(generator)
        lots = lot, Lot.draw(then, batch, generator)
        return cls.of(config, Magnitudes.of(config, size), size, lots, order)


def draw_order(generator: torch.Generator) -> tuple[int, ...]:
    """Draw the order of the colour changes without waiting for the device.

    It follows from the generator's state, which lies on the CPU for all devices:
    whoever puts that back gets the same order again.
    """
    state = zlib.crc32(generator.get_state().numpy().tobytes())
    return tuple(random.Random(state).sample(range(4), 4))
