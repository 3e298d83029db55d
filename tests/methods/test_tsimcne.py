"""Stages and learning rates as published, without the reference's defects."""

from __future__ import annotations

import pytest
import torch

from napari_patchmap.methods.tsimcne import METHOD
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.training.new_network import start_map


def test_the_papers_stages():
    first, second, third = METHOD.make_recipe("paper", METHOD.epochs["paper"], 1024).stages
    assert [s.epochs for s in (first, second, third)] == [1000, 50, 450]
    assert [s.dimensions for s in (first, second, third)] == [128, 2, 2]
    assert [s.trains for s in (first, second, third)] == ["all", "output", "all"]
    assert first.lr == second.lr == pytest.approx(0.12)
    assert third.lr == pytest.approx(1.2e-4)
    assert first.warmup * 1000 == pytest.approx(10)
    assert second.warmup == 0
    assert third.warmup * 450 == pytest.approx(10)
    assert {s.weight_decay for s in (first, second, third)} == {5e-4}


@pytest.mark.parametrize("epochs", [(1000, 50, 450), (5, 1, 3), (1, 1, 1)])
def test_no_step_at_rate_zero_and_the_peak_is_reached(epochs):
    for stage in METHOD.make_recipe("paper", epochs, 512).stages:
        rates = [stage.learning_rate(i / 200) for i in range(200)]
        assert min(rates) > 0
        assert max(rates) == pytest.approx(stage.lr, rel=1e-3)
        assert rates[-1] < 0.01 * stage.lr
        peak = rates.index(max(rates))
        assert rates[:peak] == sorted(rates[:peak])
        assert rates[peak:] == sorted(rates[peak:], reverse=True)


def features() -> torch.Tensor:
    units = small_network().hidden[0].in_features
    return torch.randn(300, units, generator=torch.Generator().manual_seed(0))


def small_network() -> Network:
    torch.manual_seed(0)
    return Network(NetworkSpec("compact", 3, (16, 16), (64,), False, 16))


def test_a_map_starts_at_the_main_axes_of_the_outputs():
    network, given = small_network(), features()
    outputs = network.project(given).detach().double()
    centred = outputs - outputs.mean(dim=0)
    start_map(network, given, "pca")
    flat = network.project(given).detach().double()
    _, singular, _ = torch.linalg.svd(centred, full_matrices=False)
    assert flat.shape == (300, 2)
    assert torch.allclose(flat.mean(dim=0), torch.zeros(2, dtype=torch.float64), atol=1e-4)
    assert torch.allclose(flat.square().sum(dim=0).sqrt(), singular[:2], rtol=1e-3)


def test_the_published_start_is_random_normal():
    network = small_network()
    start_map(network, features(), "random")
    assert network.output.weight.shape == (2, 64)
    assert float(network.output.weight.std()) == pytest.approx(1.0, abs=0.2)
    assert float(network.output.bias.abs().max()) <= 64**-0.5


def test_quick_looks_at_as_many_patches_whatever_the_set():
    for kind in ("compact", "quick", "paper"):
        few = METHOD.preset_epochs("quick", kind, 2_000)
        many = METHOD.preset_epochs("quick", kind, 200_000)
        assert [100 * e for e in many] == pytest.approx(list(few))
    assert METHOD.preset_epochs("paper", "paper", 123) == (1000, 50, 450)


def test_the_compact_recipe_keeps_the_three_stages():
    first, second, third = METHOD.make_recipe("compact", (10, 10, 3), 256).stages
    assert [s.dimensions for s in (first, second, third)] == [128, 2, 2]
    assert [s.trains for s in (first, second, third)] == ["all", "projector", "all"]
    assert first.share + second.share + third.share == pytest.approx(1)
    assert first.strength == (1.0, 1.0)
