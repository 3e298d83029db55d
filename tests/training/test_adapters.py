"""A trained network learns on by adapters: what moves, what is kept, what is got again."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.runs import Run
from napari_patchmap.runs.what_it_sees import WhatItSees
from napari_patchmap.training import fit, judge
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.planning import make_plan
from napari_patchmap.training.trained_start import as_trained
from tests.conftest import make_cells
from tests.networks.made import FAMILIES, VIT, save
from tests.training.test_learn_on import begun, config

pytestmark = pytest.mark.slow


@pytest.fixture
def vit(tmp_path):
    return str(save(tmp_path / "net", *VIT))


def steps(run):
    """What each step of a run was, and whether it was kept."""
    return [(one["stage"], one["kept"]) for one in run.info["learned_on"]]


@pytest.mark.parametrize("family", ["ViT", "EfficientNet"])
def test_adapters_and_head_move_and_no_weight_of_the_network(family, tmp_path):
    folder = str(save(tmp_path / "net", *FAMILIES[family][:2]))
    plan, network, pixels = begun(folder, learn_on="adapters", adapter_rank=4)
    head, adapters = plan.recipe.stages
    assert (head.trains, adapters.trains, adapters.layer_decay) == ("head", "adapters", 1.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    optimiser = make_optimiser(replace(adapters, weight_decay=0.0), network.train())
    for _ in range(2):  # at first A has no gradient, for B is zero
        optimiser.zero_grad()
        network(pixels[:8].float() / 255).square().sum().backward()
        optimiser.step()
    now = network.state_dict()
    moved = [name.split(".") for name in now if not now[name].equal(before[name])]
    assert {name[1] for name in moved if name[0] == "backbone"} == {"low_rank", "adapter"}
    assert "output" in {name[0] for name in moved}
    assert all(one.grad is None for one in network.backbone.net.parameters())
    low_rank = network.backbone.low_rank
    assert {one.a.shape[0] for one in low_rank} == {4}
    assert any(one.b.abs().sum() > 0 for one in low_rank)


@pytest.mark.parametrize(
    ("method", "name", "weights"),
    [("simclr", "./net", None), ("dino", "test_vit", "net/model.safetensors")],
)
def test_a_run_keeps_what_was_learned_and_finds_the_network_again(
    method, name, weights, monkeypatch, tmp_path
):
    save(tmp_path / "net", "test_vit", {})
    monkeypatch.chdir(tmp_path)
    further = {"learn_on": "adapters", "learning_rate": 0.01}
    wanted = config(name, method=method, weights=weights, **further)
    run = fit(make_cells(), wanted)
    monkeypatch.chdir("/")
    assert steps(run) == [("learning the head", True), ("learning adapters of rank 8", True)]
    run.save(tmp_path / "run")
    base, file = tmp_path / "net" / "model.safetensors", "model.safetensors"
    kept, published = load_file(tmp_path / "run" / file), load_file(base)
    assert not any(".net." in name for name in kept)
    assert any(kept[name].abs().sum() > 0 for name in kept if name.endswith(".b"))
    place_again(run, tmp_path / "run", tmp_path / "copy")
    # Gone: the map opens, and says what is missing when it is wanted.
    base.rename(tmp_path / "elsewhere")
    opened = Run.load(tmp_path / "run")
    np.testing.assert_array_equal(opened.features, run.features)
    with pytest.raises(RunError, match=r"keeps what was learned beside .*, not that network"):
        opened.place(make_cells())
    # Another one in its place is not taken.
    save_file({name: value + 1 for name, value in published.items()}, base)
    with pytest.raises(RunError, match="not those that were used"):
        opened.place(make_cells())
    (tmp_path / "elsewhere").replace(base)
    placed = opened.place(make_cells())
    np.testing.assert_allclose(placed.features, run.features, rtol=1e-4, atol=1e-5)


def place_again(run, folder, other):
    """Place the patches of a saved run, look at one, and save it elsewhere before and after."""
    opened = Run.load(folder)
    opened.save(other)
    placed = Run.load(other).place(make_cells())
    np.testing.assert_allclose(placed.features, run.features, rtol=1e-4, atol=1e-5)
    sees = WhatItSees(opened, make_cells())
    now = WhatItSees(run, make_cells())
    some = np.array([3])
    np.testing.assert_allclose(sees.attended(some).maps, now.attended(some).maps, atol=1e-4)
    opened.save(other.with_name("after"))
    size = [(one / "model.safetensors").stat().st_size for one in (folder, other)]
    assert size == [(other.with_name("after") / "model.safetensors").stat().st_size] * 2


def test_where_all_of_the_network_moved_the_run_keeps_all_of_it(vit, monkeypatch, tmp_path):
    monkeypatch.setattr(judge, "_SURE", -1e9)  # everything helps
    run = fit(make_cells(), config(vit, learning_rate=1e-3, adapter_rank=2))
    assert steps(run)[1:] == [
        ("learning adapters of rank 2", True),
        ("learning all of the network", True),
    ]
    run.save(tmp_path / "run")
    published = load_file(tmp_path / "net" / "model.safetensors")
    for path in (tmp_path / "net").iterdir():
        path.unlink()
    kept = load_file(tmp_path / "run" / "model.safetensors")
    name = "blocks.0.mlp.fc1.bias"  # of which there is no adapter
    assert not kept[f"backbone.net.{name}"].equal(published[name])
    placed = Run.load(tmp_path / "run").place(make_cells())
    np.testing.assert_allclose(placed.features, run.features, rtol=1e-4, atol=1e-5)


def test_a_network_without_such_layers_says_so_and_auto_does_without_adapters():
    cells = make_cells()
    with pytest.raises(ConfigError, match=r"resnet18 has no linear layers .* choose blocks"):
        make_plan(cells, config("resnet18", learn_on="adapters"))
    left = config("resnet18", learn_on="auto").train
    assert as_trained(cells, left, "resnet18")[1].rank == 0
