"""One point of a t-SNE placed again: as low as the loss allows, without itself as neighbour."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from napari_patchmap.layout.held_map import HeldMap
from napari_patchmap.layout.neighbour_search import nearer, nearest_of
from napari_patchmap.layout.tsne import Tsne


def made(dimensions=2):
    rng = np.random.default_rng(0)
    features = rng.normal(size=(150, 6))
    features[:50, 0] += 8
    tsne = Tsne(dimensions=dimensions, iterations=150)
    return features, tsne, tsne.lay_out(features)


def landscape(features, embedding, patch, moved, perplexity=30.0):
    """Return the loss of one point by its place: t-SNE's, with all others held."""
    others = np.delete(np.arange(len(features)), patch)
    squares = np.square(features[others] - moved).sum(axis=1)
    nearest = np.argsort(squares)[: int(3 * perplexity)]
    low, high = 1e-6, 1e6
    for _ in range(200):  # the width at which the neighbours have the perplexity
        width = np.sqrt(low * high)
        weights = np.exp(-(squares[nearest] - squares[nearest].min()) * width)
        p = weights / weights.sum()
        entropy = -(p * np.log(np.maximum(p, 1e-300))).sum()
        low, high = (width, high) if entropy > np.log(perplexity) else (low, width)

    def loss(place):
        apart = 1 + np.square(embedding - place).sum(axis=1)
        return (p * np.log(apart[others[nearest]])).sum() + np.log((1 / apart).sum())

    return loss, others[nearest[:2]]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_point_lands_where_the_loss_is_least(dimensions):
    features, tsne, embedding = made(dimensions)
    embedding = embedding + 40  # wherever the map lies
    rows = np.arange(0, 150, 10)
    moved = features[rows] + 0.3
    placed = HeldMap(tsne, features, embedding).place(moved, rows)
    for row, one, place in zip(rows, moved, placed, strict=True):
        loss, near = landscape(features, embedding, row, one)
        ends = [minimize(loss, embedding[start]).fun for start in (row, *near)]
        assert loss(place) <= min(ends) + 0.01


def test_cosine_and_duplicates_of_a_patch():
    features, _, embedding = made()
    features = np.repeat(features[:75], 2, axis=0)
    placed = HeldMap(Tsne(metric="cosine"), features, embedding).place(features, np.arange(150))
    assert np.isfinite(placed).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_neighbours_and_how_many_are_nearer_without_the_patch_itself(metric):
    rng = np.random.default_rng(1)
    among, asked, others = (rng.normal(size=(count, 5)) + 1 for count in (80, 9, 9))
    own = np.arange(9)
    unit = [
        x / np.linalg.norm(x, axis=1, keepdims=True) if metric == "cosine" else x
        for x in (among, asked, others)
    ]
    apart = np.linalg.norm(unit[1][:, None] - unit[0][None], axis=2)
    apart[own, own] = np.inf
    found, distances = nearest_of(asked, among, 12, metric, without=own)
    np.testing.assert_array_equal(found, np.argsort(apart, axis=1)[:, :12])
    wanted = np.sort(apart, axis=1)[:, :12]
    wanted = wanted**2 / 2 if metric == "cosine" else wanted
    np.testing.assert_allclose(distances, wanted, rtol=1e-4, atol=1e-6)
    limits = np.linalg.norm(unit[1] - unit[2], axis=1)
    np.testing.assert_array_equal(
        nearer(asked, others, among, metric, without=own), (apart < limits[:, None]).sum(axis=1)
    )
