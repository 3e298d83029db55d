"""Odd patches: each reason is found on a patch that was made so, and said."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import ndimage
from sklearn.neighbors import LocalOutlierFactor

from napari_patchmap.errors import FindError
from napari_patchmap.find.odd import ALONE, OddConfig, find_odd, outlier_factor
from napari_patchmap.find.search import FindInput, Found
from napari_patchmap.patches import from_array
from napari_patchmap.patches.watch import UNWATCHED

SIDE = 32


def cells(count: int = 400, seed: int = 0) -> np.ndarray:
    """Violet discs on a pale background, (count, side, side, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    radius = rng.uniform(6, 9, (count, 1, 1))
    down, right = rng.uniform(-2, 2, (2, count, 1, 1))
    disc = np.clip(radius - np.hypot(y - down, x - right), 0, 1)[..., None]
    pale, violet = np.array([235, 220, 205]), np.array([110, 60, 140])
    out = pale * (1 - disc) + violet * disc + rng.normal(0, 4, (count, SIDE, SIDE, 3))
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def given(pixels: np.ndarray, features: np.ndarray | None = None) -> FindInput:
    patches = from_array(pixels, name="cells")
    return FindInput(np.zeros((len(pixels), 2), np.float32), features, patches.table, patches)


def look(found: FindInput, **settings) -> Found:
    return find_odd(found, OddConfig(**settings), UNWATCHED)


def _scratched(cell: np.ndarray) -> np.ndarray:
    cell = cell.copy()
    at = np.arange(SIDE)
    cell[at, at] = 255
    return cell


def _inked(cell: np.ndarray) -> np.ndarray:
    cell = cell.copy()
    cell[4:14, 4:14] = 20, 60, 200
    return cell


FAULTS = {
    "blurred": lambda cell: ndimage.gaussian_filter(cell, (3, 3, 0)),
    "empty": lambda cell: np.full_like(cell, 220) + cell % 4,
    "saturated": lambda cell: np.where(np.arange(SIDE)[:, None, None] < 12, 255, cell),
    "cut at the border": lambda cell: np.roll(cell, (14, 14), (0, 1)),
    "unusual colour": _inked,
    "line across": _scratched,
    "hard edges": lambda cell: np.where(
        np.indices((SIDE, SIDE)).sum(0)[..., None] % 2, 0, cell
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_and_named(fault):
    pixels = cells()
    pixels[123] = FAULTS[fault](pixels[123])
    found = look(given(pixels))
    assert fault in found.columns["odd because"][123].split(", ")
    assert found.columns["oddness"][123] > 0.98
    assert 123 in set(found.listed["index"][:8])
    assert found.report["reasons"][fault] <= 2  # half a per cent of 400
    assert "There are no features" in " ".join(found.lines)


def test_other_sizes_are_named():
    pixels = cells(60)
    patches = from_array(pixels, name="cells")
    table = patches.table.copy()
    table.loc[7, ["height", "width"]] = 90
    table.loc[8, ["height", "width"]] = 9
    patches = dataclasses.replace(patches, table=table)
    places = np.zeros((60, 2), np.float32)
    found = look(FindInput(places, None, table, patches), share=2.0)
    assert "larger than others" in found.columns["odd because"][7]
    assert "smaller than others" in found.columns["odd because"][8]


def test_a_patch_that_is_alone_among_the_features_is_the_oddest_of_them():
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(0, 1, (150, 8)), rng.normal(9, 0.1, (150, 8))])
    features[200] += 2.5  # far for the narrow group, near for the wide one
    blind = FindInput(
        np.zeros((300, 2), np.float32), features.astype(np.float32),
        given(cells(300)).table,
    )  # fmt: skip
    found = look(blind)
    assert found.listed["index"][0] == 200
    assert found.listed["reason"][0] == ALONE
    assert found.columns["oddness"][200] == 1
    assert "only the features were looked at" in " ".join(found.lines)
    factor = outlier_factor(blind, 15)
    theirs = LocalOutlierFactor(15).fit(features.astype(np.float32)).negative_outlier_factor_
    np.testing.assert_allclose(factor, -theirs, rtol=1e-3)


def test_what_cannot_be_odd_is_one_sentence():
    with pytest.raises(FindError, match="too few"):
        look(given(cells(12), np.zeros((12, 4), np.float32)))
    with pytest.raises(FindError, match="All patches are alike"):
        look(given(np.repeat(cells(1), 40, axis=0)))


def test_images_that_have_gone_are_counted_and_not_odd_by_their_pixels():
    pixels = cells(100)
    pixels[5] = _inked(pixels[5])
    whole = given(pixels)
    patches = dataclasses.replace(whole.patches, missing=np.array([5]))
    found = look(dataclasses.replace(whole, patches=patches))
    assert found.columns["odd because"][5] == ""
    assert "1 patches have no image any more." in found.lines
