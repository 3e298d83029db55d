"""Suggestions: right where classes can be told apart, and honest where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import LogisticRegression

from napari_patchmap.errors import SuggestionError
from napari_patchmap.explore.classifiers import Discriminants, Logistic, Neighbours
from napari_patchmap.explore.cross_check import probabilities
from napari_patchmap.explore.suggest import suggest
from napari_patchmap.patches.watch import LoadCancelled, Watch
from tests.explore.gaussians import NAMES, groups, some


def test_two_classes_of_three_patches_are_enough():
    x, true = groups(12, classes=2)
    found = suggest(x, some(true, 3, 3), NAMES[:2])
    assert (found.codes == true).all()
    assert found.better_than_chance
    assert found.checked == 6
    assert 0.5 < found.confidence.mean() < 0.95  # six patches make nothing certain
    assert "Shaky, for there are few: round 3, long 3." in found.sentence
    assert found.splits == "3 times 3-fold cross-validation"


def test_the_confidence_is_as_often_right_as_it_says():
    x, true = groups(2.0, each=1500)
    codes = some(true, 60, 60, 60)
    found = suggest(x, codes, NAMES)
    rest = codes < 0
    accuracy = (found.codes == true)[rest].mean()
    assert abs(found.confidence[rest].mean() - accuracy) < 0.06
    assert found.low <= accuracy <= found.high
    sure = rest & (found.confidence > np.median(found.confidence))
    assert (found.codes == true)[sure].mean() > accuracy + 0.05


def test_shuffled_annotations_are_said_to_be_no_better_than_guessing():
    x, true = groups(5)
    told = 0
    for seed in range(8):
        codes = some(true, 12, 12, 12)
        rows = np.flatnonzero(codes >= 0)
        codes[rows] = np.random.default_rng(seed).permutation(codes[rows])
        found = suggest(x, codes, NAMES, seed=seed)
        told += "not surely better than guessing" in found.sentence
        assert found.low < 0.5
    assert told >= 7


def test_a_rare_class_is_found_beside_a_frequent_one():
    x, true = groups(6, classes=2)
    found = suggest(x, some(true, 150, 4), NAMES[:2])
    assert (found.codes == true)[true == 1].mean() > 0.95
    assert found.recalls["long"][1] == 4


def test_a_class_of_one_patch_is_left_out_and_said():
    x, true = groups(8)
    found = suggest(x, some(true, 5, 5, 1), NAMES)
    assert set(found.codes) == {0, 1}
    assert "only one annotated patch each: spiky" in found.sentence
    assert found.chance == 0.5


@pytest.mark.parametrize(
    ("counts", "said"), [((), "none"), ((9,), "round 9"), ((9, 1), "long 1")]
)
def test_what_is_too_few_is_said_with_the_counts(counts, said):
    x, true = groups(8)
    with pytest.raises(SuggestionError, match=said):
        suggest(x, some(true, *counts), NAMES)


def test_copies_count_once():
    x, true = groups(8)
    x[:5], codes = x[0], some(true, 5, 5)
    with pytest.raises(SuggestionError, match="round 1, long 5"):
        suggest(x, codes, NAMES)


def test_features_that_cannot_be_used_are_refused():
    x, true = groups(8)
    codes = some(true, 3, 3)
    bad = x.copy()
    bad[400, 3] = np.nan  # one that nobody annotated
    with pytest.raises(SuggestionError, match="patch 400 are not finite"):
        suggest(bad, codes, NAMES)
    with pytest.raises(SuggestionError, match="no features"):
        suggest(np.empty((len(x), 0), np.float32), codes, NAMES)
    with pytest.raises(SuggestionError, match=r"600 patches and annotations of 10"):
        suggest(x, codes[:10], NAMES)
    with pytest.raises(SuggestionError):
        suggest(np.ones_like(x), codes, NAMES)
    with pytest.raises(SuggestionError, match="only 1 class"):
        suggest(x, codes, NAMES[:1])


def test_a_feature_that_never_varies_does_no_harm():
    x, true = groups(8)
    x[:, 11] = 7
    assert (suggest(x, some(true, 4, 4, 4), NAMES).codes == true).mean() > 0.97


def test_an_annotation_that_looks_wrong_is_contradicted_when_all_are_annotated():
    x, true = groups(10)
    codes = true.astype(np.int16)
    codes[7] = 2
    found = suggest(x, codes, NAMES)
    assert found.codes[7] == 0
    assert (found.codes != codes).sum() == 1


def test_memory_maps_of_half_precision_give_the_same(tmp_path):
    x, true = groups(6)
    np.save(tmp_path / "f.npy", x.astype(np.float16))
    codes = some(true, 5, 5, 5)
    kept = suggest(np.load(tmp_path / "f.npy", mmap_mode="r"), codes, NAMES)
    again = suggest(x.astype(np.float16), codes, NAMES)
    assert np.array_equal(kept.codes, again.codes)
    assert np.array_equal(kept.confidence, again.confidence)
    assert (kept.codes == suggest(x, codes, NAMES).codes).mean() > 0.99


def test_patches_that_are_alike_do_not_pass_for_all():
    """What a lasso is drawn around is easy; what may be right of the others is said apart."""
    x, true = groups(1.5, each=400)
    codes = np.full(len(true), -1, np.int16)
    for k in range(3):
        own = np.flatnonzero(true == k)
        near = np.argsort(np.linalg.norm(x[own] - x[own[0]], axis=1))
        codes[own[near[:10]]] = k
    found = suggest(x, codes, NAMES)
    rest = codes < 0
    accuracy = (found.codes == true)[rest].mean()
    assert found.score > accuracy + 0.1
    assert found.expected == pytest.approx(found.confidence[rest].mean())
    assert abs(found.expected - accuracy) < (found.score - accuracy) / 2
    low, high = round(100 * found.expected), round(100 * found.high)
    assert f"Of the 1,170 others {low} to {high} % may be right." in found.sentence


def test_where_all_are_annotated_nothing_is_said_of_others():
    x, true = groups(6, each=20)
    found = suggest(x, true.astype(np.int16), NAMES)
    assert np.isnan(found.expected)
    assert "others" not in found.sentence


def test_suggestions_that_were_accepted_unseen_do_not_praise_themselves():
    x, true = groups(1.5, each=300)
    codes = some(true, 20, 20, 20)
    first = suggest(x, codes, NAMES)
    unseen = codes < 0
    codes[unseen] = first.codes[unseen]
    praised, honest = suggest(x, codes, NAMES), suggest(x, codes, NAMES, unseen=unseen)
    assert praised.score > (first.codes == true)[unseen].mean() + 0.05
    assert (honest.score, honest.checked) == (first.score, 60)
    np.testing.assert_array_equal(honest.codes, first.codes)
    assert "840 accepted unseen are not learned from" in honest.sentence


def test_a_class_that_nobody_has_looked_at_is_learned_all_the_same():
    x, true = groups(6)
    codes = some(true, 8, 8, 8)
    found = suggest(x, codes, NAMES, unseen=codes == 2)
    assert found.checked == 24
    np.testing.assert_array_equal(found.codes, suggest(x, codes, NAMES).codes)


def test_features_stay_as_they_are():
    x, true = groups(6)
    before = x.copy()
    suggest(x, some(true, 5, 5, 5), NAMES)
    assert np.array_equal(x, before)


def test_it_can_be_stopped_and_reports_how_far_it_is():
    x, true = groups(6)
    codes, seen = some(true, 5, 5, 5), []
    suggest(x, codes, NAMES, Watch(lambda done, total: seen.append((done, total))))
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]
    with pytest.raises(LoadCancelled):
        suggest(x, codes, NAMES, Watch(should_stop=lambda: len(seen) > 0))


@pytest.mark.parametrize("classes", [2, 3])
def test_logistic_regression_says_what_scikit_learn_says(classes):
    x, true = groups(2, classes=classes)
    ours = probabilities(Logistic(0.3).fit(x, true)(x))
    theirs = LogisticRegression(C=0.3, class_weight="balanced", tol=1e-2)
    assert np.abs(ours - theirs.fit(x, true).predict_proba(x)).max() < 1e-3


@pytest.mark.parametrize("classes", [2, 3])
def test_discriminants_are_those_of_normal_distributions_of_one_shrunk_covariance(classes):
    x, true = groups(2, each=20, classes=classes)
    x = (x * np.linspace(1, 30, 12)).astype(np.float32)
    ours = probabilities(Discriminants().fit(x, true)(x))
    x = x.astype(float)
    means = np.stack([x[true == k].mean(axis=0) for k in range(classes)])
    within = x - means[true]
    scale = within.std(axis=0)
    shrunk = LedoitWolf(assume_centered=True).fit(within / scale).covariance_
    shrunk *= len(x) / (len(x) - classes) * scale[:, None] * scale
    logs = [multivariate_normal(mean, shrunk).logpdf(x) for mean in means]
    theirs = np.exp(np.transpose(logs) - np.max(logs, axis=0)[:, None])
    theirs /= theirs.sum(axis=1, keepdims=True)
    assert np.abs(ours - theirs).max() < 1e-3


def test_few_annotations_are_worth_more_where_most_of_the_variation_means_nothing():
    rng = np.random.default_rng(0)
    true = np.arange(600) % 3
    x = rng.normal(size=(600, 24)).astype(np.float32)
    x[:, 0] *= 12  # the light, say: the same in all classes
    x[:, 1:4] += 2.5 * np.eye(3)[true]
    found = suggest(x, some(true, 8, 8, 8), NAMES)
    assert found.method == "linear discriminant analysis"
    assert (found.codes == true).mean() > 0.8


def test_neighbours_are_taken_where_no_plane_lies_between_classes():
    rng = np.random.default_rng(0)
    true = np.arange(800) % 2
    angle, far = rng.uniform(0, 2 * np.pi, 800), np.where(true, 6.0, 2.0)
    x = rng.normal(scale=0.4, size=(800, 4)).astype(np.float32)
    x[:, :2] += far[:, None] * np.stack([np.sin(angle), np.cos(angle)], 1)
    found = suggest(x, some(true, 40, 40), NAMES[:2])
    assert "neighbour" in found.method
    assert (found.codes == true).mean() > 0.95


def test_neighbours_vote_for_what_is_nearest():
    x, true = groups(2)
    logits = Neighbours(5).fit(x[::2], true[::2])(x[1::2])
    apart = np.linalg.norm(x[1::2, None] - x[None, ::2], axis=2)
    nearest = np.argsort(apart, axis=1)[:, :5]
    weights = 1 / np.take_along_axis(apart, nearest, axis=1)
    votes = [(weights * (true[::2][nearest] == k)).sum(axis=1) for k in range(3)]
    assert np.array_equal(logits.argmax(axis=1), np.argmax(votes, axis=0))
