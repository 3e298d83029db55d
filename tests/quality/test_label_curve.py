"""How many labels are enough: classifiers of features with more and more labels."""

from __future__ import annotations

import copy
import dataclasses
import json

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import PowerTransformer
from sklearn.svm import SVC

from napari_patchmap.cli import main
from napari_patchmap.errors import QualityError
from napari_patchmap.patches import from_array
from napari_patchmap.quality import linear_layer
from napari_patchmap.quality.curve_words import curve_lines, curve_said
from napari_patchmap.quality.label_curve import (
    PUBLISHED,
    USUAL,
    CurveConfig,
    label_curve,
)
from napari_patchmap.quality.linear_layer import EarlyStoppedLayer
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.onlooker import Onlooker


def features(count=600, apart=2.0, seed=0):
    """Return features of three classes, one of them rare, and their labels."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(3, count, p=(0.6, 0.3, 0.1))
    centres = apart * rng.normal(size=(3, 10))
    x = centres[kind] + rng.normal(size=(count, 10)) ** 3  # skewed
    return x, np.array(["many", "some", "few"])[kind]


def test_more_labels_tell_more_and_bands_narrow():
    x, labels = features(900, apart=1.0)
    found = label_curve(x, labels, CurveConfig(repeats=4))
    assert found["sizes"] == [1, 5, 10, 25, 50, 100, 250, 500]
    assert tuple(found["curves"]) == USUAL
    for curve in found["curves"].values():
        means = curve["mean"]
        assert means[0] < means[3] < means[-1] + 0.02
        spread = np.subtract(curve["high"], curve["low"])
        assert spread[0] > spread[5]
        assert (np.array(curve["low"]) <= means).all()
        assert (means <= np.array(curve["high"])).all()
    assert found["small"] == ["few", "many", "some"]
    assert found["test_n"] == 270


def test_a_point_of_the_curve_is_that_of_the_published_protocol():
    x, labels = features()
    found = label_curve(x, labels, CurveConfig(repeats=2, classifiers=("SVM",)))
    rows = np.arange(len(x))
    train, test = train_test_split(rows, test_size=0.3, random_state=0, stratify=labels)
    power = PowerTransformer().fit(x[train])
    pca = PCA(random_state=0).fit(power.transform(x[train]))
    seen = pca.transform(power.transform(x))
    at, scores = found["sizes"].index(50), []
    for seed in range(2):
        rng = np.random.default_rng((seed, 50))
        own = [train[labels[train] == name] for name in ("few", "many", "some")]
        # One generator draws for one class after the other.
        some = np.concatenate([rng.permutation(one)[:50] for one in own])
        assert len(some) == 100 + min(50, len(own[0]))
        made = SVC(class_weight="balanced").fit(seen[some], labels[some])
        scores.append(balanced_accuracy_score(labels[test], made.predict(seen[test])))
    assert found["curves"]["SVM"]["mean"][at] == pytest.approx(np.mean(scores), abs=1e-9)


def plainly_trained(
    x, y, seed, at, *, epochs=500, batch=256, warm=250, wait=500, judged=40, look=100
):
    """Return the labels that the second paper's linear layer tells, in double precision."""
    rng = np.random.default_rng(seed)
    names, codes = np.unique(y, return_inverse=True)
    held = np.zeros(len(y), bool)
    for code in range(len(names)):
        own = rng.permutation(np.flatnonzero(codes == code))
        held[own[: round(0.3 * len(own))]] = True
    seen, known = torch.from_numpy(x[~held]), torch.from_numpy(codes[~held])
    layer = torch.nn.Linear(x.shape[1], len(names)).double()
    first = 0.02 * rng.standard_normal((x.shape[1], len(names))).clip(-2, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(first.T))
        layer.bias.zero_()
    optimiser = torch.optim.AdamW(layer.parameters(), lr=1e-4, weight_decay=0.05)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser, factor=0.5, patience=wait, cooldown=wait
    )
    weight = torch.bincount(known).double().reciprocal()
    weight /= weight.mean()
    optimiser.param_groups[0]["lr"] = 0.0
    patience = min(max(5 * len(y) // look, 250 // look), 2500 // look)
    batch = min(batch, len(seen))
    losses, best, limit, worse, kept, rates = [], 0, None, 0, None, set()
    for step in range(epochs * (len(seen) // batch)):
        start = step % (len(seen) // batch) * batch
        if not start:
            order = rng.permutation(len(seen))
        some = order[start : start + batch]
        loss = torch.nn.functional.cross_entropy(layer(seen[some]), known[some], weight=weight)
        optimiser.zero_grad()
        loss.backward()
        weights, slopes = layer.weight, layer.weight.grad
        parts = [*zip(weights, slopes, strict=True), (layer.bias, layer.bias.grad)]
        for part, slope in parts:
            most = 0.16 * max(part.norm().item(), 1e-3)
            if slope.norm() > most:
                slope.mul_(most / slope.norm())
        optimiser.step()
        losses = [*losses, loss.item()][-(len(seen) // batch) :]
        if step <= warm:
            optimiser.param_groups[0]["lr"] = 1e-4 * step / warm
        else:
            plateau.step(np.mean(losses))
        rates.add(optimiser.param_groups[0]["lr"])
        if step % look:
            continue
        told = layer(torch.from_numpy(x[held])).argmax(dim=1).numpy()
        score = balanced_accuracy_score(codes[held], told)
        if score >= best:
            best, kept = score, copy.deepcopy(layer)
        if step // look <= judged:
            limit = max(score, 1e-5)
        elif score > limit:
            better = (score - limit) / limit > 0.005
            limit, worse = (score, 0) if better else (limit, worse + 1)
        else:
            worse += 1
            if worse >= patience:
                break
    return names[kept(torch.from_numpy(at)).argmax(dim=1).numpy()], step, min(rates - {0.0})


def test_the_early_stopped_layer_is_the_published_one(monkeypatch):
    x, labels = features(1500, apart=0.7)
    told = EarlyStoppedLayer(3).fit(x[:200], labels[:200]).predict(x)
    wanted, steps, _ = plainly_trained(x[:200], labels[:200], 3, x)
    assert steps == 499
    assert (told == wanted).mean() > 0.998
    # The same where it comes to a lower rate and to the end sooner.
    for name, value in {
        "BATCH": 32,
        "WARM": 20,
        "PATIENCE": 60,
        "UNJUDGED": 3,
        "LOOK": 50,
    }.items():
        monkeypatch.setattr(linear_layer, f"_{name}", value)
    told = EarlyStoppedLayer(3).fit(x[:300], labels[:300]).predict(x)
    wanted, steps, rate = plainly_trained(
        x[:300], labels[:300], 3, x, batch=32, warm=20, wait=60, judged=3, look=50
    )
    assert 200 < steps < 2900
    assert rate < 5e-5
    assert (told == wanted).mean() > 0.998


def test_the_published_protocol_stops_its_linear_layer_early():
    x, labels = features(300)
    config = dataclasses.replace(PUBLISHED, repeats=2)
    found = label_curve(x, labels, config)
    assert list(found["curves"]) == [
        "SVM", "logistic regression", "10-NN", "early-stopped layer",
    ]  # fmt: skip
    assert found["curves"]["early-stopped layer"]["mean"][-1] > 0.5
    assert label_curve(x, labels, config) == found


def test_shuffled_labels_are_told_by_chance():
    x, labels = features(900)
    mixed = np.random.default_rng(1).permutation(labels)
    found = label_curve(x, mixed, CurveConfig(repeats=2))
    for curve in found["curves"].values():
        assert np.mean(curve["mean"]) == pytest.approx(1 / 3, abs=0.06)


@pytest.mark.parametrize("switched", [{"power": False}, {"pca": False}])
def test_transformations_can_be_left_out(switched):
    x, labels = features()
    usual = CurveConfig(repeats=2, classifiers=("10-NN",))
    other = label_curve(x, labels, CurveConfig(repeats=2, classifiers=("10-NN",), **switched))
    assert other["power"] is switched.get("power", True)
    if "power" in switched:
        assert other["curves"] != label_curve(x, labels, usual)["curves"]


def test_what_is_known_so_far_is_told_and_stays():
    x, labels = features()
    somebody = Onlooker(lambda heard: len(heard.known) == 2)
    config = CurveConfig(repeats=9, classifiers=("10-NN",))
    found = label_curve(x, labels, config, somebody.watch)
    assert somebody.steps == [(1, 9), (2, 9)]
    assert [known["repeats"] for known in somebody.known] == [1, 2]
    assert found["repeats"] == 2


def test_small_and_missing_classes_are_said():
    x, labels = features(300)
    labels = labels.astype(object)
    labels[labels == "few"] = "some"
    labels[:3], labels[3:10] = "rare", ""
    found = label_curve(x, labels.astype(str), CurveConfig(repeats=2, classifiers=("SVM",)))
    assert found["left_out"] == ["rare"]
    said = curve_said(found)
    assert "of each class reach 95 % of the best balanced accuracy" in said
    assert "give all they have: many, some." in said
    assert "Left out, with fewer than four patches: rare." in said
    lines = curve_lines(found)
    assert lines[0] == said
    assert lines[-1].strip().startswith("SVM")


@pytest.mark.parametrize("labels", [["one"] * 60, [str(i // 3) for i in range(60)], [""] * 60])
def test_labels_that_tell_nothing_are_refused(labels):
    with pytest.raises(QualityError, match="two classes of four patches"):
        label_curve(np.random.default_rng(0).normal(size=(60, 4)), np.array(labels))


def test_constant_features_are_refused_or_left_out():
    x, labels = features()
    with pytest.raises(QualityError, match="the same features"):
        label_curve(np.ones_like(x), labels)
    x[:, 3] = 7.0
    found = label_curve(x, labels, CurveConfig(repeats=1))
    assert np.isfinite(found["curves"]["SVM"]["mean"]).all()


def test_the_command_line_draws_it(tmp_path, capsys):
    run = fit(make_cells(90, side=8), RunConfig(TrainConfig(method="pixels", device="cpu")))
    folder = run.save(tmp_path / "run")
    assert main(["evaluate", str(folder), "--label-curve", "2"]) == 0
    out = capsys.readouterr().out
    assert "Balanced accuracy in % by labels of each class (2 draws, 27 patches tested" in out
    assert main(["evaluate", str(folder), "--json"]) == 0  # what is known stays
    assert json.loads(capsys.readouterr().out)["label_curve"]["repeats"] == 2
    early = ["evaluate", str(folder), "--label-curve", "1", "--curve-stopped-early"]
    assert main(early) == 0
    assert "early-stopped layer" in capsys.readouterr().out
    assert main(["evaluate", str(folder), "--label-curve", "0"]) == 2
    assert "0 draws are no number" in capsys.readouterr().err
    bare = fit(
        from_array(make_cells(60).stack(), name="no labels"),
        RunConfig(TrainConfig(method="pixels", device="cpu")),
    ).save(tmp_path / "bare")
    assert main(["evaluate", str(bare), "--label-curve"]) == 2
    assert "has no labels, so there is no label curve" in capsys.readouterr().err
