"""The first layout keeps groups together, repeats under a seed, and can be stopped."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.layout.first_layout import first_tsne, standardised
from napari_patchmap.quality import evaluate


def laid_out(features: np.ndarray, seed: int = 0, **asked: object) -> np.ndarray:
    return first_tsne(seed).lay_out(standardised(features), **asked)


def groups(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    kind = np.arange(count) % 3
    centres = rng.normal(size=(3, 20)) * 4
    return centres[kind] + rng.normal(size=(count, 20)), np.array(["a", "b", "c"])[kind]


def test_groups_stay_together_and_a_seed_repeats():
    features, labels = groups(240)
    first = laid_out(features, seed=1)
    assert evaluate(first, labels)["silhouette"]["mean"] > 0.5
    assert np.array_equal(first, laid_out(features, seed=1))


@pytest.mark.parametrize("count", [10, 25])
def test_few_patches_and_constant_features(count):
    features, _ = groups(count)
    features[:, 3] = 7.0
    layout = laid_out(features)
    assert layout.shape == (count, 2)
    assert np.isfinite(layout).all()


def test_it_can_be_stopped():
    calls = []

    def stop(done: int, layout: np.ndarray) -> bool:
        assert layout.shape == (120, 2)
        calls.append(done)
        return len(calls) >= 3

    layout = laid_out(groups(120)[0], watch=stop)
    assert len(calls) <= 4
    assert np.isfinite(layout).all()
