"""Very many points on paper look as few do, and are one picture in SVG and PDF."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.runs.drawing import map_points
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.paper import save_figure


@pytest.fixture
def many():
    """60,000 points in two groups that overlap, and the colouring of one column or another."""
    rng = np.random.default_rng(0)
    groups = np.repeat([0, 1], 30_000)
    places = rng.normal(size=(60_000, 2)) + groups[:, None] * 1.5
    table = pd.DataFrame({"label": np.array(["left", "right"])[groups], "depth": places[:, 0]})
    return places.astype(np.float32), lambda column: colour_by(table, column)


def drawn(places, colouring, path, size=1.5):
    config = FigureConfig(width=60, dpi=100, names="none", point_size=size)
    return save_figure(draw_map(places, colouring, config), path)


@pytest.mark.parametrize("size", [0.3, 1.5])
@pytest.mark.parametrize("column", ["label", "depth"])
def test_many_points_look_as_they_do_one_by_one(many, column, size, tmp_path, monkeypatch):
    places, coloured = many
    pictures = []
    for most in (50_000, 10**9):
        monkeypatch.setattr(map_points, "_MOST_SCATTERED", most)
        file = drawn(places, coloured(column), tmp_path / f"{most}.png", size)
        pictures.append(np.asarray(Image.open(file).convert("RGB"), float))
    # Blurred, since points move by less than a pixel and mix in another order.
    soft = [
        one[: len(one) // 6 * 6, : one.shape[1] // 6 * 6]
        .reshape(len(one) // 6, 6, one.shape[1] // 6, 6, 3)
        .mean(axis=(1, 3))
        for one in pictures
    ]
    assert np.abs(soft[0] - soft[1]).mean() < 4
    assert np.ptp(soft[0]) > 50


def test_in_an_svg_they_are_one_picture(many, tmp_path):
    places, coloured = many
    text = drawn(places, coloured("label"), tmp_path / "a.svg").read_text("utf-8")
    assert text.count("<image") == 1
    assert text.count("<use") < 50
