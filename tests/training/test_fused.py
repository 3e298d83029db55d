"""Compiled steps: the same numbers, tried without leaving a trace, given up in silence."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.device import Device, choose_device
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training import fused as module
from napari_patchmap.training.budget.speeds import recall, remember
from napari_patchmap.training.fused import fused, wants_fusing

CPU = choose_device("cpu", "float32")

WORK = "compiling a network"


@pytest.fixture
def network():
    torch.manual_seed(0)
    spec = NetworkSpec("compact", channels=3, size=(16, 16), hidden=(32,), norm=True, out_dim=8)
    return Network(spec).train()


@pytest.fixture
def views():
    return torch.rand(16, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def state(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_a_compiled_pass_gives_the_loss_and_gradients_of_the_plain_one(
    network, views, monkeypatch
):
    # However fast it is here; and a computer without a C++ compiler has this backend.
    monkeypatch.setattr(module, "_GAIN", float("inf"))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    plain = copy.deepcopy(network)
    before, random = state(network), torch.get_rng_state()
    fast = fused(network, views, CPU, WORK)
    assert fast is not None
    assert all(torch.equal(before[name], value) for name, value in state(network).items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert torch.equal(random, torch.get_rng_state())
    losses = [cauchy_infonce(call(views)) for call in (fast, plain)]
    for loss in losses:
        loss.backward()
    torch.testing.assert_close(losses[0], losses[1])
    for one, other in zip(network.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)
    for name, value in network.named_buffers():
        torch.testing.assert_close(value, plain.get_buffer(name))


def test_what_cannot_be_compiled_is_trained_as_it_is(cells, monkeypatch, capfd):
    def broken(*args, **kwargs):
        raise RuntimeError("no compiler on this computer")

    settings = {"device": "cpu", "epochs": (2, 1, 1), "batch_size": 20}
    wanted = fit(cells, RunConfig(TrainConfig(**settings)))
    monkeypatch.setattr(torch, "compile", broken)
    run = fit(cells, RunConfig(TrainConfig(**settings, compile="on")))
    assert (run.embedding == wanted.embedding).all()
    assert [note for note in run.info["notes"] if "so this map says little" not in note] == []
    assert "compiler" not in "".join(capfd.readouterr())


def test_what_is_not_faster_is_not_used(network, views, monkeypatch):
    monkeypatch.setattr(module, "_GAIN", 0.0)
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    assert fused(network, views, CPU, WORK) is None


def test_it_is_tried_where_it_may_pay(monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path))
    gpu = Device(torch.device("cuda"), torch.bfloat16, "a GPU")
    assert wants_fusing("auto", gpu, 3600.0, WORK)
    assert not wants_fusing("auto", gpu, 60.0, WORK)
    assert not wants_fusing("auto", CPU, 3600.0, WORK)
    assert wants_fusing("on", CPU, 1.0, WORK)
    assert not wants_fusing("off", gpu, 3600.0, WORK)
    remember({WORK: 5.0})  # it lies on disk
    assert wants_fusing("auto", gpu, 60.0, WORK)
    assert not wants_fusing("auto", gpu, 30.0, WORK)
    assert not wants_fusing("auto", gpu, 60.0, WORK + " another")


def test_what_compiling_took_is_remembered(network, views, monkeypatch, tmp_path):
    monkeypatch.setenv("PATCHMAP_CACHE", str(tmp_path))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    seconds = []
    for _ in range(2):
        fused(network, views, CPU, WORK)
        seconds.append(recall(WORK))
    assert all(found is not None and found > 0 for found in seconds)
