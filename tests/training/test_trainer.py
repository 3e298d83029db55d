"""Training from a caller's point of view: seeds, budgets, stops, errors, small sets."""

from __future__ import annotations

import re
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.errors import ConfigError, PatchError, TrainingError, TrainingStopped
from napari_patchmap.networks import device
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import describe_plan, fit, make_plan
from napari_patchmap.training.kept import Kept
from napari_patchmap.training.session import Session
from tests.conftest import Steps, make_cells


def config(**changes) -> RunConfig:
    return RunConfig(TrainConfig(**{"epochs": (4, 2, 2), "batch_size": 32, **changes}))


def part(cells: PatchSet, count: int) -> PatchSet:
    return PatchSet(cells.stack()[:count], cells.table[:count], cells.channel_names, name="few")


def test_a_map_of_drawn_cells_separates_their_kinds():
    run = fit(make_cells(120), config(epochs=(25, 5, 20), batch_size=60, device="cpu"))
    assert run.complete
    assert run.embedding.shape == (120, 2)
    assert run.embedding.dtype == np.float32
    assert run.features.shape[0] == 120
    assert run.metrics["knn"]["accuracy"] > 0.9
    assert list(run.history.columns) == [
        "stage",
        "epoch",
        "loss",
        "lr",
        "views_per_second",
        "seconds",
    ]
    assert sorted(run.history["stage"].unique()) == [1, 2, 3]
    first_stage = run.history[run.history["stage"] == 1]["loss"]
    assert first_stage.iloc[-1] < first_stage.iloc[0]


def test_same_seed_same_map_and_other_seed_other_map(cells):
    first = fit(cells, config(seed=3, device="cpu"))
    torch.rand(7)  # what the caller does with torch's generator does not matter
    again = fit(cells, config(seed=3, device="cpu"))
    other = fit(cells, config(seed=4, device="cpu"))
    assert np.array_equal(first.embedding, again.embedding)
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.embedding, other.embedding)


def test_looking_at_the_map_does_not_change_it(cells):
    seen = []
    settings = config(device="cpu", epochs=(6, 20, 6))
    watched = fit(
        cells,
        settings,
        progress=lambda p: seen.append(p) if p.embedding is not None else None,
        snapshot_seconds=0.0,
    )
    assert len(seen) >= 3
    assert all(p.embedding.shape == (60, 2) for p in seen)
    assert {p.stage for p in seen} == {1, 2, 3}
    assert np.array_equal(watched.embedding, fit(cells, settings).embedding)


def test_training_leaves_the_callers_randomness_alone(cells):
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    fit(cells, config(epochs=(1, 1, 1)))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("when", [0, 3, 9, 14])
def test_a_stop_in_any_stage_keeps_a_valid_run(cells, when, tmp_path):
    settings = config(device="cpu", precision="float32")  # others round otherwise
    run = fit(cells, settings, **Steps(when).given)
    assert not run.complete
    assert sum(run.info["steps"]) <= when
    assert run.embedding.shape == (60, 2)
    assert np.isfinite(run.embedding).all()
    assert len(np.unique(run.embedding, axis=0)) > 30
    assert np.allclose(run.transform(cells), run.embedding, atol=1e-5)


def test_a_time_budget_is_kept(hand_clock):
    run = fit(make_cells(400), RunConfig(TrainConfig(minutes=0.1)))
    assert 0.2 * 6 < run.info["seconds"] <= 6
    assert run.complete
    assert all(steps > 0 for steps in run.info["steps"])
    rates = run.history.groupby("stage")["lr"].last()
    for number, stage in enumerate(run.info["stages"], start=1):
        if run.info["steps"][number - 1] > 20:
            assert rates[number] < 0.2 * stage["lr"]


def test_a_plan_that_was_made_before_is_followed_while_it_holds(cells, monkeypatch):
    plan = make_plan(cells, config())

    def begin(settings):
        plans = []
        fit(cells, settings, plan=plan, planned=plans.append, should_stop=lambda: bool(plans))
        return plans[0] is plan

    assert begin(config())
    assert not begin(config(seed=5))
    monkeypatch.setattr("napari_patchmap.training.plan._HOLDS", 0.0)
    assert not begin(config())


