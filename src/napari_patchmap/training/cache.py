"""Features of augmented views, computed once while the backbone is at rest."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from napari_patchmap.augment import ViewMaker
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import BATCH
from napari_patchmap.networks.pixels import Pixels

#: Rows that are kept at most; of larger sets a random part is taken.
_MOST_ROWS = 400_000


class FeatureCache:
    """Some views of each patch, as features, from which pairs are drawn.

    Parameters
    ----------
    features : Tensor of float32, shape (views, n, d)
        On the device where they are wanted; patches in random order.
    """

    def __init__(self, features: Tensor) -> None:
        self.features = features

    def draw(self, patches: Tensor, generator: torch.Generator) -> Tensor:
        """Return features of two different views of each patch, shape (2 b, d)."""
        count, views = len(patches), len(self.features)

        def pick(choices: int) -> Tensor:
            return torch.randint(
                choices, (count,), generator=generator, device=generator.device
            )

        first = pick(views)
        second = (first + 1 + pick(views - 1)) % views
        return torch.cat([self.features[first, patches], self.features[second, patches]])

    def __len__(self) -> int:
        return self.features.shape[1]


@torch.no_grad()
def cache_features(
    network: Network,
    pixels: Pixels,
    views: int,
    maker: ViewMaker,
    generator: torch.Generator,
    half: torch.dtype | None,
) -> Iterator[Tensor]:
    """Compute features of some views of each patch, patches in random order.

    Yields parts of shape (views, b, d), to be put together along the second axis;
    whoever stops early has those of fewer patches.

    Parameters
    ----------
    network : Network
        Its backbone is used in evaluation mode.
    pixels : Tensor of uint8 or PatchPixels, shape (n, channel, height, width)
    views : int
        Views of each patch, at least two.
    maker : ViewMaker
    generator : torch.Generator
        On the device of the network.
    half : torch.dtype or None
        Half precision for the backbone.
    """
    device, views = generator.device, max(2, views)
    order = torch.randperm(len(pixels), generator=generator, device=device)
    for chosen in order[: _MOST_ROWS // views].split(BATCH):
        patches = pixels[chosen.to(pixels.device)].to(device)
        made = torch.cat([maker(patches, generator) for _ in range(views)])
        made = made.contiguous(memory_format=torch.channels_last)
        with torch.autocast(device.type, dtype=half, enabled=half is not None):
            features = network.features(made).float()
        yield features.view(views, len(patches), -1)
