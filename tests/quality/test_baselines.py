"""What a map's figures can be compared with, and how sure scores of labels are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from napari_patchmap.cli import main
from napari_patchmap.quality import FIGURES, evaluate
from napari_patchmap.quality.asked import LABEL_FROM
from napari_patchmap.quality.baselines import FEATURES, PIXELS, RANDOM, measure_baselines
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.predicted import Predicted, mean_f1, mean_recall
from napari_patchmap.quality.silhouette import silhouette
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells


def groups(count=300, seed=0):
    """Return features of three groups, a map of their first two axes, and labels."""
    rng = np.random.default_rng(seed)
    kind = np.arange(count) % 3
    features = 4.0 * np.eye(6)[kind] + rng.normal(size=(count, 6))
    return FigureInput(features[:, :2], np.array(["a", "b", "c"])[kind], features)


def test_a_random_map_is_worse_than_the_map_and_features_are_better():
    given = groups()
    own = evaluate(given.embedding, given.labels, given.features)
    found = measure_baselines(given, pixels=given.features[:, [0, 3]])
    assert list(found) == [RANDOM, PIXELS, FEATURES]
    for figure in FIGURES:
        if figure.of_map:
            assert figure.of(found[RANDOM]) < figure.of(own)
            assert np.isfinite(figure.of(found[PIXELS]))
            assert "per_class" not in found[RANDOM][figure.key]
    assert found[RANDOM]["knn"]["accuracy"] == pytest.approx(1 / 3, abs=0.2)
    assert found[FEATURES]["knn"]["accuracy"] == own["knn_of_features"]["accuracy"]
    exact = silhouette(FigureInput(given.features, given.labels))["mean"]
    assert found[FEATURES]["silhouette"]["mean"] == pytest.approx(exact)


def test_without_labels_or_features_there_are_fewer():
    given = groups()
    unlabelled = measure_baselines(FigureInput(given.embedding, None, given.features))
    assert list(unlabelled) == [RANDOM]
    assert not {f.key for f in FIGURES if f.needs_labels} & set(unlabelled[RANDOM])
    alone = measure_baselines(FigureInput(given.embedding, given.labels))
    assert set(alone[RANDOM]) == {
        f.key for f in FIGURES if f.of_map and f.needs_labels and not f.needs_features
    }
    some = given.labels.copy()
    some[:200] = ""
    partly = measure_baselines(FigureInput(given.embedding, some, given.features))
    assert partly[RANDOM]["purity"]["n"] == 100


@pytest.mark.parametrize(
    ("score", "known"),
    [
        (mean_recall, balanced_accuracy_score),
        (mean_f1, lambda y, p: f1_score(y, p, average="macro", zero_division=0.0)),
    ],
)
def test_intervals_are_those_of_the_bootstrap(score, known):
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b", "c"], 150, p=(0.6, 0.3, 0.1))
    predicted = np.where(rng.random(150) < 0.7, labels, rng.choice(["a", "b", "c"], 150))
    drawn = [rng.integers(0, 150, 150) for _ in range(1000)]
    low, high = np.percentile([known(labels[i], predicted[i]) for i in drawn], (2.5, 97.5))
    found = Predicted(labels, predicted).interval(score)
    assert found["low"] == pytest.approx(low, abs=0.015)
    assert found["high"] == pytest.approx(high, abs=0.015)
    assert found["low"] < known(labels, predicted) < found["high"]


def test_the_command_line_compares_with_pixels(tmp_path, capsys):
    np.save(tmp_path / "cells.npy", make_cells(90).stack())
    folder = tmp_path / "run"
    data = str(tmp_path / "cells.npy")
    trained = ["embed", data, "--out", str(folder), "--method", "simclr", "--epochs", "1"]
    assert main([*trained, "--device", "cpu"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--baselines"]) == 0
    out = capsys.readouterr().out
    assert "To compare with:" in out
    assert "Share of 15 neighbours kept: random map " in out
    assert "; map of pixels " in out
    assert main(["evaluate", str(folder), "--json"]) == 0  # what is known stays
    assert {*json.loads(capsys.readouterr().out)["baselines"]} == {RANDOM, PIXELS, LABEL_FROM}
    # A map of pixels is not compared with itself.
    cells = make_cells(90)
    run = fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))
    run.save(tmp_path / "pixels")
    (tmp_path / "cells.npy").unlink()
    assert main(["evaluate", str(folder), "--baselines", "--images", data]) == 2
    assert "There is no" in capsys.readouterr().err
    assert "baselines" in Run.load(folder).metrics
