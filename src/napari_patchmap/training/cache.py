"""Features of augmented views, computed once while the backbone is at rest."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from napari_patchmap.augment import ViewMaker
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import BATCH

#: Rows that are kept at most; of larger sets a random part is taken.
_MOST_ROWS = 400_000


class FeatureCache:
    """Some views of each patch, as features, from which pairs are drawn.

    Parameters
    ----------
    network : Network
        Its backbone is used in evaluation mode.
    pixels : Tensor of uint8, shape (n, channel, height, width)
    views : int
        Views of each patch, at least two.
    generator : torch.Generator
        On the device of the pixels.
    half : torch.dtype or None
        Half precision for the backbone.
    """

    def __init__(
        self,
        network: Network,
        pixels: Tensor,
        views: int,
        generator: torch.Generator,
        half: torch.dtype | None,
    ) -> None:
        self._network, self._generator, self._half = network, generator, half
        self._views = max(2, views)
        self._pixels = pixels
        self._parts: list[Tensor] = []
        self.features = torch.empty(0)

    @torch.no_grad()
    def fill(self, maker: ViewMaker) -> Iterator[None]:
        """Compute the features, patches in random order.

        Yields after each batch of patches; whoever stops then has a smaller cache.
        """
        device = self._pixels.device
        order = torch.randperm(len(self._pixels), generator=self._generator, device=device)
        for chosen in order[: _MOST_ROWS // self._views].split(BATCH):
            patches = self._pixels[chosen]
            views = torch.cat([maker(patches, self._generator) for _ in range(self._views)])
            views = views.contiguous(memory_format=torch.channels_last)
            with torch.autocast(device.type, dtype=self._half, enabled=self._half is not None):
                features = self._network.features(views).float()
            self._parts.append(features.view(self._views, len(patches), -1))
            yield
        self.seal()

    def seal(self) -> None:
        """Put together what was computed."""
        if self._parts:
            self.features = torch.cat(self._parts, dim=1)
            self._parts = []

    def draw(self, patches: Tensor) -> Tensor:
        """Return features of two different views of each patch, shape (2 b, d)."""
        count = len(patches)
        device = self._generator.device

        def pick(choices: int) -> Tensor:
            return torch.randint(choices, (count,), generator=self._generator, device=device)

        first = pick(self._views)
        second = (first + 1 + pick(self._views - 1)) % self._views
        return torch.cat([self.features[first, patches], self.features[second, patches]])

    def __len__(self) -> int:
        return self.features.shape[1]
