"""Backbones that begin with published weights, or those of a file, and go on learning."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.timm_models import PREFIX, TimmBackbone, published_of, timm
from napari_patchmap.networks.weights import (
    check_fit,
    has_blocks_of,
    load_into,
    read_weights,
    weights_from,
)

#: In front of the name of a backbone that began so: it takes images as those weights do.
FINE_TUNED = "started:"

#: Says that weights are to be downloaded from where they are published.
PUBLISHED = "published"

#: Mean and deviation of the images of ImageNet in [0, 1].
_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

#: Our own networks for which there are none.
_WITHOUT = (
    "compact",
    "resnet18-small-kernel",
    "resnet34-small-kernel",
    "resnet50-small-kernel",
)


class FineTuned(nn.Module):
    """A backbone whose images are brought to the mean and deviation of its weights.

    Where there are not three channels, each has the mean of the three.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, backbone: nn.Module, name: str, channels: int) -> None:
        super().__init__()
        self.backbone, self.out_features = backbone, backbone.out_features
        known, plain = isinstance(backbone, TimmBackbone), name.removeprefix(PREFIX)
        for what, default in _IMAGENET.items():
            values = torch.tensor((published_of(plain, what) if known else None) or default)
            values = values if channels == len(values) else values.mean().expand(channels)
            self.register_buffer(what, values.reshape(1, -1, 1, 1).clone(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features of images in [0, 1], shape (b, out_features)."""
        return self.backbone((images - self.mean) / self.std)


def check_start(name: str | None) -> None:
    """Raise a ConfigError unless a backbone may begin with published weights."""
    if name is None or name in _WITHOUT:
        raise ConfigError(
            f"There are no published weights for {name or 'the usual network'}; name a "
            "backbone that has some, such as resnet18 or one of timm, or leave the weights out."
        )


def check_start_file(started: FineTuned, name: str, channels: int, file: str) -> None:
    """Raise a ConfigError if a file holds weights of another network than a backbone."""
    net, path = started.backbone.net, Path(file).expanduser()
    assert isinstance(net, nn.Module)
    if not has_blocks_of(net, read_weights(path, hold=False)):
        load_start(started, name, channels, file)


def load_start(started: FineTuned, name: str, channels: int, file: str | None) -> str:
    """Load the weights that a backbone begins with; return where they came from.

    The first convolution is brought to the channels of the patches, and position
    embeddings to their size, as timm does.
    """
    weights, source = weights_from(name, file)
    backbone = started.backbone
    if isinstance(backbone, TimmBackbone):
        lost = _into_timm(backbone, name.removeprefix(PREFIX), channels, weights)
    else:
        assert isinstance(backbone.net, nn.Module)
        lost = _into_resnet(backbone.net, channels, weights)
    check_fit(lost, name, source)
    return source


def _into_resnet(net: nn.Module, channels: int, weights: dict[str, Tensor]) -> str:
    """Load torchvision's weights; return why that is impossible, or ""."""
    first = weights.get("conv1.weight")
    if first is not None and first.shape[1] == 3 and channels != 3:
        # Equal for all channels, so that a grey image gives what it gave as RGB.
        mean = first.sum(dim=1, keepdim=True) / channels
        weights = {**weights, "conv1.weight": mean.expand(-1, channels, -1, -1)}
    return load_into(net, weights)


def _into_timm(
    backbone: TimmBackbone, name: str, channels: int, weights: dict[str, Tensor]
) -> str:
    """Load weights by timm's own rules; return why that is impossible, or ""."""
    made = []
    for seed in (0, 1):
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            try:
                net = timm().create_model(
                    name,
                    pretrained=True,
                    pretrained_cfg_overlay={"state_dict": dict(weights)},
                    in_chans=channels,
                    num_classes=0,
                    **backbone.options,
                )
            except (RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
                return (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
        made.append(net.state_dict())
    # What still depends on the seed was not in the file.
    first, second = made
    lost = next((key for key in first if not torch.equal(first[key], second[key])), "")
    if lost:
        return f"{lost} is missing"
    backbone.net.load_state_dict(first)
    return ""
