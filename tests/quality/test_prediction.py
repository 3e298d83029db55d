"""How well a column is told for held-out patches."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import balanced_accuracy_score, f1_score, mean_absolute_error, r2_score
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import StandardScaler

from napari_patchmap.cli import main
from napari_patchmap.errors import QualityError
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.prediction import PredictionConfig, predict
from napari_patchmap.quality.prediction_words import prediction_lines, prediction_said
from napari_patchmap.quality.splits import SplitConfig, splits
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.onlooker import Onlooker

RNG = np.random.default_rng(0)


def blobs(count=400, classes=3, apart=3.0, seed=0):
    """Return features of classes, a map that shows two of their axes, and the classes."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(classes, count, p=None)
    centres = apart * rng.normal(size=(classes, 8))
    x = centres[kind] + rng.normal(size=(count, 8))
    return FigureInput(x[:, :2], features=x), pd.Series(np.array(list("abcdefgh"))[kind])


def config(repeats=3, share=0.2, **others):
    return PredictionConfig(share=share, repeats=repeats, **others)


def means(found, way):
    return {key: entry["mean"] for key, entry in found["scores"][way].items()}


def test_each_way_is_that_of_scikit_learn():
    given, labels = blobs(apart=1.0)
    found = predict(given, labels, config=config())
    x, y = given.features, labels.to_numpy(str)
    drawn = StratifiedShuffleSplit(3, test_size=80, random_state=0)
    near, linear = [], []
    for train, test in drawn.split(x, y):
        told = KNeighborsClassifier(15).fit(given.embedding[train], y[train])
        near.append(_scored(y[test], told.predict(given.embedding[test])))
        scaler = StandardScaler().fit(x[train])
        model = LogisticRegression(C=np.inf, solver="newton-cg", tol=1e-8, max_iter=5000)
        model.fit(scaler.transform(x[train]), y[train])
        linear.append(_scored(y[test], model.predict(scaler.transform(x[test]))))
    assert list(means(found, "15-NN, map").values()) == pytest.approx(np.mean(near, axis=0))
    own = list(means(found, "linear").values())
    assert own == pytest.approx(np.mean(linear, axis=0), abs=0.005)
    spread = found["scores"]["15-NN, map"]["accuracy"]["sd"]
    assert spread == pytest.approx(np.std([one[0] for one in near], ddof=1))
    assert found["test_n"] == 80


def _scored(y, told):
    f1 = f1_score(y, told, average="macro")
    return (y == told).mean(), balanced_accuracy_score(y, told), f1


def test_a_penalty_is_chosen_where_there_are_more_features_than_patches():
    rng = np.random.default_rng(0)
    labels = rng.choice(["a", "b"], 200)
    x = rng.normal(size=(200, 150))
    x[:, :5] += (labels == "b")[:, None]
    found = predict(FigureInput(x[:, :2], features=x), pd.Series(labels), config=config(5))
    free, held = (means(found, way) for way in ("linear", "linear, L2"))
    assert held["accuracy"] > free["accuracy"] + 0.02


def test_shuffled_values_are_told_no_better_than_by_guessing():
    given, labels = blobs()
    mixed = pd.Series(RNG.permutation(labels))
    found = predict(given, mixed, config=config(5))
    for way in found["scores"]:
        assert means(found, way)["balanced"] == pytest.approx(1 / 3, abs=0.08)
    assert "The map predicts no better than that." in prediction_said(found)
    true = predict(given, labels, config=config(5))
    assert "no better than that" not in prediction_said(true)
    assert means(true, "15-NN, map")["accuracy"] > 0.8


