"""Features that are not learned here: pixels as they are, and networks that came trained.

They are backbones like any other: images in [0, 1] go in, features come out, and the
weights are saved with a run, so that new images need neither a network nor a download.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import PREFIX, timm, timm_names
from napari_patchmap.networks.vision import torchvision
from napari_patchmap.networks.weights import TORCHVISION, check_fit, load_into, weights_from

#: Name of the backbone that passes pixels on.
PIXELS = "pixels"

#: In front of the name of a backbone that keeps its published weights.
PRETRAINED = "pretrained:"

#: Pixels times channels from which on their main axes are taken, and how many: as
#: Nwabufo et al. do for PCam16 (96 x 96 RGB) and not for 28 x 28.
_LARGE, _AXES = 4096, 100


class PixelFeatures(nn.Module):
    """Pixels in a row; of large patches their main axes, set by :meth:`fit`."""

    mean: Tensor
    axes: Tensor | None

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        length = channels * size[0] * size[1]
        self.out_features = _AXES if length > _LARGE else length
        self.register_buffer("mean", torch.zeros(length))
        self.register_buffer("axes", torch.eye(_AXES, length) if length > _LARGE else None)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, float32, shape (b, out_features)."""
        flat = images.float().flatten(1)
        if self.axes is None:
            return flat
        with torch.autocast(images.device.type, enabled=False):
            return (flat - self.mean) @ self.axes.T

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Find the main axes of some images in [0, 1]; nothing to do for small ones."""
        if self.axes is None:
            return
        flat = images.float().flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        rank = min(_AXES, len(flat) - 1)
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            _, _, vectors = torch.pca_lowrank(flat, q=rank, center=True, niter=4)
        # One sign for everybody: the largest component is positive.
        largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
        self.axes.zero_()
        self.axes[:rank].copy_((vectors * largest.sign()).T)


@dataclass(frozen=True)
class Published:
    """How the images of a trained network were prepared; as those of ImageNet were."""

    #: Height and width that it takes, in pixels.
    side: int = 224
    #: What the shorter side is brought to before the centre is cut out.
    shorter: int = 256
    #: Of each channel, of images in [0, 1].
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    #: Rather than bilinear.
    bicubic: bool = False


class PretrainedFeatures(nn.Module):
    """A network as it was published, with the preparation of images that goes with it.

    Shorter side to 256 px, the central 224 x 224 px and ImageNet's mean and
    deviation, as Nwabufo et al. do (or what timm publishes with a network of
    its own). Grey images are given to red, green and blue alike.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, net: nn.Module, out_features: int, published: Published) -> None:
        super().__init__()
        self.net, self.out_features, self.published = net, out_features, published
        for name in ("mean", "std"):
            values = torch.tensor(getattr(published, name)).view(1, 3, 1, 1)
            self.register_buffer(name, values, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, shape (b, out_features)."""
        known, (height, width) = self.published, images.shape[-2:]
        scale = known.shorter / min(height, width)
        size = [max(known.side, round(length * scale)) for length in (height, width)]
        images = nn.functional.interpolate(
            images.float(),
            size=size,
            mode="bicubic" if known.bicubic else "bilinear",
            align_corners=False,
            antialias=True,
        ).clamp(0, 1)
        top, left = ((length - known.side) // 2 for length in size)
        images = images[..., top : top + known.side, left : left + known.side]
        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        images = (images - self.mean) / self.std
        return self.net(images.contiguous(memory_format=torch.channels_last))


def check_pretrained(name: str) -> None:
    """Raise a ConfigError unless there are published weights for a network of this name."""
    if name in TORCHVISION or name.removeprefix(PREFIX).split(".")[0] in timm_names():
        return
    raise ConfigError(
        f"There is no network {name!r} that comes trained; choose {', '.join(TORCHVISION)} or "
        "the name of a timm model."
    )


def make_pretrained(name: str, channels: int) -> PretrainedFeatures:
    """Make a network for its published weights; they are not loaded yet.

    That is a ResNet of torchvision (resnet18, ..., resnet152) or any model of timm; a
    ConfigError says that there is no such network, or that it cannot take such patches.
    """
    check_pretrained(name)
    if channels not in (1, 3):
        raise ConfigError(
            f"Networks that come trained take grey or RGB patches, not {channels} channels; "
            "choose one or three of the channels, or another method."
        )
    if name in TORCHVISION:
        net = getattr(torchvision().models, name)(weights=None)
        width = int(net.fc.in_features)
        net.fc = nn.Identity()
        return PretrainedFeatures(net, width, Published())
    plain = name.removeprefix(PREFIX)
    net = timm().create_model(plain, pretrained=False, num_classes=0)
    known = timm().data.resolve_model_data_config(net)
    side = int(known["input_size"][-1])
    published = Published(
        side,
        round(side / known["crop_pct"]),
        tuple(known["mean"]),
        tuple(known["std"]),
        known["interpolation"] == "bicubic",
    )
    return PretrainedFeatures(net, int(net.num_features), published)


def load_published(backbone: PretrainedFeatures, name: str, file: str | None) -> str:
    """Load the weights of a network: from a file, or from where they are published.

    Returns where they came from.

    Raises
    ------
    ConfigError
        If they cannot be read or downloaded, or are those of another network.
    """
    weights, source = weights_from(name, file)
    # Of the classifier at the end nothing is kept here.
    check_fit(load_into(backbone.net, weights), name, source)
    return source
