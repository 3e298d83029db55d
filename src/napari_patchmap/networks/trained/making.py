"""Making a network of timm or torchvision without its classifier, by what is written of it."""

from __future__ import annotations

import warnings
from typing import Any

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import timm
from napari_patchmap.networks.trained.trained_record import Pooling, TrainedRecord
from napari_patchmap.networks.vision import torchvision

#: Layers that arguments may name.
_LAYERS = ("SwiGLUPacked", "SwiGLU", "GluMlp", "Mlp")


def make_net(record: TrainedRecord, channels: int) -> nn.Module:
    """Make the network of a record, with random weights, for images of some channels."""
    takes = channels if record.channels == "adapted" else record.takes
    if record.library == "timm":
        return make_timm_net(record.architecture, record.arguments, takes)
    net = getattr(torchvision().models, record.architecture)(weights=None)
    net.fc = nn.Identity()
    if takes != 3:
        net.conv1 = nn.Conv2d(takes, 64, 7, 2, 3, bias=False)
    return net


def make_timm_net(architecture: str, arguments: dict[str, Any], channels: int) -> nn.Module:
    """Make a model of timm; a ConfigError says that timm does not know its arguments."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of layers without weights, at tiny sizes
            return timm().create_model(
                architecture,
                pretrained=False,
                in_chans=channels,
                num_classes=0,
                **timm_arguments(arguments),
            )
    except (TypeError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(
            f"timm cannot make {architecture} as its config.json says ({reason}); update "
            "timm, or choose another network."
        ) from None


def timm_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return arguments with layers in place of their names."""
    made = {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in arguments.items()
    }
    layer = made.get("mlp_layer")
    if layer is not None:
        if layer not in _LAYERS:
            raise ConfigError(f"There is no layer {layer!r}; there are {', '.join(_LAYERS)}.")
        made["mlp_layer"] = getattr(timm().layers, layer)
    return made


def pooled(net: nn.Module, images: Tensor, pooling: Pooling) -> Tensor:
    """Return the features of images that are prepared, shape (b, d)."""
    if pooling == "network":
        return net(images)
    tokens = net.forward_features(images)  # type: ignore[operator]
    whole: Any = getattr(net, "fc_norm", nn.Identity())
    mean = tokens[:, int(net.num_prefix_tokens) :].mean(dim=1)  # type: ignore[arg-type]
    if pooling == "mean":
        return whole(mean)
    if pooling == "class":
        return whole(tokens[:, 0])
    return torch.cat([whole(tokens[:, 0]), whole(mean)], dim=1)


def choose_pooling(
    net: nn.Module, images: Tensor, wanted: Pooling | None, published: Pooling | None
) -> tuple[Pooling, int]:
    """Return how features are taken of a network, and how many there are.

    What a person wants goes before what is published, and that before what timm does.

    Raises
    ------
    ConfigError
        If the network has no class token or no parts to take a mean of.
    """
    parts, token = (
        hasattr(net, "num_prefix_tokens"),
        getattr(net, "cls_token", None) is not None,
    )
    choice = wanted or published or "network"
    if (choice != "network" and not parts) or ("class" in choice and not token):
        has = "no class token" if parts else "no parts, for it is no plain transformer"
        raise ConfigError(
            f"Features of this network cannot be taken as {choice}: it has {has}; choose "
            "another pooling, or leave it to the network."
        )
    with torch.inference_mode():
        features = pooled(net, images, choice)
        if choice == "network" and features.ndim != 2 and parts:
            choice = "class+mean" if token else "mean"
            features = pooled(net, images, choice)
    if features.ndim != 2:
        raise ConfigError(
            "This network gives no features of a whole image; choose another network."
        )
    return choice, int(features.shape[1])