def patients(count=360, each=12, seed=0):
    """Return features that know the patient and hardly the label, which each has one of."""
    rng = np.random.default_rng(seed)
    patient = np.repeat(np.arange(count // each), each)
    label = rng.choice(["ill", "well"], count // each)[patient]
    x = 5.0 * rng.normal(size=(count // each, 8))[patient] + rng.normal(size=(count, 8))
    return FigureInput(x[:, :2], features=x), pd.Series(label), pd.Series(patient)


def test_groups_that_are_kept_apart_uncover_leakage():
    given, labels, patient = patients()
    chosen = config(10, k=5, apart="patient")
    found = predict(given, labels, patient, chosen)
    assert found["groups"] == 30
    apart = means(found, "5-NN, features")["accuracy"]
    mixed = found["mixed"]["5-NN, features"]["accuracy"]["mean"]
    assert apart < 0.7
    assert mixed > 0.95
    said = prediction_said(found)
    assert "With each patient on both sides it would seem to be" in said
    assert "the difference comes from recognising the patient" in said


def test_no_group_is_ever_on_both_sides_and_each_is_held_out_once_before_another():
    groups = RNG.choice(list("pqrstuv"), 200)
    held = []
    for train, test in splits(200, SplitConfig(0.3, 7), groups=groups):
        assert not set(groups[train]) & set(groups[test])
        assert len(train) + len(test) == 200
        held += sorted(set(groups[test]))
    assert {held.count(name) for name in "pqrstuv"} == {2}


def test_numbers_are_told_as_numbers():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 6))
    area = pd.Series(50 + 10 * x[:, 0] - 4 * x[:, 1] + rng.normal(size=300))
    area[7] = np.nan
    given = FigureInput(x[:, :2], features=x)
    found = predict(given, area, config=config(2, column="area"))
    assert found["numbers"]
    assert found["n"] == 299
    assert found["left_out"] == ["1 patches without a value in area are left out."]
    assert set(found["scores"]) == {"mean", "15-NN, map", "15-NN, features", "ridge, features"}
    ridge, mean = means(found, "ridge, features"), means(found, "mean")
    assert ridge["r2"] > 0.98
    assert ridge["mae"] == pytest.approx(0.8, abs=0.15)
    assert mean["r2"] == pytest.approx(0, abs=0.1)
    said = prediction_said(found)
    assert said.startswith(
        "The area of held-out patches is predicted from the map with a mean "
    )
    # Against scikit-learn, on one split spelled out.
    rows = np.flatnonzero(area.notna())
    y, errors = area.to_numpy()[rows], []
    for train, test in splits(299, SplitConfig(0.2, 2)):
        scaler = StandardScaler().fit(x[rows][train])
        model = RidgeCV(np.logspace(-2, 6, 17)).fit(scaler.transform(x[rows][train]), y[train])
        told = model.predict(scaler.transform(x[rows][test]))
        errors.append((mean_absolute_error(y[test], told), r2_score(y[test], told)))
    assert list(ridge.values()) == pytest.approx(np.mean(errors, axis=0))


def test_codes_and_yes_or_no_are_classes_and_labels_always():
    given, labels = blobs()
    codes = labels.map({"a": 3, "b": 5, "c": 9})
    assert not predict(given, codes, config=config(1, column="code"))["numbers"]
    assert not predict(given, labels == "a", config=config(1, column="is a"))["numbers"]
    numbered = pd.Series(RNG.normal(size=400).round(1))
    assert not predict(given, numbered, config=config(1, share=0.4))["numbers"]


def test_what_is_known_is_told_after_each_time_and_can_be_enough():
    given, labels = blobs()
    somebody = Onlooker(lambda heard: len(heard.known) == 2)
    found = predict(given, labels, config=config(9), watch=somebody.watch)
    assert somebody.steps == [(1, 9), (2, 9)]
    assert [known["repeats"] for known in somebody.known] == [1, 2]
    assert found["repeats"] == 2


@pytest.mark.parametrize(
    ("values", "others", "said"),
    [
        (["a"] * 40, {}, "does not have two values of two patches each"),
        ([f"own {i}" for i in range(40)], {}, "does not have two values of two patches each"),
        ([f"p{i // 2}" for i in range(40)], {}, "too few to hold out 20 % of them"),
        (["a", "b"] * 20, {"k": 33}, "too few to ask 33 neighbours; ask fewer"),
        (["a", "b"] * 20, {"k": 0}, "0 neighbours cannot be asked"),
        (["a", "b"] * 20, {"apart": "day"}, "1 group is too few to hold out"),
        (["a", "b"] * 20, {"apart": "label"}, "cannot be predicted and kept apart"),
    ],
)
def test_what_cannot_be_told_is_refused_in_a_sentence(values, others, said):
    x = RNG.normal(size=(40, 4))
    day = pd.Series(["monday"] * 40) if "apart" in others else None
    with pytest.raises(QualityError, match=said):
        predict(FigureInput(x[:, :2], features=x), pd.Series(values), day, config(2, **others))


@pytest.mark.parametrize(("share", "repeats"), [(0.0, 5), (1.0, 5), (0.1, 0), (0.1, 5000)])
def test_splits_that_make_no_sense_are_refused(share, repeats):
    with pytest.raises(QualityError):
        SplitConfig(share, repeats)


def test_missing_features_single_classes_and_constant_features_are_said():
    given, labels = blobs()
    labels[0], labels[1] = "alone", None
    bare = predict(FigureInput(given.embedding), labels, config=config(1))
    assert set(bare["scores"]) == {"most frequent", "15-NN, map"}
    assert bare["left_out"] == [
        "1 patches without a value in label are left out.",
        "Classes of a single patch are left out: alone.",
        "There are no features, so only the map is asked.",
    ]
    assert prediction_lines(bare)[-3:] == bare["left_out"]
    flat = FigureInput(given.embedding, features=np.ones((400, 8)))
    with pytest.raises(QualityError, match="the same features"):
        predict(flat, labels, config=config(1))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    cells = make_cells(120)
    table = cells.table.assign(
        patient=np.arange(120) // 6, area=cells.stack().mean(axis=(1, 2, 3)).astype(float)
    )
    run = fit(
        PatchSet(cells.stack(), table, cells.channel_names, name="cells"),
        RunConfig(TrainConfig(method="pixels", device="cpu")),
    )
    return run.save(tmp_path_factory.mktemp("prediction") / "run")


def test_the_command_line_tells_columns(saved, capsys):
    command = ["evaluate", str(saved), "--predict", "label", "--repeats", "2"]
    assert main([*command, "--neighbours", "5", "--held-out", "0.2"]) == 0
    out = capsys.readouterr().out
    assert "The label of held-out patches is predicted right for " in out
    assert "24 of 120 patches held out, 2 times; mean ± standard deviation:" in out
    assert "5-NN, features" in out
    assert Run.load(saved).metrics["prediction"]["k"] == 5
    assert main([*command, "--keep-apart", "patient"]) == 0
    assert "no patient (of 20) on both sides, 2 times" in capsys.readouterr().out
    number = ["evaluate", str(saved), "--predict", "area", "--repeats", "1", "--json"]
    assert main(number) == 0
    found = json.loads(capsys.readouterr().out)["prediction"]
    assert found["numbers"]
    assert found["scores"]["ridge, features"]["r2"]["mean"] > 0.5


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--predict", "lable"], "There is no column lable; choose one of "),
        (["--predict", "label", "--keep-apart", "patent"], "There is no column patent"),
        (["--predict", "label", "--held-out", "10"], "10 of the patches cannot be held out"),
        (["--predict", "label", "--repeats", "0"], "0 repeats are no number from 1 to 1,000"),
        (["--keep-apart", "patient"], "--keep-apart needs --predict"),
    ],
)
def test_the_command_line_refuses_before_it_measures(saved, capsys, asked, said):
    assert main(["evaluate", str(saved), *asked]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
