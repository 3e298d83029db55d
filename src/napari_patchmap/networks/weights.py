"""Weights of networks: from where they are published, or from a file."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.few_names import and_more
from napari_patchmap.networks.timm_models import PREFIX, timm
from napari_patchmap.networks.vision import torchvision

#: Networks of torchvision with the weights that the papers used.
TORCHVISION = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")

#: Layers that are named in a sentence at most.
_NAMED = 3

#: A weight inside a numbered block: of a smaller network it may not be left over.
IN_BLOCK = re.compile(r"\.\d+\..*(weight|bias)$")

#: In front of the layers of the network proper, where heads lie beside it.
_INNER = "backbone."


def weights_from(name: str, file: str | None) -> tuple[dict[str, Tensor], str]:
    """Read the weights of a network, and say where they came from.

    That is a .safetensors or .pth file, of which nothing but tensors is read, or, without
    one, where they are published. A ConfigError says why they cannot be had.
    """
    if file is not None:
        return read_weights(Path(file).expanduser()), str(file)
    return _from_hub(name)


def load_into(net: nn.Module, weights: dict[str, Tensor]) -> str:
    """Load those weights that a network has; return why they are another's, or ""."""
    wanted = net.state_dict()
    found = {key: value for key, value in weights.items() if key in wanted}
    differ = [key for key in wanted if key not in found and "num_batches" not in key]
    named = [f"{key} is missing" for key in differ]
    named += [
        f"{key} is {_sides(value)} in place of {_sides(wanted[key])}"
        for key, value in found.items()
        if value.shape != wanted[key].shape
    ]
    if named:
        return and_more(named, _NAMED, between=";")
    net.load_state_dict(found, strict=False)
    return ""


def _sides(tensor: Tensor) -> str:
    return " x ".join(map(str, tensor.shape))


def has_blocks_of(net: nn.Module, weights: Mapping[str, Tensor]) -> bool:
    """Whether weights are of the very blocks of a network, by their names and sizes.

    What lies around the blocks may be brought to other sizes of images, and channels.
    """
    wanted, found = (
        {key: value.shape for key, value in layers.items() if IN_BLOCK.search(key)}
        for layers in (net.state_dict(), weights)
    )
    return bool(wanted) and wanted == found


def check_fit(lost: str, name: str, source: str) -> None:
    """Raise a ConfigError if something is lost of the weights of a network."""
    if lost:
        raise ConfigError(
            f"The weights in {source} are not those of {name} ({lost}); give the file of that "
            "network."
        )


def check_file(file: str | Path) -> None:
    """Raise a ConfigError unless a file of weights is there; it is not read."""
    path = Path(file).expanduser()
    if not path.is_file():
        raise ConfigError(f"There is no file {path} to read weights from.")


def read_weights(path: Path, *, hold: bool = True) -> dict[str, Tensor]:
    """Read a .safetensors file, or one of torch, of which nothing but tensors is read.

    Unless they are to ``hold``, tensors are read from the file when they are looked at.

    Raises
    ------
    ConfigError
        If it is not there, damaged, only part of a download, or holds something else.
    """
    check_file(path)
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        mapped = not hold and zipfile.is_zipfile(path)
        weights: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        raise ConfigError(_why_unreadable(path)) from None
    for key in ("state_dict", "model", "teacher"):  # the last where DINO was trained
        if isinstance(weights, dict) and isinstance(weights.get(key), dict):
            weights = weights[key]
    values = weights.values() if isinstance(weights, dict) else [None]
    if not all(isinstance(value, Tensor) for value in values):
        raise ConfigError(f"{path} holds no weights of a network; give another file.")
    named = {key.removeprefix("module."): value for key, value in weights.items()}
    inner = {
        key.removeprefix(_INNER): value
        for key, value in named.items()
        if key.startswith(_INNER)
    }
    return inner or named


def _why_unreadable(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(16)
    size = path.stat().st_size
    if start.startswith(b"version https:"):
        return (
            f"{path} only stands for weights that Git LFS has not fetched; fetch them with: "
            "git lfs pull"
        )
    # The first 8 bytes say how long the table of tensors is, as a number.
    table = int.from_bytes(start[:8], "little") + 8
    looks = path.suffix == ".safetensors" and start[8:9] == b"{"
    cut = start.startswith(b"PK") and not zipfile.is_zipfile(path)
    if size and (cut or (looks and table < 2**27)):
        return (
            f"{path} is damaged, or only part of it was downloaded ({size / 1e6:.1f} MB); get "
            "it again."
        )
    return (
        f"{path} holds no weights that can be read; give a .safetensors file or a .pth file of "
        "tensors."
    )


def _from_hub(name: str) -> tuple[dict[str, Tensor], str]:
    if name in TORCHVISION:
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
