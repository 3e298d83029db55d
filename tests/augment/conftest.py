"""What the augmentations are compared with."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.augment.random_views import RandomViews
from napari_patchmap.networks.vision import torchvision


@pytest.fixture(scope="session")
def functional():
    """Torchvision's own functions."""
    torchvision()
    from torchvision.transforms.v2 import functional

    return functional


def drawn(
    config: AugmentConfig, batch: int, size: tuple[int, int] = (28, 28), seed: int = 0
) -> RandomViews:
    """How a batch of views is made."""
    return RandomViews.draw(config, size, batch, torch.Generator().manual_seed(seed))
