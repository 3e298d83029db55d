"""Where in an image a network looks: attention of its class token, or else gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from napari_patchmap.augment.views import Symmetry, apply_symmetry, plain
from napari_patchmap.networks.fine_tuned import FineTuned
from napari_patchmap.networks.network import Network
from napari_patchmap.networks.trained.trained_features import TrainedFeatures

#: Cells along the shorter side that a map of gradients has at least, if the network allows:
#: the last layers of many have one or two for small patches.
_CELLS = 7

#: How much the proportions of a layer may differ from those of the image.
_SKEW = 0.25


@dataclass(frozen=True, eq=False)
class Attended:
    """Where a network looks in some images.

    Parameters
    ----------
    maps : ndarray of float32, shape (b, height, width)
        At the size of the images, not negative; 0 where the network sees nothing of them.
    heads : ndarray of float32, shape (b, heads, height, width)
        Of each head of the attention; without heads where there is none.
    by_attention : bool
        Whether it is the attention of the class token, and not gradients.
    """

    maps: np.ndarray
    heads: np.ndarray
    by_attention: bool


def attend(
    network: Network,
    images: Tensor,
    centre: Tensor | None = None,
    symmetries: Sequence[Symmetry] = ((0, False),),
) -> Attended:
    """Say where in images a network looks.

    Of transformers whose features are a class token it is the attention of that token over
    the patches in the last layer, softmax(q k / sqrt(d)), and its mean over the heads (Caron
    et al., "Emerging Properties in Self-Supervised Vision Transformers", 2021); XCiT and
    CaiT have it in layers of their own. Of all others it is LayerCAM (Jiang et al., "LayerCAM:
    Exploring Hierarchical Class Activation Maps", 2021) of the likeness of an image to its
    own features: what there must be for the features to be as they are. It is taken from the
    last layer that is fine enough, or else from the pixels.

    Parameters
    ----------
    network : Network
        Put into evaluation mode for the time being; used by no other thread.
    images : Tensor of uint8, shape (b, channel, height, width)
        At training size.
    centre : Tensor, shape (d,), optional
        Mean features of the set: then it is what sets an image apart from the others.
    symmetries : sequence of (quarter turns, mirrored)
        Copies of an image whose features are averaged; the maps of all of them are, too.
    """
    was_training = network.training
    network.eval()
    try:
        x, backbone = plain(images.to(network.device)), network.backbone
        found = [_class_attention(backbone, apply_symmetry(x, one)) for one in symmetries]
        by_attention = found[0] is not None
        if not by_attention:
            target = _mean_features(backbone, x, symmetries)
            if centre is not None:
                target = target - centre.to(target)
            found = [
                _gradients(backbone, apply_symmetry(x, one), target)[:, None]
                for one in symmetries
            ]
        heads = torch.stack(
            [
                _turned_back(_put(one, backbone, apply_symmetry(x, turn)), turn)
                for one, turn in zip(found, symmetries, strict=True)
                if one is not None
            ]
        ).mean(dim=0)
        kept = heads if by_attention else heads[:, :0]
        return Attended(heads.mean(dim=1).numpy(), kept.numpy(), by_attention)
    finally:
        network.train(was_training)


@torch.no_grad()
def _mean_features(
    backbone: nn.Module, images: Tensor, symmetries: Sequence[Symmetry]
) -> Tensor:
    """Return the mean features of the copies of images, (b, d)."""
    made = [backbone(apply_symmetry(images, one)).float() for one in symmetries]
    return torch.stack(made).mean(dim=0)


def _turned_back(maps: Tensor, symmetry: Symmetry) -> Tensor:
    """Undo :func:`apply_symmetry`."""
    turns, mirrored = symmetry
    maps = maps.flip(-1) if mirrored else maps
    return torch.rot90(maps, -turns, dims=(-2, -1)) if turns else maps


def _inner(backbone: nn.Module) -> nn.Module:
    """Return the network proper, without what prepares images for it."""
    if isinstance(backbone, FineTuned):
        return _inner(backbone.backbone)
    net = getattr(backbone, "net", None)
    return net if isinstance(net, nn.Module) else backbone


def _seen_part(backbone: nn.Module) -> tuple[float, float, float, float]:
    """Return what of images is seen: top, left, bottom, right, as shares."""
    if not isinstance(backbone, TrainedFeatures):
        return 0.0, 0.0, 1.0, 1.0
    known = backbone.record
    high, wide = (a / b for a, b in zip(known.size, known.scaled, strict=True))
    top, left = (1 - high) / 2, (1 - wide) / 2
    return top, left, top + high, left + wide


def _put(maps: Tensor, backbone: nn.Module, images: Tensor) -> Tensor:
    """Bring maps (b, k, h, w) to the size of the images; what is not seen is 0."""
    height, width = images.shape[-2:]
    top, left, bottom, right = _seen_part(backbone)
    y, x = round(top * height), round(left * width)
    size = max(1, round(bottom * height) - y), max(1, round(right * width) - x)
    maps = functional.interpolate(maps.float(), size, mode="bilinear", align_corners=False)
    whole = maps.new_zeros(*maps.shape[:2], height, width)
    whole[..., y : y + size[0], x : x + size[1]] = maps
    return whole.clamp(min=0).cpu()


def _grid(tokens: int, aspect: float) -> tuple[int, int] | None:
    """Return rows and columns of so many tokens of an image, None if they make no grid."""
    rows = round((tokens * aspect) ** 0.5)
    for height in (rows, rows + 1, rows - 1):
        if height > 0 and tokens % height == 0:
            width = tokens // height
            if width and abs(height / width / aspect - 1) <= _SKEW:
                return height, width
    return None


# -- attention ---------------------------------------------------------------------------


class _Listening(TorchFunctionMode):
    """Notes the last attention that is computed in this thread, whoever computes it."""

    def __init__(self) -> None:
        super().__init__()
        self.last: tuple[Tensor, Tensor, Tensor | None, float | None] | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        given = kwargs or {}
        if func is functional.scaled_dot_product_attention:
            mask = args[3] if len(args) > 3 else given.get("attn_mask")
            self.last = args[0], args[1], mask, given.get("scale")
        return func(*args, **given)


def _class_attention(backbone: nn.Module, images: Tensor) -> Tensor | None:
    """Return the class token's attention over patches, (b, heads, h, w), None without one."""
    net = _inner(backbone)
    pools = getattr(net, "global_pool", "token"), getattr(net, "attn_pool", None)
    if getattr(net, "cls_token", None) is None or pools != ("token", None):
        return None
    with torch.no_grad(), _fused(net), _Listening() as listening:
        backbone(images)
    if listening.last is None:
        return None
    query, key, mask, scale = listening.last
    first = query[:, :, :1].float()
    weights = first @ key.float().transpose(-2, -1)
    weights = weights * (scale or first.shape[-1] ** -0.5)
    if mask is not None:
        weights = weights + (mask[..., :1, :].float() if mask.ndim > 1 else mask.float())
    skipped = int(getattr(net, "num_prefix_tokens", 1))
    weights = weights.softmax(dim=-1)[:, :, 0, skipped:]
    grid = _grid(weights.shape[-1], _aspect(backbone, images))
    if grid is None:
        return None
    return _of_images(weights.reshape(*weights.shape[:2], *grid), images)


def _of_images(maps: Tensor, images: Tensor) -> Tensor:
    """Return the mean map of each image where the network sees each channel by itself."""
    return maps.unflatten(0, (len(images), -1)).mean(dim=1)


@contextmanager
def _fused(net: nn.Module) -> Iterator[None]:
    """Let all attention be computed by torch, where it is heard of."""
    before = [(m, m.fused_attn) for m in net.modules() if hasattr(m, "fused_attn")]
    for module, _ in before:
        module.fused_attn = True  # type: ignore[assignment]
    try:
        yield
    finally:
        for module, was in before:
            module.fused_attn = was


def _aspect(backbone: nn.Module, images: Tensor) -> float:
    """Height by width of what the network proper sees."""
    if isinstance(backbone, TrainedFeatures):
        height, width = backbone.record.size
        return height / width
    return float(images.shape[-2] / images.shape[-1])


# -- gradients ---------------------------------------------------------------------------


def _gradients(backbone: nn.Module, images: Tensor, target: Tensor) -> Tensor:
    """Return how much each place brings the features towards a target, (b, h, w)."""
    net, aspect = _inner(backbone), _aspect(backbone, images)
    skipped = int(getattr(net, "num_prefix_tokens", 0))
    layers: list[tuple[Tensor, tuple[int, int], str]] = []

    def note(_: nn.Module, __: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            kind = _kind_of(output, aspect, skipped)
            if kind is not None:
                layers.append((output, *kind))

    hooks = [module.register_forward_hook(note) for module in net.modules()]
    try:
        with torch.enable_grad():
            x = images.clone().requires_grad_()
            score = (backbone(x).float() * target).sum()
            chosen = _fine_enough(layers)
            if chosen is None:
                (gradient,) = torch.autograd.grad(score, x)
                return gradient.abs().sum(dim=1).detach()
            layer, grid, kind = chosen
            (gradient,) = torch.autograd.grad(score, layer)
    finally:
        for hook in hooks:
            hook.remove()
    made = _as_grid(layer.detach().float(), grid, kind, skipped)
    slope = _as_grid(gradient.float(), grid, kind, skipped)
    maps = (slope.clamp(min=0) * made).sum(dim=1).clamp(min=0)
    nothing = maps.flatten(1).amax(dim=1) <= 0
    if nothing.any():  # all of it speaks against the features
        maps[nothing] = (slope * made).abs().sum(dim=1)[nothing]
    return _of_images(maps, images)


def _kind_of(output: Tensor, aspect: float, skipped: int) -> tuple[tuple[int, int], str] | None:
    """Return the grid of a layer and in which order its axes are; None if it has no places."""
    shape = tuple(output.shape)
    if len(shape) == 4:
        for kind, (height, width) in (("nchw", shape[2:]), ("nhwc", shape[1:3])):
            if abs(height / width / aspect - 1) <= _SKEW:
                return (height, width), kind
    if len(shape) == 3:
        grid = _grid(shape[1] - skipped, aspect) if shape[1] > skipped else None
        return None if grid is None else (grid, "tokens")
    return None


def _fine_enough(
    layers: list[tuple[Tensor, tuple[int, int], str]],
) -> tuple[Tensor, tuple[int, int], str] | None:
    """Choose the last layer that is fine enough, or else the finest; None of none."""
    for layer in reversed(layers):
        if min(layer[1]) >= _CELLS:
            return layer
    finest = max(layers, key=lambda one: min(one[1]), default=None)
    return None if finest is None or min(finest[1]) < 2 else finest


def _as_grid(values: Tensor, grid: tuple[int, int], kind: str, skipped: int) -> Tensor:
    """Return values of a layer as (b, channel, h, w)."""
    if kind == "nhwc":
        return values.permute(0, 3, 1, 2)
    if kind == "tokens":
        return values[:, skipped:].transpose(1, 2).unflatten(2, grid)
    return values
