"""In which order patches are looked at."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.explore.file_names import file_names
from napari_patchmap.explore.natural_order import natural_order
from napari_patchmap.explore.ordering import Order, by_column, by_distance
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.names import natural_key

COLUMNS = {
    "float": (pd.Series([2.0, np.nan, 1.0, 2.0, np.inf]), [2, 0, 3, 4, 1], [4, 0, 3, 2, 1]),
    "whole": (pd.Series([2, 9, 1, 2, -5]), [4, 2, 0, 3, 1], [1, 0, 3, 2, 4]),
    "smallest whole": (
        pd.Series([0, np.iinfo(np.int64).min, 5, 0, 1], dtype=np.int64),
        [1, 0, 3, 4, 2], [2, 4, 0, 3, 1],
    ),
    "whole, some missing": (
        pd.Series([2, None, 1, 2, 3], dtype="Int64"), [2, 0, 3, 4, 1], [4, 0, 3, 2, 1],
    ),
    "text": (
        pd.Series(["cell 10", None, "Cell 2", "cell 10", "b"]),
        [4, 2, 0, 3, 1], [0, 3, 2, 4, 1],
    ),
    "empty text": (pd.Series(["b", "", "a", "b", "c"]), [2, 0, 3, 4, 1], [4, 0, 3, 2, 1]),
    "boolean": (pd.Series([True, False, False, True, False]), [1, 2, 4, 0, 3], [0, 3, 1, 2, 4]),
    "grades": (
        pd.Series(pd.Categorical(
            ["mid", None, "low", "mid", "high"], ["low", "mid", "high"], ordered=True
        )),
        [2, 0, 3, 4, 1], [4, 0, 3, 2, 1],
    ),
    "dates": (
        pd.Series(np.array(["2024-02", "NaT", "2023-01", "2024-02", "2025-01"], "M8[ns]")),
        [2, 0, 3, 4, 1], [4, 0, 3, 2, 1],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", COLUMNS)
def test_equal_values_keep_their_order_and_missing_ones_come_last(kind):
    values, up, down = COLUMNS[kind]
    table = pd.DataFrame({"value": values})
    assert by_column(table, "value").sequence.tolist() == up
    assert by_column(table, "value", descending=True).sequence.tolist() == down


def test_some_of_the_patches_are_arranged_as_all_are():
    values = np.random.default_rng(0).integers(0, 5, 50).astype(float)
    values[7] = np.nan
    order, some = Order("value", values), np.array([7, 3, 40, 9, 12])
    expected = [i for i in order.sequence.tolist() if i in some]
    assert order.arranged(some).tolist() == expected
    assert expected[-1] == 7
    assert order.arranged(np.empty(0, np.intp)).tolist() == []


def test_pictures_tell_the_value_or_the_text_handed_over():
    order = Order("p", np.array([0.53219, np.nan, 1234567.0]))
    assert [order.text(i) for i in range(3)] == ["0.532", "", "1.23e+06"]
    assert Order("p", [0.5, 0.25], texts=["50 %", "25 %"]).text(1) == "25 %"
    assert Order("class", np.array(["a", ""], object)).text(1) == ""


def test_distance_on_the_map_begins_with_the_patch_itself():
    points = np.array([[0, 0], [3, 4], [0, 1], [np.nan, 0], [0, 0]], np.float32)
    order = by_distance(points, 2, "on the map")
    assert order.sequence.tolist() == [2, 0, 4, 1, 3]
    assert order.text(1) == "4.24"
    assert order.said == "distance to patch 2 on the map"


def test_distance_by_features_is_that_of_the_cosine():
    features = np.array([[1, 0], [5, 0], [0, 2], [-1, 0], [0, 0], [3, 3]], np.float32)
    order = by_distance(features, 0, "by features", cosine=True)
    assert order.sequence.tolist() == [0, 1, 5, 2, 3, 4]  # no direction, no distance
    np.testing.assert_allclose(order.values[:4], [0, 0, 1, 2], atol=1e-6)
    assert order.text(4) == ""


def test_a_file_of_one_patch_is_named_alone():
    table = box_table(["a.tif", "b.tif"], [0, 0], np.full((2, 2), 12))
    assert file_names(table, np.array([1, 0])) == ["b.tif", "a.tif"]


def test_patches_of_one_file_are_told_apart_by_frame_or_box():
    stack = box_table("s.tif", [0, 1, 2], np.full((3, 2), 12))
    assert file_names(stack, np.array([2, 0])) == ["s.tif\tframe 2", "s.tif\tframe 0"]
    slide = box_table(["a.svs", "a.svs", "b.svs"], [0, 0, 0], np.full((3, 2), 32))
    slide.loc[1, ["y", "x"]] = [64, 32]
    assert file_names(slide, np.array([1, 2])) == [
        "a.svs\ty 64, x 32, height 32, width 32",
        "b.svs",
    ]


def test_very_many_names_are_counted_as_few_are():
    rng = np.random.default_rng(0)
    letters = list("aAbB/ .01239äÄß_-")
    names = {"".join(rng.choice(letters, rng.integers(1, 9))) for _ in range(4_000)}
    names |= {"cell 007", "cell 7", "Cell 7", "\udc80 1", "a\tb", "9" * 90}
    for texts in ([*names], [*names, "\0 1"], [*names, "1" * 200]):
        assert len(texts) > 2_000
        expected = sorted(range(len(texts)), key=lambda at: natural_key(texts[at]))
        assert natural_order(texts).tolist() == expected
