"""Neighbours are the nearest there are, whatever their number and scale."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.layout import neighbour_search
from napari_patchmap.layout.neighbour_search import nearest


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("offset", [0.0, 50.0])
def test_they_are_those_of_scikit_learn(metric, offset, monkeypatch):
    monkeypatch.setattr(neighbour_search, "_PAIRS", 2000)  # several parts, the last one short
    features = np.random.default_rng(0).normal(size=(211, 12)) + offset
    indices, distances = nearest(features, 9, metric)
    wanted = NearestNeighbors(n_neighbors=10, metric=metric).fit(features)
    far, who = wanted.kneighbors(features)
    np.testing.assert_allclose(distances, far[:, 1:], atol=1e-3)
    assert (indices == who[:, 1:]).mean() > 0.98  # ties in float32 apart
    assert (indices != np.arange(211)[:, None]).all()


def test_of_few_patches_all_others_are_neighbours():
    indices, distances = nearest(np.eye(4), 15)
    assert indices.shape == distances.shape == (4, 3)
    assert {*indices[0].tolist()} == {1, 2, 3}


def test_patches_that_are_alike_are_at_distance_zero():
    _, distances = nearest(np.ones((30, 5)), 4)
    assert (distances == 0).all()
