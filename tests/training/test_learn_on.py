"""Networks of others learn on: what moves and how fast, what is undone, what is kept."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_patchmap.augment import ViewMaker
from napari_patchmap.cli import main
from napari_patchmap.errors import ConfigError, RunError, TrainingError
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.distillation import Distillation
from napari_patchmap.methods.learn_on import learned_on
from napari_patchmap.methods.recipe import kind_of
from napari_patchmap.networks import Network
from napari_patchmap.networks.inference import infer
from napari_patchmap.networks.trained.learned_on import LearnedOn
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit, judge
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.budget.speeds import Seconds
from napari_patchmap.training.control import Control
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.feed import BalancedBatches, Batches, SomeBatches
from napari_patchmap.training.judge import Judge
from napari_patchmap.training.new_network import make_network
from napari_patchmap.training.optimisers import make_optimiser
from napari_patchmap.training.planning import make_plan
from napari_patchmap.training.reporter import Reporter
from napari_patchmap.training.trained_start import steps_in_time
from tests.conftest import make_cells
from tests.networks.test_trained import FAMILIES, save

pytestmark = pytest.mark.slow

QUICK = {"method": "simclr", "device": "cpu", "precision": "float32", "epochs": (3.0,),
         "batch_size": 16, "input_side": 32}  # fmt: skip


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    architecture, arguments, _ = FAMILIES["ViT"]
    arguments = {**arguments, "depth": 4}
    return str(save(tmp_path_factory.mktemp("nets") / "vit", architecture, arguments))


def config(folder, **settings):
    return RunConfig(TrainConfig(**{**QUICK, "backbone": folder, **settings}))


def begun(folder, **settings):
    """The plan of a run, and its network as it begins."""
    plan = make_plan(make_cells(), config(folder, **settings))
    pixels = torch.from_numpy(make_cells().stack()).permute(0, 3, 1, 2).contiguous()
    device = torch.device("cpu")
    network, _ = make_network(plan.spec, pixels, None, lambda said: None, device)
    return plan, network, pixels


def never(monkeypatch):
    """Let nothing help."""
    monkeypatch.setattr(judge, "_SURE", 1e9)


# -- what moves ----------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["ViT", "ConvNeXt", "ResNet", "EfficientNet"])
def test_the_last_blocks_move_the_first_ones_more_slowly(family, tmp_path):
    architecture, arguments, _ = FAMILIES[family]
    folder = str(save(tmp_path / "net", architecture, arguments))
    plan, network, pixels = begun(folder, learn_on="all", layer_decay=0.5)
    head, blocks, whole = plan.recipe.stages
    images = pixels[:8].float() / 255
    before = {name: p.clone() for name, p in network.named_parameters()}
    moved, rates = {}, {}
    for stage in (head, blocks, whole):
        optimiser = make_optimiser(replace(stage, weight_decay=0.0), network.train())
        for group in optimiser.param_groups:
            group["lr"] = 1e-3 * group.get("scale", 1.0)
            rates |= {id(p): group.get("scale", 1.0) for p in group["params"]}
        network.load_state_dict({**network.state_dict(), **before})
        network(images).square().sum().backward()
        optimiser.step()
        network.zero_grad()
        moved[stage.trains] = {
            name for name, p in network.named_parameters() if not p.equal(before[name])
        }
    numbers = network.backbone.blocks()
    inside = {name: numbers[p] for name, p in network.named_parameters() if ".net." in name}
    last = max(inside.values())
    assert not any(".net." in name for name in moved["head"])
    assert "output.weight" in moved["head"]
    found = {inside[name] for name in moved["blocks"] if name in inside}
    assert found == set(range(last - blocks.last_blocks + 1, last + 1))
    assert {inside[name] for name in moved["all"] if name in inside} == set(range(last + 1))
    for name, p in network.named_parameters():
        wanted = 0.5 ** (last + 1 - inside[name]) if name in inside else 1.0
        assert rates[id(p)] == pytest.approx(wanted)


@pytest.mark.parametrize("optimiser", ["sgd", "lars", "lamb", "muon"])
def test_any_optimiser_has_a_rate_for_each_block(vit, optimiser):
    plan, network, _ = begun(vit, learn_on="all", optimiser=optimiser, layer_decay=0.5)
    made = make_optimiser(plan.recipe.stages[-1], network)
    count = sum(len(group["params"]) for group in made.param_groups)
    assert count == len(list(network.parameters()))
    assert {group["scale"] for group in made.param_groups} == {0.5**k for k in range(6)}


def test_it_begins_as_it_came_and_learns_as_it_looks(tmp_path):
    folder = str(save(tmp_path / "net", "test_resnet", {}))
    _, network, pixels = begun(folder)
    came = begun(folder, method="pretrained", epochs=None)[1]
    wanted, _ = infer(came, pixels)
    assert np.abs(wanted).max() > 1e-3
    np.testing.assert_array_equal(infer(network, pixels)[0], wanted)
    network.train()
    with torch.no_grad():
        learning = network.features(pixels.float() / 255)
    np.testing.assert_allclose(learning, wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(infer(network, pixels)[0], wanted)  # statistics stayed


# -- the recipe ----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["simclr", "tsimcne", "dino"])
def test_each_method_takes_its_first_stage_step_by_step(method):
    known = METHODS[method]
    epochs = (10.0,) * len(known.stages)
    usual = known.make_recipe(kind_of("learned:x", "quick"), epochs, 64)
    recipe = learned_on(usual, "auto", 12, None, 0.75, 64)
    head, blocks, whole, *later = recipe.stages
    assert [s.trains for s in (head, blocks, whole)] == ["head", "blocks", "all"]
    assert (blocks.last_blocks, blocks.layer_decay) == (4, 0.75)
    assert sum(s.epochs for s in (head, blocks, whole)) == pytest.approx(10)
    assert sum(s.share for s in recipe.stages) == pytest.approx(1)
    assert len(later) == len(known.stages) - 1
    assert not any(s.learns_features for s in later)  # judged features stay
    assert isinstance(whole.objective, Distillation) == (method == "dino")
    adapted = learned_on(usual, "auto", 12, None, 0.75, 64, rank=8).stages
    assert [s.trains for s in adapted if s.judged] == ["head", "adapters", "all"]
    only = learned_on(usual, "blocks", 12, 2, 0.75, 64).stages
    assert [s.trains for s in only if s.judged] == ["head", "blocks"]
    assert (only[1].last_blocks, only[1].judged) == (2, "told")


def test_settings_that_do_not_go_together_are_one_sentence(vit):
    for settings, said in (
        ({"method": "pretrained", "epochs": None, "learn_on": "all"}, "learns nothing"),
        ({"learn_on": "none"}, "laid out by the method pretrained"),
        ({"backbone": None, "learn_on": "head"}, "backbone .patchmap networks lists"),
        ({"backbone": "resnet18-small-kernel", "learn_on": "all"}, "no network"),
    ):
        with pytest.raises(ConfigError, match=said):
            config(vit, **settings)
    assert config(vit).train.learns_on == "auto"
    assert config("resnet18").train.learns_on is None
    with pytest.raises(TrainingError, match="SimCLR trains a network further in one process"):
        make_plan(make_cells(), config(vit), Ranks(rank=0, world=2, device="cpu"))


def test_time_is_kept_for_asking_whether_it_helps(vit):
    plan = make_plan(make_cells(120), config(vit, epochs=None, minutes=2.0))
    assert plan.held_out == 12
    for stage in range(3):
        assert plan.times.seconds("judging", stage).likely > 0
    assert ("judging", 2) in plan.times.after_training
    assert any("goes on learning" in line for line in plan.lines())
    short = replace(plan, times=replace(plan.times, step=(Seconds.about(5.0),) * 3))
    assert (steps_in_time(plan), steps_in_time(short)) == (3, 1)


# -- patches held out ----------------------------------------------------------------------


def test_patches_that_are_held_out_are_never_drawn():
    rows = torch.tensor([1, 3, 4, 8, 9, 11])
    batches = SomeBatches(Batches(6, 2, seed=0), rows)
    drawn = torch.cat([batches.draw() for _ in range(3)])
    assert sorted(drawn.tolist()) == rows.tolist()
    balanced = SomeBatches(BalancedBatches(np.array([0, 0, 0, 0, 1, 1]), 4, 0), rows)
    for _ in range(3):
        assert len({*balanced.draw().tolist()} & {9, 11}) == 2
    again = SomeBatches(Batches(6, 2, seed=0), rows)
    again.skip(2)
    assert torch.equal(again.draw(), drawn[4:])


def test_what_helps_is_kept_and_what_does_not_is_undone(tmp_path):
    folder = str(save(tmp_path / "net", "test_resnet", {}))
    some = np.random.default_rng(0).integers(0, 256, (120, 1, 1, 3), np.uint8)
    cells = replace(make_cells(120), images=some.repeat(16, axis=1).repeat(16, axis=2))
    # Whitening would take away what makes the one network worse.
    plan = make_plan(cells, config(folder, whitening=0.0, tsne_metric="euclidean"))
    pixels = torch.from_numpy(cells.stack()).permute(0, 3, 1, 2).contiguous()
    network, _ = make_network(plan.spec, pixels, None, lambda _: None, torch.device("cpu"))
    network.eval()
    weak = plan.config.augment.weakened(0.1)
    maker = ViewMaker(weak, is_rgb=True, fill=np.zeros(3, np.float32))
    good = {name: value.clone() for name, value in network.state_dict().items()}
    stage, clock = plan.recipe.stages[1], Clock()
    control = Control(None, None, None, clock, Ranks())
    for first, then, kept in (("bad", "good", True), ("good", "bad", False)):
        reporter = Reporter(None, clock, plan)
        reporter.begin_stage(1, None)
        asked = Judge(plan, pixels, maker, reporter, control)
        set_to(network, good, first)
        before = {name: value.clone() for name, value in network.state_dict().items()}
        asked.begin(1, network)
        set_to(network, good, then)
        asked.end(1, network)
        (record,), (said,) = asked.records, reporter.notes
        assert (record["kept"], record["helped"]) == (kept, kept), said
        assert ("kept" in said, "undone" in said) == (kept, not kept)
        now = network.state_dict()
        same = all(value.equal(before[name]) for name, value in now.items())
        assert same is not kept
    assert not asked.leaves_out(1, 1e3)
    assert asked.leaves_out(1, 0.0)
    assert asked.records[-1] == {"stage": stage.name, "kept": False, "left_out": True}
    assert "There was no time for learning the last" in reporter.notes[-1]


def set_to(network: Network, good, which):
    """Let features be those of the network, or nearly the same for all patches."""
    network.load_state_dict(good)
    assert isinstance(network.backbone, LearnedOn)
    if which == "bad":
        with torch.no_grad():
            # Of rectified numbers that are about the same for all, much is added.
            first, last = network.backbone.adapter.layers[0], network.backbone.adapter.layers[2]
            first.bias.fill_(1e4)
            last.weight.normal_(generator=torch.Generator().manual_seed(0))


# -- runs ----------------------------------------------------------------------------------


def test_where_no_step_helps_the_features_are_those_of_the_network_as_it_came(vit, monkeypatch):
    never(monkeypatch)
    came = fit(make_cells(), config(vit, method="pretrained", epochs=None))
    run = fit(make_cells(), config(vit, learning_rate=0.01))
    np.testing.assert_array_equal(run.features, came.features)
    known = run.metrics["training"]["learned_on"]
    assert known == run.info["learned_on"]
    assert [one["kept"] for one in known] == [False] * 3
    assert known[1]["stage"] == "learning adapters of rank 8"
    assert all(one.b.abs().sum() == 0 for one in run.network.backbone.low_rank)
    assert all(1 <= one["before"] <= 18 and one["patches"] == 6 for one in known)
    assert sum("so it was undone" in note for note in run.info["notes"]) == 3
    assert run.complete


class Killed(BaseException):
    """As if the process had ended."""


@pytest.mark.parametrize(("stage", "asked"), [(1, "all"), (1, "adapters"), (2, "auto")])
def test_a_run_that_is_killed_inside_a_step_goes_on_to_the_same_map(
    vit, stage, asked, monkeypatch, tmp_path
):
    never(monkeypatch)
    wanted = config(vit, learn_on=asked, checkpoint_every=0.0, learning_rate=0.01)
    straight = fit(make_cells(), wanted)

    def kill(progress):
        if progress.stage == stage and progress.loss == progress.loss and progress.epoch > 0.4:
            raise Killed

    monkeypatch.setattr("napari_patchmap.training.reporter._EVERY", 0.0)
    with pytest.raises(Killed):
        fit(make_cells(), wanted, folder=tmp_path / "run", progress=kill)
    run = fit(make_cells(), None, folder=tmp_path / "run", resume=True)
    weights, others = run.network.state_dict(), straight.network.state_dict()
    assert [name for name in weights if not weights[name].equal(others[name])] == []
    np.testing.assert_array_equal(run.features, straight.features)
    assert run.info["learned_on"] == straight.info["learned_on"]


@pytest.mark.parametrize(
    ("method", "family", "epochs"),
    [("dino", "ResNet", (1.0,)), ("tsimcne", "ConvNeXt", (1.0, 1.0, 1.0))],
)
def test_a_saved_run_places_images_as_it_learned_them(method, family, epochs, tmp_path):
    folder = save(tmp_path / "net", *FAMILIES[family][:2])
    wanted = config(str(folder), method=method, epochs=epochs, learn_on="all")
    run = fit(make_cells(), wanted)
    for path in folder.iterdir():
        path.unlink()
    run.save(tmp_path / "run")
    written = tmp_path / "run" / "config.json"
    values = json.loads(written.read_text())
    # As runs were written before there were adapters.
    del values["network"]["trained"]["rank"], values["config"]["train"]["adapter_rank"]
    written.write_text(json.dumps(values))
    placed = Run.load(tmp_path / "run").place(make_cells())
    np.testing.assert_allclose(placed.features, run.features, rtol=1e-4, atol=1e-5)
    if method == "tsimcne":
        np.testing.assert_allclose(placed.embedding, run.embedding, rtol=1e-3, atol=1e-3)
    values["network"]["trained"]["mean"] = [0.1, 0.1, 0.1]
    written.write_text(json.dumps(values))
    with pytest.raises(RunError, match="images would be prepared otherwise"):
        Run.load(tmp_path / "run").place(make_cells())


def test_the_command_line_says_what_each_step_was_worth(vit, tmp_path, capsys):
    np.save(tmp_path / "cells.npy", make_cells(40).stack())
    arguments = ["embed", str(tmp_path / "cells.npy"), "--out", str(tmp_path / "run")]
    arguments += ["--method", "simclr", "--backbone", vit, "--learn-on", "head"]
    arguments += ["--input-side", "32", "--epochs", "1", "--batch-size", "16"]
    assert main([*arguments, "--device", "cpu"]) == 0
    said = capsys.readouterr()
    assert "After learning the head, the second view of a patch held out" in said.out + said.err
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    assert saved["config"]["train"]["learn_on"] == "head"
    (record,) = saved["training"]["learned_on"]
    assert record["stage"] == "learning the head"
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["training"]["learned_on"] == [record]
