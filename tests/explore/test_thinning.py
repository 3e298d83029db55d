"""Which pictures stand for a map: none over another, none that goes when one comes closer."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.explore.in_view import PointGrid, within
from napari_patchmap.explore.thinning import clear_of, thin
from napari_patchmap.patches.watch import Watch


def groups_of_cells(count: int = 4_000) -> tuple[np.ndarray, np.ndarray]:
    """Draw a common class in two clouds, and a rare one in the midst of the larger."""
    rng = np.random.default_rng(3)
    groups = np.zeros(count, int)
    groups[: count // 100] = 1
    places = rng.normal(size=(count, 2)) * (6, 9)
    places[count // 2 :] += (70, 20)
    return places.astype(np.float32), groups


def nearest(places: np.ndarray) -> float:
    """Return the least distance along y or x between any two places."""
    away = np.abs(places[:, None].astype(float) - places[None]).max(axis=2)
    np.fill_diagonal(away, np.inf)
    return float(away.min(initial=np.inf))


BOX = np.array([-1e6, -1e6]), np.array([1e6, 1e6])


def test_no_picture_lies_over_another_at_any_zoom():
    places, groups = groups_of_cells()
    thinned = thin(places, np.arange(len(places)), groups)
    for apart in np.geomspace(0.05, 60, 23):
        shown = places[thinned.in_view(*BOX, apart)]
        assert len(shown) >= 1
        assert nearest(shown) >= apart * (1 - 1e-5)


def test_what_is_shown_stays_as_one_zooms_in_and_pans():
    places, groups = groups_of_cells()
    thinned = thin(places, np.arange(len(places)), groups)
    before: set[int] = set()
    for apart in np.geomspace(60, 0.05, 40):
        rows = thinned.in_view(*BOX, apart)
        assert before <= set(rows.tolist())
        before = set(rows.tolist())
        for corner in ((-3.0, -7.0), (60.0, 10.0), (1.1, 2.3)):
            low = np.array(corner)
            seen = set(thinned.in_view(low, low + 12, apart).tolist())
            assert seen == set(rows[within(places[rows], low, low + 12)].tolist())


def test_the_pictures_fill_the_map():
    """Nobody waits long for a picture: where there are points, there is one not far away."""
    places, _ = groups_of_cells()
    thinned = thin(places, np.arange(len(places)))
    for apart in (2.0, 5.0, 11.0):
        shown = places[thinned.in_view(*BOX, apart)]
        away = np.abs(places[:, None] - shown[None]).max(axis=2).min(axis=1)
        assert away.max() < 4 * apart
        assert np.median(away) < apart


def test_a_rare_class_is_not_hidden_by_the_common_one_around_it():
    places, groups = groups_of_cells()
    thinned = thin(places, np.arange(len(places)), groups)
    few = thinned.in_view(*BOX, 15.0)
    assert len(few) < 25
    assert (groups[few] == 1).any()
    assert (groups[few] == 0).any()


def test_a_picture_is_typical_of_its_group():
    """Not one from its edge: each of three separate groups is shown by one of its middle."""
    rng = np.random.default_rng(0)
    middles = np.array([(0, 0), (0, 100), (90, 40)])
    groups = np.repeat(np.arange(3), 300)
    places = middles[groups] + rng.normal(size=(900, 2)) * 5
    rows = thin(places, np.arange(900), groups).in_view(*BOX, 60.0)
    assert sorted(groups[rows].tolist()) == [0, 1, 2]
    assert np.linalg.norm(places[rows] - middles[groups[rows]], axis=1).max() < 5


def test_what_is_hidden_has_no_picture_and_leaves_its_place_to_others():
    places, groups = groups_of_cells()
    among = np.flatnonzero(groups == 0)
    thinned = thin(places, among, groups)
    rows = thinned.in_view(*BOX, 0.5)
    assert (groups[rows] == 0).all()
    few = thin(places, np.arange(0), groups)
    assert few.in_view(*BOX, 1.0).size == 0


@pytest.mark.parametrize("count", [1, 2, 300])
def test_patches_at_one_place_have_one_picture(count):
    thinned = thin(np.full((count, 2), 7.0), np.arange(count))
    assert len(thinned.in_view(*BOX, 1e-3)) == 1


def test_a_place_that_is_not_finite_has_no_picture():
    places = np.array([[0, 0], [np.nan, 3], [9, np.inf], [8, 8]])
    assert set(thin(places, np.arange(4)).in_view(*BOX, 1.0).tolist()) == {0, 3}


def test_a_choice_that_is_not_wanted_any_more_ends_early():
    places, _ = groups_of_cells()
    whole = thin(places, np.arange(len(places)))
    part = thin(places, np.arange(len(places)), watch=Watch(should_stop=lambda: True))
    assert len(part.rows) < len(whole.rows)


def test_points_in_a_box_are_found_and_counted():
    places, _ = groups_of_cells()
    grid = PointGrid(places)
    for low, side in (((-4, -4), 5.0), ((0, 0), 100.0), ((500, 500), 1.0), ((-99, -99), 300.0)):
        low = np.array(low, float)
        inside = np.flatnonzero(within(places, low, low + side))
        assert grid.inside(low, low + side).tolist() == inside.tolist()
        assert grid.has_more(low, low + side, len(inside)) is False
        if len(inside):
            assert grid.has_more(low, low + side, len(inside) - 1) is True


def test_what_is_too_near_to_what_is_taken_is_told():
    places = np.array([[0.0, 0.0], [0.0, 3.0], [5.0, 5.0]])
    taken = np.array([[0.0, 1.0]])
    assert clear_of(places, taken, 2.0).tolist() == [False, True, True]
