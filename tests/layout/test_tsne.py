"""t-SNE of features: groups, seeds, stopping, three dimensions, new points."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from napari_patchmap.layout.tsne import Tsne

pytestmark = pytest.mark.slow

GROUPS = np.repeat(np.arange(4), 60)


def features(seed: int = 0) -> np.ndarray:
    """Four groups in twenty dimensions that do not touch."""
    rng = np.random.default_rng(seed)
    centres = 6 * np.eye(20)[:4]
    return (centres[GROUPS] + rng.normal(0, 1, (len(GROUPS), 20))).astype(np.float32)


def purity(embedding: np.ndarray) -> float:
    """Share of points whose neighbours are of their own group."""
    return KNeighborsClassifier(5).fit(embedding, GROUPS).score(embedding, GROUPS)


@pytest.mark.parametrize("dimensions", [2, 3])
@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_groups_stay_together_and_the_seed_decides(dimensions, metric):
    tsne = Tsne(dimensions=dimensions, metric=metric, start="random", seed=3)
    embedding = tsne.lay_out(features())
    assert embedding.shape == (240, dimensions)
    assert embedding.dtype == np.float32
    assert purity(embedding) == 1.0
    np.testing.assert_array_equal(embedding, tsne.lay_out(features()))
    other = Tsne(dimensions=dimensions, metric=metric, start="random", seed=4)
    assert not np.array_equal(embedding, other.lay_out(features()))


def test_exaggeration_draws_neighbours_together():
    plain, drawn = (Tsne(exaggeration=e).lay_out(features()) for e in (1.0, 4.0))
    assert np.ptp(drawn) < 0.7 * np.ptp(plain)
    assert purity(drawn) == 1.0


def test_exaggeration_at_the_end_draws_together_what_is_laid_out():
    seen = []
    tsne = Tsne(last_exaggeration=4.0)
    drawn = tsne.lay_out(features(), watch=lambda done, _: seen.append(done))
    assert seen[-1] == tsne.steps == Tsne().steps + 100
    plain = Tsne().lay_out(features())
    within = [np.mean([e[g == GROUPS].std(axis=0) for g in range(4)]) for e in (drawn, plain)]
    assert within[0] < 0.7 * within[1]
    assert purity(drawn) == 1.0


def test_it_can_be_watched_and_ended():
    seen = []

    def watch(done, embedding):
        seen.append((done, embedding.shape))
        return done >= 50

    embedding = Tsne().lay_out(features(), watch=watch)
    assert seen == [(done, (240, 2)) for done in range(10, 60, 10)]
    assert np.isfinite(embedding).all()


def test_few_patches_are_laid_out_too():
    assert np.isfinite(Tsne().lay_out(features()[::24])).all()


@pytest.mark.parametrize("dimensions", [2, 3])
def test_new_points_come_to_their_group_and_leave_the_others_alone(dimensions):
    tsne = Tsne(dimensions=dimensions)
    embedding = tsne.lay_out(features())
    before = embedding.copy()
    placed = tsne.place(features(seed=1), features(), embedding)
    np.testing.assert_array_equal(embedding, before)
    nearest = KNeighborsClassifier(5).fit(embedding, GROUPS)
    assert nearest.score(placed, GROUPS) == 1.0
    np.testing.assert_array_equal(placed, tsne.place(features(seed=1), features(), embedding))
    # Each is placed alone: a part of them lands where it landed with the others.
    some = tsne.place(features(seed=1)[:7], features(), embedding)
    np.testing.assert_allclose(some, placed[:7], atol=1e-3 * np.ptp(embedding))
    assert tsne.place(features()[:0], features(), embedding).shape == (0, dimensions)


def test_what_is_on_the_map_already_is_placed_where_it_lies():
    """Also where the map lies more to one side than to the other."""
    known = features()[:130]
    embedding = Tsne(iterations=150).lay_out(known) + 50
    placed = Tsne().place(known, known, embedding)
    assert np.median(np.abs(placed - embedding)) < 0.03 * np.ptp(embedding)


def test_when_time_is_short_the_last_iterations_are_made_all_the_same():
    seen = []
    tsne = Tsne(last_exaggeration=4.0)
    drawn = tsne.lay_out(
        features(),
        watch=lambda done, _: seen.append(done),
        hurry=lambda done: done >= 300,
    )
    assert 300 in seen
    assert not [done for done in seen if 310 <= done <= 750]
    assert seen[-1] == tsne.steps
    assert np.ptp(drawn) < 0.8 * np.ptp(Tsne().lay_out(features()))
    assert purity(drawn) == 1.0
    # Who stops gets the map as it is, without them.
    stopped = tsne.lay_out(features(), watch=lambda done, _: done >= 300)
    assert np.ptp(stopped) > np.ptp(drawn)


def test_the_length_counts_what_iterations_cost():
    usual, longer = Tsne(), Tsne(last_exaggeration=2.0)
    assert 1.0 < longer.cost(longer.steps, 100) / usual.cost(usual.steps, 100) < 1.4
    assert longer.cost(750, 100) == pytest.approx(usual.cost(750, 100))
    # Neighbours of many patches take their time before the first iteration.
    found = [longer.cost(0, n) / longer.cost(longer.steps, n) for n in (100, 17_000)]
    assert found[0] < 0.01 < 0.1 < found[1]
