"""Optimisers make the published steps, spare what they should, and can be saved plainly."""

from __future__ import annotations

import copy
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from napari_patchmap.errors import MissingPackageError
from napari_patchmap.methods.stage import Stage
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.runs.checkpoint import read_state, write_state
from napari_patchmap.training.optimisers import make_optimiser

STAGE = Stage("all", 1, 1, 0.1, 0, "all", 2, 8, optimiser="sgd", weight_decay=0.01)
OPTIMISERS = ("sgd", "adamw", "lars", "lamb", "muon")


def small(backbone: str = "compact", size: int = 16) -> Network:
    torch.manual_seed(0)
    return Network(NetworkSpec(backbone, 1, (size, size), (24,), True, 2))


def give_gradients(network: Network, step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in network.parameters():
        gradient = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
        parameter.grad = (gradient * 0.3).to(parameter.dtype)


def lars(weights: list[Tensor], step, lr, decay, state) -> list[np.ndarray]:
    """One step by the equations of LARS, as timm documents them, in float64."""
    for i, (weight, gradient) in enumerate(weights):
        if weight.ndim > 1:
            norm, slope = np.linalg.norm(weight), np.linalg.norm(gradient)
            trust = 0.001 * norm / (slope + decay * norm + 1e-8) if norm and slope else 1.0
            gradient = trust * (gradient + decay * weight)
        state[i] = 0.9 * state[i] + gradient if i in state else gradient
        weight -= lr * state[i]


def lamb(weights: list[Tensor], step, lr, decay, state) -> list[np.ndarray]:
    """One step by the equations of LAMB, as timm documents them, in float64."""
    whole = np.sqrt(sum((g**2).sum() for _, g in weights))
    for i, (weight, gradient) in enumerate(weights):
        gradient = gradient / max(1.0, whole)
        mean, square = state.get(i, (0.0, 0.0))
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        state[i] = mean, square
        root = np.sqrt(square / (1 - 0.999**step)) + 1e-6
        update = mean / (1 - 0.9**step) / root
        if weight.ndim > 1:
            update = update + decay * weight
            norm, length = np.linalg.norm(weight), np.linalg.norm(update)
            update = update * (norm / length if norm and length else 1.0)
        weight -= lr * update


@pytest.mark.parametrize(("name", "reference"), [("lars", lars), ("lamb", lamb)])
@pytest.mark.parametrize("decay", [0.02, 0.0])
def test_steps_follow_the_equations(name, reference, decay):
    network = small().double()
    optimiser = make_optimiser(replace(STAGE, optimiser=name, weight_decay=decay), network)
    expected = [p.detach().numpy().copy() for p in network.parameters()]
    state: dict = {}
    for step in (1, 2, 3):
        give_gradients(network, step)
        gradients = [p.grad.numpy() for p in network.parameters()]
        reference(list(zip(expected, gradients, strict=True)), step, 0.1, decay, state)
        optimiser.step()
    for parameter, value in zip(network.parameters(), expected, strict=True):
        np.testing.assert_allclose(parameter.detach().numpy(), value, rtol=1e-10, atol=1e-13)


def decays(optimiser: torch.optim.Optimizer, network: Network) -> set[str]:
    """Names of the weights that an optimiser pulls towards zero, found out by a step."""
    before = {n: p.detach().clone() for n, p in network.named_parameters()}
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    return {n for n, p in network.named_parameters() if not torch.equal(p, before[n])}


@pytest.mark.parametrize("backbone", ["compact", "test_vit"])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_what_decays_is_as_published(name, backbone):
    network = small(backbone)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(0.5, 1.0)
    matrices = {n for n, p in network.named_parameters() if p.ndim > 1}
    everything = {n for n, _ in network.named_parameters()}
    optimiser = make_optimiser(replace(STAGE, optimiser=name), network)
    expected = {"sgd": everything, "muon": decaying_with_muon(backbone, matrices)}
    assert decays(optimiser, network) == expected.get(name, matrices)


def decaying_with_muon(backbone: str, matrices: set[str]) -> set[str]:
    """Hidden layers: no first or last layer, no tokens, no positions."""
    outer = {
        "compact": {"backbone.stem.0.weight"},
        "test_vit": {
            "backbone.net.cls_token",
            "backbone.net.pos_embed",
            "backbone.net.patch_embed.proj.weight",
        },
    }
    assert outer[backbone] < matrices
    return matrices - outer[backbone] - {"output.weight"}


def test_muon_leaves_convolutions_of_single_channels_to_adam():
    network = small("test_efficientnet", 32)
    optimiser = make_optimiser(replace(STAGE, optimiser="muon"), network)
    depthwise = {
        id(m.weight) for m in network.modules() if getattr(m, "groups", 1) > 1
    }  # fmt: skip
    orthogonal = {id(p) for p in optimiser.param_groups[0]["params"]}
    assert depthwise
    assert not depthwise & orthogonal
    assert optimiser.param_groups[0]["orthogonal"]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_every_moving_weight_has_its_place_and_all_others_rest(name):
    network = small("test_vit")
    for trains, moving in (
        ("all", set(network.parameters())),
        ("output", set(network.output.parameters())),
        ("projector", {*network.hidden.parameters(), *network.output.parameters()}),
    ):
        stage = replace(STAGE, optimiser=name, trains=trains)
        groups = make_optimiser(stage, network).param_groups
        placed = [p for group in groups for p in group["params"]]
        assert len(placed) == len(moving)
        assert set(placed) == moving == {p for p in network.parameters() if p.requires_grad}


def plainly(value):
    """Write tensors of one element among the groups as numbers, as JSON needs them."""
    return value.item() if isinstance(value, Tensor) else value


@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_saved_state_goes_on_exactly(name):
    """States hold tensors and numbers alone, so that no pickle is needed to save them."""
    stage = replace(STAGE, optimiser=name)
    network, other = small(), small()
    optimiser = make_optimiser(stage, network)
    for step in (1, 2):
        give_gradients(network, step)
        optimiser.step()
    saved = optimiser.state_dict()
    for values in saved["state"].values():
        assert all(isinstance(v, Tensor | int | float) for v in values.values())
    groups = [{k: plainly(v) for k, v in group.items()} for group in saved["param_groups"]]
    state = {
        number: {k: v.clone() if isinstance(v, Tensor) else v for k, v in values.items()}
        for number, values in saved["state"].items()
    }
    other.load_state_dict(network.state_dict())
    resumed = make_optimiser(stage, other)
    resumed.load_state_dict({"state": state, "param_groups": json.loads(json.dumps(groups))})
    for step in (3, 4):
        for net, maker in ((network, optimiser), (other, resumed)):
            give_gradients(net, step)
            maker.step()
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_a_saved_state_is_laid_out_as_the_weights(name, fused, tmp_path):
    """A checkpoint knows one order in memory; kernels that fuse a step want the weights'."""
    stage = replace(STAGE, optimiser=name)

    def made() -> tuple[Network, torch.optim.Optimizer]:
        network = small().to(memory_format=torch.channels_last)
        optimiser = make_optimiser(stage, network)
        for group in optimiser.param_groups:
            if "fused" in group:
                group["fused"] = fused
        return network, optimiser

    def step(network: Network, optimiser: torch.optim.Optimizer, number: int) -> None:
        give_gradients(network, number)
        for weight in network.parameters():
            weight.grad = torch.empty_like(weight).copy_(weight.grad)
        optimiser.step()

    network, optimiser = made()
    for number in (1, 2):
        step(network, optimiser, number)
    path = tmp_path / "state.safetensors"
    write_state(path, {"network": network.state_dict(), "optimiser": optimiser.state_dict()})
    other, resumed = made()
    saved = read_state(path)
    other.load_state_dict(saved["network"])
    resumed.load_state_dict(saved["optimiser"])
    kept = [(w, v) for w, s in resumed.state.items() for v in s.values() if np.ndim(v)]
    assert kept
    assert all(value.stride() == weight.stride() for weight, value in kept)
    for number in (3, 4):
        step(network, optimiser, number)
        step(other, resumed, number)
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
@pytest.mark.parametrize("fused", [(None, True), (True, None)])
def test_a_saved_state_goes_on_with_the_kernels_of_another_device(name, fused):
    """Fused before, and not now, or the other way; a first step may overflow in float16."""
    (network, optimiser), (other, resumed) = (
        (net, make_optimiser(replace(STAGE, optimiser=name), net)) for net in (small(), small())
    )
    for one, kernel in zip((optimiser, resumed), fused, strict=True):
        for group in one.param_groups:
            group["fused"] = kernel
    for number in (1, 2):
        give_gradients(network, number)
        optimiser.step()
    other.load_state_dict(network.state_dict())
    resumed.load_state_dict(copy.deepcopy(optimiser.state_dict()))
    assert [group["fused"] for group in resumed.param_groups] == len(resumed.param_groups) * [
        fused[1]
    ]
    for net, one in ((network, optimiser), (other, resumed)):
        give_gradients(net, 3)
        one.step()
    for one, two in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-5, atol=1e-6)


def test_without_timm_only_lars_and_lamb_are_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    for name in ("sgd", "adamw", "muon"):
        make_optimiser(replace(STAGE, optimiser=name), small())
    for name in ("lars", "lamb"):
        with pytest.raises(MissingPackageError, match="pip install timm"):
            make_optimiser(replace(STAGE, optimiser=name), small())
