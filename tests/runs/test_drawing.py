"""Figures: their size, their names, their formats, and what is said of what cannot be."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.runs.drawing.drawable import chosen_colouring
from napari_patchmap.runs.drawing.figure_config import FigureConfig
from napari_patchmap.runs.drawing.map_page import draw_map
from napari_patchmap.runs.drawing.map_points import MOST_VECTORS
from napari_patchmap.runs.drawing.name_places import dense_rows, place_names
from napari_patchmap.runs.drawing.paper import check_figure_file, save_page


def islands(groups: int, each: int = 30) -> tuple[np.ndarray, pd.DataFrame]:
    """Make a map of groups around a circle."""
    rng = np.random.default_rng(0)
    turn = np.linspace(0, 2 * np.pi, groups, endpoint=False)
    middles = 10 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    places = np.repeat(middles, each, axis=0) + rng.normal(0, 0.4, (groups * each, 2))
    names = np.repeat([f"class {i}" for i in range(groups)], each)
    return places, pd.DataFrame({"label": names, "area": rng.normal(size=len(places))})


def drawn(path, places, table, column="label", **settings):
    """Draw a map into a file; return its page."""
    page = draw_map(places, colour_by(table, column), FigureConfig(**settings))
    save_page(page, path)
    return page


def written(page) -> list[str]:
    from matplotlib.text import Text

    return [text.get_text() for text in page.findobj(Text) if text.get_text()]


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("names", ["legend", "beside", "none"])
@pytest.mark.parametrize("groups", [3, 40])
@pytest.mark.parametrize("width", [85, 180])
def test_a_page_has_its_size_and_nothing_lies_over_its_edge(
    tmp_path, width, groups, names, look
):
    path = tmp_path / "map.png"
    places, table = islands(groups)
    page = drawn(
        path, places, table, width=width, names=names, look=look, dpi=100, title="A title " * 30
    )
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    assert pixels.shape[1] == pytest.approx(width / 25.4 * 100, abs=1)
    ground = {"light": 255, "dark": 0}[look]
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge == ground).all()
    named = {f"class {i}" for i in range(groups)}
    said = " ".join(written(page))
    assert all(name in said for name in named) == (names != "none")


def test_height_font_and_point_size_are_kept(tmp_path):
    places, table = islands(3)
    page = drawn(
        tmp_path / "map.png", places, table, width=100, height=50, font_size=9, point_size=2,
        dpi=100,
    )  # fmt: skip
    assert Image.open(tmp_path / "map.png").size == (393, 196)
    assert {text.get_fontsize() for text in page.axes[1].texts} == {9}
    assert set(page.axes[0].collections[0].get_sizes()) == {4}


def test_a_legend_without_room_says_how_many_it_left_out(tmp_path):
    places, table = islands(40)
    page = drawn(tmp_path / "map.png", places, table, width=60, height=60, dpi=100)
    texts = written(page)
    shown = sum(text.startswith("class") for text in texts)
    assert 3 < shown < 40
    assert f"… {40 - shown} more" in texts


ODD = [
    "$x_1$",
    "_under",
    "Größe & <b>",
    "😀",
    "血",
    "w" * 10_000,
    "a\x00\nb",
    "\udcff",
    "$\\frac$",
]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
@pytest.mark.parametrize("names", ["legend", "beside"])
def test_names_are_drawn_as_they_are_in_every_format(tmp_path, ending, names):
    places, table = islands(len(ODD))
    table["label"] = np.repeat(ODD, 30)
    path = tmp_path / f"map.{ending}"
    drawn(path, places, table, names=names, width=85, title=r"$\nosuch$ _ä")
    data = path.read_bytes()
    assert data[:4] in (b"\x89PNG", b"<?xm", b"%PDF")
    if ending == "svg":
        text = data.decode()
        for name in ("$x_1$", "_under", "Größe &amp; &lt;b&gt;", r"$\nosuch$ _ä"):
            assert f">{name}" in text
        assert "w" * 200 not in text
    if ending == "pdf":
        assert b"/FontFile2" in data  # letters, not outlines
    again = tmp_path / f"again.{ending}"
    drawn(again, places, table, names=names, width=85, title=r"$\nosuch$ _ä")
    assert again.read_bytes() == data


def test_many_points_become_a_picture_in_the_page(tmp_path):
    path = tmp_path / "map.svg"
    places, table = islands(3, 50)
    drawn(path, places, table, width=40)
    assert "<image" not in path.read_text()
    places, table = islands(3, MOST_VECTORS // 3 + 1)
    drawn(path, places, table, width=40, dpi=100)
    assert "<image" in path.read_text()
    assert path.stat().st_size < 1_000_000
    assert re.search(r"<text[^>]*>class 0", path.read_text())


def test_numbers_get_a_colour_bar_that_names_the_column_and_what_is_missing(tmp_path):
    places, table = islands(3)
    table.loc[:4, "area"] = np.nan
    texts = written(drawn(tmp_path / "map.png", places, table, "area", dpi=80))
    assert texts[0] == "area"
    assert "no value  5" in texts
    assert "0" in texts


@pytest.mark.parametrize("height", [None, 40])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (3, 1)])
@pytest.mark.parametrize("width", [85, 180])
def test_a_colour_bar_lies_on_the_page(tmp_path, width, shape, height):
    places, table = islands(3)
    path = tmp_path / "map.png"
    page = drawn(
        path, places * shape, table, "area", width=width, height=height, dpi=80, font_size=7
    )
    assert "area" in written(page)
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert (edge == 255).all()


def test_a_page_too_low_for_a_colour_bar_has_none(tmp_path):
    places, table = islands(3)
    drawn(tmp_path / "map.png", places, table, "area", width=60, height=30, font_size=40)


@pytest.mark.parametrize(
    "places", [np.zeros((5, 2)), np.array([[0.0, 1]]), np.c_[np.arange(9), np.full(9, 1e8)]]
)
def test_maps_without_an_extent_are_drawn(tmp_path, places):
    table = pd.DataFrame({"label": ["a"] * len(places)})
    for names in ("legend", "beside"):
        drawn(tmp_path / "map.png", places, table, names=names, dpi=80)


def test_colours_and_columns_are_those_of_the_window():
    _, table = islands(3)
    assert chosen_colouring(table, None).column == "label"
    assert chosen_colouring(table, "none").names == ()
    assert chosen_colouring(table[["area"]], None).names == ()
    with pytest.raises(RunError, match=r"no column 'aera'; did you mean area\?"):
        chosen_colouring(table, "aera")


def test_names_beside_groups_do_not_lie_on_each_other():
    rng = np.random.default_rng(0)
    places = rng.uniform(0, 300, (5_000, 2))
    codes = rng.integers(0, 40, 5_000)
    rows = dense_rows(places, codes, np.arange(40))
    assert (codes[rows] == np.arange(40)).all()
    anchors = places[rows]
    sizes = np.tile([9.0, 60.0], (40, 1))
    middles = place_names(places, anchors, sizes, (300, 300))
    low, high = middles - sizes / 2, middles + sizes / 2
    assert (low >= -1e-9).all()
    assert (high <= 300 + 1e-9).all()
    for i in range(40):
        for j in range(i):
            assert (np.minimum(high[i], high[j]) - np.maximum(low[i], low[j])).min() <= 1e-9


def test_a_name_stands_at_its_group():
    places = np.concatenate([np.full((50, 2), 50.0), np.full((50, 2), 250.0)])
    codes = np.repeat([0, 1], 50)
    anchors = places[dense_rows(places, codes, np.array([0, 1]))]
    middles = place_names(places, anchors, np.tile([10.0, 40.0], (2, 1)), (300, 300))
    assert np.abs(middles - anchors).max() < 40


def test_what_cannot_be_drawn_is_said(tmp_path):
    with pytest.raises(RunError, match="no ending of a figure"):
        check_figure_file(tmp_path / "map.jpg")
    with pytest.raises(RunError, match="no folder"):
        check_figure_file(tmp_path / "gone" / "map.png")
    places, table = islands(3)
    with pytest.raises(RunError, match="million pixels"):
        drawn(tmp_path / "map.png", places, table, width=2000, dpi=1200)
    with pytest.raises(ConfigError, match="Width must be at least 30 mm"):
        FigureConfig(width=3)
