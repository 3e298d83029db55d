"""Patches that stand for all: against brute force, and balanced as it is said."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import FindError
from napari_patchmap.find.representative import RepresentativeConfig, find_representative
from napari_patchmap.find.sampling import farthest_points, shares
from napari_patchmap.find.search import FindInput, found_column
from napari_patchmap.patches.watch import UNWATCHED
from tests.onlooker import Onlooker


def some(count: int = 400, seed: int = 0) -> FindInput:
    random = np.random.default_rng(seed)
    features = random.normal(3.0, 1.0, (count, 8)).astype(np.float32)
    places = random.uniform(-10, 30, (count, 2)).astype(np.float32)
    label = np.array(["a"] * 300 + ["b"] * 90 + ["c"] * 4 + [""] * 6, object)
    return FindInput(places, features, pd.DataFrame({"label": label[:count]}))


def chosen(found) -> list[int]:
    """Return the chosen patches by their ranks, which the list must have in the same order."""
    rank = found.columns["representative"]
    rows = np.flatnonzero(np.isfinite(rank))
    order = rows[np.argsort(rank[rows])]
    assert sorted(rank[rows]) == list(range(1, len(rows) + 1))
    assert found.listed["index"].tolist() == order.tolist()
    return order.tolist()


@pytest.mark.parametrize("of", ["features", "map"])
def test_each_is_the_farthest_from_all_before(of):
    given = some()
    points = (given.features if of == "features" else given.embedding).astype(float)
    found = find_representative(given, RepresentativeConfig(count=25, of=of), UNWATCHED)
    apart = np.linalg.norm(points[:, None] - points[None], axis=2)
    expected = [int(np.linalg.norm(points - points.mean(axis=0), axis=1).argmin())]
    gaps = []
    while len(expected) < 25:
        nearest = apart[expected].min(axis=0)
        expected.append(int(nearest.argmax()))
        gaps.append(nearest.max())
    assert chosen(found) == expected
    assert np.allclose(found.listed["distance"][1:], gaps, rtol=1e-4)
    assert found.report["radius"] == pytest.approx(apart[expected].min(axis=0).max(), rel=1e-4)


def test_copies_are_not_chosen_twice():
    features = np.repeat(np.arange(15, dtype=np.float32)[:, None] * [1, 2], 10, axis=0)
    given = FindInput(features, features, pd.DataFrame(index=range(150)))
    found = find_representative(given, RepresentativeConfig(count=50), UNWATCHED)
    assert len(np.unique(features[chosen(found)], axis=0)) == 15 == len(found.listed)
    said = "50 were asked for, but only 15 patches differ by their features; the others are"
    assert said in " ".join(found.lines)
    for how in ("farthest", "grid"):
        config = RepresentativeConfig(count=50, how=how, of="map")
        lines = find_representative(given, config, UNWATCHED).lines
        assert "only 15 patches differ in their place on the map" in " ".join(lines)
    whole = find_representative(some(), RepresentativeConfig(count=500), UNWATCHED)
    assert len(chosen(whole)) == 400
    assert "500 were asked for, but there are only 400 patches." in whole.lines
    labels = RepresentativeConfig(count=500, how="column")
    lines = find_representative(some(), labels, UNWATCHED).lines
    assert "500 were asked for, but only 394 have a value." in lines


def test_one_who_has_enough_keeps_what_was_chosen():
    whole = find_representative(some(), RepresentativeConfig(count=40), UNWATCHED)
    somebody = Onlooker(lambda heard: len(heard.steps) >= 12)
    part = find_representative(some(), RepresentativeConfig(count=40), somebody.watch)
    assert chosen(somebody.known[-1]) == chosen(part)
    assert chosen(part) == chosen(whole)[:12]


def test_the_same_number_of_each_label():
    found = find_representative(some(), RepresentativeConfig(count=60, how="column"), UNWATCHED)
    labels = some().table["label"].to_numpy()[chosen(found)]
    assert pd.Series(labels).value_counts().to_dict() == {"a": 28, "b": 28, "c": 4}
    assert "All there are, for they have fewer: c." in found.lines
    assert "6 patches without a value were left out." in found.lines
    # The first so many are balanced, too.
    assert set(labels[:6]) == {"a", "b", "c"}
    other = RepresentativeConfig(count=60, how="column", seed=1)
    again, different = (
        find_representative(some(), config, UNWATCHED)
        for config in (RepresentativeConfig(count=60, how="column"), other)
    )
    assert chosen(again) == chosen(found) != chosen(different)


def test_by_their_sizes_and_those_nearest_to_the_middle():
    given = some()
    config = RepresentativeConfig(
        count=40, how="column", share="proportional", within="typical"
    )
    rows = np.array(chosen(find_representative(given, config, UNWATCHED)))
    labels = given.table["label"].to_numpy()
    assert pd.Series(labels[rows]).value_counts().to_dict() == {"a": 30, "b": 9, "c": 1}
    of_b = np.flatnonzero(labels == "b")
    apart = np.linalg.norm(given.features[of_b] - given.features[of_b].mean(axis=0), axis=1)
    assert set(rows[labels[rows] == "b"]) == set(of_b[np.argsort(apart)[:9]])


def test_groups_that_were_found_are_drawn_from():
    given = some()
    with pytest.raises(FindError, match="find groups first"):
        find_representative(given, RepresentativeConfig(how="groups"), UNWATCHED)
    groups = np.where(np.arange(400) < 350, "group 1", "group 2").astype(object)
    given = replace(given, table=given.table.assign(**{found_column("group"): groups}))
    found = find_representative(given, RepresentativeConfig(count=20, how="groups"), UNWATCHED)
    assert pd.Series(groups[chosen(found)]).value_counts().to_dict() == {
        "group 1": 10,
        "group 2": 10,
    }


def test_a_grid_covers_the_map_evenly():
    given = some()
    crowded = given.embedding.copy()
    crowded[:300] = np.random.default_rng(3).normal(0, 0.2, (300, 2))
    given = replace(given, embedding=crowded)
    rows = chosen(
        find_representative(given, RepresentativeConfig(count=50, how="grid"), UNWATCHED)
    )
    assert len(set(rows)) == 50
    # Three quarters lie in one spot, of which few are needed.
    assert sum(row < 300 for row in rows) < 10
    apart = np.linalg.norm(crowded[:, None] - crowded[rows][None], axis=2).min(axis=1)
    assert apart.max() < 12


def test_shares_fill_up_and_never_exceed_a_group():
    random = np.random.default_rng(0)
    for proportional in (False, True):
        for _ in range(200):
            sizes = random.integers(1, 60, random.integers(1, 9))
            count = int(random.integers(1, 300))
            given = shares(sizes, count, proportional)
            assert given.sum() == min(count, sizes.sum())
            assert (given <= sizes).all()
            assert count < len(sizes) or (given >= 1).all()
            if not proportional:  # who has fewer than another has no more
                assert all(
                    g >= given.max() - 1 for g, s in zip(given, sizes, strict=True) if g < s
                )


def test_points_far_from_the_origin_lose_nothing():
    near = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    assert (farthest_points(near, 20)[0] == farthest_points(near + 500, 20)[0]).all()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            RepresentativeConfig(how="column", column="dose"),
            "no column dose; choose one of label",
        ),
        (RepresentativeConfig(how="column", column="empty"), "empty is empty"),
        (RepresentativeConfig(how="column", column="id"), "too many to take some"),
    ],
)
def test_columns_that_do_not_serve_are_named(config, said):
    count = 6_000
    table = pd.DataFrame(
        {"label": ["a"] * count, "empty": [None] * count, "id": map(str, range(count))}
    )
    given = FindInput(np.random.default_rng(0).normal(size=(count, 2)), None, table)
    with pytest.raises(FindError, match=said):
        find_representative(given, config, UNWATCHED)
