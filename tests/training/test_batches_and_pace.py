"""Every patch is seen once an epoch, every batch is full, and the clock is kept."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch

from napari_patchmap.networks.pixels import PatchPixels
from napari_patchmap.training.budget.pace import Pace
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.feed import BalancedBatches, Batches, feed
from tests.conftest import make_cells


@pytest.mark.parametrize(("patches", "size"), [(100, 32), (33, 32), (64, 32), (50, 49)])
def test_batches_are_full_without_repeats_and_fair(patches, size):
    batches = Batches(patches, size, seed=0)
    drawn = [batches.draw() for _ in range(patches * 4)]
    assert all(len(batch) == size == len(torch.unique(batch)) for batch in drawn)
    counts = np.bincount(torch.cat(drawn).numpy(), minlength=patches)
    assert counts.max() - counts.min() <= 1


def test_a_batch_is_never_larger_than_the_set():
    batches = Batches(7, 512, seed=0)
    assert sorted(batches.draw().tolist()) == list(range(7))


def test_batches_that_are_skipped_are_as_if_drawn():
    straight, resumed = Batches(50, 16, seed=3), Batches(50, 16, seed=3)
    for _ in range(11):
        straight.draw()
    resumed.skip(11)
    assert all(torch.equal(straight.draw(), resumed.draw()) for _ in range(9))


def test_balanced_batches_have_as_many_of_each_group_and_no_patch_twice():
    groups = np.repeat([0, 1, 2], [60, 5, 300])
    batches = BalancedBatches(groups, 32, seed=0)
    drawn = [batches.draw() for _ in range(60)]
    assert all(len(batch) == 32 == len(torch.unique(batch)) for batch in drawn)
    for batch in drawn:  # the smallest is in each as a whole, the others share the rest
        assert sorted(np.bincount(groups[batch]).tolist()) == [5, 13, 14]
    counts = np.bincount(torch.cat(drawn).numpy(), minlength=len(groups))
    for group in range(3):
        assert np.ptp(counts[groups == group]) <= 1
    resumed = BalancedBatches(groups, 32, seed=0)
    resumed.skip(20)
    assert torch.equal(resumed.draw(), drawn[20])


@pytest.mark.parametrize("streamed", [False, True])
def test_processes_are_fed_their_shares_of_the_same_batches(streamed):
    cells, cpu = make_cells(20), torch.device("cpu")
    lazy = PatchPixels(cells, (16, 16))
    pixels = lazy if streamed else lazy[:]

    def fed(*share):
        with feed(Batches(20, 7, seed=0), pixels, cpu, *share) as batches:
            return list(islice(batches, 4))

    shares = [fed(Ranks(rank, 3).share) for rank in range(3)]
    for number, (chosen, whole) in enumerate(fed()):
        assert torch.equal(whole, lazy[chosen])
        assert all(torch.equal(share[number][0], chosen) for share in shares)
        assert [len(share[number][1]) for share in shares] == [3, 2, 2]
        assert torch.equal(torch.cat([share[number][1] for share in shares]), whole)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_by_steps_the_fraction_is_exact():
    pace = Pace(steps=8)
    fractions = []
    while not pace.finished:
        pace.advance()
        fractions.append(pace.fraction)
    assert fractions == [i / 8 for i in range(1, 9)]


@pytest.mark.parametrize("slowdown", [1.0, 0.5, 3.0])
def test_by_the_clock_the_schedule_ends_with_the_time_whatever_the_speed(slowdown):
    clock = Clock()
    pace = Pace(deadline=100.0, clock=clock)
    fractions = [0.0]
    while not pace.finished:
        clock.now += 0.1 * (slowdown if clock.now > 50 else 1.0)
        pace.advance()
        fractions.append(pace.fraction)
    assert clock.now == pytest.approx(100.0, rel=0.02)
    assert fractions == sorted(fractions)
    assert fractions[-1] > 0.9
    steps = np.diff(fractions)
    assert steps.max() < 0.02  # no jump in the learning rate


def test_a_budget_that_is_spent_already_ends_after_one_step():
    clock = Clock()
    clock.now = 5.0
    pace = Pace(deadline=4.0, clock=clock)
    assert not pace.finished  # the weights of its stage would be left to chance
    pace.advance()
    assert pace.finished


def test_steps_or_deadline_but_not_both():
    with pytest.raises(ValueError, match="either"):
        Pace(steps=3, deadline=4.0)
