"""Looks at a map that is trained: all of it first, then a part at a time."""

from __future__ import annotations

import numpy as np

from napari_patchmap.training.snapshots import Snapshots


def test_later_looks_are_at_as_many_patches_as_time_allows_in_turn():
    looks = Snapshots(1.0)
    first = looks.choose(1000)
    np.testing.assert_array_equal(first, np.arange(1000))
    looks.update(first, np.zeros((1000, 2), np.float32), seconds=0.1)  # 10,000 a second
    parts = [looks.choose(1000) for _ in range(3)]
    assert len(parts[0]) == 500  # a twentieth of a second
    np.testing.assert_array_equal(np.sort(np.concatenate(parts[:2])), np.arange(1000))
    np.testing.assert_array_equal(parts[2], parts[0])
    for part in parts:  # from all over the set, in the order in which they are stored
        assert (np.diff(part) > 0).all()
        assert 200 < (part < 500).sum() < 300


def test_new_outputs_are_put_among_the_old_ones_which_are_carried_along():
    looks, rng = Snapshots(1.0), np.random.default_rng(0)
    places = rng.normal(size=(1000, 2)).astype(np.float32)
    old = looks.update(looks.choose(1000), places, seconds=1.0)
    chosen = looks.choose(1000)
    assert len(chosen) == 256
    turned = places @ np.array([[0, 5], [-5, 0]]) + [100, 0]
    noise = rng.normal(scale=0.01, size=(1000, 2))
    found = looks.update(chosen, (turned + noise)[chosen].astype(np.float32), seconds=0.2)
    np.testing.assert_array_equal(found[chosen], (turned + noise)[chosen].astype(np.float32))
    np.testing.assert_allclose(found, turned, atol=0.1)
    np.testing.assert_array_equal(old, places)  # what was shown before stays as it was


def test_features_are_carried_along_by_their_mean_and_spread():
    looks, rng = Snapshots(1.0), np.random.default_rng(0)
    features = rng.normal(size=(1000, 64)).astype(np.float32)
    looks.update(looks.choose(1000), features, seconds=1.0)
    chosen = looks.choose(1000)
    found = looks.update(chosen, 3 * features[chosen] + 7, seconds=0.2)
    np.testing.assert_allclose(found, 3 * features + 7, atol=0.01)


def test_each_stage_begins_with_all_of_them():
    looks = Snapshots(1.0)
    looks.update(looks.choose(1000), np.zeros((1000, 128), np.float32), seconds=1.0)
    assert len(looks.choose(1000)) < 1000
    looks.begin_stage()
    assert len(looks.choose(1000)) == 1000
    assert looks.update(looks.choose(1000), np.ones((1000, 2)), 1.0).shape == (1000, 2)


def test_without_a_limit_all_are_looked_at_every_time():
    looks = Snapshots(0.0)
    for _ in range(2):
        chosen = looks.choose(1000)
        assert len(chosen) == 1000
        looks.update(chosen, np.zeros((1000, 2), np.float32), seconds=5.0)


def test_the_cost_of_a_look_decides_when_the_next_is_due(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("napari_patchmap.training.snapshots.time.monotonic", lambda: now[0])
    looks = Snapshots(1.5)
    with looks.timed():  # the first look of a stage
        looks.update(looks.choose(1000), np.zeros((1000, 2)), seconds=3.0)
        now[0] += 3.0
    now[0] += 1.6
    assert looks.due
    with looks.timed():
        looks.update(looks.choose(1000), np.zeros((256, 2)), seconds=0.5)
        now[0] += 0.5
    now[0] += 1.6
    assert not looks.due
    now[0] += 8.5
    assert looks.due
