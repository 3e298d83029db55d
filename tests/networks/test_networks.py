"""Backbones take any image, and a network is rebuilt from its spec."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.backbones import BACKBONES, make_backbone
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.vision import torchvision


@pytest.mark.parametrize("name", BACKBONES)
@pytest.mark.parametrize(("channels", "size"), [(1, (16, 16)), (3, (9, 12)), (5, (33, 20))])
def test_any_size_and_channel_count(whole_network, name, channels, size):
    backbone = make_backbone(name, channels, size).eval()
    features = backbone(torch.rand(2, channels, *size))
    assert features.shape == (2, backbone.out_features)
    depth = name.removeprefix("resnet")[:2]
    assert backbone.out_features == {"18": 512, "34": 512, "50": 2048}.get(depth, 192)
    assert torch.isfinite(features).all()


@pytest.mark.parametrize("depth", [18, 34, 50])
@pytest.mark.parametrize("small", [False, True])
def test_resnets_are_torchvisions_but_for_the_first_layers(depth, small):
    ours = make_backbone(f"resnet{depth}" + "-small-kernel" * small, 3, (28, 28)).eval()
    theirs = getattr(torchvision().models, f"resnet{depth}")(weights=None).eval()
    if small:
        theirs.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
        theirs.maxpool = nn.Identity()
    theirs.fc = nn.Identity()
    theirs.load_state_dict({k.removeprefix("net."): v for k, v in ours.state_dict().items()})
    images = torch.rand(2, 3, 28, 28)
    assert torch.equal(ours(images), theirs(images))


def test_small_kernel_resnet_is_the_papers():
    backbone = make_backbone("resnet18-small-kernel", 3, (28, 28))
    assert sum(p.numel() for p in backbone.parameters()) == 11_168_832
    projector = Network(NetworkSpec("resnet18-small-kernel", 3, (28, 28)))
    extra = sum(p.numel() for p in projector.parameters()) - 11_168_832
    assert extra == 656_512


def test_network_is_rebuilt_from_its_spec():
    network = Network(NetworkSpec("compact", 3, (16, 16), (48, 32), True, 8)).eval()
    network.replace_output(torch.ones(2, 32), torch.zeros(2))
    again = Network(NetworkSpec.from_dict(network.spec.to_dict())).eval()
    again.load_state_dict(network.state_dict())
    images = torch.rand(4, 3, 16, 16)
    assert again(images).shape == (4, 2)
    assert torch.equal(again(images), network(images))


@pytest.mark.parametrize("size", [28, 64])
def test_no_border_of_a_patch_counts_more_than_its_middle(whole_network, size):
    now = _weights(NetworkSpec("compact", 1, (size, size)))
    assert now == pytest.approx(np.ones(4), abs=0.12)  # top, left, bottom, right
    # What a run of an older version saved computes what it did.
    saved = NetworkSpec("compact", 1, (size, size)).to_dict()
    del saved["even_borders"]
    before = _weights(NetworkSpec.from_dict(saved))
    assert before[:2] == pytest.approx(np.ones(2), abs=0.12)
    assert (before[2:] > 1.7).all()
    network = Network(NetworkSpec.from_dict(saved))
    pool = next(part for part in network.modules() if isinstance(part, nn.AvgPool2d))
    images = torch.rand(2, 3, 13, 13)
    assert torch.equal(pool(images), nn.functional.avg_pool2d(images, 2, ceil_mode=True))


def _weights(spec):
    """How much features change by pixels along each side, the middle of the patch being 1."""
    size, seen = spec.size[0], 0
    for seed in range(4):
        torch.manual_seed(seed)
        images = torch.rand(16, 1, *spec.size, requires_grad=True)
        features = Network(spec).features(images)
        (change,) = torch.autograd.grad(
            (features @ torch.randn(features.shape[1])).sum(), images
        )
        seen = seen + change.square().mean(dim=(0, 1))
    seen, wide = seen.sqrt().numpy(), size // 7
    inside = slice(2 * wide, -2 * wide)
    middle = seen[inside, inside].mean()
    sides = [seen[:wide], seen[:, :wide].T, seen[-wide:], seen[:, -wide:].T]
    return np.array([side[:, inside].mean() / middle for side in sides])


def test_output_is_float32_under_half_precision():
    network = Network(NetworkSpec("compact", 3, (16, 16), (32,), False, 2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert network(torch.rand(4, 3, 16, 16)).dtype == torch.float32


def test_inference_ignores_how_patches_were_turned():
    torch.manual_seed(0)
    network = Network(NetworkSpec("compact", 1, (16, 16), (32,), False, 2))
    pixels = torch.randint(0, 256, (5, 1, 16, 16), dtype=torch.uint8)
    symmetries = [(turn, mirror) for turn in range(4) for mirror in (False, True)]
    _, straight = infer(network, pixels, symmetries=symmetries)
    _, turned = infer(network, torch.rot90(pixels, 1, (-2, -1)), symmetries=symmetries)
    assert torch.allclose(torch.tensor(straight), torch.tensor(turned), atol=1e-4)
    assert network.training  # the mode is given back
