"""What the augmentations are compared with."""

from __future__ import annotations

import pytest

from napari_patchmap.networks.vision import torchvision


@pytest.fixture(scope="session")
def functional():
    """Torchvision's own functions."""
    torchvision()
    from torchvision.transforms.v2 import functional

    return functional
