"""Features that are not learned here: pixels as they are, and networks that came trained.

They are backbones like any other: images in [0, 1] go in, features come out, and the
weights are saved with a run, so that new images need neither a network nor a download.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import PREFIX, timm, timm_names
from napari_patchmap.networks.vision import torchvision

#: Name of the backbone that passes pixels on.
PIXELS = "pixels"

#: In front of the name of a backbone that keeps its published weights.
PRETRAINED = "pretrained:"

#: Pixels times channels from which on their main axes are taken, and how many: as
#: Nwabufo et al. do for PCam16 (96 x 96 RGB) and not for 28 x 28.
LARGE, AXES = 4096, 100

#: Networks of torchvision with the weights that the papers used.
_TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")


class PixelFeatures(nn.Module):
    """Pixels in a row; of large patches their main axes, set by :meth:`fit`.

    Parameters
    ----------
    channels : int
    size : (height, width)
    """

    mean: Tensor
    axes: Tensor | None

    def __init__(self, channels: int, size: tuple[int, int]) -> None:
        super().__init__()
        length = channels * size[0] * size[1]
        self.out_features = AXES if length > LARGE else length
        self.register_buffer("mean", torch.zeros(length))
        self.register_buffer("axes", torch.eye(AXES, length) if length > LARGE else None)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, float32, shape (b, out_features)."""
        flat = images.float().flatten(1)
        if self.axes is None:
            return flat
        with torch.autocast(images.device.type, enabled=False):
            return (flat - self.mean) @ self.axes.T

    @torch.no_grad()
    def fit(self, images: Tensor) -> None:
        """Find the main axes of some patches; nothing to do for small ones.

        Parameters
        ----------
        images : Tensor of float, shape (n, channel, height, width)
            In [0, 1].
        """
        if self.axes is None:
            return
        flat = images.float().flatten(1)
        self.mean.copy_(flat.mean(dim=0))
        rank = min(AXES, len(flat) - 1)
        with torch.random.fork_rng([]):
            torch.manual_seed(0)
            _, _, vectors = torch.pca_lowrank(flat, q=rank, center=True, niter=4)
        # One sign for everybody: the largest component is positive.
        largest = vectors.gather(0, vectors.abs().argmax(dim=0, keepdim=True))
        self.axes.zero_()
        self.axes[:rank].copy_((vectors * largest.sign()).T)


@dataclass(frozen=True)
class Published:
    """How the images of a trained network were prepared.

    Parameters
    ----------
    side : int
        Height and width that it takes, in pixels.
    shorter : int
        What the shorter side is brought to before the centre is cut out.
    mean, std : tuple of 3 floats
        Of each channel, of images in [0, 1].
    bicubic : bool
        Rather than bilinear.
    """

    side: int = 224
    shorter: int = 256
    mean: tuple[float, ...] = (0.485, 0.456, 0.406)
    std: tuple[float, ...] = (0.229, 0.224, 0.225)
    bicubic: bool = False


