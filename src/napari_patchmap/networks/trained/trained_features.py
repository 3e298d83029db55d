"""Features of a network that came trained, with the preparation of images that goes with it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError, about
from napari_patchmap.networks.trained.channel_choice import choose_channels
from napari_patchmap.networks.trained.input_size import (
    InputSize,
    channels_of,
    choose_size,
    scaled_to,
)
from napari_patchmap.networks.trained.making import choose_pooling, make_net, pooled
from napari_patchmap.networks.trained.origin import Origin
from napari_patchmap.networks.trained.trained_record import ChannelUse, Pooling, TrainedRecord

#: Features of all channels together that are kept at most: their main axes.
MOST_FEATURES = 512

#: Features that are noted of a made-up patch, and by how much of their size others differ.
_PROBED, _ALIKE = 16, 1e-3


def describe(
    origin: Origin,
    channels: int,
    patch: tuple[int, int],
    *,
    side: int | None = None,
    pooling: Pooling | None = None,
    use: ChannelUse | None = None,
    names: Sequence[str] = (),
    said: str | None = None,
) -> TrainedRecord:
    """Decide how a trained network sees patches of some channels and (height, width).

    Parameters
    ----------
    origin : Origin
    channels : int
    patch : (height, width)
        Of the patches that it is given, in pixels.
    side, pooling, use : optional
        What a person chose: the side of the images that go in, how features are taken, and
        what is done with channels. None leaves it to the network.
    names : sequence of str, optional
        Of the patches' channels, by which a network gets those that it takes.
    said : str, optional
        Which of them is which of the network's, where names differ: ``DNA=Hoechst,...``.

    Raises
    ------
    ConfigError
        If the network cannot do so.
    """
    config = origin.config
    takes = channels_of(config)
    with about("channels_of_network" if said else "channel_use"):
        use, picked, told = choose_channels(origin, takes, channels, use, names, said)
    if origin.library == "torchvision":
        size = (side or 224, side or 224)
        seen = InputSize(size, scaled_to(patch, size, config), (0, 0), {})
    else:
        with about("input_side"):
            seen = choose_size(origin.architecture, origin.arguments, config, patch, side)
    mean, std = (_of_channels(config, key, takes if use != "adapted" else channels)
                 for key in ("mean", "std"))  # fmt: skip
    bilinear = config.get("interpolation") in ("bilinear", "nearest", "random")
    record = TrainedRecord(
        name=origin.name,
        architecture=origin.architecture,
        takes=takes,
        width=1,
        size=seen.size,
        scaled=seen.scaled,
        mean=mean,
        std=std,
        library=origin.library,
        arguments=origin.arguments | seen.arguments,
        interpolation="bilinear" if bilinear else "bicubic",
        channels=use,
        tokens=seen.tokens,
        licence=origin.licence,
        revision=origin.revision,
        picked=picked,
        told=told,
    )
    with torch.device("meta"):
        net = make_net(record, channels).eval()
        given = torch.empty(1, channels if use == "adapted" else takes, *seen.size)
        with about("pooling"):
            kind, width = choose_pooling(net, given, pooling, origin.pooling)
    return replace(record, pooling=kind, width=width)


def _of_channels(config: dict[str, object], key: str, count: int) -> tuple[float, ...]:
    usual = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
    values = tuple(float(one) for one in config.get(key) or usual[key])  # type: ignore[attr-defined]
    return values if len(values) == count else (sum(values) / len(values),) * count


class TrainedFeatures(nn.Module):
    """A network as it was published, by what is written of it.

    A patch is brought to the network's size as its publishers do: scaled, the middle cut
    out, mean and deviation taken. Where each channel is given as grey, the features of all
    stand side by side, and of more than 512 their main axes, which :meth:`fit` finds.
    """

    mean: Tensor
    std: Tensor
    centre: Tensor | None
    axes: Tensor | None

    def __init__(self, record: TrainedRecord, channels: int) -> None:
        super().__init__()
        self.record = record
        if max(record.picked, default=0) >= channels:
            raise ConfigError(f"{record.name} wants channels that these patches do not have.")
        self.net = make_net(record, channels)
        for name in ("mean", "std"):
            values = torch.tensor(getattr(record, name)).view(1, -1, 1, 1)
            self.register_buffer(name, values, persistent=False)
        width = record.width * (channels if record.channels == "each" else 1)
        many = channels > 1 and record.channels == "each" and width > MOST_FEATURES
        self.register_buffer("centre", torch.zeros(width) if many else None)
        self.register_buffer("axes", torch.eye(MOST_FEATURES, width) if many else None)
        self.out_features = MOST_FEATURES if many else width

    @property
    def parts(self) -> list[TrainedFeatures]:
        """The networks whose features these are."""
        return [self]

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in [0, 1], shape (b, out_features)."""
        return self.own(images)

    def own(self, images: Tensor) -> Tensor:
        """Return the features that this very network makes."""
        features = self._whole(images)
        if self.axes is None or self.centre is None:
            return features
        with torch.autocast(images.device.type, enabled=False):
            return (features.float() - self.centre) @ self.axes.T

    def pixels_inside(self, channels: int) -> int:
        """Return how many pixels a patch of some channels becomes, as of grey images."""
        height, width = self.record.size
        return height * width * (channels if self.record.channels == "each" else 1)

    def _whole(self, images: Tensor) -> Tensor:
        """Features before their main axes are taken, shape (b, d)."""
        prepared, count = self._prepared(images), len(images)
        return pooled(self.net, prepared, self.record.pooling).reshape(count, -1)

    def _prepared(self, images: Tensor) -> Tensor:
        known = self.record
        if known.picked:
            images = images[:, list(known.picked)]
        if tuple(images.shape[-2:]) != tuple(known.scaled):
            images = nn.functional.interpolate(
                images.float(),
                size=known.scaled,
                mode=known.interpolation,
                align_corners=False,
                antialias=True,
            ).clamp(0, 1)
        top, left = (round((a - b) / 2) for a, b in zip(known.scaled, known.size, strict=True))
        images = images[..., top : top + known.size[0], left : left + known.size[1]]
        if known.channels == "each":
            images = images.flatten(0, 1).unsqueeze(1).expand(-1, known.takes, -1, -1)
        images = (images - self.mean) / self.std
        return images.contiguous(memory_format=torch.channels_last)

    @torch.inference_mode()
    def fit(self, images: Callable[[slice], Tensor], count: int, batch: int = 32) -> None:
        """Find the main axes of the features of some images, if there are too many.

        ``images`` gives those of a slice of ``count`` in [0, 1], on the network's device.
        """
        if self.axes is None or self.centre is None:
            return
        made = [
            self._whole(images(slice(start, start + batch))).float().cpu()
            for start in range(0, count, batch)
        ]
        features = torch.cat(made)
        mean = features.mean(dim=0)
        rank = min(MOST_FEATURES, count - 1)
        _, _, vectors = torch.linalg.svd(features - mean, full_matrices=False)
        axes = vectors[:rank]
        # One sign for everybody: the largest component is positive.
        largest = axes.gather(1, axes.abs().argmax(dim=1, keepdim=True))
        self.centre.copy_(mean)
        self.axes.zero_()
        self.axes[:rank].copy_(axes * largest.sign())

    def probe(self, channels: int, patch: tuple[int, int]) -> tuple[float, ...]:
        """Return the first features of a made-up patch, on the CPU in float32."""
        height, width = patch
        rows, columns = torch.arange(float(height)), torch.arange(float(width))
        waves = [
            0.5 + 0.5 * torch.sin(rows[:, None] / (2 + k) + columns[None] / (3 + k))
            for k in range(channels)
        ]
        with torch.inference_mode():
            features = self.own(torch.stack(waves)[None])
        return tuple(float(f"{value:.6g}") for value in features[0, :_PROBED])

    def note_probe(self, channels: int, patch: tuple[int, int]) -> None:
        """Write down by what another preparation is noticed."""
        self.record = replace(self.record, probe=self.probe(channels, patch))

    def gather(self) -> None:
        """Put what is written of all networks into one record; there is one here."""

    def check_probe(self, channels: int, patch: tuple[int, int]) -> None:
        """Raise a ConfigError if images are prepared otherwise than when a run was made."""
        before = torch.tensor(self.record.probe)
        if not len(before):
            return
        now = torch.tensor(self.probe(channels, patch))
        if len(now) != len(before) or (now - before).norm() > _ALIKE * before.norm().clamp(
            min=1e-6
        ):
            raise ConfigError(
                f"{self.record.name} makes other features here than when this map was made, so "
                "images would be prepared otherwise; use the versions of timm and torch that "
                "the run's config.json names, and that file as it was written."
            )
