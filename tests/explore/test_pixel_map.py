"""The map of pixels: principal components, of a few patches for all."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.explore import pixel_map as module
from napari_patchmap.explore.pixel_map import pixel_map
from napari_patchmap.patches import from_array
from napari_patchmap.patches.watch import Watch
from tests.conftest import make_cells


def components(pixels):
    """The first two principal components in double precision, up to sign."""
    flat = pixels.reshape(len(pixels), -1).astype(np.float64) / 255
    centred = flat - flat.mean(axis=0)
    _, _, directions = np.linalg.svd(centred, full_matrices=False)
    return centred @ directions[:2].T


def assert_same_but_for_scale_and_sign(places, expected):
    for found, wanted in zip(places.T[::-1], expected.T, strict=True):
        found = found * np.sign(found @ wanted)
        scale = (found @ wanted) / (wanted @ wanted)
        np.testing.assert_allclose(found, scale * wanted, atol=2e-3 * np.ptp(found))


def test_it_is_the_two_main_components(cells):
    places = pixel_map(cells)
    assert places.dtype == np.float32
    assert places.shape == (60, 2)
    size = (16, 16)
    pixels = cells.pixels(np.arange(60), size)
    assert_same_but_for_scale_and_sign(places, components(pixels))


def test_of_many_patches_all_have_a_place_by_the_components_of_some(monkeypatch):
    monkeypatch.setattr(module, "_SAMPLE", 100)
    monkeypatch.setattr(module, "_PART", 64)
    cells = make_cells(300)
    places = pixel_map(cells, seconds=60)
    rows = np.linspace(0, 299, 100).round().astype(int)
    flat = cells.pixels(np.arange(300), (16, 16)).reshape(300, -1).astype(np.float64) / 255
    mean = flat[rows].mean(axis=0)
    _, _, directions = np.linalg.svd(flat[rows] - mean, full_matrices=False)
    assert_same_but_for_scale_and_sign(places, (flat - mean) @ directions[:2].T)
    np.testing.assert_array_equal(places, pixel_map(cells, seconds=60))


@pytest.mark.parametrize("shape", [(40, 12, 30), (40, 5, 70, 50), (40, 40, 9, 9)])
def test_any_shape_and_number_of_channels(shape):
    axes = "NYX" if len(shape) == 3 else "NCYX"
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 4_000, shape, dtype=np.uint16)
    places = pixel_map(from_array(pixels, name="noise", axes=axes))
    assert places.shape == (40, 2)
    assert np.isfinite(places).all()
    assert np.ptp(places, axis=0).min() > 0


def test_there_is_none_where_it_would_mean_nothing_or_take_long(cells):
    same = from_array(np.full((40, 16, 16), 7, np.uint8), name="grey squares")
    assert pixel_map(same) is None
    assert pixel_map(cells, seconds=0.0) is None
    assert pixel_map(cells, watch=Watch(should_stop=lambda: True)) is None
