"""Backbones from timm (R. Wightman, "PyTorch Image Models"), by their names there.

timm is imported when one of them is asked for, and not before: it would double
the time that the program takes to start.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from napari_patchmap.errors import ConfigError, MissingPackageError
from napari_patchmap.networks.vision import torchvision

#: Says that a name is timm's where we have a backbone of the same name.
PREFIX = "timm:"

#: Multiples in which vision transformers and their kin want the sides of an image.
_GRIDS = (8, 14, 16, 32)

#: Sides in pixels that are common for images.
_COMMON_SIDES = (32, 64, 96, 128, 192, 224)

#: Seconds that may be spent on finding a size that a network does take.
_PATIENCE = 5.0

#: Of a side, the pixels at its end that a network may leave unseen: one in so many.
_UNSEEN = 50

#: What networks raise, in timm's code and in torch's, for images that they cannot take.
_UNFIT = (
    TypeError,
    ValueError,
    AssertionError,
    AttributeError,
    RuntimeError,
    ArithmeticError,
    LookupError,
)


def timm() -> ModuleType:
    """Return timm; raise a MissingPackageError if it is not installed."""
    torchvision()  # timm imports it, which may need our help
    try:
        import timm
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise MissingPackageError(
            "timm is not installed, which this needs; install it with: pip install timm"
        ) from None
    return timm


def timm_names() -> frozenset[str]:
    """Names of all models of the installed timm, those of weights ("name.tag") not included."""
    return frozenset(timm().list_models())


class TimmBackbone(nn.Module):
    """A timm model without its classifier, and the options with which it was made."""

    def __init__(self, net: nn.Module, out_features: int, options: dict[str, Any]) -> None:
        super().__init__()
        self.options = options
        self.net = net
        self.out_features = out_features
        self.register_state_dict_post_hook(_untie)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features, shape (b, out_features)."""
        return self.net(images)


def make_timm(name: str, channels: int, size: tuple[int, int]) -> TimmBackbone:
    """Make a model of timm with random weights, for images of one kind and size.

    Networks with position embeddings are laid out for the size, (height, width). Where the
    model cannot take such images, or would overlook part of them, a ConfigError says which
    size would do.
    """
    backbone = _fitting(name, channels, size)
    if backbone is None:
        raise ConfigError(_why_unfit(name, channels, size))
    return backbone


def _fitting(name: str, channels: int, size: tuple[int, int]) -> TimmBackbone | None:
    """Make the model if it can take such images and sees all of them."""
    # Only some models are laid out for a size, and not all of those say so.
    ways: list[dict[str, Any]] = [{}, {"img_size": size}]
    if published_of(name, "fixed_input_size"):
        ways.reverse()
    for options in ways:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of layers without weights, at tiny sizes
                net = timm().create_model(
                    name, pretrained=False, in_chans=channels, num_classes=0, **options
                )
                features = _features_if_all_seen(net, channels, size)
        except _UNFIT as error:
            if "allocate memory" in str(error):
                raise MemoryError(str(error)) from None
            continue
        if features:
            return TimmBackbone(net, features, options)
    return None


def _features_if_all_seen(net: nn.Module, channels: int, size: tuple[int, int]) -> int:
    """Return how many features a network gives; 0 if none, or if it overlooks pixels.

    A transformer may cut off what does not fill a whole token. What is overlooked
    has no gradient.
    """
    # Numbers of its own, so that a run's seed draws nothing but weights.
    generator = torch.Generator().manual_seed(0)
    images = torch.rand(2, channels, *size, generator=generator).requires_grad_()
    net.eval()
    with torch.enable_grad(), _all_branches(net):
        features = net(images.clone())
        if not isinstance(features, Tensor) or features.ndim != 2:
            return 0
        mixed = features * torch.rand(features.shape, generator=generator)
        (gradient,) = torch.autograd.grad(mixed.sum(), images)
    net.train()
    seen = gradient.ne(0).any(dim=1).any(dim=0)
    unseen = int((~seen.any(dim=1)).sum()), int((~seen.any(dim=0)).sum())
    whole = all(lost <= side // _UNSEEN for lost, side in zip(unseen, size, strict=True))
    return int(features.shape[1]) if whole else 0


def _why_unfit(name: str, channels: int, size: tuple[int, int]) -> str:
    """Say why such images cannot be taken, and what could be."""
    usual = published_of(name, "input_size") or (3, 224, 224)
    native = int(usual[1]), int(usual[2])
    if not _fitting(name, channels, native) and _fitting(name, 3, native):
        return (
            f"timm's {name} takes images with 3 channels, not with {channels}; choose another "
            "backbone."
        )
    height, width = size
    refusal = f"timm's {name} cannot take patches of {width} x {height} px"
    fits = _sizes_that_fit(name, channels, size)
    if fits:
        known = " or ".join(f"{fit[1]} x {fit[0]} px" for fit in fits)
        return (
            f"{refusal}, but {known} would do; set the longest side (patches are never "
            "enlarged) or choose another backbone."
        )
    if _fitting(name, channels, native):
        refusal += f", only some others such as {native[1]} x {native[0]} px"
    return f"{refusal}; choose another backbone."


def _sizes_that_fit(name: str, channels: int, size: tuple[int, int]) -> list[tuple[int, int]]:
    """Find the nearest smaller and the nearest larger size of this aspect, as time allows."""
    longest = max(size)
    sides = {n * grid for grid in _GRIDS for n in (longest // grid, longest // grid + 1)}
    sides |= {*_COMMON_SIDES} - {longest}
    deadline = time.monotonic() + _PATIENCE
    found = []
    for some in (
        sorted(side for side in sides if side > longest),
        sorted((side for side in sides if 0 < side < longest), reverse=True),
    ):
        for side in some:
            height, width = (max(1, round(length * side / longest)) for length in size)
            if time.monotonic() > deadline:
                break
            if _fitting(name, channels, (height, width)):
                found.append((height, width))
                break
    return sorted(found)


@contextmanager
def _all_branches(net: nn.Module) -> Iterator[None]:
    """Let residual branches count for the time being that begin with a factor of zero."""
    closed = [
        p for name, p in net.named_parameters()
        if p.ndim <= 1 and not name.endswith("bias") and not p.any()
    ]  # fmt: skip
    with torch.no_grad():
        for factor in closed:
            factor.fill_(1.0)
    yield
    with torch.no_grad():
        for factor in closed:
            factor.zero_()


def _untie(module: nn.Module, weights: dict[str, Tensor], prefix: str, _: Any) -> None:
    """Copy weights that layers share: files of weights hold each under one name only."""
    seen: set[int] = set()
    for name, tensor in weights.items():
        if name.startswith(prefix) and tensor.numel():
            if tensor.data_ptr() in seen:
                weights[name] = tensor.clone()
            seen.add(tensor.data_ptr())


def published_of(name: str, key: str) -> Any:
    """Return what timm knows of a model's published weights, None if there are none."""
    return getattr(timm().get_pretrained_cfg(name), key, None)
