"""What lies in the wells of a plate."""

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.explore.plate_wells import (
    NUMBER,
    figures_of,
    usual_figure,
    well_figure,
    wells_of,
)


def table() -> pd.DataFrame:
    """Return eight patches of two plates, one of them in no well."""
    return pd.DataFrame(
        {
            "well": ["A01", "a1", "A01", "B07", "B07", None, "B-7", "A1"],
            "plate": ["p2", "p2", "p10", "p2", "p2", "p2", "p2", "p2"],
            "label": ["x", "y", "x", "y", "y", "x", None, "y"],
            "area": [1.0, 3.0, 9.0, 4.0, np.nan, 7.0, np.nan, 5.0],
        }
    )


def test_each_patch_lies_in_its_well():
    wells = wells_of(table())
    assert wells.plates == ("p2", "p10")
    assert wells.shape == (6, 8)  # the least plate that has a well B07
    assert wells.inside(0, 0, 0).tolist() == [0, 1, 7]
    assert wells.inside(0, 1, 6).tolist() == [3, 4, 6]
    assert wells.inside(1).tolist() == [2]
    assert wells.inside(0, 0).tolist() == [0, 1, 7]
    assert wells.inside(0, column=6).tolist() == [3, 4, 6]
    assert 5 not in np.concatenate([wells.inside(0), wells.inside(1)])


def test_shares_means_and_numbers():
    given = table()
    wells, labels = wells_of(given), colour_by(given, "label")
    number = well_figure(wells, 0, NUMBER, labels, given)
    assert (number.values[0, 0], number.values[1, 6], number.limits) == (3, 3, (0, 3))
    assert np.isnan(number.values[3, 3])
    share = well_figure(wells, 0, "share of y", labels, given)
    assert share.shares
    assert share.values[0, 0] == share.values[1, 6] == pytest.approx(2 / 3)
    assert share.tip(1, 6, 2) == "B07: 3 patches, share of y 66.7 %, 2 selected"
    assert share.tip(3, 3, 0) == "D04: no patches"
    areas = colour_by(given, "area")
    mean = well_figure(wells, 0, "mean of area", areas, given)
    assert (mean.values[0, 0], mean.values[1, 6]) == (3, 4)
    assert mean.limits == (3, 4)
    assert well_figure(wells, 1, "mean of area", areas, given).values[0, 0] == 9


def test_what_can_be_shown_goes_with_the_colours():
    given = table()
    assert list(figures_of(colour_by(given, "area"))) == [NUMBER, "mean of area"]
    assert usual_figure(colour_by(given, "area")) == "mean of area"
    assert list(figures_of(colour_by(given, "label")))[:3] == [
        NUMBER,
        "share of y",
        "share of x",
    ]
    assert usual_figure(colour_by(given, "")) == NUMBER


def test_selected_patches_are_counted_in_their_wells():
    counts = wells_of(table()).counted(0, np.array([0, 2, 3, 5, 6]))
    assert counts[0, 0] == 1
    assert counts[1, 6] == 2
    assert counts.sum() == 3


@pytest.mark.parametrize(("wells", "shape"), [(("A1", "P24"), (16, 24)), (("AF48",), (32, 48))])
def test_the_least_plate_that_has_room(wells, shape):
    assert wells_of(pd.DataFrame({"Metadata_Well": wells})).shape == shape


def test_columns_that_name_no_wells():
    for given in (
        {"label": ["A1", "B2"]},
        {"well": ["control", "treated", "A1"]},
        {"well": [None, None]},
    ):
        assert wells_of(pd.DataFrame(given)) is None
