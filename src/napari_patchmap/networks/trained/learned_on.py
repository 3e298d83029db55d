"""A network that came trained and is learned further, with the preparation of its images."""

from __future__ import annotations

from typing import Self

from torch import Tensor, nn

from napari_patchmap.networks.trained.low_rank import LowRankAdapters
from napari_patchmap.networks.trained.network_blocks import blocks_of
from napari_patchmap.networks.trained.trained_features import TrainedFeatures
from napari_patchmap.networks.trained.trained_record import TrainedRecord

#: In front of the name of a backbone that came trained and goes on learning.
LEARNED = "learned:"

#: Units of the adapter.
_UNITS = 256


class Adapter(nn.Module):
    """Adds to features (b, d) what a small network of two layers makes of them.

    At first that is nothing, so features are those of the trained network (Gao et al.,
    "CLIP-Adapter: Better vision-language models with feature adapters", 2021).
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.layers = nn.Sequential(
            nn.Linear(width, _UNITS), nn.ReLU(inplace=True), nn.Linear(_UNITS, width)
        )
        last = self.layers[-1]
        assert isinstance(last, nn.Linear)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return the adapted features, of the same shape."""
        # Networks differ in how large their features are.
        size = features.std(dim=1, keepdim=True)
        return features + size * self.layers(self.norm(features))


class LearnedOn(TrainedFeatures):
    """Features of a trained network, adapted, all of which can go on learning.

    It learns as it looks at patches later: batch normalisation keeps the statistics it came
    with, and nothing is dropped by chance. Its weights and biases learn, or, where the record
    has a rank, low-rank adapters of its layers in place of them.
    """

    #: Whether its own weights are those that were published, but for merged adapters.
    rests = False
    #: Whether those are not there yet; see
    #: :func:`~napari_patchmap.networks.trained.loading.load_again`.
    lacks_weights = False

    def __init__(self, record: TrainedRecord, channels: int) -> None:
        super().__init__(record, channels)
        self.adapter = Adapter(self.out_features)
        self.low_rank = LowRankAdapters(self.net, record, channels)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in [0, 1], shape (b, out_features)."""
        return self.adapter(super().forward(images))

    def train(self, mode: bool = True) -> Self:
        """Let the adapter change its mode; the network itself has one only."""
        super().train(mode)
        self.net.eval()
        return self

    def blocks(self) -> dict[nn.Parameter, int]:
        """Return the block of each weight of the network; see :func:`blocks_of`."""
        numbers = blocks_of(self.net)
        return {weight: numbers[name] for name, weight in self.net.named_parameters()}

    def finish(self, rests: bool) -> None:
        """Merge adapters into the network; ``rests`` if its own weights never moved."""
        self.low_rank.merge(self.net)
        self.rests = rests and len(self.low_rank) > 0
