"""Features of patches, computed once while the backbone is at rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from napari_patchmap.augment.views import Symmetry
from napari_patchmap.layout.first_layout import MOST_LANDMARKS
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import BATCH, infer
from napari_patchmap.networks.pixels import Pixels


class FeatureCache:
    """Features of patches, and the neighbours with which they are compared.

    Parameters
    ----------
    features : Tensor of float32, shape (n, d)
        On the device where they are wanted; patches in random order.
    neighbours : Tensor of int64, shape (n, k)
        On the same device.
    """

    def __init__(self, features: Tensor, neighbours: Tensor) -> None:
        self.features, self.neighbours = features, neighbours

    def pairs(self, patches: Tensor, generator: torch.Generator) -> Tensor:
        """Return the patches, then a neighbour of each, shape (2 b,)."""
        choice = torch.randint(
            self.neighbours.shape[1],
            (len(patches),),
            generator=generator,
            device=generator.device,
        )
        return torch.cat([patches, self.neighbours[patches, choice]])

    def __len__(self) -> int:
        return len(self.features)


def cache_features(
    network: Network,
    pixels: Pixels,
    symmetries: Sequence[Symmetry],
    generator: torch.Generator,
    half: torch.dtype | None,
) -> Iterator[Tensor]:
    """Compute features of at most ``MOST_LANDMARKS`` patches, in random order.

    Yields parts of shape (b, d), to be put together; whoever stops early has those
    of fewer patches.

    Parameters
    ----------
    network : Network
        Used in evaluation mode.
    pixels : Tensor of uint8 or PatchPixels, shape (n, channel, height, width)
    symmetries : sequence of (quarter turns, mirrored)
        Copies over which features are averaged.
    generator : torch.Generator
        On the device of the network.
    half : torch.dtype or None
        Half precision for the backbone.
    """
    device = generator.device
    order = torch.randperm(len(pixels), generator=generator, device=device)
    for chosen in order[:MOST_LANDMARKS].split(BATCH):
        patches = pixels[chosen.to(pixels.device)]
        features, _ = infer(network, patches, symmetries=symmetries, half=half)
        yield torch.from_numpy(features).to(device)
