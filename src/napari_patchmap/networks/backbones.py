"""Backbones: from a patch to its features.

Every backbone is a module that maps ``(b, channel, height, width)`` images in
[0, 1] to ``(b, d)`` features and says ``d`` in ``out_features``. Any image size
works with any of those made here; those from timm may be choosy.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from difflib import get_close_matches
from functools import partial

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError, MissingPackageError
from napari_patchmap.networks.fine_tuned import FINE_TUNED, FineTuned
from napari_patchmap.networks.fixed import OWN, PIXELS, PRETRAINED, OwnFeatures, PixelFeatures
from napari_patchmap.networks.mend import mend_convolutions
from napari_patchmap.networks.timm_models import PREFIX, make_timm, timm_names
from napari_patchmap.networks.trained.before import record_before
from napari_patchmap.networks.trained.joined_networks import make_trained
from napari_patchmap.networks.trained.learned_on import LEARNED, LearnedOn
from napari_patchmap.networks.trained.trained_record import TrainedRecord
from napari_patchmap.networks.vision import torchvision

#: Side in pixels to which the stem of the compact backbone brings a patch, roughly.
_COMPACT_GRID = 14

#: Up to this stride of a stem its convolution leaves out no pixel.
_FINE_STRIDES = 8


class Compact(nn.Module):
    """A small residual network meant for CPUs.

    A stem brings a patch to about 14 x 14; three residual blocks (the second and third
    with stride 2) and an average follow. At 28 px it takes 4 % of the operations of the
    small-kernel ResNet18. The training size sets the stride of the stem; the width of the
    last block is the number of features.

    A stem that is whitened (see :mod:`~napari_patchmap.networks.first_layer`) looks at pieces
    of 3 x 3 pixels and averages what it finds, so that fine structure counts however large
    the patches are; one that is learned is a single convolution.
    """

    def __init__(
        self,
        channels: int,
        size: tuple[int, int],
        widths: tuple[int, ...] = (32, 96, 192),
        *,
        whitened: bool = False,
    ) -> None:
        super().__init__()
        first, second, third = widths
        filters, stride, average = first, max(1, round(max(size) / _COMPACT_GRID)), 1
        kernel = stride + 1 + stride % 2  # odd, and a little wider than the stride
        if whitened:
            filters *= math.ceil(channels / 3)  # for most of the axes
            kernel, whole = 3, stride
            stride = min(stride, 2 if stride <= _FINE_STRIDES else 4)
            average = round(whole / stride)
        self.stem = nn.Sequential(
            nn.Conv2d(channels, filters, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(filters),
            nn.ReLU(inplace=True),
        )
        if average > 1:
            self.stem.append(_average(average))
        self.blocks = nn.Sequential(
            _Block(filters, first, 1), _Block(first, second, 2), _Block(second, third, 2)
        )
        self.out_features = third

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, shape (b, out_features)."""
        return self.blocks(self.stem(images)).mean(dim=(-2, -1))


class _Block(nn.Module):
    """Two 3 x 3 convolutions around a shortcut that averages before it strides."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(channels, width, 3, stride, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, 1, 1, bias=False),
            nn.BatchNorm2d(width),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels != width:
            self.shortcut = nn.Sequential(
                _average(stride),
                nn.Conv2d(channels, width, 1, bias=False),
                nn.BatchNorm2d(width),
            )
        for part in self.modules():
            if isinstance(part, nn.Conv2d):
                nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        # Each block begins as its shortcut, which makes the first steps stable.
        nn.init.zeros_(self.convolutions[-1].weight)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.convolutions(images) + self.shortcut(images))


def _average(side: int) -> nn.AvgPool2d:
    """Average squares; of an odd side the last has fewer pixels, and each counts as others."""
    return nn.AvgPool2d(side, ceil_mode=True, divisor_override=side**2)


def weigh_borders_more(backbone: nn.Module) -> None:
    """Let the compact network's shortcuts average as they did before 2026-11-28.

    The fewer pixels a window at the lower and right border has, the more each counted
    there; networks that learned so go on so, and place patches where they did.
    """
    for layer in backbone.modules():
        if isinstance(layer, nn.AvgPool2d):
            layer.divisor_override = None


class ResNet(nn.Module):
    """ResNet18, 34 or 50 (He et al. 2016): 512 features, 2,048 of the last.

    With a small kernel the first convolution is 3 x 3 with stride 1 and no max-pooling, as
    t-SimCNE trains small images (Nwabufo et al., section 4); otherwise the usual 7 x 7 with
    stride 2 and pooling. Any size of images will do.
    """

    def __init__(
        self, depth: int, small_kernel: bool, channels: int, size: tuple[int, int]
    ) -> None:
        super().__init__()
        net = getattr(torchvision().models, f"resnet{depth}")(weights=None)
        if small_kernel:
            net.conv1 = nn.Conv2d(channels, 64, 3, 1, 1, bias=False)
            net.maxpool = nn.Identity()
        elif channels != 3:
            net.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
        nn.init.kaiming_normal_(net.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.out_features = int(net.fc.in_features)
        net.fc = nn.Identity()
        self.net = net

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, shape (b, out_features)."""
        return self.net(images)


