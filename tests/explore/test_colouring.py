"""Colours by label and by any column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.explore.colouring import (
    MOST_CATEGORIES,
    colour_by,
    columns_to_show,
    dimmed,
)
from napari_patchmap.explore.palette import categorical_colours, missing_colour


def table(**columns) -> pd.DataFrame:
    """Make a table of the columns."""
    return pd.DataFrame(columns)


def test_the_most_frequent_label_comes_first_and_missing_ones_last():
    labels = ["b", "a", "c", "c", None, "c", "a", ""]
    colouring = colour_by(table(label=labels), "label")
    assert colouring.names == ("c", "a", "b", "no label")
    assert colouring.counts().tolist() == [3, 2, 1, 2]
    assert colouring.counts(np.array([0, 2, 3])).tolist() == [2, 0, 1, 0]
    assert colouring.members(1).tolist() == [1, 6]
    np.testing.assert_array_equal(colouring.colours[2], categorical_colours(1)[0])
    np.testing.assert_array_equal(colouring.colours[4], missing_colour())


def test_thirty_classes_all_differ():
    colouring = colour_by(table(label=[f"class {i}" for i in range(30)]), "label")
    assert len(np.unique(colouring.colours, axis=0)) == 30


def test_rare_categories_share_other_and_none_is_lost():
    values = [f"w{i}" for i in range(100)] + ["w0"] * 5
    colouring = colour_by(table(well=values), "well")
    assert len(colouring.names) == MOST_CATEGORIES
    assert colouring.names[0] == "w0"
    assert colouring.names[-1] == "other (61 more)"
    assert colouring.counts().sum() == 105


def test_one_outlier_does_not_flatten_the_numbers():
    values = np.append(np.linspace(0, 1, 999), 1e9)
    colouring = colour_by(table(area=values), "area")
    assert colouring.names == ()
    assert colouring.limits == pytest.approx((0.01, 0.99), abs=0.01)
    assert len(np.unique(colouring.colours[:999], axis=0)) > 200


def test_missing_numbers_are_grey_and_a_constant_column_works():
    colouring = colour_by(table(area=[1.0, np.nan, np.inf, 1.0]), "area")
    np.testing.assert_array_equal(colouring.colours[1], missing_colour())
    np.testing.assert_array_equal(colouring.colours[2], missing_colour())
    assert np.isfinite(colouring.colours).all()
    empty = colour_by(table(area=[np.nan, np.nan]), "area")
    np.testing.assert_array_equal(empty.colours[0], missing_colour())


@pytest.mark.parametrize(
    ("values", "groups"),
    [([0, 1, 2, 1], 3), ([True, False, True, True], 2), (list(range(50)), 0)],
)
def test_few_whole_numbers_are_groups_and_many_are_a_scale(values, groups):
    assert len(colour_by(table(cluster=values), "cluster").names) == groups


def test_no_column_means_one_colour_for_all():
    colours = colour_by(table(label=["a", "b"]), "").colours
    assert colours.shape == (2, 4)
    assert (colours == colours[0]).all()


def test_only_columns_that_tell_something_are_offered():
    offered = columns_to_show(
        table(
            source=[f"{i}.png" for i in range(9)],
            frame=[0] * 9,
            area=np.linspace(0, 1, 9),
            well=["A", "B", "C"] * 3,
            label=["x", "y", None] * 3,
        )
    )
    assert offered == ["label", "area", "well"]


def test_dimming_fades_all_but_the_selection_and_keeps_colours():
    colours = colour_by(table(label=["a", "b", "a"]), "label").colours
    faded = dimmed(colours, np.array([1]))
    assert faded[1, 3] == 1
    assert (faded[[0, 2], 3] < 0.3).all()
    np.testing.assert_array_equal(faded[:, :3], colours[:, :3])
    np.testing.assert_array_equal(dimmed(colours, np.array([], int)), colours)
