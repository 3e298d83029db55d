"""``patchmap tile``: tiles as files, a table of them, and what goes wrong."""

from __future__ import annotations

import imagecodecs
import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_patchmap.cli import main
from napari_patchmap.cli.tiling import cut, drawn
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.slides.tile_grid import Sampling
from napari_patchmap.patches.readers.slides.tiles import TileConfig, TilePlan
from tests.onlooker import Onlooker
from tests.patches.plates.drawn_plate import field_pixels, write_plate
from tests.patches.slides.drawn import (
    cells,
    glass,
    tissue,
    write_aperio,
    write_fluorescence,
    write_pyramid,
)


def test_tiles_of_a_slide_are_files_with_a_table(tmp_path, capsys):
    image = tissue()
    path = write_pyramid(tmp_path / "a slide 'ü'.tif", image)
    out = tmp_path / "tiles"
    assert main(["tile", str(path), "--size", "64", "--out", str(out)]) == 0
    said = capsys.readouterr()
    assert "tiles of 64 x 64 pixels" in said.out
    table = pd.read_csv(out / "tiles.csv")
    columns = ["file", "source", "y", "x", "height", "width", "foreground", "mpp"]
    assert table.columns.tolist() == columns
    assert {p.name for p in out.iterdir()} == {*table["file"], "tiles.csv", "tiles.png"}
    assert table["file"][0].startswith("a slide 'ü'_y")
    for row in table.itertuples():
        assert row.file == f"a slide 'ü'_y{row.y}_x{row.x}.png"
        pixels = imagecodecs.png_decode((out / row.file).read_bytes())
        np.testing.assert_array_equal(pixels, image[row.y : row.y + 64, row.x : row.x + 64])
    picture = imagecodecs.png_decode((out / "tiles.png").read_bytes())
    assert (picture == (0, 140, 70)).all(axis=2).any()

    # The folder opens as patches: the picture of the slide is none, and the table fits.
    ps = open_patches(out, labels=out / "tiles.csv")
    assert len(ps) == len(table)
    assert ps.skipped == []
    assert "foreground" in ps.table
    assert not any("patches have a row" in note for note in ps.notes)


def test_several_slides_get_a_folder_each(tmp_path):
    root = tmp_path / "slides"
    for name in ("x/a.tif", "y/A.tif", "b.tif"):
        write_pyramid(root / name, tissue())
    write_aperio(root / "glass.svs", glass())
    tiled = cut(root, tmp_path / "out", TileConfig(size=64, tiles_per_slide=5))
    assert (tiled.written, tiled.planned, tiled.stopped) == (15, 15, False)
    assert [one.source for one in tiled.skipped] == ["glass.svs"]
    table = pd.read_csv(tmp_path / "out/tiles.csv")
    assert table["source"].unique().tolist() == ["b.tif", "x/a.tif", "y/A.tif"]
    folders = table["file"].str.partition("/")[0].unique().tolist()
    assert len({folder.casefold() for folder in folders}) == 3
    for folder in folders:
        assert (tmp_path / "out" / folder / "tiles.png").exists()
    ps = open_patches(tmp_path / "out", labels=tmp_path / "out/tiles.csv")
    assert len(ps) == 15
    assert sorted(ps.label_counts()) == [5, 5, 5]


def test_fluorescence_is_written_whole(tmp_path):
    image = cells()
    path = write_fluorescence(tmp_path / "f.ome.tif", image)
    cut(path, tmp_path / "out", TileConfig(size=128, min_foreground=0.3))
    table = pd.read_csv(tmp_path / "out/tiles.csv")
    assert (table["mpp"] == 0.65).all()
    first = table.iloc[0]
    assert first["file"].startswith("f_y")
    pixels = tifffile.imread(tmp_path / "out" / first["file"])
    y, x = first["y"], first["x"]
    np.testing.assert_array_equal(pixels, image[:, y : y + 128, x : x + 128])
    assert open_patches(tmp_path / "out").channels == 4


def test_a_stop_leaves_whole_files_only(tmp_path):
    path = write_pyramid(tmp_path / "a.tif", tissue())
    somebody = Onlooker(lambda heard: len(heard.steps) >= 5)
    tiled = cut(path, tmp_path / "out", TileConfig(size=16), somebody.watch)
    assert tiled.stopped
    assert 5 <= tiled.written < tiled.planned
    table = pd.read_csv(tmp_path / "out/tiles.csv")
    files = {p.name for p in (tmp_path / "out").iterdir()}
    assert files == {*table["file"], "tiles.csv", "tiles.png"}
    for name in table["file"]:
        data = (tmp_path / "out" / name).read_bytes()
        assert imagecodecs.png_decode(data).shape == (16, 16, 3)