_OURS: dict[str, Callable[..., nn.Module]] = {
    "compact": Compact,
    "resnet18": partial(ResNet, 18, False),
    "resnet34": partial(ResNet, 34, False),
    "resnet50": partial(ResNet, 50, False),
    "resnet18-small-kernel": partial(ResNet, 18, True),
    "resnet34-small-kernel": partial(ResNet, 34, True),
    "resnet50-small-kernel": partial(ResNet, 50, True),
}

#: Backbones that need no other package; timm's come on top.
BACKBONES: tuple[str, ...] = tuple(_OURS)


def make_backbone(
    name: str,
    channels: int,
    size: tuple[int, int],
    trained: TrainedRecord | None = None,
    *,
    whitened: bool = False,
) -> nn.Module:
    """Make a backbone by name, with random weights from torch's global generator.

    Parameters
    ----------
    name : str
        One of :data:`BACKBONES`, or the name of a timm model, with or without
        ``timm:`` in front of it (``resnet18`` is ours, ``timm:resnet18`` timm's);
        ``pixels``, which passes them on; ``own features``, which takes no images but so
        many numbers as ``channels`` says; ``pretrained:`` and the name of a network
        for which there are published weights; ``learned:`` and such a name, for one that
        goes on learning; or ``started:`` and a name, for one of which only the weights are
        taken, not its preparation of images.
    channels : int
        Channels of the patches.
    size : (height, width)
        Training size in pixels.
    trained : TrainedRecord, optional
        What is written of a network that came trained.
    whitened : bool
        Whether its first layer is to be whitened.

    Raises
    ------
    ConfigError
        If there is no such backbone, or it takes no images of this kind.
    MissingPackageError
        If it would have to come from timm and that is not installed.
    """
    if name == PIXELS:
        return PixelFeatures(channels, size)
    if name == OWN:
        return OwnFeatures(channels)
    if name.startswith(PRETRAINED):
        known = trained or record_before(name.removeprefix(PRETRAINED), channels, size)
        return make_trained(known, channels)
    if name.startswith(LEARNED) and trained is not None:
        return LearnedOn(trained, channels)
    if name.startswith(FINE_TUNED):
        plain = name.removeprefix(FINE_TUNED)
        return FineTuned(make_backbone(plain, channels, size), plain, channels)
    check_backbone(name)
    if name in _OURS:
        fine = {"whitened": whitened} if name == "compact" else {}
        backbone = _OURS[name](channels, size, **fine)
    else:
        backbone = make_timm(name.removeprefix(PREFIX), channels, size)
    mend_convolutions(backbone)
    return backbone


def check_backbone(name: str) -> None:
    """Raise as :func:`make_backbone` unless there is a backbone of this name."""
    if name in _OURS:
        return
    try:
        known = timm_names()
    except MissingPackageError:
        raise MissingPackageError(
            f"The backbone {name!r} is none of {', '.join(BACKBONES)}, and timm, which has "
            "many more, is not installed; install it with: pip install timm"
        ) from None
    if name.removeprefix(PREFIX) in known:
        return
    names = [*BACKBONES, *(known - {*BACKBONES})]
    near = get_close_matches(name.removeprefix(PREFIX), names, n=3, cutoff=0.5)
    choose = ", ".join(near or BACKBONES)
    raise ConfigError(
        f"There is no backbone {name!r}; the closest names are {choose}."
        if near
        else f"There is no backbone {name!r}; choose {choose} or the name of a timm model."
    )
