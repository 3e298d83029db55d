"""Points in a lasso, the point under the mouse, undo, and what can be taken away."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.path import Path

from napari_patchmap.explore.export import contact_sheet, random_sample
from napari_patchmap.explore.lasso import points_inside, thinned
from napari_patchmap.explore.nearest import NearestPoint
from napari_patchmap.explore.paint_order import paint_order, painting, ranks
from napari_patchmap.explore.selection import NOTHING, changed


def wiggly(n: int = 200) -> np.ndarray:
    """Draw a star-like outline that does not cross itself."""
    angle = np.linspace(0, 2 * np.pi, n, endpoint=False)
    radius = 1 + 0.4 * np.sin(7 * angle)
    return np.stack([radius * np.sin(angle), radius * np.cos(angle)], 1)


@pytest.mark.parametrize("outline", [wiggly(), wiggly()[::-1]])
def test_lasso_agrees_with_matplotlib_either_way_round(outline):
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (5_000, 2))
    expected = np.flatnonzero(Path(outline).contains_points(points))
    np.testing.assert_array_equal(points_inside(points, outline), expected)


def test_a_loop_drawn_twice_still_selects():
    once = np.array([(0, 0), (0, 4), (4, 4), (4, 0)])
    points = np.array([(2.0, 2.0), (5.0, 5.0)])
    assert points_inside(points, np.concatenate([once, once])).tolist() == [0]


def test_a_line_encloses_nothing():
    assert points_inside(np.zeros((3, 2)), np.array([(0, 0), (1, 1)])).size == 0


def test_thinning_a_path_keeps_what_it_selects():
    outline, points = wiggly(2_000), np.random.default_rng(0).uniform(-1.5, 1.5, (2_000, 2))
    thin = thinned(outline, 0.02)
    assert len(thin) < 700
    before, after = points_inside(points, outline), points_inside(points, thin)
    assert len(np.setxor1d(before, after)) < 10


def test_nearest_point_respects_radius_and_what_is_shown():
    points, rank = np.array([(0.0, 0.0), (1.0, 0.0), (np.nan, 0.0)]), np.arange(3)
    everywhere = NearestPoint(points, rank, np.arange(3))
    assert everywhere.find(np.array([0.9, 0.1]), 0, 0.5) == 1
    assert everywhere.find(np.array([0.5, 3.0]), 0, 0.5) == -1
    assert NearestPoint(points, rank, np.array([0, 2])).find(np.array([0.9, 0.0]), 0, 2) == 0
    assert NearestPoint(points, rank, np.empty(0, int)).find(np.zeros(2), 1, 9) == -1


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_nearest_of_many_is_the_one_that_looking_at_all_finds(kind):
    rng = np.random.default_rng(0)
    points = np.concatenate(
        [rng.normal(0, 1, (3_000, 2)), rng.normal(40, 0.01, (500, 2)), np.zeros((9, 2))]
    ).astype(kind)
    rank = rng.permutation(len(points))
    nearest = NearestPoint(points, rank, np.arange(len(points)))
    places = np.concatenate([points[::37], rng.uniform(-5, 45, (200, 2))])
    for place in places:
        apart = np.linalg.norm(points - place, axis=1)
        for size, radius in ((0.0, 1.0), (0.05, 0.3), (2.0, 0.1)):
            painted = apart <= size
            expected = int(apart.argmin()) if apart.min() <= radius else -1
            if painted.any():
                expected = int(np.where(painted, rank, -1).argmax())
            found = nearest.find(place, size, radius)
            assert found == expected or apart[found] == apart[expected]


def test_where_points_are_painted_over_each_other_the_topmost_is_meant():
    points = np.array([(0.0, 0.0), (0.0, 0.5), (0.0, 0.9)])
    nearest = NearestPoint(points, np.array([2, 0, 1]), np.arange(3))
    place = np.array([0.0, 0.45])
    assert nearest.find(place, 0.2, 9) == 1  # only one covers it
    assert nearest.find(place, 0.5, 9) == 0  # all do
    lifted = np.array([False, False, True])
    assert nearest.find(place, 0.5, 9, lifted, 0.5) == 2
    assert nearest.find(place, 0.5, 9, lifted, 0.1) == 0  # that one is too small


def test_the_order_of_painting_hides_nobody_and_is_always_the_same():
    order = paint_order(3_000)
    assert sorted(order) == list(range(3_000))
    np.testing.assert_array_equal(order, paint_order(3_000))
    rank = ranks(order)
    np.testing.assert_array_equal(order[rank], np.arange(3_000))
    some = np.array([7, 20, 1_500, 2_999])
    np.testing.assert_array_equal(painting(order, some), rank[some].argsort())
    thirds = [rank[start : start + 1_000].mean() for start in (0, 1_000, 2_000)]
    assert np.ptp(thirds) < 150  # no part of a file lies above the others


def test_a_selection_is_replaced_widened_and_narrowed():
    chosen = changed(NOTHING, np.array([4, 1, 4]))
    assert chosen.tolist() == [1, 4]
    assert changed(chosen, np.array([1, 4])) is chosen
    assert changed(chosen, np.array([5, 4]), "add").tolist() == [1, 4, 5]
    assert changed(chosen, np.array([4, 7]), "subtract").tolist() == [1]


def test_contact_sheet_frames_each_patch_in_its_colour(cells):
    red, blue = (1, 0, 0, 1), (0, 0, 1, 1)
    sheet = contact_sheet(cells, np.array([0, 1]), np.array([red, blue]))
    assert sheet.shape == (74, 145, 3)
    assert sheet[3, 3].tolist() == [255, 0, 0]
    assert sheet[3, 74].tolist() == [0, 0, 255]
    np.testing.assert_array_equal(sheet[5:69, 5:69], cells.thumbnail(0, 64))


def test_random_sample_has_no_patch_twice_and_stays_the_same():
    sample = random_sample(1_000, 50)
    assert len(np.unique(sample)) == 50
    np.testing.assert_array_equal(sample, random_sample(1_000, 50))
    assert sorted(random_sample(3, 50)) == [0, 1, 2]
