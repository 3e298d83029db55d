"""The first layer of what learns within minutes rests on whitened pieces of the patches."""

import numpy as np
import pytest
import torch

from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.backbones import make_backbone
from napari_patchmap.networks.first_layer import (
    first_layer_of,
    pieces_of,
    usual_first_layer,
    whiten_first_layer,
)
from napari_patchmap.training.optimisers import make_optimiser

pytestmark = pytest.mark.usefixtures("whole_network")


@pytest.fixture
def images():
    """Smooth noise: neighbouring pixels and colours are much alike."""
    noise = torch.rand(60, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    return torch.nn.functional.avg_pool2d(noise, 5, 1) + 0.2 * noise[:, :1, :28, :28]


def _whitened(images, backbone="compact"):
    torch.manual_seed(0)
    channels, *size = images.shape[1:]
    network = make_backbone(backbone, channels, tuple(size), whitened=True)
    whiten_first_layer(network, images)
    return first_layer_of(network).weight.detach()


@pytest.mark.parametrize("backbone", ["compact", "resnet18-small-kernel"])
def test_filters_are_whitened_main_axes_and_their_negatives(images, backbone):
    weight = _whitened(images, backbone).flatten(1).double().numpy()
    count = min(27, len(weight) // 2)
    pieces = [
        image[:, row : row + 3, column : column + 3].ravel()
        for image in images.double().numpy()
        for row in range(0, 27, 3)
        for column in range(0, 27, 3)
    ]
    apart = np.array(pieces) - np.mean(pieces, axis=0)
    _, spread, axes = np.linalg.svd(apart / np.sqrt(len(apart) - 1), full_matrices=False)
    wanted = axes[:count] / np.sqrt(spread[:count] ** 2 + 1e-3 * spread[0] ** 2)[:, None]
    sign = np.sign((wanted * weight[:count]).sum(axis=1, keepdims=True))
    np.testing.assert_allclose(weight[:count], sign * wanted, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(weight[count : 2 * count], -weight[:count])


def test_it_sees_all_axes_that_are_no_noise_alike(images):
    weight = _whitened(images)
    seen = pieces_of(images, 3) @ weight.flatten(1).T
    spread = seen.std(dim=0)[:8]
    assert (spread > 0.7).all()
    assert (spread < 1.05).all()
    # Of one channel there are nine axes; what is left over are mixtures of them.
    grey = _whitened(images[:, :1])
    assert grey.shape == (32, 1, 3, 3)
    assert (grey[18:].flatten(1).norm(dim=1) > 0.5).all()
    seen = pieces_of(images[:, :1], 3) @ grey.flatten(1).T
    assert (seen.std(dim=0)[18:] > 0.3).all()


def test_patches_of_one_colour_give_filters_all_the_same():
    assert _whitened(torch.full((4, 3, 28, 28), 0.5)).isfinite().all()
    assert _whitened(torch.rand(1, 3, 28, 28)).isfinite().all()
    assert _whitened(torch.rand(8, 5, 12, 9)).shape == (64, 5, 3, 3)


@pytest.mark.parametrize(("size", "grid"), [(14, 14), (28, 14), (64, 16), (96, 12), (224, 14)])
def test_fine_structure_is_seen_however_large_a_patch_is(size, grid):
    backbone = make_backbone("compact", 3, (size, size), whitened=True)
    assert first_layer_of(backbone).kernel_size == (3, 3)
    assert backbone.stem(torch.zeros(1, 3, size, size)).shape == (1, 32, grid, grid)


@pytest.mark.parametrize("optimiser", ["muon", "sgd", "adamw", "lars", "lamb"])
def test_it_rests_while_all_else_learns(images, optimiser):
    network = Network(
        NetworkSpec("compact", 3, (28, 28), (16,), True, 4, first_layer="whitened")
    )
    whiten_first_layer(network.backbone, images)
    before = {name: value.clone() for name, value in network.named_parameters()}
    stage = Stage("", 1, 1.0, 0.1, 0.0, "all", 4, 60, optimiser=optimiser, weight_decay=0.1)
    moving = make_optimiser(stage, network)
    for group in moving.param_groups:
        group["lr"] = 0.1
    for _ in range(2):
        moving.zero_grad()
        network(images).square().mean().backward()
        moving.step()
    still = {n for n, value in network.named_parameters() if torch.equal(value, before[n])}
    assert still == {"backbone.stem.0.weight"}


def test_runs_of_before_have_the_layer_they_learned():
    spec = NetworkSpec("compact", 3, (64, 64)).to_dict()
    del spec["first_layer"]
    network = Network(NetworkSpec.from_dict(spec))
    assert network.backbone.stem[0].kernel_size == (7, 7)
    assert network.backbone.stem[0].stride == (5, 5)


@pytest.mark.parametrize(
    ("backbone", "channels", "wanted"),
    [
        ("compact", 1, "whitened"),
        ("compact", 7, "whitened"),
        ("compact", 8, "learned"),
        ("resnet18-small-kernel", 3, "learned"),
        ("started:resnet18", 3, "learned"),
        ("timm:convnext_atto", 3, "learned"),
    ],
)
def test_it_is_whitened_where_it_has_filters_for_most_axes(backbone, channels, wanted):
    assert usual_first_layer(backbone, channels) == wanted
