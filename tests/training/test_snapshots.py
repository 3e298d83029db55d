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
    np.testing.assert_array_equal(np.concatenate(parts[:2]), np.arange(1000))
    assert parts[2][0] == 0
    assert len(parts[0]) == 500  # a twentieth of a second


def test_new_outputs_are_put_among_the_old_ones():
    looks = Snapshots(1.0)
    old = looks.update(looks.choose(1000), np.zeros((1000, 2), np.float32), seconds=1.0)
    chosen = looks.choose(1000)
    found = looks.update(chosen, np.ones((len(chosen), 2), np.float32), seconds=0.2)
    assert len(chosen) == 256
    assert (found[chosen] == 1).all()
    assert (found[256:] == 0).all()
    assert (old == 0).all()  # what was shown before stays as it was


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
