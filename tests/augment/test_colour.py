"""Colour operations agree with torchvision's functional operators."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.augment import colour
from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.views import ViewMaker


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(5, 3, 12, 9, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", ["brightness", "contrast", "saturation"])
def test_strength_is_torchvisions(functional, images, name):
    factors = torch.tensor([0.0, 0.6, 1.0, 1.4, 2.5])
    expected = torch.stack(
        [
            getattr(functional, f"adjust_{name}")(image, float(factor))
            for image, factor in zip(images, factors, strict=True)
        ]
    )
    found = getattr(colour, f"adjust_{name}")(images, factors)
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["brightness", "contrast"])
def test_one_channel_is_torchvisions(functional, name):
    grey = torch.rand(2, 1, 6, 6)
    expected = torch.stack(
        [
            getattr(functional, f"adjust_{name}")(g, f)
            for g, f in zip(grey, (0.7, 1.3), strict=True)
        ]
    )
    found = getattr(colour, f"adjust_{name}")(grey, torch.tensor([0.7, 1.3]))
    assert torch.allclose(found, expected, atol=1e-6)


def test_hue_is_torchvisions(functional, images):
    images[0, :, 0, 0] = 0.4  # a grey pixel has no hue
    images[0, :, 0, 1] = 0.0
    shifts = torch.tensor([0.1, -0.1, 0.5, 0.0, -0.37])
    expected = torch.stack(
        [functional.adjust_hue(i, float(s)) for i, s in zip(images, shifts, strict=True)]
    )
    assert torch.allclose(colour.adjust_hue(images, shifts), expected, atol=2e-6)


def test_grey_is_torchvisions_and_only_where_asked(functional, images):
    which = torch.tensor([True, False, True, False, False])
    found = colour.grey_some(images, which)
    grey = functional.rgb_to_grayscale(images, num_output_channels=3)
    assert torch.allclose(found[which], grey[which], atol=1e-6)
    assert torch.equal(found[~which], images[~which])


def test_every_patch_gets_its_own_colours():
    config = AugmentConfig.preset("natural").replace(
        crop=False, flip_horizontal=False, jitter_share=1.0, grey=False
    )
    maker = ViewMaker(config, is_rgb=True, fill=[0, 0, 0])
    same = torch.full((64, 3, 4, 4), 120, dtype=torch.uint8)
    same[:, 0] = 180
    views = maker(same, torch.Generator().manual_seed(0))
    assert len(torch.unique(views[:, :, 0, 0], dim=0)) == 64


def test_share_of_jittered_and_grey_views_is_kept():
    config = AugmentConfig.preset("natural").replace(crop=False, flip_horizontal=False)
    patches = torch.zeros(4000, 3, 2, 2, dtype=torch.uint8)
    patches[:, 0], patches[:, 1], patches[:, 2] = 200, 120, 60
    views = ViewMaker(config, is_rgb=True, fill=[0, 0, 0])(
        patches, torch.Generator().manual_seed(0)
    )
    grey = (views[:, 0] - views[:, 2]).abs().amax(dim=(1, 2)) < 1e-4
    untouched = (views - patches / 255).abs().amax(dim=(1, 2, 3)) < 1e-4
    assert float(grey.float().mean()) == pytest.approx(0.2, abs=0.03)
    assert float(untouched.float().mean()) == pytest.approx(0.2 * 0.8, abs=0.03)


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_colour_only_changes_what_has_a_meaning(channels):
    """On channels that are not red, green and blue only brightness and contrast move."""
    config = AugmentConfig.preset("natural").replace(
        crop=False, flip_horizontal=False, brightness=0.0, contrast=0.0
    )
    patches = torch.randint(0, 256, (32, channels, 6, 6), dtype=torch.uint8)
    maker = ViewMaker(config, is_rgb=False, fill=[0.0] * channels)
    views = maker(patches, torch.Generator().manual_seed(0))
    assert torch.allclose(views, patches / 255, atol=1e-5)


def test_solarising_is_torchvisions(functional, images):
    which = torch.tensor([True, False, True, True, False])
    expected = torch.stack(
        [
            functional.solarize(image, 0.5) if chosen else image
            for image, chosen in zip(images, which, strict=True)
        ]
    )
    assert torch.equal(colour.solarise_some(images, which), expected)
