"""Small views first: their size, the progress of a stage, and that a training has them."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.methods.coarse import WHOLE, Coarse
from napari_patchmap.networks import Network
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from napari_patchmap.training.budget.pace import Pace
from tests.conftest import make_cells

THREE_QUARTERS = Coarse(0.75, 4 / 7)


@pytest.mark.parametrize(
    ("size", "small"), [((28, 28), (16, 16)), ((64, 32), (37, 18)), ((8, 6), (8, 6))]
)
def test_views_are_small_at_first(size, small):
    assert THREE_QUARTERS.view_size(0.0, size) == small
    assert THREE_QUARTERS.view_size(0.74, size) == small
    assert THREE_QUARTERS.view_size(0.75, size) == size
    assert WHOLE.view_size(0.0, size) == size


@pytest.mark.parametrize("coarse", [WHOLE, THREE_QUARTERS, Coarse(1.0, 0.5), Coarse(0.5, 1.0)])
def test_progress_is_a_share_of_the_time(coarse):
    steps = np.linspace(0, 1, 1001)
    shares = np.array([coarse.progress(one) for one in steps])
    assert shares[0] == 0
    assert shares[-1] == pytest.approx(1)
    taken = np.array([coarse.work(one) for one in shares[:-1]])
    assert taken.mean() == pytest.approx(coarse.mean_work, rel=0.01)
    # After each step as much of the time is over as the steps before it take of all.
    np.testing.assert_allclose(shares[1:], np.cumsum(taken) / taken.sum(), atol=2e-3)


def test_the_time_that_is_left_counts_whole_steps_ahead():
    now = [0.0]
    pace, began = Pace(steps=1000, coarse=THREE_QUARTERS, clock=lambda: now[0]), []
    while not pace.finished:
        now[0] += THREE_QUARTERS.work(pace.fraction)
        pace.advance()
        began.append((now[0], pace.seconds_left))
    for time, left in began[50:-1:100]:
        assert left == pytest.approx(now[0] - time, rel=0.02, abs=20)


def test_by_the_clock_no_more_steps_are_promised_than_are_made():
    now = [0.0]
    pace, promised = Pace(deadline=500.0, coarse=THREE_QUARTERS, clock=lambda: now[0]), []
    while not pace.finished:
        now[0] += THREE_QUARTERS.work(pace.fraction)
        pace.advance()
        promised.append((pace.steps, pace.seconds_per_mean_step))
    for steps, seconds in promised[50:-20:100]:
        assert steps == pytest.approx(pace.done, rel=0.03)
        assert seconds == pytest.approx(500 / pace.done, rel=0.03)


@pytest.mark.parametrize("method", ["simclr", "tsimcne"])
def test_a_quick_training_on_a_cpu_sees_small_views_first(method, monkeypatch):
    seen = []
    features = Network.features

    def watched(self, images):
        if self.training and len(images) == 40:  # two views of a batch
            seen.append(images.shape[-1])
        return features(self, images)

    monkeypatch.setattr(Network, "features", watched)
    epochs = {"simclr": (6.0,), "tsimcne": (6.0, 1.0, 1.0)}[method]
    train = TrainConfig(method=method, device="cpu", epochs=epochs, batch_size=20)
    # Passes by which it is planned are of whole views.
    run = fit(make_cells(), RunConfig(train), planned=lambda _: seen.clear())
    made = run.info["steps"][0]
    first = seen[:made]
    assert set(first) == {9, 16}
    assert first == sorted(first)
    assert first.count(9) > made / 2
    assert set(seen[made:]) <= {16}


def test_the_published_recipe_has_whole_views():
    train = TrainConfig(
        method="simclr", preset="paper", device="cpu", epochs=(0.1,), backbone="resnet18"
    )
    run = fit(make_cells(20), RunConfig(train))
    assert run.info["stages"][0]["coarse"] == {"share": 0.0, "scale": 1.0}
