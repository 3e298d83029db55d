"""Gaussian blur agrees with torchvision's, and follows its settings."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.augment.augment_config import AugmentConfig
from napari_patchmap.augment.blur import gaussian_blur, kernel_size
from napari_patchmap.augment.views import ViewMaker
from napari_patchmap.networks.vision import torchvision
from tests.augment.conftest import drawn


def images(batch: int = 4, size: tuple[int, int] = (20, 13)) -> torch.Tensor:
    return torch.rand(batch, 3, *size, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("kernel", [3, 5, 9])
def test_it_is_torchvisions(kernel):
    torchvision()
    from torchvision.transforms.v2 import functional

    sigmas = torch.tensor([0.1, 0.7, 1.3, 2.0])
    wanted = torch.stack(
        [
            functional.gaussian_blur(image, [kernel, kernel], [float(s), float(s)])
            for image, s in zip(images(), sigmas, strict=True)
        ]
    )
    torch.testing.assert_close(gaussian_blur(images(), sigmas, kernel), wanted)


def test_the_kernel_is_a_tenth_of_the_side_and_odd():
    assert [kernel_size(side) for side in (8, 28, 50, 64, 224)] == [3, 3, 5, 7, 23]


def test_the_share_and_the_widths_are_followed():
    config = AugmentConfig(blur=True, blur_share=0.3, blur_least=0.5, blur_most=1.5)
    sigma = drawn(config, 20_000).blur.sigma
    blurred = sigma[sigma > 0.01]
    assert len(blurred) / 20_000 == pytest.approx(0.3, abs=0.02)
    assert float(blurred.min()) >= 0.5
    assert float(blurred.max()) <= 1.5
    assert float(blurred.mean()) == pytest.approx(1.0, abs=0.02)


def test_what_is_not_blurred_stays_as_it_is():
    config = AugmentConfig(blur=True, blur_share=0.0)
    blur = drawn(config, 4).blur
    assert torch.equal(blur.apply(images()), images())


def test_parts_of_a_batch_are_those_of_the_whole():
    preset = AugmentConfig.preset("histology")
    patches = (images(30, (16, 16)) * 255).byte()

    def views(part=None):
        maker = ViewMaker(preset, is_rgb=True, fill=[0, 0, 0])
        generator = torch.Generator().manual_seed(5)
        if part is None:
            return maker(patches, generator)
        return maker(patches[part], generator, part=part, batch=30)

    whole = views()
    torch.testing.assert_close(views(slice(10, 20)), whole[10:20])


def test_other_presets_draw_what_they_drew_before_there_was_blur():
    patches = (images(8, (16, 16)) * 255).byte()
    generator = torch.Generator().manual_seed(5)
    maker = ViewMaker(AugmentConfig(), is_rgb=True, fill=[0, 0, 0])
    maker(patches, generator)
    after = generator.get_state()
    maker.config = maker.config.replace(blur=True)
    generator.manual_seed(5)
    maker(patches, generator)
    assert not torch.equal(after, generator.get_state())
