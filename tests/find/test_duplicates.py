"""Duplicates: copies are found whatever was done to them, and nothing else is."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy import ndimage

from napari_patchmap.errors import FindError
from napari_patchmap.find.duplicates import DuplicatesConfig, find_duplicates
from napari_patchmap.find.keep_one import spare_copies
from napari_patchmap.find.search import FindInput, Found
from napari_patchmap.patches import PatchSet, from_array, open_patches
from napari_patchmap.patches.watch import UNWATCHED
from tests.onlooker import Onlooker

SIDE = 32


def textures(count: int, seed: int = 0, side: int = SIDE) -> np.ndarray:
    """Pictures of blots, no two alike, (count, side, side, 3)."""
    rng = np.random.default_rng(seed)
    drawn = rng.normal(size=(count, side, side, 1)) + 0.3 * rng.normal(
        size=(count, side, side, 3)
    )
    blots = ndimage.gaussian_filter(drawn, (0, 2, 2, 0))
    blots = 128 + 50 * blots / blots.std(axis=(1, 2, 3), keepdims=True)
    return np.clip(np.rint(blots), 0, 255).astype(np.uint8)


def jpeg(picture: np.ndarray) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


def noisy(picture: np.ndarray) -> np.ndarray:
    more = np.random.default_rng(9).normal(0, 8, picture.shape)
    return np.clip(picture + more, 0, 255).astype(np.uint8)


def of(
    pixels: np.ndarray | PatchSet, features: np.ndarray | None = None, **columns
) -> FindInput:
    patches = pixels if isinstance(pixels, PatchSet) else from_array(pixels, name="cells")
    patches = dataclasses.replace(patches, table=patches.table.assign(**columns))
    return FindInput(np.zeros((len(patches), 2), np.float32), features, patches.table, patches)


def look(given: FindInput, **settings) -> Found:
    return find_duplicates(given, DuplicatesConfig(**settings), UNWATCHED)


def pairs(found: Found) -> set[frozenset[int]]:
    sides = found.listed[["beside", "index"]].to_numpy()
    return {frozenset(pair) for pair in sides.tolist()}


CHANGES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "same pixels": lambda one: one,
    "turned by 90 degrees": lambda one: np.rot90(one, 1),
    "mirrored": lambda one: one[:, ::-1],
    "turned by 12 degrees": lambda one: ndimage.rotate(
        one, 12, (0, 1), reshape=False, mode="nearest"
    ),
    "shifted by 3 px": lambda one: np.roll(one, 3, axis=1),
    "20 % darker": lambda one: (one * 0.8).astype(np.uint8),
    "nearly the same pixels": jpeg,
    "noise": noisy,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found_and_said_and_nothing_else(change):
    pixels = textures(60)
    pixels[41] = CHANGES[change](pixels[7])
    found = look(of(pixels))
    assert pairs(found) == {frozenset({7, 41})}
    one = found.listed.iloc[0]
    if change != "noise":
        assert change in one["reason"]
    assert (one["score"] == 1) == (change == "same pixels")
    groups = found.columns["duplicates"]
    assert groups[7] == groups[41] == "duplicates 1"
    assert (groups != "").sum() == 2
    assert np.isfinite(found.columns["duplicate score"]).sum() == 2


def test_features_propose_what_pictures_alone_do_not_and_do_not_decide():
    pixels = textures(60)
    features = np.ones((60, 4), np.float32)
    features[::2] = 2  # all of a kind are at one place
    assert not len(look(of(pixels, features)).listed)
    bad = features.copy()
    bad[3, 1] = np.nan
    pixels[41] = pixels[7]
    assert pairs(look(of(pixels, bad))) == {frozenset({7, 41})}


@pytest.mark.parametrize("kind", ["noise", "flat", "nearly flat"])
def test_noise_and_empty_patches_are_nobody_s_copies(kind):
    rng = np.random.default_rng(3)
    if kind == "noise":
        pixels = rng.integers(0, 256, (80, SIDE, SIDE, 3)).astype(np.uint8)
    else:
        spread = 0 if kind == "flat" else 2
        pixels = rng.integers(240, 241 + spread, (80, SIDE, SIDE, 3)).astype(np.uint8)
    found = look(of(pixels))
    assert not len(found.listed)
    assert (found.columns["duplicates"] == "").all()
    if kind != "noise":
        assert "80 patches are empty" in " ".join(found.lines)


def test_a_crowd_of_copies_is_one_group_and_one_of_it_is_kept():
    rng = np.random.default_rng(1)
    pixels = textures(120)
    rows = np.sort(rng.choice(120, 40, replace=False))
    for row in rows[1:]:
        turned = np.rot90(pixels[rows[0]], int(rng.integers(4)))
        pixels[row] = noisy(np.roll(turned, int(rng.integers(-2, 3)), axis=0))
    found = look(of(pixels))
    groups = found.columns["duplicates"]
    np.testing.assert_array_equal(np.flatnonzero(groups == "duplicates 1"), rows)
    np.testing.assert_array_equal(spare_copies(groups), rows[1:])
    # The sharpest is the one that has no noise; or that with most edges.
    pixels[rows[5]] = ndimage.gaussian_filter(pixels[rows[5]], (1, 1, 0))
    patches = from_array(pixels, name="cells")
    left = np.setdiff1d(rows, spare_copies(groups, "sharpest", patches))
    assert len(left) == 1
    assert left[0] not in {rows[0], rows[5]}


def test_a_chain_of_small_changes_is_not_one_group():
    """Ten steps from one picture to another: the ends show different things."""
    first, last = textures(2, seed=4).astype(float)
    share = np.linspace(0, 1, 11)[:, None, None, None]
    chain = np.rint(first * (1 - share) + last * share).astype(np.uint8)
    found = look(of(np.concatenate([textures(40, seed=5), chain])))
    groups = found.columns["duplicates"][40:]
    assert groups[0] != ""
    assert groups[0] != groups[-1]
    assert (found.columns["duplicates"][:40] == "").all()


def test_those_whose_labels_differ_come_first_then_the_same_pixels():
    pixels = textures(50)
    pixels[40], pixels[41], pixels[42] = pixels[0], jpeg(pixels[1]), jpeg(pixels[2])
    labels = np.full(50, "monocyte", object)
    labels[42], labels[41] = "lymphocyte", ""  # without a label nothing differs
    found = look(of(pixels, label=labels))
    assert found.listed["index"].tolist()[0] in {2, 42}
    assert found.listed["labels differ"].tolist() == [True, False, False]
    assert found.listed["reason"][1] == "same pixels"
    assert "In 1 group the labels differ." in found.lines


def test_overlapping_tiles_are_told_apart_by_their_place():
    wide = textures(1, side=200)[0]
    corners = [(y, x) for y in range(0, 160, 28) for x in range(0, 160, 28)]
    # The same place twice is a duplicate; some rows of tiles were cut six pixels lower, too.
    corners += [corners[8], *((y + 6, x) for y, x in corners if y + 6 + SIDE <= 200)]
    pixels = np.stack([wide[y : y + SIDE, x : x + SIDE] for y, x in corners])
    y, x = np.array(corners).T
    patches = from_array(pixels, name="slide")
    table = patches.table.assign(y=y, x=x, source="a", frame=0)
    found = look(of(dataclasses.replace(patches, table=table)))
    assert pairs(found) == {frozenset({8, 36})}
    assert "overlap in their image" in " ".join(found.lines)


def test_a_file_that_has_gone_leaves_its_pairs_not_decided(tmp_path):
    pixels = textures(30)
    pixels[12] = pixels[3]
    pixels[20] = pixels[4]
    for k, one in enumerate(pixels):
        Image.fromarray(one).save(tmp_path / f"{k:02d}.png")
    patches = open_patches(tmp_path)
    features = np.random.default_rng(0).normal(size=(30, 6)).astype(np.float32)
    features[20] = features[4]
    missing = dataclasses.replace(patches, missing=np.array([20]))
    found = look(of(missing, features))
    listed = found.listed
    assert pairs(found) == {frozenset({3, 12}), frozenset({4, 20})}
    assert listed["reason"].tolist()[-1].startswith("not decided")
    assert np.isnan(listed["score"].tolist()[-1])
    assert found.columns["duplicates"][20] == ""
    assert "1 patches have no image any more" in " ".join(found.lines)
    # Without any image nothing is decided.
    blind = find_duplicates(
        dataclasses.replace(of(missing, features), patches=None), DuplicatesConfig(), UNWATCHED
    )
    assert blind.listed["score"].isna().all()
    assert "nothing is decided" in blind.lines[0]


def test_all_alike_are_one_group_and_twelve_are_enough():
    found = look(of(np.repeat(textures(1), 12, axis=0)))
    assert set(found.columns["duplicates"]) == {"duplicates 1"}
    assert len(found.listed) == 11
    with pytest.raises(FindError, match="one patch only"):
        look(of(textures(1)))


def test_somebody_who_has_enough_keeps_the_same_pixels():
    pixels = textures(60)
    pixels[41], pixels[42] = pixels[7], np.rot90(pixels[8])
    somebody = Onlooker(lambda heard: bool(heard.known))
    found = find_duplicates(of(pixels), DuplicatesConfig(), somebody.watch)
    assert pairs(found) == {frozenset({7, 41})}
    assert found.lines[0].startswith("Stopped")
    assert somebody.steps == sorted(somebody.steps)


def test_what_a_second_set_has_too_is_listed_with_both_names():
    mine, theirs = textures(40), textures(30, seed=2)
    theirs[5], theirs[6], theirs[7] = np.rot90(mine[11]), mine[12], theirs[8]
    mine[20] = mine[21]  # within one set nothing is asked
    mine[30] = mine[12]
    other = of(theirs, label=["b"] * 30)
    given = dataclasses.replace(of(mine, label=["a"] * 40), against=other)
    found = look(given)
    listed = found.listed.set_index("index")
    assert set(listed.index) == {11, 12, 30}
    assert listed.loc[11, "other"] == "cells [5]"
    assert "turned by 90 degrees" in listed.loc[11, "reason"]
    assert listed.loc[[12, 30], "reason"].tolist() == ["same pixels"] * 2
    assert listed["labels differ"].all()
    assert found.lines[0].startswith("3 of 40 patches are among the 30 others")
    with pytest.raises(FindError, match="pixels"):
        look(dataclasses.replace(given, patches=None))


def test_columns_hold_the_group_and_scores_of_any_shape_of_patch():
    """Patches that are not square, grey, and of sixteen bits."""
    rng = np.random.default_rng(7)
    pixels = ndimage.gaussian_filter(rng.normal(size=(40, 24, 40)), (0, 2, 2))
    pixels = ((pixels - pixels.min()) / np.ptp(pixels) * 4000).astype(np.uint16)
    pixels[30] = pixels[2][::-1, ::-1]
    found = look(of(from_array(pixels, name="grey", axes="nyx")))
    assert pairs(found) == {frozenset({2, 30})}
    assert isinstance(found.listed, pd.DataFrame)
    assert "turned by 180 degrees" in found.listed["reason"][0]
