"""Features of several trained networks side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor, nn

from napari_patchmap.networks.trained.trained_features import TrainedFeatures
from napari_patchmap.networks.trained.trained_record import TrainedRecord


def make_trained(record: TrainedRecord, channels: int) -> TrainedFeatures:
    """Make the network of a record, or the several of it, with random weights."""
    return (SideBySide if record.beside else TrainedFeatures)(record, channels)


class SideBySide(TrainedFeatures):
    """Features of several networks, each of which counts alike.

    Those of each are moved and scaled so that their mean is 0 and their squares sum up to 1
    on average, over the patches that :meth:`fit` is given: distances within a network's
    features keep their proportions, and no network outvotes another by its numbers.
    """

    spreads: Tensor
    middle: Tensor

    def __init__(self, record: TrainedRecord, channels: int) -> None:
        super().__init__(record, channels)
        self.others = nn.ModuleList(TrainedFeatures(one, channels) for one in record.beside)
        self.widths = [self.out_features, *(int(one.out_features) for one in self.others)]  # type: ignore[arg-type]
        self.out_features = sum(self.widths)
        self.register_buffer("middle", torch.zeros(self.out_features))
        self.register_buffer("spreads", torch.ones(len(self.widths)))

    @property
    def parts(self) -> list[TrainedFeatures]:
        """The networks, the first one with all of the record."""
        return [self, *self.others]

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in [0, 1], shape (b, out_features)."""
        features = torch.cat([part.own(images).float() for part in self.parts], dim=1)
        scale = self.spreads.repeat_interleave(
            torch.tensor(self.widths, device=self.spreads.device)
        )
        return (features - self.middle) / scale

    def pixels_inside(self, channels: int) -> int:
        """Return how many pixels a patch of some channels becomes, as of grey images."""
        return super().pixels_inside(channels) + sum(
            part.pixels_inside(channels) for part in self.parts[1:]
        )

    @torch.inference_mode()
    def fit(self, images: Callable[[slice], Tensor], count: int, batch: int = 32) -> None:
        """Find middle and spread of each network's features of some images, and their axes."""
        super().fit(images, count, batch)
        for part in self.parts[1:]:
            part.fit(images, count, batch)
        starts = range(0, count, batch)
        for index, part in enumerate(self.parts):
            first = sum(self.widths[:index])
            own = torch.cat(
                [part.own(images(slice(start, start + batch))).float() for start in starts]
            )
            self.middle[first : first + self.widths[index]] = own.mean(dim=0)
            spread = own.var(dim=0, correction=0).sum().sqrt()
            self.spreads[index] = spread.clamp(min=1e-12)

    def note_probe(self, channels: int, patch: tuple[int, int]) -> None:
        """Write down, of each network, by what another preparation is noticed."""
        super().note_probe(channels, patch)
        for part in self.parts[1:]:
            part.note_probe(channels, patch)
        self.gather()

    def check_probe(self, channels: int, patch: tuple[int, int]) -> None:
        """Raise a ConfigError if images are prepared otherwise than when a run was made."""
        super().check_probe(channels, patch)
        for part in self.parts[1:]:
            part.check_probe(channels, patch)

    def gather(self) -> None:
        """Put what is written of all networks into one record."""
        self.record = replace(self.record, beside=tuple(part.record for part in self.parts[1:]))
