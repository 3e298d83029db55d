"""Forces of a t-SNE as a GPU computes them, here on the CPU, against all pairs in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from openTSNE.affinity import PerplexityBasedNN
from openTSNE.tsne import kl_divergence_fft

from napari_patchmap.layout import device_forces, tsne
from napari_patchmap.layout.device_forces import DeviceForces
from napari_patchmap.layout.tsne import Tsne

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def similar():
    """Similarities of 500 patches in groups."""
    rng = np.random.default_rng(0)
    features = rng.normal(size=(500, 8)) + 3 * np.eye(8)[rng.integers(0, 4, 500)]
    return PerplexityBasedNN(features, perplexity=30, random_state=0).P


def reference(points, similar):
    """Loss and gradient by all pairs in float64."""
    p, apart = similar.toarray(), points[:, None] - points[None]
    w = 1 / (1 + np.square(apart).sum(axis=2))
    np.fill_diagonal(w, 0)
    q = w / w.sum()
    some = p > 0
    loss = (p[some] * np.log(p[some] / q[some])).sum()
    return loss, np.einsum("ij,ijk->ik", (p - q) * w, apart)


def points(size: float, dimensions: int = 2) -> np.ndarray:
    return size * np.random.default_rng(1).normal(size=(500, dimensions))


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("size", [1e-4, 3.0, 40.0])
def test_all_pairs_make_the_gradient_of_the_loss(similar, size, dimensions, monkeypatch):
    monkeypatch.setattr(device_forces, "_MOST_AT_ONCE", 7000)  # several parts, the last short
    loss, gradient = reference(points(size, dimensions), similar)
    found = DeviceForces(CPU)(points(size, dimensions), similar, should_eval_error=True)
    assert found[0] == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(found[1], gradient, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("size", [1e-4, 3.0, 20.0, 40.0])
def test_a_grid_is_nearer_to_all_pairs_than_that_of_opentsne(similar, size):
    loss, gradient = reference(points(size), similar)
    ours = DeviceForces(CPU, paired=0)(points(size), similar, should_eval_error=True)
    grid = {"n_interpolation_points": 3, "min_num_intervals": 50, "ints_in_interval": 1}
    theirs = kl_divergence_fft(points(size), similar, 1, grid, should_eval_error=True)
    rounding = 2e-6 * np.abs(gradient).max()
    off = [np.abs(found[1] - gradient).max() for found in (ours, theirs)]
    assert off[0] <= off[1] + rounding
    assert off[0] < 0.03 * np.abs(gradient).max()
    assert abs(ours[0] - loss) <= abs(theirs[0] - loss) + 1e-5 * loss


def test_exaggeration_is_seen_and_taken_back(similar):
    forces, places, own = DeviceForces(CPU), points(3.0), similar.copy()
    plain = forces(places, own, should_eval_error=True)
    own *= 12.0  # as openTSNE does, in place
    loss, gradient = reference(places, own)
    found = forces(places, own, should_eval_error=True)
    assert found[0] == pytest.approx(loss, rel=1e-6)
    np.testing.assert_allclose(found[1], gradient, atol=1e-5 * np.abs(gradient).max())
    own /= 12.0
    again = forces(places, own, should_eval_error=True)
    assert again[0] == pytest.approx(plain[0], rel=1e-12)
    np.testing.assert_allclose(again[1], plain[1], rtol=1e-9, atol=1e-15)


def test_the_similarities_of_another_map_are_other_ones(similar):
    forces, places = DeviceForces(CPU), points(3.0)
    forces(places, similar)
    other = similar[::-1][:, ::-1].tocsr()
    _, gradient = reference(places, other)
    found = forces(places, other)[1]
    np.testing.assert_allclose(found, gradient, atol=1e-5 * np.abs(gradient).max())


@pytest.mark.parametrize("most", [1, 1000, 10**9])
def test_similarities_are_taken_in_parts_of_whole_rows(similar, most):
    parts = device_forces._runs(similar.indptr, most)
    assert [first for first, *_ in parts] == [0, *(last for _, last, *_ in parts[:-1])]
    assert parts[-1][1] == len(similar.indptr) - 1
    for first, last, begin, end in parts:
        assert (begin, end) == (similar.indptr[first], similar.indptr[last])
        assert end - begin <= most or last - first == 1


@pytest.mark.slow
@pytest.mark.parametrize("paired", [0, 10**6])
def test_a_map_made_with_them_is_as_good_as_that_of_opentsne(monkeypatch, paired):
    rng = np.random.default_rng(2)
    groups = np.repeat(np.arange(6), 50)
    features = 5 * np.eye(10)[groups] + rng.normal(size=(300, 10))
    monkeypatch.setattr(tsne, "EARLY", 60)
    monkeypatch.setattr(device_forces, "_FEWEST_CELLS", 20)
    theirs, ours = (Tsne(last_exaggeration=2, iterations=60) for _ in range(2))
    map_of_theirs = theirs.lay_out(features)
    monkeypatch.setattr(tsne, "computes_forces", lambda device: True)
    monkeypatch.setattr(tsne, "DeviceForces", lambda device: DeviceForces(device, paired))
    seen = []
    map_of_ours = ours.lay_out(features, watch=lambda done, _: seen.append(done))
    assert seen[-1] == ours.steps
    similar = PerplexityBasedNN(features, perplexity=30, random_state=0).P
    losses = [reference(one.astype(float), similar)[0] for one in (map_of_ours, map_of_theirs)]
    assert losses[0] < 1.01 * losses[1]
    np.testing.assert_array_equal(map_of_ours, ours.lay_out(features))
