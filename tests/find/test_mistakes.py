"""Label mistakes: planted ones are found, none among clean labels, and who is not judged."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from napari_patchmap.errors import FindError
from napari_patchmap.find.mistakes import MistakesConfig, doubts, find_mistakes
from napari_patchmap.find.search import FindInput
from napari_patchmap.patches.watch import UNWATCHED
from tests.onlooker import Onlooker


def blobs(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Three classes a few deviations apart; features and labels."""
    rng = np.random.default_rng(seed)
    own = np.arange(count) % 3
    centres = rng.normal(size=(3, 12)) * 2
    features = (centres[own] + rng.normal(size=(count, 12))).astype(np.float32)
    return features, np.array(["blast", "lymphocyte", "monocyte"], object)[own]


def given(features: np.ndarray | None, labels: np.ndarray, **more: object) -> FindInput:
    count = len(labels)
    table = pd.DataFrame({"label": labels, **more})
    return FindInput(np.zeros((count, 2), np.float32), features, table)


def test_planted_mistakes_come_first_and_clean_labels_have_next_to_none():
    features, labels = blobs()
    clean = find_mistakes(given(features, labels), MistakesConfig(), UNWATCHED)
    assert len(clean.listed) <= 3
    wrong = np.random.default_rng(1).choice(300, 12, replace=False)
    swapped = labels.copy()
    swapped[wrong] = np.roll(["blast", "lymphocyte", "monocyte"], 1)[wrong % 3]
    found = find_mistakes(given(features, swapped), MistakesConfig(), UNWATCHED)
    assert set(wrong) <= set(found.listed["index"][:14])
    assert (found.listed["score"].diff()[1:] <= 0).all()
    for _, one in found.listed[:12].iterrows():
        assert one["label"] == swapped[one["index"]]
        assert one["likely"] == labels[one["index"]]
        assert f"neighbours are {one['likely']}" in one["reason"]
    np.testing.assert_array_equal(found.columns["likely label"][wrong], labels[wrong])
    assert found.columns["label doubt"][wrong].min() > 0.5
    assert found.lines[0].startswith(f"Of 300 patches, {len(found.listed)} look like another")


def test_chances_are_those_of_discriminants_times_the_votes_of_neighbours():
    features, labels = blobs(120, seed=3)
    config = MistakesConfig(neighbours=10, seed=5)
    found = doubts(features, labels.astype(str), config)
    own = np.unique(labels.astype(str), return_inverse=True)[1]
    chances = np.zeros((120, 3))
    for repeat in range(2):
        splits = StratifiedKFold(5, shuffle=True, random_state=5 + repeat).split(own, own)
        for known, held in splits:
            scale = StandardScaler().fit(features[known])
            model = LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")
            model.fit(scale.transform(features[known]), own[known])
            chances[held] += model.predict_proba(scale.transform(features[held])) / 2
    near = NearestNeighbors(n_neighbors=11).fit(features).kneighbors(return_distance=False)
    votes = np.stack([(own[near[:, :10]] == k).sum(axis=1) for k in range(3)], axis=1)
    expected = np.maximum(chances, 1e-6) * (votes + 1) / (10 + 3)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.chances, expected, atol=1e-6)
    np.testing.assert_array_equal(found.agreeing, votes)


def test_shuffled_labels_are_not_called_right():
    """With labels that say nothing, the likely one is another for most."""
    features, labels = blobs()
    shuffled = np.random.default_rng(0).permutation(labels)
    found = find_mistakes(given(features, shuffled), MistakesConfig(), UNWATCHED)
    assert len(found.listed) > 120


def test_patches_without_a_label_or_of_a_rare_one_are_not_judged_and_that_is_said():
    features, labels = blobs()
    labels[:30] = ""
    labels[30:33] = "mast cell"
    found = find_mistakes(given(features, labels), MistakesConfig(), UNWATCHED)
    assert np.isnan(found.columns["label doubt"][:33]).all()
    assert (found.columns["likely label"][:33] == "").all()
    assert not np.isnan(found.columns["label doubt"][33:]).any()
    assert not set(found.listed["index"]) & set(range(33))
    assert found.lines[-1] == "Not checked, for they have too few patches: mast cell."


def test_any_column_can_be_checked():
    features, labels = blobs()
    other = given(features, np.array([""] * 300, object), stage=labels)
    assert len(find_mistakes(other, MistakesConfig(column="stage"), UNWATCHED).listed) <= 3


def test_what_cannot_be_checked_is_one_sentence():
    features, labels = blobs()
    with pytest.raises(FindError, match="no column stage whose values"):
        find_mistakes(given(features, labels), MistakesConfig(column="stage"), UNWATCHED)
    with pytest.raises(FindError, match="no features"):
        find_mistakes(given(None, labels), MistakesConfig(), UNWATCHED)
    with pytest.raises(FindError, match="12 patches are too few"):
        find_mistakes(given(features[:12], labels[:12]), MistakesConfig(), UNWATCHED)
    with pytest.raises(FindError, match="same features"):
        find_mistakes(given(np.ones_like(features), labels), MistakesConfig(), UNWATCHED)
    one = np.array(["blast"] * 300, object)
    with pytest.raises(FindError, match="no two values of 5 patches"):
        find_mistakes(given(features, one), MistakesConfig(), UNWATCHED)


def test_somebody_who_has_enough_gets_an_answer_that_says_so():
    features, labels = blobs()
    found = find_mistakes(
        given(features, labels), MistakesConfig(), Onlooker(lambda _: True).watch
    )
    assert found.lines == ("Stopped before anything was known.",)
    assert len(found.listed) == 0