def test_leaving_makes_no_map_and_the_run_can_be_resumed(cells, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(TrainingStopped, match="no map"):
        fit(cells, config(), folder=folder, **Steps(6, "should_leave").given)
    run = fit(cells, folder=folder, resume=True)
    assert run.complete
    assert np.array_equal(run.embedding, fit(cells, config()).embedding)


@pytest.mark.parametrize("method", ["simclr", "pixels"])
def test_leaving_while_the_map_is_made(cells, method):
    phases = []

    def leaves():
        return any("placing" in p or "features" in p or "laying" in p for p in phases)

    settings = config(method=method, epochs=(1,) if method == "simclr" else None)
    with pytest.raises(TrainingStopped, match="no map"):
        fit(cells, settings, progress=lambda p: phases.append(p.phase), should_leave=leaves)


def test_a_run_of_too_few_steps_says_so_with_its_figures():
    patches = make_cells(200)
    run = fit(patches, config(epochs=(0.5, 0.1, 0.1), batch_size=16))
    said = run.metrics["training"]["warning"]
    assert said == run.metrics["notes"][0]
    assert re.search(r"saw only 5\d % of the patches", said), said
    assert said in run.info["notes"]
    run = fit(patches, config(epochs=(1, 0.1, 0.1), batch_size=16))
    few = run.metrics["training"]["warning"]
    assert re.search(r"made only 1\d steps", few), few
    enough = fit(patches, config(epochs=(4, 0.1, 0.1), batch_size=16))
    assert enough.metrics["training"]["warning"] == ""


def test_few_patches_are_said_before_the_start(cells):
    assert "60 patches are few" in describe_plan(cells, config())
    assert "are few" not in describe_plan(make_cells(200), config())


def test_progress_counts_up_to_the_end(cells):
    reports = []
    fit(make_cells(200), config(epochs=(8, 2, 4), batch_size=50), progress=reports.append)
    fractions = [p.fraction for p in reports]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    stages = [p.stage for p in reports if p.stage]
    assert stages == sorted(stages)
    assert {1, 2, 3} == set(stages)
    assert reports[-1].phase == "measuring quality"
    trained = [p for p in reports if p.epoch > 0]
    assert all(p.loss > 0 and p.lr > 0 and p.views_per_second > 0 for p in trained)
    assert all(p.epoch <= p.epochs for p in trained)


def test_fewer_patches_than_a_batch_are_trained_in_one(cells):
    run = fit(part(cells, 12), config(batch_size=512))
    assert run.info["batch_size"] == 12
    assert run.embedding.shape == (12, 2)


def test_too_few_patches_are_one_sentence(cells):
    with pytest.raises(
        TrainingError, match=r"at least 10 patches, and there is only one in few"
    ):
        fit(part(cells, 1), config())


def test_identical_patches_are_one_sentence(cells):
    same = PatchSet(
        np.repeat(cells.stack()[:1], 20, axis=0),
        cells.table[:20],
        cells.channel_names,
        name="same",
    )
    with pytest.raises(TrainingError, match="All 20 patches of same are identical"):
        fit(same, config())


def test_grey_16_bit_patches_that_are_not_square(cells):
    images = cells.stack()[:, 2:, :, :1].astype(np.uint16) * 200 + 1000
    table = cells.table.assign(height=14)
    grey = PatchSet(images, table, ("grey",), name="grey")
    run = fit(grey, config())
    assert run.network.spec.size == (14, 16)
    assert np.isfinite(run.embedding).all()


def test_patches_larger_than_needed_are_trained_smaller():
    run = fit(make_cells(20, side=40), config(longest_side=20))
    assert run.network.spec.size == (20, 20)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
            "longest side or batch size",
        ),
        (MemoryError(), "smaller longest side"),
        (
            RuntimeError("cuDNN error: CUDNN_STATUS_NOT_SUPPORTED\n  at file.cpp"),
            "CUDNN_STATUS",
        ),
    ],
)
def test_device_errors_are_one_sentence(cells, monkeypatch, error, said):
    def fail(*_):
        raise error

    monkeypatch.setattr(Session, "_load_pixels", fail)
    with pytest.raises(TrainingError) as caught:
        fit(cells, config())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert fit(cells, config(epochs=(1, 1, 1))).complete  # and it can be tried again


