"""Maps beside each other: turned alike without being bent, and never on top of each other."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.explore.side_by_side import set_apart, turned_like


def shape(count=200, dimensions=2, seed=0):
    """A lopsided cloud, so that each way to lay it down differs."""
    rng = np.random.default_rng(seed)
    return rng.gamma(2.0, size=(count, dimensions)) * np.arange(1, dimensions + 1)


def turn(degrees, mirrored=False):
    angle = np.deg2rad(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return rotation @ np.diag([-1.0, 1.0]) if mirrored else rotation


@pytest.mark.parametrize("degrees", [0, 40, 200])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_turned_mirrored_moved_and_scaled_map_comes_back(degrees, mirrored):
    reference = shape()
    moved = 7.0 * reference @ turn(degrees, mirrored) + [300, -40]
    np.testing.assert_allclose(turned_like(moved, reference), reference, atol=1e-4)


def test_no_other_turn_is_closer_and_distances_keep_their_proportions():
    reference, other = shape(), shape(seed=1)
    found = turned_like(other, reference)
    away = np.linalg.norm(found - reference)
    centred = found - found.mean(axis=0)
    for degrees in range(0, 360, 5):
        for mirrored in (False, True):
            tried = centred @ turn(degrees, mirrored) + found.mean(axis=0)
            assert np.linalg.norm(tried - reference) >= away - 1e-3
    before = np.linalg.norm(other[1:] - other[:-1], axis=1)
    after = np.linalg.norm(found[1:] - found[:-1], axis=1)
    np.testing.assert_allclose(after / before, (after / before).mean(), rtol=1e-4)


def test_a_map_in_3d_is_seen_from_the_side_that_is_most_like_the_flat_one():
    reference = shape()
    thin = np.column_stack([0.05 * shape(dimensions=1, seed=3)[:, 0], reference])
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    found = turned_like(thin @ rotation, reference)
    assert found.shape == reference.shape
    np.testing.assert_allclose(found, reference, atol=0.05)


def test_a_flat_map_lies_in_a_plane_beside_one_in_3d():
    reference = np.column_stack([np.zeros(200), shape()])
    found = turned_like(shape() @ turn(70), reference)
    np.testing.assert_allclose(found, reference, atol=1e-4)


def test_a_map_of_one_place_stays_a_number():
    found = turned_like(np.ones((20, 2)), shape(20))
    np.testing.assert_allclose(found, np.tile(shape(20).mean(axis=0), (20, 1)), atol=1e-5)


@pytest.mark.parametrize(
    ("canvas", "columns"), [((1600, 400), 3), ((800, 700), 2), ((300, 1200), 1)]
)
def test_each_map_has_a_cell_of_its_own_in_a_grid_that_fits_the_canvas(canvas, columns):
    square = np.array([[0, 0], [100, 100], [40, 70]], np.float32)
    maps = [square, 0.8 * square, square[::-1] + 30]
    placed, pixel = set_apart(maps, canvas, title=(150, 60))
    np.testing.assert_array_equal(placed[0], maps[0])
    boxes = [(one.min(axis=0), one.max(axis=0)) for one in placed]
    for i, (low, high) in enumerate(boxes):
        np.testing.assert_allclose(
            np.ptp(placed[i], axis=0), np.ptp(maps[i], axis=0), rtol=1e-4
        )
        for other_low, other_high in boxes[i + 1 :]:
            assert (low > other_high).any() or (other_low > high).any()
            # Titles find room above each.
            same_column = abs(low[1] + high[1] - other_low[1] - other_high[1]) < 1
            assert not same_column or other_low[0] - high[0] >= 59 * pixel
    across = {round(float(low[1] + high[1])) for low, high in boxes}
    assert len(across) == columns
    lowest, highest = np.min([b[0] for b in boxes], 0), np.max([b[1] for b in boxes], 0)
    height, width = (highest - lowest) / pixel
    assert width <= canvas[0]
    assert height <= canvas[1] - 60


def test_maps_in_3d_are_moved_sideways_only():
    maps = [shape(dimensions=3, seed=seed).astype(np.float32) for seed in range(2)]
    placed, _ = set_apart(maps, (900, 450), title=(100, 40))
    np.testing.assert_array_equal(placed[1][:, 0], maps[1][:, 0])
    assert placed[1][:, 2].min() > placed[0][:, 2].max()
