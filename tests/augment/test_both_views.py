"""Both views at once are those of two calls, whatever is drawn."""

from __future__ import annotations

import itertools

import pytest
import torch

from napari_patchmap.augment import PRESETS, AugmentConfig, ViewMaker
from napari_patchmap.augment.both_views import _STEPS, BothViews, pair_of, turns_of


def pixels(channels: int = 3) -> torch.Tensor:
    draw = torch.Generator().manual_seed(1)
    return torch.randint(256, (20, channels, 14, 10), dtype=torch.uint8, generator=draw)


@pytest.mark.parametrize(("channels", "is_rgb"), [(3, True), (3, False), (2, False)])
@pytest.mark.parametrize("preset", PRESETS)
def test_they_are_the_views_of_two_calls(preset, channels, is_rgb):
    fill = [30.0 * (1 + channel) for channel in range(channels)]
    maker = ViewMaker(AugmentConfig.preset(preset), is_rgb=is_rgb, fill=fill)
    both, patches, lot = BothViews(maker), pixels(channels), torch.Generator()
    for seed in range(12):
        maker.strength = 1 - (seed % 3) / 4
        wanted = pair_of(maker, patches, lot.manual_seed(seed))
        after = lot.get_state()
        found = both(patches, lot.manual_seed(seed))
        torch.testing.assert_close(found, wanted, atol=5e-5, rtol=0)
        assert torch.equal(lot.get_state(), after)
        assert found.is_contiguous(memory_format=torch.channels_last)


def test_every_order_of_colour_changes_is_in_the_steps():
    for order in itertools.permutations(range(4)):
        turns = turns_of(order)
        taken = [step for step, turn in zip(_STEPS, turns, strict=False) if turn]
        assert tuple(taken) == order
        assert len(turns) == 16  # a row that kernels read at once
