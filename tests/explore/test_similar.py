"""More like this: what is nearest by its features."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.errors import SuggestionError
from napari_patchmap.explore.similar import like_features, more_like
from napari_patchmap.patches.watch import LoadCancelled, Watch

X = np.random.default_rng(0).normal(size=(3000, 24)).astype(np.float32) + 100


def test_one_patch_finds_what_scikit_learn_finds():
    apart, near = NearestNeighbors(n_neighbors=31).fit(X.astype(float)).kneighbors(X[[5]])
    found = more_like(X, np.array([5]), 30)
    assert np.array_equal(found.indices, near[0, 1:])
    np.testing.assert_allclose(found.distances, apart[0, 1:], rtol=1e-4)


@pytest.mark.parametrize(("members", "count"), [(2, 2), (5, 3), (20, 7), (100, 34)])
def test_a_selection_is_as_near_as_the_nearest_third_of_it_on_average(members, count):
    rows = np.arange(0, 10 * members, 10)
    apart = np.linalg.norm(X[:, None].astype(float) - X[rows], axis=2)
    expected = np.sort(apart, axis=1)[:, :count].mean(axis=1)
    expected[rows] = np.inf
    found = more_like(X, rows, 25)
    assert np.array_equal(found.indices, np.argsort(expected)[:25])
    np.testing.assert_allclose(found.distances, np.sort(expected)[:25], rtol=1e-4)


def test_features_stay_as_they_are():
    before = X.copy()
    more_like(X, np.array([5]), 30)
    assert np.array_equal(X, before)


def test_one_stray_patch_does_not_bring_its_own_kind():
    x = X.copy()
    x[1500:] += 20
    assert (more_like(x, np.append(np.arange(20), 2999), 300).indices < 1500).all()


def test_the_query_is_left_out_but_copies_of_it_are_found():
    x = X.copy()
    x[[7, 8]] = x[6]
    found = more_like(x, np.array([6]), 3)
    assert set(found.indices[:2]) == {7, 8}
    assert (found.distances[:2] == 0).all()
    assert len(more_like(X[:4], np.array([0, 1]), 50).indices) == 2
    assert len(more_like(X[:4], np.arange(4)).indices) == 0


def test_features_from_outside():
    found = like_features(X.astype(np.float16), X[[9]], 1)
    assert found.indices[0] == 9
    with pytest.raises(SuggestionError, match="5 features"):
        like_features(X, X[:1, :5])


def test_what_cannot_be_looked_for_is_refused():
    with pytest.raises(SuggestionError, match="Select"):
        more_like(X, np.array([], int))
    with pytest.raises(SuggestionError, match="no patch 3,000"):
        more_like(X, np.array([3000]))
    bad = X.copy()
    bad[8] = np.inf
    with pytest.raises(SuggestionError, match="patch 8"):
        more_like(bad, np.array([0]))
    with pytest.raises(LoadCancelled):
        more_like(X, np.array([0]), watch=Watch(should_stop=lambda: True))
