"""Quality figures by the paper's definitions, and none where they mean nothing."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import silhouette_samples

from napari_patchmap.quality import evaluate, report_lines


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
        "15-NN accuracy in 2-D: 100.0 % (on 30 held-out patches; 95 %: 88.6 to 100.0 %)" in text
    )
    assert "300 patches" in text
