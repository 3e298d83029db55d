"""Compiled steps: the same numbers, tried without leaving a trace, given up in silence."""

from __future__ import annotations

import copy
from functools import partial

import pytest
import torch

from napari_patchmap.augment import AugmentConfig, ViewMaker
from napari_patchmap.augment.both_views import BothViews, pair_of
from napari_patchmap.methods.coarse import WHOLE
from napari_patchmap.methods.losses import cauchy_infonce
from napari_patchmap.methods.recipe import RecipeRequest
from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.device import Device, choose_device
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training import fused as module
from napari_patchmap.training.budget.speeds import recall, remember
from napari_patchmap.training.fused import Fuser, wants_fusing
from tests.conftest import Steps

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


def compile_always(monkeypatch, backend="aot_eager"):
    monkeypatch.setattr(module, "_GAIN", float("inf"))
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=backend))


def test_a_compiled_pass_gives_the_loss_and_gradients_of_the_plain_one(
    network, views, monkeypatch
):
    # However fast it is here; and a computer without a C++ compiler has this backend.
    compile_always(monkeypatch)
    plain = copy.deepcopy(network)
    before, random = state(network), torch.get_rng_state()
    fast = Fuser(CPU, WORK).network(network, views)
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
    assert Fuser(CPU, WORK).network(network, views) is None


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
        Fuser(CPU, WORK).network(network, views)
        seconds.append(recall(WORK))
    assert all(found is not None and found > 0 for found in seconds)


def test_compiled_views_are_the_plain_ones(monkeypatch):
    """Whatever is drawn, and however strong views are, by one program."""
    compile_always(monkeypatch)
    maker = ViewMaker(AugmentConfig.preset("histology"), is_rgb=True, fill=[9, 90, 200])
    patches = torch.randint(256, (8, 3, 16, 12), dtype=torch.uint8)
    make, lot = Fuser(CPU, WORK).views(maker, patches), torch.Generator()
    assert make is not None
    with torch._dynamo.config.patch(error_on_recompile=True):
        for seed in range(8):
            maker.strength = 1 - seed / 10
            wanted = pair_of(maker, patches, lot.manual_seed(seed))
            found = make(patches, lot.manual_seed(seed))
            torch.testing.assert_close(found, wanted, atol=5e-5, rtol=0)
            assert found.stride() == wanted.stride()


def test_a_run_is_trained_with_compiled_views_and_resumed_with_them(
    cells, monkeypatch, tmp_path
):
    compile_always(monkeypatch)
    made = []
    call = BothViews.__call__
    monkeypatch.setattr(
        BothViews, "__call__", lambda self, *given: made.append(1) or call(self, *given)
    )
    # Small views, with which a quick training begins, are not compiled.
    monkeypatch.setattr(RecipeRequest, "coarse", WHOLE)
    settings = {"method": "simclr", "device": "cpu", "epochs": (3,), "batch_size": 20}
    whole = fit(cells, RunConfig(TrainConfig(**settings, compile="on")))
    assert len(made) > whole.info["steps"][0]
    config = RunConfig(TrainConfig(**settings, compile="on"))
    fit(cells, config, folder=tmp_path, **Steps(3).given)
    monkeypatch.setattr(module, "_GAIN", 0.0)  # it would not be chosen, but is kept
    resumed = fit(cells, config, folder=tmp_path, resume=True)
    assert (resumed.embedding == whole.embedding).all()


def test_a_later_training_is_compiled_too(network, views, monkeypatch):
    """Torch compiles a function eight times, here twice, and not again."""
    compiled = []

    def note(graph, inputs):
        compiled.append(1)
        return graph

    compile_always(monkeypatch, note)
    with torch._dynamo.config.patch(recompile_limit=2):
        for trained in range(1, 5):
            again = copy.deepcopy(network)
            Fuser(CPU, WORK).network(again, views)
            assert len(compiled) >= trained
