"""Figures that need no labels: scikit-learn's on small sets, and right where that is known."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import trustworthiness
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.quality import FIGURES as LISTED
from napari_patchmap.quality import evaluate
from napari_patchmap.quality.figure import FigureInput, mean_entry, share_entry
from napari_patchmap.quality.neighbourhood import neighbourhood
from napari_patchmap.quality.report import measure
from tests.onlooker import Onlooker

#: Of all patches; the others are means of these.
FIGURES = (
    "neighbours_kept",
    "neighbours_kept_50",
    "trustworthiness",
    "continuity",
    "order_of_groups",
)


def made(count=700, dimensions=12, noise=1.0, seed=0):
    """Return features of four groups, and a map that shows some of them."""
    rng = np.random.default_rng(seed)
    centres = 4 * rng.normal(size=(4, dimensions))
    features = centres[np.arange(count) % 4] + rng.normal(size=(count, dimensions))
    return features, features[:, :2] + noise * rng.normal(size=(count, 2))


def numbers(embedding, features, **how):
    """Return the figures of a map by their keys."""
    report = evaluate(embedding, None, features, **how)
    values = {"order_of_groups": "correlation"}
    return {key: report[key][values.get(key, "mean")] for key in FIGURES}


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_ranks_are_those_of_scikit_learn(metric):
    features, points = made()
    found = neighbourhood(features, points, metric=metric)
    wanted = trustworthiness(features, points, n_neighbors=15, metric=metric)
    assert found.trustworthiness().mean() == pytest.approx(wanted, abs=1e-6)
    # The map's neighbours in the features, and the other way round.
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    there = unit if metric == "cosine" else features
    assert found.continuity().mean() == pytest.approx(
        trustworthiness(points, there, n_neighbors=15), abs=1e-6
    )
    for k in (15, 50):
        near = [
            NearestNeighbors(n_neighbors=k).fit(x).kneighbors(return_distance=False)
            for x in (there, points)
        ]
        shared = [len(set(a) & set(b)) / k for a, b in zip(*near, strict=True)]
        np.testing.assert_allclose(found.kept[k], shared, atol=1e-6)


def test_a_perfect_map_keeps_everything_and_a_random_one_nothing():
    points = np.random.default_rng(0).normal(size=(900, 2))
    turned = 3 * points @ np.array([[0.6, -0.8], [0.8, 0.6]]) + 50
    assert numbers(turned, points) == pytest.approx(dict.fromkeys(FIGURES, 1.0), abs=1e-6)
    chance = numbers(np.random.default_rng(1).normal(size=(900, 2)), points)
    assert chance["trustworthiness"] == pytest.approx(0.5, abs=0.02)
    assert chance["continuity"] == pytest.approx(0.5, abs=0.02)
    assert chance["neighbours_kept"] == pytest.approx(15 / 900, abs=0.01)
    assert chance["neighbours_kept_50"] == pytest.approx(50 / 900, abs=0.01)
    assert abs(chance["order_of_groups"]) < 0.3


def test_no_figure_is_better_when_the_map_is_shuffled():
    features, points = made()
    shuffled = points.copy()
    for share in (0.1, 0.4, 1.0):
        before = numbers(shuffled, features)
        some = np.random.default_rng(7).choice(len(points), int(share * len(points)), False)
        shuffled = points.copy()
        shuffled[some] = points[np.random.default_rng(8).permutation(some)]
        after = numbers(shuffled, features)
        assert all(after[key] < before[key] + 0.02 for key in FIGURES)
        assert after["neighbours_kept"] < before["neighbours_kept"]


def test_a_tear_is_seen_as_missing_neighbours_where_it_is():
    rng = np.random.default_rng(0)
    sheet = rng.uniform(-1, 1, size=(1500, 2))
    left = sheet[:, 0] < 0
    torn = sheet.copy()
    torn[left] -= (8, 0)  # the halves are whole, and far apart
    found = measure(FigureInput(torn, None, sheet))
    report, columns = found.report, found.columns
    assert report["trustworthiness"]["mean"] > 0.999
    assert report["continuity"]["mean"] < report["trustworthiness"]["mean"] - 0.01
    at_the_tear = np.abs(sheet[:, 0]) < 0.05
    inside = np.abs(sheet[:, 0]) > 0.4
    assert columns["continuity"][at_the_tear].mean() < 0.9
    assert columns["continuity"][inside].mean() > 0.999
    kept = columns["neighbours_kept"]
    assert kept[at_the_tear].mean() < 0.75 < 0.99 < kept[inside].mean()


def test_groups_that_are_set_apart_by_the_layout_alone_are_found_out():
    """What a high exaggeration does: two touching groups become two islands."""
    rng = np.random.default_rng(0)
    side = np.repeat([-1.0, 1.0], 600)
    features = rng.normal(size=(1200, 2)) + np.column_stack([1.2 * side, 0 * side])
    islands = features.copy()
    islands[:, 0] += 12 * np.sign(features[:, 0])
    honest, parted = (measure(FigureInput(m, None, features)) for m in (features, islands))
    for key in ("continuity", "neighbours_kept", "neighbours_kept_50"):
        assert parted.report[key]["high"] < honest.report[key]["low"]
        # Those that lie where the groups touch are the ones that are less reliable.
        border = np.abs(features[:, 0]) < 0.15
        column = parted.columns[key]
        assert column[border].mean() < column[~border].mean() - 0.05
    # That the rest of each island is right is not denied.
    assert parted.report["trustworthiness"]["mean"] > 0.99


def test_points_that_lie_on_each_other_by_the_layout_alone_are_found_out():
    """The opposite: two groups far apart in the features share one place on the map."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1000, 2))
    features = np.column_stack([points, 50.0 * (np.arange(1000) % 2)])
    found = numbers(points, features)
    assert found["continuity"] > 0.99
    assert found["trustworthiness"] < found["continuity"] - 0.1
    assert found["neighbours_kept"] < 0.7