def test_a_device_that_is_not_there_is_one_sentence(cells):
    with pytest.raises(TrainingError, match="choose device auto or cpu"):
        fit(cells, config(device="mps" if torch.cuda.is_available() else "cuda"))


def test_plan_says_network_stages_and_device(cells):
    text = describe_plan(cells, config(epochs=(4, 2, 2), device="cpu"))
    assert "8 epochs" in text
    assert "60 patches at 16 x 16 px" in text
    assert "compact" in text
    assert "CPU" in text
    assert "5 min 00 s in all" in describe_plan(cells, RunConfig(TrainConfig(minutes=5)))


def test_settings_out_of_range_are_one_sentence(cells):
    with pytest.raises(ConfigError, match="Batch size must be at least 2 patches"):
        TrainConfig(batch_size=1)
    with pytest.raises(ConfigError, match="Minutes must be a number"):
        TrainConfig(minutes="soon")
    with pytest.raises(ConfigError, match=r"Preset must be one of quick, standard, paper"):
        TrainConfig(preset="slow")
    with pytest.raises(TrainingError, match="three numbers of epochs"):
        fit(cells, replace(config(), train=TrainConfig(epochs=(1, 2))))


def test_pixels_that_are_streamed_give_the_same_map(cells):
    held = fit(cells, config(pixels="memory", device="cpu"))
    streamed = fit(cells, config(pixels="stream", device="cpu"))
    assert streamed.info["plan"]["streamed"]
    assert np.array_equal(held.embedding, streamed.embedding)
    assert np.array_equal(held.features, streamed.features)


def test_an_error_while_pixels_are_streamed_ends_the_training_in_one_sentence(cells):
    class Damaged(type(cells.images)):
        def take(self, indices):
            if threading.current_thread().name.startswith("patchmap-feed"):
                raise PatchError("cells.tif has become shorter; load it again.")
            return super().take(indices)

    damaged = replace(cells, images=Damaged(cells.stack()))
    with pytest.raises(PatchError, match="become shorter"):
        fit(damaged, config(pixels="stream"))
    assert not [t for t in threading.enumerate() if t.name.startswith("patchmap-feed")]


@pytest.mark.parametrize(("dimensions", "backbone"), [(3, "compact"), (5, "resnet18")])
def test_maps_may_have_more_dimensions(cells, dimensions, backbone, tmp_path):
    seen = []
    run = fit(
        cells,
        config(
            dimensions=dimensions,
            backbone=backbone,
            epochs=(1, 1, 1),
            batch_size=60,
            device="cpu",
            optimiser="sgd",  # of so wide a layer, Muon takes a second for each step
        ),
        progress=lambda p: seen.append(p.embedding) if p.embedding is not None else None,
        snapshot_seconds=0.0,
    )
    assert run.embedding.shape == (60, dimensions)
    assert all(e.shape == (60, dimensions) for e in seen)
    again = Run.load(run.save(tmp_path / "run"))
    assert np.allclose(again.embedding, run.embedding, rtol=1e-5)
    # Other memory layouts round otherwise in bfloat16.
    assert np.allclose(again.transform(cells), run.embedding, atol=0.03)


@pytest.mark.parametrize("hardware", [False, True])
def test_patches_are_placed_in_the_precision_that_this_computer_has(
    cells, monkeypatch, hardware
):
    """A run of a computer that computes bfloat16; emulated it takes seven times as long."""
    run = fit(cells, config(device="cpu", precision="bfloat16"))
    monkeypatch.setattr(device, "has_bfloat16", lambda target: hardware)
    placed = run.place(cells).embedding
    assert np.allclose(placed, run.embedding, atol=0.1 * np.ptp(run.embedding))
    exact = replace(run, info={**run.info, "half": None}).place(cells).embedding
    assert np.array_equal(placed, exact) is not hardware


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_precision_trains(precision):
    cells = make_cells(80)
    run = fit(cells, config(precision=precision, device="cpu", epochs=(6, 2, 2)))
    assert run.info["device"].endswith(f"{precision} (as set)")
    losses = run.history.loc[run.history["stage"] == 1, "loss"]
    assert losses.iloc[-1] < losses.iloc[0]
    assert np.isfinite(run.embedding).all()
    weights = run.network.state_dict()
    assert all(w.dtype == torch.float32 for w in weights.values() if w.is_floating_point())


