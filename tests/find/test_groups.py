"""Groups of alike patches: against scikit-learn, in words, and what people do with them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import HDBSCAN
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

from napari_patchmap.errors import AnnotationError, FindError, MissingPackageError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.find.group_edits import (
    as_annotation,
    merge_groups,
    rename_group,
    split_group,
)
from napari_patchmap.find.groups import GroupsConfig, find_groups
from napari_patchmap.find.search import FindInput, found_column
from napari_patchmap.find.space import points_of
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED
from tests.onlooker import Onlooker

SIZES = [400, 300, 200, 100, 60]


def blobs(seed: int = 0, spread: float = 1.0) -> tuple[FindInput, np.ndarray]:
    """Return patches of five kinds that lie well apart, and the kind of each."""
    points, kinds = make_blobs(SIZES, 16, cluster_std=spread, random_state=seed)
    table = pd.DataFrame({"label": [f"kind {kind}" for kind in kinds]})
    features = points.astype(np.float32)
    return FindInput(features[:, :2].copy(), features, table), kinds


@pytest.mark.parametrize("method", ["k-means", "hdbscan", "leiden"])
def test_groups_that_lie_apart_are_found_without_saying_how_many(method):
    if method == "leiden":
        pytest.importorskip("sknetwork")
    given, kinds = blobs()
    found = find_groups(given, GroupsConfig(method=method), UNWATCHED)
    names = found.columns["group"]
    there = names != ""
    assert there.mean() > 0.97
    assert adjusted_rand_score(kinds[there], names[there]) == 1
    sizes = [row["size"] for row in found.report["groups"]]
    assert [row["name"] for row in found.report["groups"]] == [
        f"group {n}" for n in range(1, 6)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes == np.unique(names[there], return_counts=True)[1].tolist()


def test_the_curve_bends_at_the_number_of_groups_and_says_so():
    given, _ = blobs()
    found = find_groups(given, GroupsConfig(), UNWATCHED)
    elbow = found.report["elbow"]
    assert elbow["suggested"] == 5
    assert elbow["clear"]
    assert elbow["likely"] == [5, 5]
    assert elbow["groups"][0] == 1
    assert elbow["explained"][0] == 0
    whole = given.features.var(axis=0, dtype=float).sum()
    assert elbow["inertia"][0] == pytest.approx(whole, rel=1e-5)
    assert "bends most" in " ".join(found.lines)


def test_where_the_number_is_in_doubt_a_range_holds_what_other_draws_suggest():
    given, _ = blobs(spread=4.5)
    first, *others = (
        find_groups(given, GroupsConfig(seed=seed), UNWATCHED) for seed in range(3)
    )
    low, high = first.report["elbow"]["likely"]
    for found in (first, *others):
        assert low <= found.report["elbow"]["suggested"] <= high
    assert (f"{low} to {high} would do nearly as well" in " ".join(first.lines)) == (low < high)


def test_without_groups_no_number_is_praised():
    points = np.random.default_rng(0).normal(size=(2_000, 16)).astype(np.float32)
    given = FindInput(points[:, :2], points, pd.DataFrame(index=range(2_000)))
    found = find_groups(given, GroupsConfig(), UNWATCHED)
    assert not found.report["elbow"]["clear"]
    assert "does not bend" in " ".join(found.lines)


def test_groups_are_compared_with_labels_as_scikit_learn_does():
    given, kinds = blobs(spread=6.0)
    labels = np.where(np.arange(len(kinds)) % 7 == 0, "", [f"kind {k}" for k in kinds])
    given = replace(given, table=pd.DataFrame({"label": labels}))
    found = find_groups(given, GroupsConfig(groups=7), UNWATCHED)
    names, known = found.columns["group"], labels != ""
    assert found.report["ari"] == pytest.approx(
        adjusted_rand_score(labels[known], names[known])
    )
    ami = adjusted_mutual_info_score(labels[known], names[known])
    assert found.report["ami"] == pytest.approx(ami)
    counts = pd.crosstab(names[known], labels[known])
    purity = counts.max(axis=1).sum() / known.sum()
    assert found.report["pure"] == pytest.approx(purity)
    assert 0.3 < purity < 1
    first = found.report["groups"][0]
    assert first["pure"] == pytest.approx(
        counts.loc["group 1"].max() / counts.loc["group 1"].sum()
    )
    assert first["label"] == counts.loc["group 1"].idxmax()


def test_the_three_nearest_to_each_middle_are_listed():
    given, _ = blobs()
    found = find_groups(given, GroupsConfig(groups=5), UNWATCHED)
    names = found.columns["group"]
    for name, rows in found.listed.groupby("group", sort=False):
        members = np.flatnonzero(names == name)
        apart = np.linalg.norm(
            given.features[members] - given.features[members].mean(axis=0), axis=1
        )
        assert rows["index"].tolist() == members[np.argsort(apart)[:3]].tolist()
        assert rows["rank"].tolist() == [1, 2, 3]
    assert list(found.listed.columns[:2]) == ["index", "group"]


def test_patches_in_no_dense_part_are_in_no_group():
    given, _ = blobs()
    lonely = np.random.default_rng(1).uniform(-60, 60, (80, 16)).astype(np.float32)
    features = np.concatenate([given.features, lonely])
    given = FindInput(features[:, :2], features, pd.DataFrame(index=range(len(features))))
    found = find_groups(given, GroupsConfig(method="hdbscan"), UNWATCHED)
    assert (found.columns["group"][-80:] == "").mean() > 0.9
    assert "are in no group" in " ".join(found.lines)


def test_very_many_follow_those_that_were_grouped(monkeypatch):
    given, kinds = blobs()
    monkeypatch.setattr("napari_patchmap.find.dense_groups.FITTED", 400)
    found = find_groups(given, GroupsConfig(method="hdbscan"), UNWATCHED)
    names = found.columns["group"]
    there = names != ""
    assert there.mean() > 0.9
    assert adjusted_rand_score(kinds[there], names[there]) == 1
    assert "found among 400 patches" in " ".join(found.lines)


def test_the_same_seed_finds_the_same_groups():
    given, _ = blobs(spread=8.0)
    first, again = (find_groups(given, GroupsConfig(groups=6), UNWATCHED) for _ in range(2))
    assert (first.columns["group"] == again.columns["group"]).all()


def test_the_cosine_of_the_run_counts():
    """Two directions, each short and long: lengths would divide them otherwise."""
    random = np.random.default_rng(0)
    way = np.repeat([[1.0, 0.0], [0.0, 1.0]], 100, axis=0)
    long = np.tile([1.0, 30.0], 100)[:, None]
    features = ((way + random.normal(0, 0.02, way.shape)) * long).astype(np.float32)
    given = FindInput(features, features, pd.DataFrame(index=range(200)), metric="cosine")
    found = find_groups(given, GroupsConfig(groups=2), UNWATCHED)
    assert adjusted_rand_score(way[:, 0], found.columns["group"]) == 1


def test_what_sets_a_group_apart_is_said_in_words():
    given, kinds = blobs()
    random = np.random.default_rng(0)
    pixels = random.integers(90, 110, (len(kinds), 12, 12, 3), dtype=np.uint8)
    pixels[kinds == 0, ..., 0] += 100
    columns = {
        "label": given.table["label"],
        "day": np.where(kinds == 1, "monday", "tuesday"),
        "dose": np.where(kinds == 2, 9.0, 1.0) + random.normal(0, 0.3, len(kinds)),
        found_column("group"): "of an earlier search",
    }
    boxes = {"source": "a.png", "frame": 0, "y": 0, "x": 0, "height": 12, "width": 12}
    table = pd.DataFrame({**boxes, **columns})
    patches = PatchSet(pixels, table, ("red", "green", "blue"))
    given = replace(given, table=table, patches=patches)
    found = find_groups(given, GroupsConfig(groups=5), UNWATCHED)
    apart = {row["label"]: row["apart"] for row in found.report["groups"]}
    assert "redder (+" in apart["kind 0"]
    assert "day monday: 100 % (0 % elsewhere)" in apart["kind 1"]
    assert "dose higher (+" in apart["kind 2"]
    assert "redder" not in apart["kind 4"]
    assert "found: group" not in " ".join(apart.values())


def test_one_who_has_enough_gets_groups_of_what_was_tried():
    given, _ = blobs()
    somebody = Onlooker(lambda heard: len(heard.steps) >= 4)
    found = find_groups(given, GroupsConfig(), somebody.watch)
    assert found.report["elbow"]["groups"] == [1, 2, 3, 4]
    assert len(found.report["groups"]) in (2, 3, 4)
    assert all(done < total for done, total in somebody.steps)


def test_dense_parts_are_those_of_scikit_learn():
    given, _ = blobs(spread=5.0)
    double = np.concatenate([given.features, given.features[:40]])  # some twice
    given = FindInput(double[:, :2], double, pd.DataFrame(index=range(len(double))))
    found = find_groups(given, GroupsConfig(method="hdbscan", smallest=20), UNWATCHED)
    theirs = HDBSCAN(20, min_samples=15, copy=True).fit_predict(double.astype(float))
    names = found.columns["group"]
    assert theirs.max() > 0
    assert ((names == "") == (theirs < 0)).all()
    assert adjusted_rand_score(theirs, names) == 1


@pytest.mark.parametrize("method", ["hdbscan", "leiden"])
@pytest.mark.parametrize("after", [1, 2, 3])
def test_who_has_enough_of_a_long_search_is_heard_at_each_step(method, after, monkeypatch):
    if method == "leiden":
        pytest.importorskip("sknetwork")
    monkeypatch.setattr("napari_patchmap.find.dense_groups._PART", 400)
    given, _ = blobs()
    somebody = Onlooker(lambda heard: len(heard.steps) >= after)
    with pytest.raises(FindError, match="what was found before stays"):
        find_groups(given, GroupsConfig(method=method), somebody.watch)
    asked = [done / total for done, total in somebody.steps]
    assert len(asked) == after
    assert asked == sorted(asked)
    assert asked[-1] < 1


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (FindInput(np.zeros((50, 2)), None, pd.DataFrame()), "no features"),
        (FindInput(np.zeros((50, 2)), np.ones((50, 3)), pd.DataFrame()), "same features"),
        (FindInput(np.zeros((12, 2)), np.eye(12), pd.DataFrame()), "12 patches are too few"),
        (FindInput(np.zeros((50, 2)), np.full((50, 3), np.nan), pd.DataFrame()), "not numbers"),
    ],
)
def test_what_cannot_be_grouped_is_said(given, said):
    with pytest.raises(FindError, match=said):
        find_groups(given, GroupsConfig(), UNWATCHED)


def test_a_map_without_extent_is_said():
    given = FindInput(np.zeros((50, 2)), np.eye(50), pd.DataFrame(index=range(50)))
    with pytest.raises(FindError, match="same place on the map"):
        find_groups(given, GroupsConfig(of="map"), UNWATCHED)


def test_fewer_different_patches_than_groups_are_said():
    features = np.repeat(np.eye(4, dtype=np.float32), 10, axis=0)
    given = FindInput(features[:, :2], features, pd.DataFrame(index=range(40)))
    found = find_groups(given, GroupsConfig(groups=9), UNWATCHED)
    assert len(found.report["groups"]) == 4
    assert "9 were asked for" in " ".join(found.lines)


def test_more_groups_than_patches_are_refused():
    given, _ = blobs()
    with pytest.raises(FindError, match="fewer groups"):
        find_groups(given, GroupsConfig(groups=2_000), UNWATCHED)


def test_no_two_groups_so_large_are_refused():
    given, _ = blobs()
    with pytest.raises(FindError, match="smaller smallest group"):
        find_groups(given, GroupsConfig(method="hdbscan", smallest=900), UNWATCHED)


def test_a_package_that_is_missing_is_named_as_pip_knows_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sknetwork.clustering", None)
    given, _ = blobs()
    with pytest.raises(MissingPackageError, match="pip install scikit-network"):
        find_groups(given, GroupsConfig(method="leiden"), UNWATCHED)


# -- what people do with groups --------------------------------------------------------

NAMES = np.array(["group 1", "group 1", "group 1", "group 2", "group 2", "group 3", ""], object)


def test_a_group_gets_another_name_but_not_that_of_another():
    changed = rename_group(NAMES, "group 2", " blue  ones ")
    assert changed.tolist() == [*["group 1"] * 3, *["blue ones"] * 2, "group 3", ""]
    assert NAMES[3] == "group 2"
    with pytest.raises(FindError, match="There is a group group 1 already"):
        rename_group(NAMES, "group 2", "GROUP 1")
    with pytest.raises(FindError, match="no group group 9"):
        rename_group(NAMES, "group 9", "new")
    with pytest.raises(AnnotationError, match="no name"):
        rename_group(NAMES, "group 2", "  ")


def test_groups_become_one_with_the_name_of_the_largest():
    changed = merge_groups(NAMES, ["group 3", "group 2"])
    assert changed.tolist() == [*["group 1"] * 3, *["group 2"] * 3, ""]
    with pytest.raises(FindError, match="two groups or more"):
        merge_groups(NAMES, ["group 3"])


def test_a_group_is_split_where_it_has_two_parts():
    given, kinds = blobs()
    names = np.where(kinds < 2, "both", "rest").astype(object)
    names[kinds == 4] = "both A"  # taken already, as people see it
    changed = split_group(names, "both", points_of(given, "features"))
    assert set(changed[kinds == 0]) == {"both b"}
    assert set(changed[kinds == 1]) == {"both c"}
    assert (changed[kinds > 1] == names[kinds > 1]).all()
    with pytest.raises(FindError, match="too few to be split"):
        split_group(NAMES, "group 3", np.eye(7, dtype=np.float32))
    with pytest.raises(FindError, match="alike and cannot be split"):
        split_group(np.array(["one"] * 9, object), "one", np.ones((9, 2), np.float32))


def test_groups_become_classes_of_an_annotation():
    made = as_annotation(Annotations(7), NAMES, ["groups"], {"group 2": "#ff0000"})
    assert made.active == "groups 2"
    assert made.now.names.tolist() == NAMES.tolist()
    assert [one.name for one in made.now.classes] == ["group 1", "group 2", "group 3"]
    assert made.now.colours["group 2"] == "#ff0000"
    many = np.array([f"group {n}" for n in range(600)], object)
    with pytest.raises(AnnotationError, match="500 classes"):
        as_annotation(Annotations(600), many, [])
