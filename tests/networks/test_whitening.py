"""Whitening of features: what it does to spreads, and that new patches get the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import pdist

from napari_patchmap.networks import Network, NetworkSpec
from napari_patchmap.networks.whitening import Whitening, whitened
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import finishing, fit
from tests.conftest import make_cells


def features(count: int = 300, width: int = 6) -> np.ndarray:
    """Features with axes of very different spreads, which lie across."""
    rng = np.random.default_rng(0)
    turn = np.linalg.qr(rng.normal(size=(width, width)))[0]
    spreads = 10.0 ** -np.linspace(0, 1.5, width)
    return ((rng.normal(size=(count, width)) * spreads) @ turn + 5).astype(np.float32)


def spreads_of(values: np.ndarray) -> np.ndarray:
    return np.sqrt(np.linalg.svd(np.cov(values.T.astype(np.float64)))[1])


@pytest.mark.parametrize("power", [0.25, 0.75, 1.0])
def test_spreads_are_divided_by_a_power_of_themselves(power):
    given = features()
    before, after = spreads_of(given), spreads_of(whitened(given, power))
    # To each variance a little of their mean is added, the less the more patches there are.
    spreads = np.sqrt(before**2 + 0.1 * 6 / 300 * np.mean(before**2))
    np.testing.assert_allclose(after, before * (spreads[0] / spreads) ** power, rtol=1e-3)


def test_where_few_patches_do_not_vary_new_ones_are_not_blown_up():
    rng = np.random.default_rng(0)
    known, new = rng.normal(size=(2, 30, 60)).astype(np.float32)
    whitening = Whitening(60)
    whitening.fit(known, 0.75)
    assert whitening.of(new).std() < 4 * whitening.of(known).std()


def test_a_power_of_nothing_changes_no_distance():
    given = features()
    np.testing.assert_allclose(pdist(whitened(given, 0.0)), pdist(given), rtol=1e-4)


def test_an_axis_of_noise_is_not_brought_up():
    given = np.zeros((50, 3), np.float32)
    given[:, 0] = np.linspace(-1, 1, 50)
    given[:, 1] = 1e-7 * np.cos(np.arange(50))
    after = whitened(given, 1.0)
    assert after.std(axis=0)[1:].max() < 1e-3 * after[:, 0].std()


@pytest.mark.parametrize("given", [np.ones((5, 4), np.float32), features(3), features(1)])
def test_few_or_equal_patches_give_numbers(given):
    assert np.isfinite(whitened(given, 0.75)).all()


def test_a_network_gives_away_whitened_features_and_projects_plain_ones():
    network = Network(NetworkSpec("compact", 3, (16, 16))).eval()
    images = torch.rand(40, 3, 16, 16)
    with torch.inference_mode():
        plain = network.features(images)
        outputs = network(images)
        given = network.whiten(plain.numpy(), 0.75)
        assert torch.equal(network(images), outputs)
    np.testing.assert_allclose(given, whitened(plain.numpy(), 0.75), rtol=1e-5)
    again = Network(network.spec).eval()
    again.load_state_dict(network.state_dict())
    np.testing.assert_array_equal(again.given_away(plain.numpy()), given)


@pytest.mark.parametrize("method", ["simclr", "tsimcne"])
def test_patches_that_are_placed_later_get_the_features_of_the_run(method, tmp_path):
    epochs = {"simclr": (1.0,), "tsimcne": (1.0, 1.0, 1.0)}[method]
    cells = make_cells()
    train = TrainConfig(method=method, device="cpu", epochs=epochs, batch_size=20)
    fit(cells, RunConfig(train)).save(tmp_path / "run")
    run = Run.load(tmp_path / "run")
    assert run.network.spec.whitening == 0.75
    placed = run.place(cells)
    np.testing.assert_allclose(placed.features, run.features, rtol=0.02, atol=0.02)


def test_too_many_features_are_left_as_they_are_which_is_said(monkeypatch):
    monkeypatch.setattr(finishing, "MOST_WHITENED", 10)
    train = TrainConfig(method="simclr", device="cpu", epochs=(1.0,), batch_size=20)
    run = fit(make_cells(), RunConfig(train))
    assert run.network.spec.whitening == 0
    said = f"There are {run.network.width} features, too many to be whitened (at most 10)."
    assert said in run.info["notes"]


@pytest.mark.parametrize(
    ("settings", "power"),
    [
        ({"method": "simclr"}, 0.75),
        ({"method": "simclr", "preset": "standard"}, 0.0),
        ({"method": "simclr", "preset": "paper", "whitening": 0.5}, 0.5),
        ({"method": "simclr", "whitening": 0.0}, 0.0),
        ({"method": "pixels"}, 0.0),
        ({"method": "pretrained"}, 0.75),
    ],
)
def test_published_recipes_and_baselines_are_left_as_they_are(settings, power):
    train = TrainConfig(**settings)
    assert train.whitens == power
    usual = settings.get("preset", "quick") == "quick" and settings["method"] != "pixels"
    tsne = train.tsne()
    found = (tsne.metric, tsne.iterations, tsne.last_exaggeration)
    assert found == (("cosine", 250, 2.0) if usual else ("euclidean", 500, 0.0))


def test_a_run_from_before_is_laid_out_as_it_was():
    saved = RunConfig(TrainConfig(method="simclr")).to_dict()
    for name in ("whitening", "tsne_iterations"):
        del saved["train"][name]
    saved["train"] |= {"tsne_metric": "euclidean", "last_exaggeration": None}
    train = RunConfig.from_dict(saved).train
    tsne = train.tsne()
    assert (tsne.metric, tsne.iterations, tsne.last_exaggeration) == ("euclidean", 500, 0.0)
    assert train.whitens == 0.0