def test_the_plan_says_when_the_time_is_too_short_for_the_network():
    patches = make_cells(400)
    # What is to be slow is the network, not a step of Muon, which is measured, too.
    slow = TrainConfig(
        minutes=0.1, backbone="resnet50-small-kernel", device="cpu", optimiser="sgd"
    )
    said = describe_plan(patches, RunConfig(slow))
    assert "too few to learn much" in said
    assert "take the compact network" in said
    enough = TrainConfig(minutes=5, device="cpu")
    assert "too few" not in describe_plan(patches, RunConfig(enough))


@pytest.mark.parametrize(("reason", "value"), [("MOST_AROUND", 0.01), ("TURNED_EPOCHS", 1e4)])
def test_too_little_time_to_turn_the_patches_is_spent_on_learning(
    cells, monkeypatch, reason, value
):
    monkeypatch.setattr(f"napari_patchmap.training.planning.{reason}", value)

    def settings(minutes: float) -> RunConfig:
        train = TrainConfig(minutes=minutes, device="cpu", batch_size=32)
        return RunConfig(train, AugmentConfig.preset("rotations"))

    assert "as it lies, not in its 8 orientations" in describe_plan(cells, settings(0.1))
    run = fit(cells, settings(0.1))
    assert run.complete
    assert run.symmetries == [(0, False)]
    assert "orientations" not in describe_plan(cells, settings(3_000))
    plan = make_plan(cells, settings(3_000))
    assert plan.recipe.average_symmetries
    # A run that is resumed goes on as it was planned, whatever the computer does by now.
    state = {"spec": plan.spec.to_dict(), "plan": plan.to_dict(), "parts": 1}
    assert make_plan(cells, settings(0.1), kept=Kept.of(state)).recipe.average_symmetries
    state["plan"] = make_plan(cells, settings(0.1)).to_dict()
    assert not make_plan(cells, settings(3_000), kept=Kept.of(state)).recipe.average_symmetries


def test_the_plan_says_how_long_it_takes_and_is_kept_with_the_run(cells):
    settings = config(epochs=(4, 2, 2), device="cpu")
    said = describe_plan(cells, settings)
    assert re.match(r"(about )?\d+ s.* for 8 epochs \(16 steps\)", said), said
    kept = fit(cells, settings).info["plan"]
    assert kept["steps"] == [8, 4, 4]
    assert kept["seconds"] > 0
    assert "for 8 epochs (16 steps)" in kept["lines"][0]


def test_a_resnet_that_was_begun_by_the_papers_recipe_goes_on_by_it(cells):
    asked = TrainConfig(method="simclr", backbone="resnet18", device="cpu", epochs=(2.0,))
    plan = make_plan(cells, RunConfig(asked))
    assert plan.recipe.stages[0].optimiser == "muon"
    state = {"spec": plan.spec.to_dict(), "plan": plan.to_dict(), "parts": 1}
    again = make_plan(cells, RunConfig(asked), kept=Kept.of(state))
    assert again.recipe == plan.recipe
    del state["plan"]["recipe"]  # as it was written before there was another recipe
    before = make_plan(cells, RunConfig(asked), kept=Kept.of(state))
    assert before.recipe.stages[0].optimiser == "sgd"
    assert not before.recipe.average_symmetries


@pytest.mark.parametrize("method", ["pixels", "simclr"])
def test_what_does_not_learn_on_is_planned_for_some_minutes(cells, method):
    plan = make_plan(cells, RunConfig(TrainConfig(method=method, device="cpu", minutes=2.0)))
    assert plan.held_out == 0
    assert not any("as a whole" in note for note in plan.notes)
