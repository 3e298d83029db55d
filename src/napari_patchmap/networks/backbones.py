"""Backbones: from a patch to its features.

Every backbone is a module that maps ``(b, channel, height, width)`` images in
[0, 1] to ``(b, d)`` features and says ``d`` in ``out_features``. Any image size
works with any of them.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError
from napari_patchmap.networks.vision import torchvision

#: Side in tokens of the grid that the compact backbone cuts a patch into.
COMPACT_GRID = 7


class Compact(nn.Module):
    """A small residual network meant for CPUs.

    A patch is cut into a grid of about 7 x 7 tokens by one strided convolution;
    two residual blocks (the second with stride 2) and an average follow. Few,
    wide convolutions keep a CPU's matrix units busy: about 15 times the speed of
    the small-kernel ResNet18 at 28 px.

    Parameters
    ----------
    channels : int
        Channels of the patches.
    size : (height, width)
        Training size in pixels, which sets the stride of the stem.
    width : int
        Channels of the first block; the features have twice as many.
    """

    def __init__(self, channels: int, size: tuple[int, int], width: int = 64) -> None:
        super().__init__()
        stride = max(1, round(max(size) / COMPACT_GRID))
        self.stem = nn.Sequential(
            nn.Conv2d(channels, width, stride, stride, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
        )
        block = torchvision().models.resnet.BasicBlock
        shortcut = nn.Sequential(
            nn.Conv2d(width, 2 * width, 1, 2, bias=False), nn.BatchNorm2d(2 * width)
        )
        self.blocks = nn.Sequential(
            block(width, width), block(width, 2 * width, stride=2, downsample=shortcut)
        )
        self.out_features = 2 * width
        _initialise(self)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, shape (b, out_features)."""
        return torch.flatten(self.blocks(self.stem(images)).mean(dim=(-2, -1)), 1)


class ResNet18(nn.Module):
    """ResNet18 (He et al. 2016), 512 features.

    Parameters
    ----------
    channels : int
        Channels of the patches.
    small_kernel : bool
        First convolution 3 x 3 with stride 1 and no max-pooling, as t-SimCNE
        trains small images (Nwabufo et al., section 4); otherwise the usual
        7 x 7 with stride 2 and pooling.
    """

    def __init__(self, channels: int, *, small_kernel: bool) -> None:
        super().__init__()
        net = torchvision().models.resnet18(weights=None)
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
        """Return the features, shape (b, 512)."""
        return self.net(images)


def _initialise(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")


_BACKBONES: dict[str, Callable[[int, tuple[int, int]], nn.Module]] = {
    "compact": lambda channels, size: Compact(channels, size),
    "resnet18": lambda channels, size: ResNet18(channels, small_kernel=False),
    "resnet18-small-kernel": lambda channels, size: ResNet18(channels, small_kernel=True),
}


def make_backbone(name: str, channels: int, size: tuple[int, int]) -> nn.Module:
    """Make a backbone by name, with random weights from torch's global generator.

    Raises
    ------
    ConfigError
        If there is no such backbone.
    """
    if name not in _BACKBONES:
        raise ConfigError(f"The backbone must be one of {', '.join(_BACKBONES)}, not {name!r}.")
    return _BACKBONES[name](channels, size)
