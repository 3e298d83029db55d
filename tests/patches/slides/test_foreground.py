"""Tissue is told from glass, and bare glass is not split in two."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.patches.readers.slides.foreground import foreground_mask, otsu, shares
from napari_patchmap.patches.tile_config import TileConfig
from tests.patches.slides.drawn import cells, glass, smaller, tissue


def test_otsu_lies_between_two_groups(rng):
    values = np.concatenate([rng.normal(0.1, 0.02, 5000), rng.normal(0.7, 0.05, 500)])
    assert 0.2 < otsu(values) < 0.6
    assert otsu(np.full(10, 3.0)) == pytest.approx(3, abs=1)


def test_tissue_is_found_and_glass_is_not():
    image = smaller(tissue(), 2)
    mask = foreground_mask(image, True, TileConfig())
    y, x = np.mgrid[:300, :400]
    truth = ((y - 150) / 100) ** 2 + ((x - 100) / 80) ** 2 < 1
    assert (mask == truth).mean() > 0.99


@pytest.mark.parametrize("k", [1, 4])
def test_bare_glass_holds_nothing(k):
    assert foreground_mask(smaller(glass(), k), True, TileConfig()).mean() < 0.001
    white = np.full((50, 50, 3), 255, np.uint8)
    assert not foreground_mask(white, True, TileConfig()).any()
    assert not foreground_mask(white * 0, True, TileConfig()).any()


def test_tissue_through_and_through_is_all_kept(rng):
    image = (np.array([190, 110, 160]) + rng.normal(0, 12, (200, 200, 3))).astype(np.uint8)
    assert foreground_mask(image, True, TileConfig()).mean() > 0.95


def test_a_speck_of_tissue_is_found():
    image = smaller(glass(), 2)
    image[100:110, 100:110] = (200, 110, 170)
    mask = foreground_mask(image, True, TileConfig())
    assert mask[100:110, 100:110].all()
    assert mask.sum() < 150


def test_black_borders_of_scanners_are_no_tissue(rng):
    image = smaller(tissue(), 2)
    image[:, 300:] = rng.integers(0, 8, (300, 100, 3))
    mask = foreground_mask(image, True, TileConfig())
    assert not mask[:, 300:].any()
    assert mask[150, 100]


def test_the_papers_hues_miss_pink_and_can_be_set():
    image = smaller(tissue(), 2)
    assert foreground_mask(image, True, TileConfig(foreground="hsv")).mean() < 0.001
    wide = TileConfig(foreground="hsv", hue_low=0.7, hue_high=1)
    assert foreground_mask(image, True, wide)[140:160, 90:110].mean() > 0.9
    through_red = TileConfig(foreground="hsv", hue_low=0.8, hue_high=0.1)
    assert foreground_mask(image, True, through_red)[140:160, 90:110].mean() > 0.9


def test_fluorescence_is_bright_and_noise_is_nothing(rng):
    image = smaller(np.moveaxis(cells(), 0, -1), 4)
    mask = foreground_mask(image, False, TileConfig())
    inside = mask[:64, :80].mean()
    assert inside > 0.5
    assert mask[70:, 90:].mean() < 0.01
    noise = rng.normal(300, 5, (100, 100, 4)).astype(np.uint16)
    assert not foreground_mask(noise, False, TileConfig()).any()
    assert not foreground_mask(np.zeros((9, 9, 1), np.uint16), False, TileConfig()).any()


def test_shares_are_exact_areas(rng):
    mask = rng.random((60, 80)) < 0.3
    boxes = np.array([[0, 0, 240, 320], [8, 4, 40, 80], [20, 36, 4, 4], [236, 316, 4, 4]])
    got = shares(mask, boxes, 4.0)
    want = [
        mask[y // 4 : (y + h) // 4, x // 4 : (x + w) // 4].mean()
        for y, x, h, w in boxes.tolist()
    ]
    np.testing.assert_allclose(got, want, atol=1e-9)
    half = np.zeros((10, 10), bool)
    half[:, :5] = True
    np.testing.assert_allclose(shares(half, np.array([[0, 9, 8, 4]]), 2.0), [0.25])
