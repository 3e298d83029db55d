"""Quality figures by the paper's definitions, and none where they mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, silhouette_samples
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from napari_patchmap.quality import FIGURES, evaluate, measure, report_lines
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.voting import votes


def blobs(count: int = 300, apart: float = 20.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    kind = np.arange(count) % 3
    points = rng.normal(size=(count, 2)) + apart * np.array([[0, 0], [0, 1], [1, 0]])[kind]
    return points.astype(np.float32), np.array(["a", "b", "c"])[kind]


def test_separate_groups_are_perfect_and_shuffled_labels_are_chance():
    points, labels = blobs()
    good = evaluate(points, labels)
    assert good["knn"]["accuracy"] == 1.0
    assert good["knn"]["test_n"] == 30
    assert good["silhouette"]["mean"] > 0.8
    assert good["silhouette"]["n"] == 300
    bad = evaluate(points, np.random.default_rng(1).permutation(labels))
    assert bad["knn"]["accuracy"] < 0.6
    assert bad["silhouette"]["mean"] < 0.05


def test_silhouette_is_sklearns_wherever_the_map_lies():
    points, labels = blobs(apart=2.0)
    expected = silhouette_samples(points.astype(float), labels)
    report = evaluate(points + np.float32(4000), labels)["silhouette"]
    assert report["mean"] == pytest.approx(expected.mean(), abs=1e-3)
    for name, entry in evaluate(points, labels)["silhouette"]["per_class"].items():
        assert entry["mean"] == pytest.approx(expected[labels == name].mean(), abs=1e-9)
        assert entry["n"] == 100


def test_a_silhouette_is_sklearns_point_by_point_and_an_estimate_says_so():
    points, labels = blobs(1200, apart=2.5)
    labels[:2] = "rare"
    found = measure(FigureInput(points, labels))
    expected = silhouette_samples(points.astype(float), labels)
    np.testing.assert_allclose(found.columns["silhouette"], expected, atol=1e-6)
    guess = measure(FigureInput(points, labels, most=300))
    entry = guess.report["silhouette"]
    assert (entry["n"], entry["of"]) == (300, 1200)
    assert entry["low"] < expected.mean() < entry["high"]
    seen = np.isfinite(guess.columns["silhouette"])
    np.testing.assert_allclose(guess.columns["silhouette"][seen], expected[seen], atol=1e-6)


def test_points_of_several_labels_in_one_place_have_a_silhouette_of_0():
    labels = np.array(["a", "b"])[np.arange(60) % 2]
    assert evaluate(np.zeros((60, 2)), labels)["silhouette"]["mean"] == 0.0


def test_neighbours_vote_as_scikit_learn_lets_them():
    points, labels = blobs(900, apart=2.0)
    found = votes(points, labels)
    near = NearestNeighbors(n_neighbors=15).fit(points).kneighbors(return_distance=False)
    same = (labels[near] == labels[:, None]).mean(axis=1)
    np.testing.assert_allclose(found.same, same)
    voted = [
        KNeighborsClassifier(15)
        .fit(np.delete(points, i, 0), np.delete(labels, i))
        .predict(points[i : i + 1])[0]
        for i in range(0, 900, 30)
    ]
    assert (found.names[found.voted[::30]] == voted).all()
    wanted = confusion_matrix(labels, found.names[found.voted])
    np.testing.assert_array_equal(found.confusion, wanted)
    report = measure(FigureInput(points, labels))
    assert report.report["purity"]["mean"] == pytest.approx(same.mean())
    np.testing.assert_allclose(report.columns["purity"], same, rtol=1e-6)


def test_many_copies_in_one_place_are_each_others_neighbours():
    points = np.zeros((80, 2))
    found = votes(points, np.array(["a"] * 80))
    assert found.same.tolist() == [1.0] * 80


def test_figures_of_patches_without_a_label_are_not_those_of_others():
    points, labels = blobs(300, apart=3.0)
    some = labels.astype(object)
    some[::3] = ""
    found = measure(FigureInput(points, some.astype(str)))
    keep = some != ""
    for key in ("purity", "silhouette"):
        assert np.isnan(found.columns[key][~keep]).all()
    expected = silhouette_samples(points[keep].astype(float), some[keep].astype(str))
    np.testing.assert_allclose(found.columns["silhouette"][keep], expected, atol=1e-6)


def test_rare_labels_count_as_much_as_others_where_that_is_said():
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1000, 2))
    labels = np.where(np.arange(1000) < 50, "rare", "usual")  # rare ones lie anywhere
    report = evaluate(points, labels)
    assert report["knn"]["accuracy"] > 0.9
    assert report["knn_balanced"]["accuracy"] == pytest.approx(0.5, abs=0.05)
    assert report["knn_macro_f1"]["f1"] == pytest.approx(0.49, abs=0.05)
    apart = evaluate(points + 20 * (labels == "rare")[:, None], labels)
    assert apart["knn_balanced"]["accuracy"] == apart["knn_macro_f1"]["f1"] == 1.0


def test_features_that_tell_labels_apart_where_the_map_cannot():
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b"])[np.arange(400) % 2]
    features = rng.normal(size=(400, 6)) + 5.0 * (labels == "a")[:, None]
    report = evaluate(rng.normal(size=(400, 2)), labels, features)
    assert report["knn"]["accuracy"] < 0.75
    assert report["knn_of_features"]["accuracy"] == 1.0


@pytest.mark.parametrize(
    "key", ["knn", "knn_of_features", "knn_balanced", "knn_macro_f1", "silhouette", "purity"]
)
def test_no_figure_is_better_when_labels_are_shuffled(key):
    points, labels = blobs(600, apart=3.0)
    (figure,) = [one for one in FIGURES if one.key == key]
    before = figure.of(evaluate(points, labels, points))
    for share in (0.2, 0.6, 1.0):
        some = np.random.default_rng(1).choice(600, int(share * 600), replace=False)
        mixed = labels.copy()
        mixed[some] = labels[np.random.default_rng(2).permutation(some)]
        after = figure.of(evaluate(points, mixed, points))
        assert after < before
        before = after + 0.08


def test_per_class_accuracies_average_to_the_whole():
    points, labels = blobs(apart=1.5)
    knn = evaluate(points, labels)["knn"]
    entries = knn["per_class"].values()
    right = sum(entry["accuracy"] * entry["n"] for entry in entries)
    assert right / knn["test_n"] == pytest.approx(knn["accuracy"])


def test_without_labels_there_is_no_number():
    report = evaluate(blobs()[0], None)
    assert report["knn"] is None
    assert report["silhouette"] is None
    assert "no labels" in report["notes"][0]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["one"] * 60, "at least two labels"),
        ([str(i) for i in range(60)], "at least two labels"),
    ],
)
def test_labels_that_compare_nothing_give_no_number(labels, said):
    report = evaluate(blobs(60)[0], np.array(labels))
    assert report["knn"] is None
    assert report["silhouette"] is None
    assert any(said in note for note in report["notes"])


def test_missing_and_single_labels_are_left_out_and_said():
    points, labels = blobs()
    labels = labels.astype(object)
    labels[:10] = ""
    labels[10] = "only one"
    report = evaluate(points, labels.astype(str))
    assert report["labelled"] == 289
    assert report["silhouette"]["n"] == 289
    assert any("10 patches without a label" in note for note in report["notes"])
    assert any("only one" in note for note in report["notes"])


def test_few_patches_get_no_nearest_neighbour_figure():
    report = evaluate(blobs(12)[0], blobs(12)[1])
    assert report["knn"] is None
    assert report["silhouette"] is not None
    assert "too few" in report["notes"][0]


def test_a_map_of_no_numbers_is_not_scored():
    points, labels = blobs()
    points[3] = np.nan
    report = evaluate(points, labels)
    assert report["silhouette"] is None
    assert "not numbers" in report["notes"][0]


def test_lines_for_people_name_figures_and_sizes():
    text = "\n".join(report_lines(evaluate(*blobs())))
    assert (
        "15-NN accuracy in 2-D: 100.0 % (on 30 held-out patches; "
        "95\N{NO-BREAK SPACE}%: 88.6 to 100.0 %)" in text
    )
    assert "300 patches" in text
