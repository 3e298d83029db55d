"""A run with a network of timm is saved, opened and used like any other."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from napari_patchmap.errors import ConfigError, MissingPackageError
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import describe_plan, fit
from tests.conftest import Steps, make_cells

pytestmark = pytest.mark.slow


def config(**changes) -> RunConfig:
    settings = {"epochs": (2, 1, 1), "batch_size": 32, "device": "cpu"}
    return RunConfig(TrainConfig(**{**settings, **changes}))


@pytest.mark.parametrize(
    ("backbone", "optimiser", "features"),
    [("timm:test_resnet", "lamb", 96), ("test_vit", "adamw", 64)],
)
def test_a_run_comes_back_whole(backbone, optimiser, features, tmp_path, monkeypatch):
    cells = make_cells()
    chosen = config(backbone=backbone, optimiser=optimiser, learning_rate=1e-3)
    run = fit(cells, chosen)
    folder = run.save(tmp_path / "run")
    saved = json.loads((folder / "config.json").read_text())
    assert saved["network"]["backbone"] == backbone
    again = Run.load(folder)
    assert again.config == chosen
    assert again.features.shape == (60, features)
    assert np.abs(again.transform(cells) - run.embedding).max() < 1e-3 * np.ptp(run.embedding)
    # Where timm is missing, the run is not called damaged.
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(MissingPackageError, match="pip install timm"):
        Run.load(folder)


def test_the_chosen_optimiser_is_planned_and_written_down():
    cells = make_cells()
    chosen = config(backbone="compact", optimiser="lars", weight_decay=1e-3)
    assert "network compact, optimiser lars at a rate of 0.037" in describe_plan(cells, chosen)
    stages = fit(cells, chosen).info["stages"]
    assert [s["optimiser"] for s in stages] == ["lars", "muon", "lars"]
    assert [s["weight_decay"] for s in stages] == [1e-3, 0.01, 1e-3]
    usual = fit(cells, config(backbone="compact")).info["stages"]
    assert [s["optimiser"] for s in usual] == ["muon", "muon", "adamw"]


def test_patches_that_do_not_suit_the_network_end_the_run_in_one_sentence():
    with pytest.raises(ConfigError, match="cannot take patches of 20 x 20 px, but 16 x 16 px"):
        fit(make_cells(side=20), config(backbone="test_vit"))


@pytest.mark.parametrize("optimiser", ["lars", "lamb"])
def test_a_stopped_run_goes_on_to_the_same_result(optimiser, tmp_path):
    cells = make_cells()
    chosen = config(backbone="test_resnet", optimiser=optimiser, epochs=(4, 1, 1))
    straight = fit(cells, chosen)
    part = fit(cells, chosen, folder=tmp_path, **Steps(7).given)
    assert not part.complete
    resumed = fit(cells, folder=tmp_path, resume=True)
    assert resumed.complete
    assert np.array_equal(resumed.embedding, straight.embedding)
