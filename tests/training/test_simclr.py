"""SimCLR and the t-SNE after it: the map, its budget, stopping and resuming, new images."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.errors import ConfigError, TrainingError
from napari_patchmap.find.search import Found
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.methods.catalog import METHODS
from napari_patchmap.methods.objectives import ViewsObjective
from napari_patchmap.networks.backbones import make_backbone
from napari_patchmap.networks.first_layer import first_layer_of, whiten_first_layer
from napari_patchmap.runs import Run, RunConfig, TrainConfig, is_unfinished
from napari_patchmap.training import fit, make_plan
from napari_patchmap.training.balance import balance_groups
from napari_patchmap.training.budget import layout_time
from tests.conftest import make_cells

QUICK = {"method": "simclr", "device": "cpu", "epochs": (3,), "batch_size": 20}


def config(**settings):
    return RunConfig(TrainConfig(**{**QUICK, **settings}))


@pytest.fixture(scope="module")
def run():
    return fit(make_cells(), config())


def test_the_papers_stage():
    method = METHODS["simclr"]
    recipe = method.make_recipe("paper", (1000,), 1024)
    (stage,) = recipe.stages
    assert (stage.objective, stage.trains) == (ViewsObjective("cosine", 0.5), "all")
    assert (stage.optimiser, stage.weight_decay, stage.dimensions) == ("sgd", 5e-4, 128)
    assert stage.lr == pytest.approx(0.12)
    assert stage.warmup * 1000 == pytest.approx(10)
    assert (recipe.hidden, recipe.norm, method.layout) == ((1024,), False, "tsne")
    assert method.preset_epochs("paper", "paper", 17_092) == (1000.0,)
    assert method.usual_batch("paper") == 1024


def test_the_first_layer_of_a_run_rests_on_pieces_of_its_own_patches(run, tmp_path):
    network = run.network
    assert network.spec.first_layer == "whitened"
    weight = first_layer_of(network.backbone).weight
    again = make_backbone("compact", 3, (16, 16), whitened=True)
    pixels = torch.from_numpy(make_cells().pixels(range(60), (16, 16)))
    whiten_first_layer(again, pixels / 255)
    paired = 2 * (len(weight) // 2)
    torch.testing.assert_close(first_layer_of(again).weight[:paired], weight[:paired])
    run.save(tmp_path / "run")
    assert torch.equal(
        first_layer_of(Run.load(tmp_path / "run").network.backbone).weight, weight
    )
    learned = fit(make_cells(), config(backbone="resnet18", batch_size=20, epochs=(0.1,)))
    assert learned.network.spec.first_layer == "learned"


def test_batches_can_be_balanced_over_a_column():
    cells = make_cells()
    cells.table["rare"] = np.where(np.arange(60) < 4, "yes", "no")
    plan = make_plan(cells, config(balance_by="rare"))
    assert "Each batch has as many patches of each of 2 values of rare." in plan.notes
    balanced, plain = (fit(cells, config(balance_by=name)) for name in ("rare", None))
    assert np.isfinite(balanced.embedding).all()
    assert not np.array_equal(balanced.features, plain.features)
    for column, said in (("nope", "no column nope"), ("source", "the same source")):
        with pytest.raises(TrainingError, match=said):
            make_plan(cells, config(balance_by=column))
    cells.table["each"] = [f"cell {at}" for at in range(60)]
    with pytest.raises(TrainingError, match="60 different values and a batch 20"):
        make_plan(cells, config(balance_by="each"))


def test_batches_can_be_balanced_over_groups_that_were_found(run, tmp_path):
    cells = make_cells()
    names = np.where(np.arange(60) < 6, "group 2", "group 1").astype(object)
    listed = pd.DataFrame({"index": [0, 30]})
    found = {"groups": Found({"group": names}, listed)}
    folder = replace(run, found=found).save(tmp_path / "first")
    column = f"{folder}:group"
    groups = balance_groups(cells, column, 20)
    assert sorted(np.flatnonzero(groups == groups[0])) == list(range(6))
    # Of some of the patches, in another order, each keeps its own.
    some = np.random.default_rng(0).permutation(60)[:40]
    own = balance_groups(cells.picked(some), column, 20)
    assert len({*zip(own.tolist(), (some < 6).tolist(), strict=True)}) == 2
    plan = make_plan(cells, config(balance_by=column))
    assert f"Each batch has as many patches of each of 2 values of {column}." in plan.notes
    three = config(method="tsimcne", epochs=(1, 1, 1), balance_by=column)
    assert "Only stages that learn from images are balanced" in " ".join(
        make_plan(cells, three).notes
    )
    with pytest.raises(TrainingError, match="has no column grup; choose one of source"):
        make_plan(cells, config(balance_by=f"{folder}:grup"))
    other = make_cells(seed=5)
    with pytest.raises(TrainingError, match="is of other patches"):
        make_plan(other, config(balance_by=column))


def test_the_map_is_the_tsne_of_the_features(run):
    assert (run.layout, run.complete) == ("tsne", True)
    assert run.features.shape[0] == run.embedding.shape[0] == 60
    wanted = run.config.train.tsne().lay_out(run.features, jobs=torch.get_num_threads())
    np.testing.assert_array_equal(run.embedding, wanted)
    assert set(run.history["stage"]) == {1}


def test_settings_of_the_tsne_are_followed(cells):
    plain, tight = (fit(cells, config(**s)) for s in ({}, {"exaggeration": 4.0}))
    np.testing.assert_array_equal(plain.features, tight.features)
    assert np.ptp(tight.embedding) < np.ptp(plain.embedding)
    flat = fit(cells, config(dimensions=3))
    assert flat.embedding.shape == (60, 3)


def test_the_temperature_is_followed(cells):
    usual, cold = (fit(cells, config(**s)) for s in ({}, {"temperature": 0.05}))
    assert not np.array_equal(usual.features, cold.features)
    assert cold.info["stages"][0]["temperature"] == 0.05


def test_a_saved_run_places_new_images(run, tmp_path, cells):
    run.save(tmp_path / "run")
    again = Run.load(tmp_path / "run")
    assert again.layout == "tsne"
    placed = again.transform(cells)
    assert placed.shape == (60, 2)
    # Its own patches come back to about where they are.
    apart = np.linalg.norm(placed - run.embedding, axis=1)
    assert np.median(apart) < 0.2 * np.ptp(run.embedding)
    np.testing.assert_array_equal(placed, again.transform(cells))


def test_a_stop_while_the_map_is_laid_out_keeps_it_and_is_resumed(run, tmp_path, cells):
    phases = []

    def stop():
        return any("100 of" in phase for phase in phases)

    folder = tmp_path / "run"
    stopped = fit(
        cells,
        config(),
        folder=folder,
        progress=lambda report: phases.append(report.phase),
        should_stop=stop,
    )
    assert not stopped.complete
    assert np.isfinite(stopped.embedding).all()
    assert not np.array_equal(stopped.embedding, run.embedding)
    assert is_unfinished(folder)
    stopped.save(folder)
    resumed = fit(cells, folder=folder, resume=True)
    assert resumed.complete
    np.testing.assert_array_equal(resumed.features, run.features)
    np.testing.assert_array_equal(resumed.embedding, run.embedding)


def test_progress_never_goes_back_and_shows_the_map(cells):
    reports = []
    fit(cells, config(), progress=reports.append, snapshot_seconds=0)
    fractions = [report.fraction for report in reports]
    assert fractions == sorted(fractions)
    laid_out = [r for r in reports if r.phase.startswith("laying out the map:")]
    assert laid_out[-1].seconds_left < laid_out[0].seconds_left or len(laid_out) == 1
    assert any(r.embedding is not None and r.embedding.shape == (60, 2) for r in laid_out)


def test_the_plan_counts_the_tsne(cells):
    plan = make_plan(cells, config())
    assert plan.times.seconds("layout").likely > 0
    other = make_plan(cells, config(method="tsimcne", epochs=(3, 1, 1)))
    assert other.times.seconds("layout").likely == 0
    assert re.match(r"about|\d+ m?s to ", plan.lines()[0])  # the latter on a busy computer


def test_histology_is_trained_as_published(cells):
    augment = AugmentConfig.preset("histology")
    settings = {"method": "simclr", "device": "cpu", "epochs": (1,)}
    resnet = TrainConfig(**settings, backbone="resnet18-small-kernel", preset="paper")
    plan = make_plan(cells, RunConfig(resnet, augment))
    (stage,) = plan.recipe.stages
    assert (stage.optimiser, stage.weight_decay) == ("lars", 1e-6)
    assert stage.objective.temperature == 0.1
    assert stage.batch_size == 60  # of 512 that were wanted
    assert any("published for histology" in note for note in plan.notes)
    own = resnet.replace(optimiser="adamw", temperature=0.3, batch_size=20)
    (stage,) = make_plan(cells, RunConfig(own, augment)).recipe.stages
    assert (stage.optimiser, stage.batch_size) == ("adamw", 20)
    assert stage.objective.temperature == 0.3
    plain = make_plan(cells, RunConfig(resnet, augment.without("blur")))
    assert plain.recipe.stages[0].optimiser == "sgd"
    hurried = make_plan(cells, RunConfig(resnet.replace(preset="quick"), augment))
    (stage,) = hurried.recipe.stages
    assert (stage.optimiser, stage.objective.temperature) == ("muon", 0.1)
    run = fit(cells, RunConfig(TrainConfig(**settings), augment))
    assert np.isfinite(run.embedding).all()


def test_what_does_not_fit_is_one_sentence(cells):
    with pytest.raises(TrainingError, match="SimCLR has one stage and needs one number"):
        make_plan(cells, config(epochs=(3, 1, 1)))
    with pytest.raises(TrainingError, match="t-SimCNE has three stages and needs three"):
        make_plan(cells, config(method="tsimcne"))
    with pytest.raises(ConfigError, match="maps of 2 or 3 dimensions, not of 5"):
        config(dimensions=5)


def test_the_last_exaggeration_is_within_the_minutes_that_are_given(monkeypatch, hand_clock):
    class Slow(Tsne):
        """Takes twice as long as was planned: 13 seconds."""

        def lay_out(self, features, *, watch, **given):
            def later(done, embedding):
                hand_clock.now += 0.15
                return watch(done, embedding)

            return super().lay_out(features, watch=later, **given)

    monkeypatch.setattr(layout_time, "_early_rate", lambda *_: 5.7e-5)
    monkeypatch.setattr(TrainConfig, "tsne", lambda self: Slow(last_exaggeration=2.0))
    run = fit(make_cells(), config(minutes=0.2, epochs=None))
    (note,) = [note for note in run.info["notes"] if "t-SNE" in note]
    assert "iterations of t-SNE were made before the last 100, not 750" in note
    assert int(note.split(": ")[1].split()[0]) > 50  # not at once
    assert run.info["seconds"] <= 12
    assert run.complete
