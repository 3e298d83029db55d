"""A label may be spread over columns of zeros and ones, or stand in the names of files."""

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.choice import choose_label, label_columns
from napari_patchmap.patches.labels.one_hot import one_hot_labels


def table(**columns):
    count = len(next(iter(columns.values())))
    box = {"frame": 0, "y": 0, "x": 0, "height": 8, "width": 8}
    sources = [f"p{i % 2}/{'ab'[i % 2]}_{i}.png" for i in range(count)]
    return pd.DataFrame({"source": sources, **box, **columns})


CLASSES = {"is_lymph": [1, 0, 0, 0], "is_mono": [0, 1, 0, 1]}


@pytest.mark.parametrize(
    "columns",
    [
        CLASSES,
        {name: np.array(values, bool) for name, values in CLASSES.items()},
        {name: np.array(values, float) for name, values in CLASSES.items()},
        {name: [("False", "True")[v] for v in values] for name, values in CLASSES.items()},
    ],
    ids=["whole", "bool", "float", "words"],
)
def test_columns_of_zeros_and_ones_are_one_label(columns):
    given = table(**columns, area=[5.0, 1.0, 0.0, 1.0])
    assert one_hot_labels(given) == ["is_lymph, is_mono"]
    assert label_columns(given, "")[-1] == "is_lymph, is_mono"
    found, called = choose_label(given, "IS_LYMPH,is_mono", "", "set")
    assert found["label"].tolist() == ["lymph", "mono", None, "mono"]
    assert called == "is_lymph, is_mono"
    assert list(found["area"]) == list(given["area"])
    # It stays a column when another becomes the label, and can be chosen again by its name.
    other, area = choose_label(found, "area", called, "set")
    assert (other["label"].tolist(), area) == (["5", "1", "0", "1"], "area")
    again, _ = choose_label(other, called, area, "set")
    assert again["label"].tolist() == found["label"].tolist()


def test_flags_that_have_nothing_to_do_with_each_other_are_not_offered():
    both = table(dead=[1, 0, 0, 0], edge=[1, 1, 0, 0])
    rare = table(dead=[1, 0, 0, 0, 0, 0], edge=[0, 1, 0, 0, 0, 0])
    assert one_hot_labels(both) == one_hot_labels(rare) == []
    several = table(**CLASSES, day_1=[1, 1, 0, 0], day_2=[0, 0, 1, 1])
    assert one_hot_labels(several) == ["is_lymph, is_mono", "day_1, day_2"]


def test_a_patch_of_two_classes_and_a_column_of_amounts_are_refused():
    given = table(a=[1, 1, 0], b=[0, 1, 0], size=[3, 4, 5])
    with pytest.raises(
        PatchError, match=r"of set 1 of 3 have a 1 in several .* patch 1 in a, b"
    ):
        choose_label(given, "a, b", "", "set")
    with pytest.raises(PatchError, match="The column size of set holds something else than 0"):
        choose_label(given, "a,size", "", "set")
    with pytest.raises(PatchError, match="set has no column 'a,c' to be the label"):
        choose_label(given, "a,c", "", "set")


def test_a_label_may_stand_in_the_names_of_the_files():
    given = table(area=[1, 2, 3])
    found, called = choose_label(given, "{patient}/{label}_{}.png", "", "set")
    assert found["label"].tolist() == ["a", "b", "a"]
    assert called == "{patient}/{label}_{}.png"
    with pytest.raises(PatchError, match="fits none of the 3 images in set"):
        choose_label(given, "{label}+{}.png", "", "set")


def test_a_column_without_values_is_no_label():
    with pytest.raises(PatchError, match="The column empty of set has no value for any patch"):
        choose_label(table(empty=[None, None]), "empty", "", "set")
