"""The picture of a plate as a figure of a run."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from napari_patchmap.cli import main
from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import colour_by, scale_colours
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.plate_page import PlateConfig, draw_plate
from napari_patchmap.training import fit
from tests.conftest import make_cells


def given(column: str = "label", **more: object) -> Drawable:
    """Return patches of three wells: of x none, half and all are there."""
    table = pd.DataFrame(
        {"well": ["A01"] * 2 + ["B02"] * 2 + ["C12"] * 2, "label": list("yyxyxx")}
    ).assign(**more)
    table["area"] = [1.0, 1, 2, 2, 4, 4]

    def nothing():
        raise AssertionError("nothing is opened for it")

    return Drawable(
        np.zeros((6, 2)), colour_by(table, column), np.arange(6), nothing, nothing,
        open_table=lambda: table,
    )  # fmt: skip


def discs(page):
    """Return the places and colours of the wells with patches, from the upper left on."""
    filled, *_ = (
        one
        for axes in page.axes
        for one in axes.collections
        if isinstance(one, PathCollection)
        and len(one.get_facecolors())
        and len(one.get_offsets())
    )
    return filled.get_offsets(), filled.get_facecolors()


def test_wells_lie_where_they_belong_and_have_the_colour_of_their_share():
    places, colours = discs(draw_plate(given(), PlateConfig(share_of="x")))
    steps = scale_colours()
    np.testing.assert_allclose(colours, steps[[0, 128, 255]], atol=0.01)
    side = places[1, 1] - places[0, 1]
    np.testing.assert_allclose((places[1] - places[0]) / side, [1, 1], atol=1e-6)
    np.testing.assert_allclose((places[2] - places[0]) / side, [11, 2], atol=1e-6)


def test_means_and_several_plates_have_one_scale():
    shown = given("area", plate=["one"] * 4 + ["two"] * 2)
    _, colours = discs(draw_plate(shown, PlateConfig()))
    np.testing.assert_allclose(colours, scale_colours()[[0, 85]], atol=0.01)
    _, colours = discs(draw_plate(shown, PlateConfig(plate="one")))
    np.testing.assert_allclose(colours, scale_colours()[[0, 255]], atol=0.01)


def test_what_is_not_there_is_said():
    with pytest.raises(RunError, match="There is no group 'z'; there are"):
        draw_plate(given(), PlateConfig(share_of="z"))
    with pytest.raises(RunError, match="There is no plate 'nine'"):
        draw_plate(given(), PlateConfig(plate="nine"))
    with pytest.raises(RunError, match="load the patches with a table"):
        draw_plate(given(well=list("abcdef")), PlateConfig())


def test_the_command_writes_it(tmp_path, capsys):
    cells = make_cells(60)
    cells.table["well"] = np.resize(["A01", "A02", "B01"], len(cells))
    folder = fit(cells, RunConfig(TrainConfig(method="pixels"))).save(tmp_path / "run")
    out = tmp_path / "plate.png"
    assert main(["figure", "plate", str(folder), "--out", str(out)]) == 0
    assert out.stat().st_size > 1000
    assert main(["figure", "plate", str(folder), "--out", str(out), "--share-of", "?"]) == 2
    assert "There is no group '?'" in capsys.readouterr().err