class PretrainedFeatures(nn.Module):
    """A network as it was published, with the preparation of images that goes with it.

    Shorter side to 256 px, the central 224 x 224 px and ImageNet's mean and
    deviation, as Nwabufo et al. do (or what timm publishes with a network of
    its own). Grey images are given to red, green and blue alike.

    Parameters
    ----------
    net : Module
        Maps (b, 3, height, width) to (b, d).
    out_features : int
        d
    published : Published
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
    """Check that there are published weights for a network of this name.

    Raises
    ------
    ConfigError
        If there is no such network.
    MissingPackageError
        If it would be timm's and that is not installed.
    """
    if name in _TORCHVISION or name.removeprefix(PREFIX).split(".")[0] in timm_names():
        return
    raise ConfigError(
        f"There is no network {name!r} that comes trained; choose {', '.join(_TORCHVISION)} or "
        "the name of a timm model."
    )


def make_pretrained(name: str, channels: int) -> PretrainedFeatures:
    """Make a network for its published weights; they are not loaded yet.

    Parameters
    ----------
    name : str
        A ResNet of torchvision (resnet18, ..., resnet152) or any model of timm.
    channels : int
        Of the patches.

    Raises
    ------
    ConfigError
        If there is no such network, or it cannot take such patches.
    MissingPackageError
        If timm is needed and not installed.
    """
    check_pretrained(name)
    if channels not in (1, 3):
        raise ConfigError(
            f"Networks that come trained take grey or RGB patches, not {channels} channels; "
            "choose one or three of the channels, or another method."
        )
    if name in _TORCHVISION:
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

    Parameters
    ----------
    backbone : PretrainedFeatures
        Changed in place.
    name : str
        As it was made.
    file : str or None
        A .safetensors or .pth file that holds them. Of a .pth nothing but
        tensors is read.

    Returns
    -------
    str
        Where they came from.

    Raises
    ------
    ConfigError
        If they cannot be read or downloaded, or are those of another network.
    """
    weights, source = weights_from(name, file)
    wanted = backbone.net.state_dict()
    # Of the classifier at the end nothing is kept here.
    found = {key: value for key, value in weights.items() if key in wanted}
    missing = [key for key in wanted if key not in found and "num_batches" not in key]
    wrong = [key for key, value in found.items() if value.shape != wanted[key].shape]
    if missing or wrong:
        raise ConfigError(
            f"The weights in {source} are not those of {name} ({(missing or wrong)[0]} is "
            f"{'missing' if missing else 'of another shape'}); give the file of that network."
        )
    backbone.net.load_state_dict(found, strict=False)
    return source


def weights_from(name: str, file: str | None) -> tuple[dict[str, Tensor], str]:
    """Read the weights of a network from a file, or from where they are published.

    Parameters
    ----------
    name : str
    file : str or None
        A .safetensors or .pth file; of a .pth nothing but tensors is read.

    Returns
    -------
    weights : dict of Tensor
    source : str
        Where they came from.

    Raises
    ------
    ConfigError
        If they cannot be read or downloaded.
    """
    if file is not None:
        return _from_file(Path(file).expanduser()), str(file)
    return _from_hub(name)


def check_file(file: str | Path) -> None:
    """Check, without reading it, that a file of weights is there.

    Raises
    ------
    ConfigError
        If it is not.
    """
    path = Path(file).expanduser()
    if not path.is_file():
        raise ConfigError(f"There is no file {path} to read weights from.")


def _from_file(path: Path) -> dict[str, Tensor]:
    check_file(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        weights: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        raise ConfigError(
            f"{path} holds no weights that can be read; give a .safetensors file or a .pth "
            "file of tensors."
        ) from None
    for key in ("state_dict", "model"):
        if isinstance(weights, dict) and isinstance(weights.get(key), dict):
            weights = weights[key]
    values = weights.values() if isinstance(weights, dict) else [None]
    if not all(isinstance(value, Tensor) for value in values):
        raise ConfigError(f"{path} holds no weights of a network; give another file.")
    return {key.removeprefix("module."): value for key, value in weights.items()}


def _from_hub(name: str) -> tuple[dict[str, Tensor], str]:
    if name in _TORCHVISION:
        url = torchvision().models.get_model_weights(name).IMAGENET1K_V1.url
        try:
            weights = torch.hub.load_state_dict_from_url(
                url, map_location="cpu", progress=False, weights_only=True
            )
        except (OSError, URLError, RuntimeError) as error:
            raise _no_download(name, url, error) from None
        return weights, url
    plain = name.removeprefix(PREFIX)
    try:
        net = timm().create_model(plain, pretrained=True, num_classes=0)
    except Exception as error:  # noqa: BLE001 - hub libraries fail in any way
        raise _no_download(name, f"https://huggingface.co/timm/{plain}", error) from None
    return net.state_dict(), f"timm's {plain}"


def _no_download(name: str, url: str, error: Exception) -> ConfigError:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    return ConfigError(
        f"The weights of {name} cannot be downloaded ({reason}); on a computer with internet "
        f"get {url}, and give the file with --weights (More, Weights in napari)."
    )
