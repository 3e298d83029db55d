"""Colours by label and by any column."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.explore.colouring import (
    MOST_CATEGORIES,
    colour_by,
    columns_to_show,
)
from napari_patchmap.explore.palette import categorical_colours, missing_colour
from napari_patchmap.explore.text_codes import text_codes


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


def test_values_of_several_types_are_told_apart_by_their_text():
    mixed = pd.Series([1, 1.0, True, "1", None, "", 1], dtype=object)
    for values in (mixed, pd.Series(["b", None, "a", "b"]), pd.Series([2.0, np.nan, 2.0])):
        codes, texts = text_codes(values)
        expected = values.astype(object).where(values.notna(), "").astype(str).tolist()
        assert [texts[code] for code in codes] == expected
        assert len(set(texts)) == len(texts)


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


def test_numbers_of_rows_and_of_objects_are_not_offered():
    offered = columns_to_show(
        table(frame=np.arange(9), label_id=[3, 1, 4, 1, 5, 9, 2, 6, 5], day=[1, 2, 3] * 3)
    )
    assert offered == ["day"]


def test_all_colours_of_groups_differ_clearly():
    colours = categorical_colours(MOST_CATEGORIES)[:, :3].astype(np.float64)
    # OKLab (Ottosson 2020), in which a distance of 0.02 can just be seen.
    linear = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    cones = linear @ np.array(
        [[0.4122214708, 0.5363325363, 0.0514459929],
         [0.2119034982, 0.6806995451, 0.1073969566],
         [0.0883024619, 0.2817188376, 0.6299787005]]
    ).T  # fmt: skip
    lab = np.cbrt(cones) @ np.array(
        [[0.2104542553, 0.7936177850, -0.0040720468],
         [1.9779984951, -2.4285922050, 0.4505937099],
         [0.0259040371, 0.7827717662, -0.8086757660]]
    ).T  # fmt: skip
    apart = np.linalg.norm(lab[:, None] - lab, axis=2) + np.eye(len(lab))
    assert apart[:13, :13].min() > 0.15
    assert apart.min() > 0.1


def test_a_finer_column_takes_shades_of_the_labels_colours():
    cells = table(
        label=["cell"] * 5 + ["platelet"] * 3 + [None],
        fine=["b", "a", "b", "c", "b", "plt", "plt", "plt", "b"],
    )
    labels, fine = colour_by(cells, "label"), colour_by(cells, "fine")
    assert fine.names == ("b", "plt", "a", "c")
    np.testing.assert_array_equal(fine.palette[0], labels.palette[0])
    np.testing.assert_array_equal(fine.palette[1], labels.palette[1])
    light, dark = fine.palette[2], fine.palette[3]
    assert (light >= labels.palette[0]).all()
    assert (dark <= labels.palette[0]).all()
    assert len(np.unique(fine.palette, axis=0)) == 4
    np.testing.assert_array_equal(fine.colours, fine.palette[fine.codes])


def test_a_coarser_column_takes_the_colour_of_its_most_frequent_label():
    cells = table(label=["a", "b", "b", "c"], kind=["x", "x", "x", "y"])
    labels, kinds = colour_by(cells, "label"), colour_by(cells, "kind")
    np.testing.assert_array_equal(kinds.palette, labels.palette[[0, 2]])


def test_the_same_name_has_the_same_colour_in_another_column():
    cells = table(label=["a", "a", "a", "b", "c"], guess=["b", "z", "b", "a", "a"])
    labels, guess = colour_by(cells, "label"), colour_by(cells, "guess")
    assert (labels.names, guess.names) == (("a", "b", "c"), ("a", "b", "z"))
    np.testing.assert_array_equal(guess.palette[:2], labels.palette[:2])
    assert len(np.unique(guess.palette, axis=0)) == 3


def test_a_column_that_has_nothing_to_do_with_the_label_keeps_its_colours():
    cells = table(label=["a", "b", "a", "b"], well=["1A", "1A", "2A", "2A"])
    np.testing.assert_array_equal(colour_by(cells, "well").palette, categorical_colours(2))