def test_where_groups_lie_is_judged_apart_from_their_neighbours():
    rng = np.random.default_rng(0)
    places = 100.0 * rng.permutation(12)[:, None] * np.ones(2)
    group, inner = np.arange(1200) % 12, rng.normal(size=(1200, 2))
    features = inner + 100.0 * group[:, None]
    report = evaluate(inner + places[group], None, features)
    assert report["neighbours_kept"]["mean"] == pytest.approx(1.0, abs=1e-3)
    assert abs(report["order_of_groups"]["correlation"]) < 0.5
    assert report["order_of_groups"]["high"] < 0.9
    same = evaluate(features, None, features)["order_of_groups"]
    assert same["correlation"] == pytest.approx(1.0, abs=1e-3)


def test_of_many_patches_some_are_looked_at_and_the_estimate_says_so():
    features, points = made(3000)
    exact = measure(FigureInput(points, None, features))
    guess = measure(FigureInput(points, None, features, most=600))
    for key in ("trustworthiness", "continuity", "neighbours_kept"):
        entry = guess.report[key]
        assert (entry["n"], entry["of"]) == (600, 3000)
        assert "of" not in exact.report[key]
        error = (entry["high"] - entry["mean"]) / 1.96
        assert abs(entry["mean"] - exact.report[key]["mean"]) < 4 * error
        column = guess.columns[key]
        assert np.isfinite(column).sum() == 600
        seen = np.isfinite(column)
        np.testing.assert_allclose(column[seen], exact.columns[key][seen], atol=1e-6)
    (figure,) = [one for one in LISTED if one.key == "neighbours_kept"]
    said = figure.basis_of(guess.report)
    assert said.startswith("an estimate over 600 patches of 3,000; 95\N{NO-BREAK SPACE}%: ")


def test_intervals_hold_what_is_true_of_all_in_95_of_100_samples():
    rng = np.random.default_rng(0)
    values = rng.beta(1, 3, size=20_000)
    entries = [mean_entry(rng.choice(values, 200)) for _ in range(1000)]
    held = np.mean([e["low"] < values.mean() < e["high"] for e in entries])
    assert 0.93 < held < 0.97
    entries = [share_entry(rng.random(60) < 0.9, "share", "n") for _ in range(1000)]
    assert 0.92 < np.mean([e["low"] < 0.9 < e["high"] for e in entries]) < 0.98


def test_one_sentence_says_why_there_is_no_number():
    points = np.random.default_rng(0).normal(size=(300, 2))
    alike = evaluate(points, None, np.ones((300, 4)))
    assert all(alike[key] is None for key in FIGURES)
    (said,) = [note for note in alike["notes"] if "the same features" in note]
    assert said.startswith("15 neighbours kept, 50 neighbours kept, trustworthiness")
    broken = np.where(np.eye(300, 2) > 0, np.nan, points)
    assert "features are not numbers" in " ".join(evaluate(points, None, broken)["notes"])
    few = evaluate(points[:12], None, points[:12])
    assert all(few[key] is None for key in FIGURES)
    assert "12 patches are too few to look at 15 neighbours of each." in few["notes"]
    assert "12 patches are too few to look at 50 neighbours of each." in few["notes"]
    some = evaluate(points[:60], None, points[:60])
    assert some["trustworthiness"]["mean"] == pytest.approx(1.0)
    assert some["neighbours_kept_50"] is None


def test_copies_of_one_patch_are_each_others_neighbours():
    features, points = made(400)
    features[:100], points[:100] = features[0], points[0]
    report = measure(FigureInput(points, None, features))
    assert report.columns["trustworthiness"][:100] == pytest.approx(1.0)
    assert report.columns["neighbours_kept"][:100] == pytest.approx(1.0)


def test_measuring_can_be_ended_and_keeps_what_is_known():
    points = np.random.default_rng(0).normal(size=(300, 2))
    labels = np.array(["a", "b"])[np.arange(300) % 2]
    report = evaluate(points, labels, points, watch=Onlooker(lambda _: True).watch)
    assert report["knn"] is not None
    assert report["neighbours_kept"] is None
    assert "ended before all figures were known" in report["notes"][-1]
