"""What to annotate next: uncertain, of all kinds, and nothing twice."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.explore.suggest import suggest
from napari_patchmap.explore.useful import most_useful
from napari_patchmap.patches.watch import LoadCancelled, Watch
from tests.explore.gaussians import NAMES, groups, some


def test_before_anything_is_annotated_all_kinds_are_shown():
    x, true = groups(10)
    found = most_useful(x, None, np.full(len(x), -1), count=6)
    assert len(set(found)) == 6
    assert set(true[found]) == {0, 1, 2}


def test_uncertain_ones_are_chosen_and_never_those_annotated():
    x, true = groups(3)
    codes = some(true, 20, 20, 20)
    given = suggest(x, codes, NAMES)
    found = most_useful(x, given, codes, count=5)
    assert (codes[found] < 0).all()
    assert given.margin[found].mean() < given.margin[codes < 0].mean()
    assert (np.diff(given.margin[found]) >= 0).all()
    assert np.array_equal(found, most_useful(x, given, codes, count=5))


def test_of_uncertain_ones_that_are_alike_one_is_chosen():
    x, true = groups(3)
    codes = some(true, 20, 20, 20)
    given = suggest(x, codes, NAMES)
    doubtful = np.flatnonzero(codes < 0)[np.argmin(given.margin[codes < 0])]
    copies = np.flatnonzero(codes < 0)[:60]
    x[copies] = x[doubtful]
    again = suggest(x, codes, NAMES)
    found = most_useful(x, again, codes, count=20)
    assert len(found) == len(set(found)) == 20
    assert np.isin(found, copies).sum() <= 1


def test_a_sure_one_is_chosen_now_and_then_so_that_a_wrong_surety_is_found_out():
    x, true = groups(3)
    codes = some(true, 20, 20, 20)
    given = suggest(x, codes, NAMES)
    sure = np.median(given.margin[codes < 0])
    found = most_useful(x, given, codes, count=40)
    assert 0 < (given.margin[found] > sure).sum() < 20


def test_near_duplicates_come_once():
    x, _ = groups(8)
    rng = np.random.default_rng(1)
    x[10:60] = x[10] + rng.normal(scale=1e-4, size=(50, 12))
    x[60:90] = x[60]
    found = most_useful(x, None, np.full(len(x), -1), count=40)
    assert ((found >= 10) & (found < 60)).sum() <= 1
    assert ((found >= 60) & (found < 90)).sum() <= 1


def test_nothing_left_and_a_stop():
    x, true = groups(8)
    assert len(most_useful(x, None, true)) == 0
    left = true.copy()
    left[:3] = -1
    assert set(most_useful(x, None, left, count=20)) <= {0, 1, 2}
    with pytest.raises(LoadCancelled):
        most_useful(x, None, left, watch=Watch(should_stop=lambda: True))
