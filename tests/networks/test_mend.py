"""Tiny patches give sound gradients in half precision."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from napari_patchmap.networks import mend
from napari_patchmap.networks.backbones import make_backbone
from napari_patchmap.networks.mend import SoundConv2d, mend_convolutions


def leave_dirt() -> None:
    """Fill memory that is free then with NaN, for whoever reads it without writing first."""
    dirt = [torch.full((1000 * k + 77,), float("nan")) for k in range(1, 200)]
    del dirt


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 2), (4, 1), (4, 2), (3, 5)])
def test_one_convolution(kernel, size):
    torch.manual_seed(0)
    layer = nn.Conv2d(16, 48, kernel, 2, kernel // 2, bias=False)
    images = torch.randn(8, 16, *size).bfloat16().float()
    exact = copy.deepcopy(layer).double()
    slope = torch.randn_like(layer(images)).bfloat16().float()
    exact(images.double()).backward(slope.double())
    mend_convolutions(layer)
    leave_dirt()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(images)
    assert (out - exact(images.double())).abs().max() < 0.02 * out.abs().max()
    out.float().backward(slope)
    error = (layer.weight.grad - exact.weight.grad).abs().max()
    assert error < 0.02 * exact.weight.grad.abs().max()


@pytest.mark.parametrize("stride", [2, (2, 3)])
@pytest.mark.parametrize("together", [2**22, 1])
def test_the_slope_of_the_weights_is_right_in_parts_as_well(stride, together, monkeypatch):
    monkeypatch.setattr(mend, "_PIXELS", together)
    torch.manual_seed(0)
    layer = nn.Conv2d(8, 24, 3, stride, 1, bias=False).to(memory_format=torch.channels_last)
    images = torch.randn(6, 8, 11, 9).bfloat16().float().requires_grad_()
    exact, plain = copy.deepcopy(layer).double(), images.detach().double().requires_grad_()
    slope = torch.randn_like(layer(images)).bfloat16().float()
    exact(plain).backward(slope.double())
    mend_convolutions(layer)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(images)
    out.float().backward(slope)
    for ours, theirs in ((layer.weight, exact.weight), (images, plain)):
        error = (ours.grad - theirs.grad).abs().max()
        assert error < 0.02 * theirs.grad.abs().max()
    assert layer.weight.grad.stride() == layer.weight.stride()


def gradients(backbone: nn.Module, images: Tensor) -> dict[str, Tensor]:
    backbone = copy.deepcopy(backbone)
    leave_dirt()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        features = backbone(images)
    features.float().square().mean().backward()
    return {name: p.grad for name, p in backbone.named_parameters()}


@pytest.mark.parametrize("name", ["resnet18", "test_resnet"])
@pytest.mark.parametrize("size", [(16, 16), (32, 16)])
def test_half_precision_gives_the_same_numbers_every_time(name, size):
    torch.manual_seed(0)
    backbone = make_backbone(name, 3, size).to(memory_format=torch.channels_last)
    images = torch.rand(16, 3, *size).contiguous(memory_format=torch.channels_last)
    first, again = gradients(backbone, images), gradients(backbone, images)
    for key, gradient in first.items():
        assert torch.isfinite(gradient).all(), key
        assert torch.equal(gradient, again[key]), key


def test_other_layers_are_left_alone():
    backbone = make_backbone("resnet18", 1, (16, 16))
    mended = {n for n, layer in backbone.named_modules() if isinstance(layer, SoundConv2d)}
    assert mended == {"net.conv1", *(f"net.layer{i}.0.conv1" for i in (2, 3, 4))}
