"""What a network looks at: known for a network of which it is known, and by the formula."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from napari_patchmap.augment.views import plain
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.attention import attend


def network_of(backbone: str, side: int = 32) -> Network:
    torch.manual_seed(0)
    return Network(NetworkSpec(backbone, 3, (side, side), out_dim=2)).eval()


def images(count: int = 2, side: int = 32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=generator)


class Corner(nn.Module):
    """Sees the lower left quarter of an image alone."""

    out_features = 8

    def __init__(self, pools: bool) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 8, 3, 1, 1, bias=False)
        self.second = nn.Conv2d(8, 8, 3, 4 if pools else 1, 1, bias=False)

    def forward(self, images):
        mask = torch.zeros_like(images)
        mask[..., 16:, :16] = 1
        made = self.second(torch.relu(self.first(images * mask)))
        return torch.relu(made).mean(dim=(2, 3))


class FromPixels(nn.Module):
    """Sees the same, and has no layer with places."""

    out_features = 4

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Linear(3 * 16 * 16, 4)

    def forward(self, images):
        return self.only(images[..., 16:, :16].flatten(1))


@pytest.mark.parametrize("backbone", [Corner(False), Corner(True), FromPixels()])
def test_a_network_that_sees_one_corner_says_so(backbone):
    network = network_of("compact")
    network.backbone = backbone
    found = attend(network, images(4))
    assert not found.by_attention
    assert found.maps.shape == (4, 32, 32)
    assert found.maps.min() >= 0
    for one in found.maps:
        assert one.sum() > 0
        assert one[12:, :20].sum() > 0.95 * one.sum()


def reference(network: Network, given: torch.Tensor, attention: nn.Module) -> torch.Tensor:
    """Compute softmax(q k / sqrt(d)) of the class token in double precision, by its weights."""
    exact = copy.deepcopy(network.backbone).double()
    seen = {}
    twin = dict(exact.named_modules())[
        next(name for name, one in network.backbone.named_modules() if one is attention)
    ]
    twin.register_forward_hook(lambda module, inputs, _: seen.update(tokens=inputs[0]))
    with torch.no_grad():
        exact(plain(given).double())
        tokens = seen["tokens"]
        if hasattr(twin, "qkv"):
            query, key, _ = twin.qkv(tokens).chunk(3, dim=-1)
        else:
            query, key = twin.q(tokens), twin.k(tokens)
        heads = twin.num_heads
        split = [one.unflatten(-1, (heads, -1)).transpose(1, 2) for one in (query, key)]
        query, key = split
        scores = query[:, :, :1] @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return scores.softmax(dim=-1)[:, :, 0, 1:]


@pytest.mark.parametrize(
    ("name", "side", "cells", "attention"),
    [
        ("vit_tiny_patch16_224", 64, 4, lambda net: net.blocks[-1].attn),
        ("xcit_nano_12_p8_224", 32, 4, lambda net: net.cls_attn_blocks[-1].attn),
    ],
)
def test_attention_is_that_of_the_class_token(name, side, cells, attention):
    network, given = network_of(name, side), images(2, side)
    found = attend(network, given)
    assert found.by_attention
    wanted = reference(network, given, attention(network.backbone.net))
    wanted = wanted.unflatten(-1, (cells, cells))
    assert found.heads.shape == (2, wanted.shape[1], side, side)
    # Seen in the middle of a token, where nothing is mixed with its neighbours.
    step = side // cells
    whole = functional.interpolate(wanted, (side, side), mode="bilinear", align_corners=False)
    assert np.allclose(found.heads, whole.numpy(), atol=1e-6)
    assert found.heads[0, 0, step // 2, step // 2] == pytest.approx(
        float(wanted[0, 0, 0, 0]), rel=0.5
    )
    assert np.allclose(found.maps, found.heads.mean(axis=1), atol=1e-7)


def test_maps_of_turned_copies_are_turned_back():
    network = network_of("compact")
    network.backbone = Corner(False)
    left, right = images(1), images(1).flip(-1)
    found = attend(network, left, symmetries=[(0, False), (0, True), (1, False)]).maps[0]
    corners = found[20:, :12], found[20:, 20:], found[:12, :12], found[:12, 20:]
    seen = [float(corner.sum() / found.sum()) for corner in corners]
    # As it is, mirrored, and turned: of three copies each sees another corner of the image.
    assert [share > 0.05 for share in seen] == [True, True, True, False]
    both = [(0, False), (0, True)]
    once, again = (attend(network, one, symmetries=both).maps[0] for one in (left, right))
    assert np.allclose(once, again[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("name", ["compact", "resnet18", "pixels", "started:resnet18"])
def test_other_networks_have_maps_by_gradients_and_stay_as_they_are(name):
    network, given = network_of(name), images(3)
    network.train()
    before = copy.deepcopy(network.state_dict())
    found = attend(network, given)
    assert not found.by_attention
    assert found.heads.shape == (3, 0, 32, 32)
    assert np.isfinite(found.maps).all()
    assert (found.maps.reshape(3, -1).max(axis=1) > 0).all()
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert all(p.grad is None for p in network.parameters())
    alone = attend(network, given[1:2])
    assert np.allclose(alone.maps[0], found.maps[1], rtol=1e-3, atol=1e-6)


def test_what_a_published_network_cuts_off_is_dark():
    found = attend(network_of("pretrained:resnet18"), images(1))
    edge = found.maps[0].copy()
    edge[3:-3, 3:-3] = 0
    assert found.maps.max() > 0
    assert edge[[0, -1]].max() == 0
    assert edge[:, [0, -1]].max() == 0