def test_damaged_tiles_are_left_out_and_said(tmp_path):
    path = write_aperio(tmp_path / "a.svs", tissue())
    with tifffile.TiffFile(path) as tif:
        at, length = tif.pages[0].dataoffsets[15], tif.pages[0].databytecounts[15]
    data = bytearray(path.read_bytes())
    data[at : at + length] = bytes(length)
    path.write_bytes(data)
    tiled = cut(path, tmp_path / "out", TileConfig(size=64, foreground="none"))
    assert (tiled.written, tiled.planned, len(tiled.skipped)) == (104, 108, 4)
    assert not tiled.stopped
    assert len(pd.read_csv(tmp_path / "out/tiles.csv")) == 104


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["{slide}", "--out", "{full}"], "is not empty; choose a new one"),
        (["{slide}", "--out", "{slide}"], "is a file; choose a new folder"),
        (["{tmp}/gone.svs", "--out", "{tmp}/o"], "There is no file or folder"),
        (["{slide}", "--out", "{tmp}/o", "--mpp", "0.5", "--magnification", "20"], "not both"),
        (["{slide}", "--out", "{tmp}/o", "--mpp", "0.5"], "does not say how many micrometres"),
        (["{slide}", "--out", "{tmp}/o", "--size", "4000"], "is smaller (800 x 600 pixels)"),
        (["{glass}", "--out", "{tmp}/o", "--size", "64"], "holds no tissue"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(tmp_path, capsys, args, said):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/keep.txt").write_text("mine")
    places = {
        "slide": write_pyramid(tmp_path / "a.tif", tissue()),
        "glass": write_aperio(tmp_path / "g.svs", glass()),
        "full": tmp_path / "full",
        "tmp": tmp_path,
    }
    assert main(["tile", *[arg.format(**places) for arg in args]]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert [p.name for p in (tmp_path / "full").iterdir()] == ["keep.txt"]
    assert not (tmp_path / "o").exists()


def test_tiles_are_drawn_at_the_border_of_a_picture_whose_sides_are_rounded(tmp_path):
    picture = np.full((13, 300, 3), 240, np.uint8)
    boxes = pd.DataFrame(
        {"y": [0, 0], "x": [0, 30_010], "height": [100] * 2, "width": [100] * 2}
    )
    plan = TilePlan(
        tmp_path, TileConfig(), (1_300, 30_110), picture, 100.0, boxes, 2, 2, None, None,
        Sampling(0, 1.0, 1.0),
    )  # fmt: skip
    frames = (drawn(plan) != picture).any(axis=2)
    assert frames[0, 0]
    assert not frames[:, 50:250].any()


def test_a_map_of_a_slide(tmp_path, capsys):
    path = write_aperio(tmp_path / "a.svs", tissue())
    args = ["embed", str(path), "--out", str(tmp_path / "run"), "--tile-size", "32"]
    quick = ["--epochs", "1", "1", "1", "--batch-size", "32", "--device", "cpu"]
    assert main([*args, "--mpp", "0.6", "--min-foreground", "0.6", *quick]) == 0
    table = pd.read_csv(tmp_path / "run/embedding.csv")
    assert (table["foreground"] >= 0.6).all()
    assert (table["height"] == 38).all()
    assert "tiles of 32 x 32 pixels" in capsys.readouterr().out


def test_the_fields_of_a_plate_are_written_each_into_a_folder(tmp_path, capsys):
    plate = write_plate(tmp_path / "p.zarr", ["A/1", "B/2"], 2)
    out = tmp_path / "out"
    options = ["--size", "32", "--foreground", "none"]
    assert main(["tile", str(plate), "--out", str(out), *options]) == 0
    assert sorted(one.name for one in out.iterdir() if one.is_dir()) == [
        "A_1_0", "A_1_1", "B_2_0", "B_2_1",
    ]  # fmt: skip
    table = pd.read_csv(out / "tiles.csv")
    assert table["well"].tolist() == ["A01"] * 4 + ["B02"] * 4
    pixels = tifffile.imread(out / table["file"][5])
    np.testing.assert_array_equal(pixels, field_pixels("B/2", 0)[:, :32, 32:])
