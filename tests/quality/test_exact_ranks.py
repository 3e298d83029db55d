"""Ranks of neighbours are exact, whatever is left out to be fast: all distances beside them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.patches.watch import LoadCancelled
from napari_patchmap.quality import ranked_points
from napari_patchmap.quality.alike_groups import alike_groups
from napari_patchmap.quality.distance_bounds import DistanceBounds
from napari_patchmap.quality.neighbourhood import nearest_on_map, neighbourhood
from tests.onlooker import Onlooker


def sets():
    """Return features and maps by their names."""
    rng = np.random.default_rng(0)
    random = rng.normal(size=(700, 70))
    falling = random * np.exp(-np.arange(70) / 8)
    flat = falling[:, :2] + 0.3 * random[:, 2:4]
    copies, piled, outlier = falling.copy(), flat.copy(), falling.copy()
    copies[:250], piled[:250] = copies[0], piled[0]
    outlier[7] *= 1e4
    grid = rng.integers(0, 3, size=(700, 5))
    return {
        "random": (random, flat),
        "a random map": (falling, rng.normal(size=(700, 2))),
        "features of a network": (falling, flat),
        "of few directions": (falling[:, :3] @ rng.normal(size=(3, 200)), flat),
        "single precision, far from 0": (np.float32(falling + 1e3), np.float32(flat + 1e3)),
        "one far away": (outlier, flat),
        "ties": (grid, flat),
        "a long map, far from 0": (falling, flat * [1e6, 1e-3] + 1e7),
        "a map that is a line": (falling, flat * [1, 0]),
        "ties on the map": (falling, grid[:, :2].astype(float)),
        "copies": (copies, flat),
        "copies in one place": (copies, piled),
        "three dimensions": (falling, falling[:, :3]),
        "one feature": (falling[:, :1], flat),
        "hardly more than 50": (falling[:52], flat[:52]),
    }


def squares(points):
    """Return the squares of all distances, and infinity to itself."""
    values = np.asarray(points, np.float64)
    found = np.square(values[:, None] - values).sum(axis=2)
    np.fill_diagonal(found, np.inf)
    return found


def beyond(apart, others):
    """Return how many ranks beyond the 15th some others of each point have."""
    edges = np.take_along_axis(apart, others, axis=1)
    nearer = (apart[:, None] < edges[:, :, None]).sum(axis=2)
    return np.where(edges > np.sort(apart, axis=1)[:, 14:15], nearer + 1 - 15, 0)


@pytest.mark.parametrize("name", sets())
@pytest.mark.parametrize("many", [False, True])
def test_ranks_are_those_of_all_distances(name, many, monkeypatch):
    if many:  # as of many patches: turned, by few numbers at first, copies computed once
        monkeypatch.setattr(ranked_points, "_TURN", 0)
        monkeypatch.setattr(ranked_points, "_FIRST", (16, 4, 1))
        monkeypatch.setattr(ranked_points, "_PICKED", 0.01)
        monkeypatch.setattr(ranked_points, "_COPIES", 20)
        # Blocks of few points, each compared with what any of it reaches.
        monkeypatch.setattr(ranked_points, "_ROUGH", 3)
        monkeypatch.setattr(ranked_points, "_MANY", 1)
        monkeypatch.setattr(ranked_points, "_BLOCKS", 2)
        monkeypatch.setattr(ranked_points, "_ROWS", 40)
    features, points = sets()[name]
    found = neighbourhood(features, points)
    there, here = squares(features), squares(points)
    on_map = nearest_on_map(np.asarray(points, np.float64), np.arange(len(points)), 50)
    np.testing.assert_array_equal(found.false, beyond(there, on_map[:, :15]))
    nearest = np.argsort(there, axis=1, kind="stable")
    np.testing.assert_array_equal(found.missing, beyond(here, nearest[:, :15]))
    for k in (15, 50):
        ours = np.take_along_axis(there, on_map[:, :k], axis=1)
        kept = (ours <= np.sort(there, axis=1)[:, k - 1 : k]).mean(axis=1)
        np.testing.assert_allclose(found.kept[k], kept)


@pytest.mark.parametrize("first", [2, 8, 32])
def test_they_are_exact_whatever_is_compared_at_first(first, monkeypatch):
    monkeypatch.setattr(ranked_points, "_TURN", 0)
    monkeypatch.setattr(ranked_points, "_FIRST", (first,))
    monkeypatch.setattr(ranked_points, "_PICKED", 0)
    features, points = sets()["features of a network"]
    found = neighbourhood(features, points)
    wanted = beyond(squares(features), nearest_on_map(points, np.arange(700), 15))
    np.testing.assert_array_equal(found.false, wanted)


@pytest.mark.parametrize("first", [8, 16, 70])
def test_all_that_any_point_reaches_is_kept_and_most_else_left_out(first):
    points = np.float32(sets()["features of a network"][0])
    points -= points.mean(axis=0)
    bounds, own = DistanceBounds(points, first), np.arange(0, 100, 20)
    apart = squares(points)[own]
    nearest = np.sort(apart, axis=1)[:, 2]
    found = bounds.reached(own, nearest / 2 - bounds.common[own])
    wanted = np.flatnonzero((apart <= nearest[:, None]).any(axis=0))
    assert np.isin(wanted, found).all()
    assert len(found) < 150


def test_groups_hold_each_row_once_and_what_is_alike():
    points, _ = sets()["features of a network"]
    rows = np.random.default_rng(1).permutation(700)[:330]
    groups = alike_groups(points, rows, 40)
    assert sorted(np.concatenate(groups)) == list(range(330))
    assert sorted(map(len, groups)) == [10, *[40] * 8]
    wide = [points[rows[group]].std(axis=0)[0] for group in groups]
    assert np.mean(wide) < 0.7 * points[:, 0].std()


def test_cosine_ranks_are_those_of_directions():
    features, points = sets()["features of a network"]
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    found = neighbourhood(features + 0, points, metric="cosine")
    wanted = neighbourhood(unit, points)
    np.testing.assert_array_equal(found.false, wanted.false)
    np.testing.assert_array_equal(found.missing, wanted.missing)


def test_of_some_patches_they_are_those_of_all_in_the_order_asked_for(monkeypatch):
    monkeypatch.setattr(ranked_points, "_ROWS", 16)
    features, points = sets()["features of a network"]
    rows = np.random.default_rng(1).permutation(700)[:90]
    somebody = Onlooker()
    found = neighbourhood(features, points, rows=rows, watch=somebody.watch)
    every = neighbourhood(features, points)
    np.testing.assert_array_equal(found.false, every.false[rows])
    np.testing.assert_array_equal(found.missing, every.missing[rows])
    np.testing.assert_array_equal(found.kept[50], every.kept[50][rows])
    assert somebody.steps == [(done, 90) for done in range(0, 90, 16)]


def test_it_ends_when_it_is_told_so(monkeypatch):
    monkeypatch.setattr(ranked_points, "_ROWS", 16)
    features, points = sets()["features of a network"]
    somebody = Onlooker(lambda heard: len(heard.steps) == 3)
    with pytest.raises(LoadCancelled):
        neighbourhood(features, points, watch=somebody.watch)
    assert somebody.steps[-1] == (32, 700)
