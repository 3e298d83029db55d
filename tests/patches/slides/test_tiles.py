"""Slides and folders of slides become patches; what cannot be cut says so."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import ConfigError, PatchError
from napari_patchmap.patches import LoadCancelled, open_patches, reopen
from napari_patchmap.patches.fit import resize
from napari_patchmap.patches.readers.slides.open_slides import read
from napari_patchmap.patches.readers.slides.slide import Slide
from napari_patchmap.patches.readers.slides.tiles import TileConfig, plan_tiles
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.watch import Watch
from tests.patches.slides.drawn import (
    cells,
    glass,
    tissue,
    write_aperio,
    write_fluorescence,
    write_pyramid,
)

BOX = ["y", "x", "height", "width"]


def read_slides(path, config, watch):
    return read(OpenRequest(path, tiles=config), watch)


def test_tiles_are_planned_before_any_is_read(tmp_path):
    plan = plan_tiles(write_aperio(tmp_path / "a.svs", tissue()), TileConfig(size=64))
    assert plan.candidates == 9 * 12
    assert 0 < plan.found == len(plan.boxes) < 40
    assert (plan.boxes["foreground"] >= 0.5).all()
    assert (plan.mpp, plan.magnification, plan.shape) == (0.5, 20, (600, 800))
    # Every box lies on the ellipse, in the picture at its scale too.
    middle = (plan.boxes[["y", "x"]].to_numpy() + 32) / [600, 800]
    assert (np.abs(middle - [0.5, 0.25]) < 0.36).all()
    height, width = plan.picture.shape[:2]
    np.testing.assert_allclose([height * plan.scale, width * plan.scale], (600, 800), atol=2)
    assert plan.lines() == [
        "a.svs: 800 x 600 pixels, tiles at 0.5 µm per pixel, 20x",
        f"{plan.found} tiles of 64 x 64 pixels; {plan.found} of 108 hold at least 50 % tissue",
    ]


def test_tiles_hold_the_pixels_of_their_boxes(tmp_path):
    image = tissue()
    path = write_pyramid(tmp_path / "a slide 'of' \"tissü\".tif", image)
    ps = open_patches(path, tiles=TileConfig(size=96, foreground="none"))
    assert ps.is_rgb
    assert ps.table["source"].unique().tolist() == [path.name]
    assert len(ps) == 6 * 8
    assert "foreground" not in ps.table
    for i, (y, x, height, width) in enumerate(ps.table[BOX].to_numpy().tolist()):
        np.testing.assert_array_equal(ps[i], image[y : y + height, x : x + width])
    again = reopen(json.loads(json.dumps(ps.origin)))
    assert again.table.equals(ps.table)
    assert ps.origin["kind"] == "slides"


def test_a_pyramid_needs_no_settings(tmp_path):
    ps = open_patches(write_aperio(tmp_path / "a.svs", tissue(900, 1200)))
    assert ps.common_size == (224, 224)
    assert (ps.table["foreground"] >= 0.5).all()
    ps = open_patches(write_pyramid(tmp_path / "a.tif", tissue(900, 1200)))
    assert ps.common_size == (224, 224)


@pytest.mark.parametrize(
    ("wanted", "level", "box"),
    [
        ({"mpp": 0.505}, 0, 50),
        ({"mpp": 0.8}, 0, 80),
        ({"mpp": 1.0}, 1, 100),
        ({"magnification": 10}, 1, 100),
        ({"mpp": 1.5}, 1, 150),
        ({"magnification": 5}, 2, 200),
        ({"mpp": 3}, 2, 300),
    ],
)
def test_any_coarser_resolution_can_be_chosen(tmp_path, wanted, level, box):
    image = tissue()
    path = write_pyramid(
        tmp_path / "a.tif", image, resolution=(20_000, 20_000), resolutionunit="CENTIMETER"
    )
    config = TileConfig(size=50, foreground="none", **wanted)
    plan = plan_tiles(path, config)
    assert plan.sampling.level == level
    source = read_slides(path, config, Watch())
    assert (source.table[["height", "width"]] == box).all(axis=None)
    ends = source.table[["y", "x"]].to_numpy().max(axis=0) + box
    assert (ends <= (600, 800)).all()
    assert (ends > (600 - box, 800 - box)).all()
    assert (source.images.sizes == 50).all()
    for i in (0, 3, len(source.images) - 1):
        y, x = source.table.loc[i, ["y", "x"]]
        want = resize(image[None, y : y + box, x : x + box], (50, 50))[0].astype(int)
        got = source.images[i].astype(int)
        assert got.shape == (50, 50, 3)
        assert np.abs(got - want).mean() < 6


def test_stride_makes_tiles_overlap(tmp_path):
    path = write_pyramid(tmp_path / "a.tif", tissue())
    grid = plan_tiles(path, TileConfig(size=100, stride=50, foreground="none")).boxes
    assert sorted(set(grid["y"])) == list(range(0, 501, 50))
    assert sorted(set(grid["x"])) == list(range(0, 701, 50))
    assert (grid["y"].diff().dropna() >= 0).all()


def test_the_random_choice_is_the_same_again(tmp_path):
    path = write_pyramid(tmp_path / "a.tif", tissue())
    config = TileConfig(size=32, tiles_per_slide=20)
    plans = [plan_tiles(path, config) for _ in range(2)]
    other = plan_tiles(path, config.replace(seed=1))
    assert len(plans[0].boxes) == 20 < plans[0].found
    assert plans[0].boxes.equals(plans[1].boxes)
    assert not plans[0].boxes.equals(other.boxes)
    order = plans[0].boxes.sort_values(["y", "x"])
    assert plans[0].boxes.equals(order)
    assert "chosen at random from" in plans[0].lines()[1]


def test_fluorescence_keeps_its_bits(tmp_path):
    image = cells()
    path = write_fluorescence(tmp_path / "a.ome.tif", image)
    ps = open_patches(path, tiles=TileConfig(size=64, min_foreground=0.3))
    assert ps.channel_names == ("DAPI", "CD3", "CD8", "PanCK")
    assert ps.dtype == np.uint16
    assert (ps.table["y"] < 256).all()
    assert (ps.table["x"] < 320).all()
    y, x = ps.table.loc[0, ["y", "x"]]
    np.testing.assert_array_equal(ps[0], np.moveaxis(image, 0, -1)[y : y + 64, x : x + 64])
    coarse = read_slides(path, TileConfig(size=40, mpp=1.0, min_foreground=0.3), Watch())
    assert coarse.images[0].dtype == np.uint16
    assert coarse.images[0].shape == (40, 40, 4)
    assert coarse.images[0].max() > 1000


def test_a_large_plain_image_is_a_slide_when_tiles_are_wanted(tmp_path):
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, tissue(), photometric="rgb", compression="deflate")
    with pytest.raises(PatchError, match="one single image"):
        open_patches(path)
    assert open_patches(path, tiles=TileConfig(size=64)).common_size == (64, 64)


# -- folders ----------------------------------------------------------------------


def test_a_folder_of_slides(tmp_path):
    root = tmp_path / "slides"
    (root / "b").mkdir(parents=True)
    write_aperio(root / "one 10.svs", tissue(seed=1))
    write_aperio(root / "one 2.svs", tissue(seed=2))
    write_pyramid(root / "b" / "zwei ü.tif", tissue(seed=3))
    write_aperio(root / "glass.svs", glass())
    (root / "half.svs").write_bytes((root / "one 2.svs").read_bytes()[:30_000])
    (root / "notes.txt").write_text("x")
    ps = open_patches(root, tiles=TileConfig(size=32, tiles_per_slide=10))
    assert ps.table["source"].unique().tolist() == ["b/zwei ü.tif", "one 2.svs", "one 10.svs"]
    assert ps.table["slide"].unique().tolist() == ["zwei ü", "one 2", "one 10"]
    assert ps.table.groupby("slide").size().tolist() == [10, 10, 10]
    reasons = {one.source: one.reason for one in ps.skipped}
    assert set(reasons) == {"glass.svs", "half.svs"}
    assert reasons["glass.svs"].startswith("holds no tissue that the foreground filter finds")
    assert "cut off" in reasons["half.svs"]
    again = reopen(ps.origin)
    assert again.table.equals(ps.table)
    np.testing.assert_array_equal(again[29], ps[29])


def test_a_folder_of_slides_is_known_without_settings(tmp_path):
    for i in range(2):
        write_pyramid(tmp_path / "slides" / f"{i}.tif", tissue(900, 1200, seed=i))
    ps = open_patches(tmp_path / "slides")
    assert ps.common_size == (224, 224)
    assert any("from 2 slides" in note for note in ps.notes)
    tifffile.imwrite(tmp_path / "plain.tif", tissue(64, 64), photometric="rgb")
    assert len(open_patches(tmp_path / "slides" / ".." / "slides")) == len(ps)


def test_slides_of_several_make_a_hundred_tiles_each(tmp_path):
    for i in range(2):
        write_pyramid(tmp_path / f"{i}.tif", tissue(seed=i))
    source = read_slides(tmp_path, TileConfig(size=16), Watch())
    assert source.table.groupby("source").size().tolist() == [100, 100]
    assert len(read_slides(tmp_path / "0.tif", TileConfig(size=16), Watch()).table) > 200


def test_slides_of_two_kinds_cannot_be_one_set(tmp_path):
    write_fluorescence(tmp_path / "a.ome.tif", cells())
    write_pyramid(tmp_path / "b.tif", tissue())
    with pytest.raises(
        PatchError, match=r"different kinds, a\.ome\.tif .* and b\.tif .*put each"
    ):
        open_patches(tmp_path, tiles=TileConfig(size=32))


def test_slides_of_two_resolutions_are_told(tmp_path):
    for mpp in ("0.25", "0.5"):
        write_aperio(tmp_path / f"{mpp}.svs", tissue(), f"MPP = {mpp}")
    notes = read_slides(tmp_path, TileConfig(size=32), Watch()).notes
    assert any("differ in resolution (0.25 to 0.5 µm per pixel)" in note for note in notes)
    source = read_slides(tmp_path, TileConfig(size=32, mpp=0.5), Watch())
    assert not any("differ" in note for note in source.notes)
    assert source.mpp == 0.5
    assert source.table.groupby("source")["height"].first().tolist() == [64, 32]


# -- bad input --------------------------------------------------------------------


def sentence(path, **settings):
    with pytest.raises(PatchError) as caught:
        open_patches(path, tiles=TileConfig(**settings))
    text = str(caught.value)
    assert text.startswith(str(path))
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_what_cannot_be_cut_says_what_to_do(tmp_path):
    plain = write_pyramid(tmp_path / "plain.tif", tissue())
    said = sentence(plain, mpp=0.5)
    assert "does not say how many micrometres a pixel spans; leave the resolution open" in said
    assert "does not say its magnification; leave" in sentence(plain, magnification=20)
    assert "is smaller (800 x 600 pixels) than one tile (700 x 700" in sentence(plain, size=700)
    known = write_aperio(tmp_path / "a.svs", tissue())
    assert "has 0.5 µm per pixel, coarser than the 0.25 µm wanted" in sentence(known, mpp=0.25)
    assert "was scanned at 20x, less than the 40x wanted" in sentence(known, magnification=40)
    bare = write_aperio(tmp_path / "glass.svs", glass())
    said = sentence(bare, size=64)
    assert "holds no tissue" in said
    assert "lower that share, or choose 'none'" in said
    assert "set other hues" in sentence(known, size=64, foreground="hsv")
    grey = write_fluorescence(tmp_path / "f.ome.tif", cells())
    assert "is no colour slide" in sentence(grey, size=64, foreground="hsv")
    with pytest.raises(ConfigError, match="either in micrometres per pixel or as a magnif"):
        TileConfig(mpp=0.5, magnification=20)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PatchError, match="holds no slides"):
        open_patches(tmp_path / "empty", tiles=TileConfig())
    photo = tmp_path / "photo.png"
    photo.write_bytes(b"\x89PNG")
    assert "is not a TIFF; give a slide" in sentence(photo)


def test_a_slide_without_resolution_may_know_its_magnification(tmp_path):
    slide = Slide(write_aperio(tmp_path / "a.svs", tissue(), "AppMag = 40"))
    assert (slide.mpp, slide.magnification, slide.derived) == (0.25, 40, True)
    slide = Slide(write_aperio(tmp_path / "b.svs", tissue(), "MPP = 0.2325"))
    assert (slide.magnification, slide.derived) == (40, True)
    slide = Slide(write_aperio(tmp_path / "c.svs", tissue(), "MPP = unknown|AppMag = 0"))
    assert (slide.mpp, slide.magnification) == (None, None)


def test_a_damaged_place_leaves_out_its_tiles_only(tmp_path):
    path = write_aperio(tmp_path / "a.svs", tissue())
    with tifffile.TiffFile(path) as tif:
        at, length = (tif.pages[0].dataoffsets[15], tif.pages[0].databytecounts[15])
    data = bytearray(path.read_bytes())
    data[at : at + length] = bytes(length)
    path.write_bytes(data)
    ps = open_patches(path, tiles=TileConfig(size=64, foreground="none"))
    assert len(ps) == 108 - 4
    assert len(ps.skipped) == 4
    assert "a.svs is damaged near y 256, x 128" in ps.skipped[0].reason
    lost = {(y, x) for y in (256, 320) for x in (128, 192)}
    assert not lost & set(zip(ps.table["y"], ps.table["x"], strict=True))
    # Where tissue is looked for, the damaged place is taken for glass, and that is said.
    plan = plan_tiles(path, TileConfig(size=64))
    assert not lost & set(zip(plan.boxes["y"], plan.boxes["x"], strict=True))
    assert len(plan.boxes) > 10
    assert "taken for glass" in plan.lines()[-1]


def test_loading_can_be_cancelled(tmp_path):
    path = write_pyramid(tmp_path / "a.tif", tissue(1500, 1500))
    steps = []
    with pytest.raises(LoadCancelled):
        open_patches(
            path, watch=Watch(lambda *step: steps.append(step), lambda: len(steps) > 1)
        )
    assert len(steps) <= 2


def test_dropped_slides_leave_no_open_files(tmp_path):
    for i in range(12):
        write_pyramid(tmp_path / f"{i:02}.tif", tissue(300, 400, seed=i), levels=2)
    source = read_slides(tmp_path, TileConfig(size=32, tiles_per_slide=2), Watch())
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(2):
            for i in range(len(source.images)):
                assert source.images[i].shape == (32, 32, 3)
    with pytest.raises(IndexError):
        source.images[24]


def test_a_slide_that_changed_is_noticed(tmp_path):
    path = write_pyramid(tmp_path / "a.tif", tissue())
    marks = [read_slides(path, TileConfig(size=64), Watch()).fingerprint]
    marks.append(read_slides(path, TileConfig(size=65), Watch()).fingerprint)
    write_pyramid(path, tissue(seed=5))
    source = read_slides(path, TileConfig(size=64), Watch())
    marks.append(source.fingerprint)
    assert len(set(marks)) == 3
    path.unlink()
    with pytest.raises(PatchError, match=r"a\.tif cannot be opened"):
        source.images[0]
