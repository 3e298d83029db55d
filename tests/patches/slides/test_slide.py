"""Slides are read part by part, and say their resolution."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.slides.levels import is_slide
from napari_patchmap.patches.readers.slides.slide import Slide
from napari_patchmap.patches.readers.slides.tiles import open_slide
from tests.patches.slides.drawn import (
    cells,
    smaller,
    tissue,
    write_aperio,
    write_fluorescence,
    write_pyramid,
)


def test_any_box_of_any_level_equals_the_whole_image(tmp_path):
    image = tissue(601, 803)
    slide = Slide(write_pyramid(tmp_path / "a.tif", image))
    assert [(one.height, one.width) for one in slide.levels] == [
        (601, 803),
        (300, 401),
        (150, 200),
    ]
    assert [one.downsample for one in slide.levels] == [1, 2, 4]
    assert slide.channel_names == ("red", "green", "blue")
    half = smaller(image)
    for level, whole in ((0, image), (1, half), (2, smaller(half))):
        for y, x, height, width in ((0, 0, 150, 200), (37, 101, 100, 90), (126, 127, 4, 3)):
            np.testing.assert_array_equal(
                slide.read(level, y, x, height, width), whole[y : y + height, x : x + width]
            )


def test_beyond_the_border_lies_white_glass(tmp_path):
    image = tissue(200, 300)
    slide = Slide(write_pyramid(tmp_path / "a.tif", image, levels=2))
    box = slide.read(0, 190, -5, 20, 20)
    np.testing.assert_array_equal(box[:10, 5:], image[190:, :15])
    assert (box[10:] == 255).all()
    assert (box[:, :5] == 255).all()
    assert (slide.read(0, 5000, 0, 4, 4) == 255).all()


@pytest.mark.parametrize(
    "options",
    [
        {"tile": (128, 128), "compression": "jpeg", "compressionargs": {"level": 95}},
        {"tile": (64, 256), "compression": "lzw", "predictor": True},
        {"tile": (128, 128), "planarconfig": "separate"},
        {"rowsperstrip": 16, "compression": "deflate"},
        {"planarconfig": "separate"},
        {},
        {"byteorder": ">", "dtype": np.uint16},
        {"byteorder": ">", "dtype": np.uint16, "compression": "deflate"},
        {"bigtiff": True, "rowsperstrip": 7},
        {"extrasamples": ["unassalpha"], "tile": (128, 128), "compression": "deflate"},
    ],
    ids=str,
)
def test_large_plain_images_are_read_however_they_are_stored(tmp_path, options):
    image = tissue(260, 390).astype(options.pop("dtype", np.uint8))
    stored = image
    if "extrasamples" in options:
        stored = np.concatenate([image, np.full_like(image[..., :1], 255)], axis=-1)
    if options.get("planarconfig") == "separate":
        stored = np.moveaxis(image, -1, 0)
    file = {k: options.pop(k) for k in ("byteorder", "bigtiff") if k in options}
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path, **file) as tif:
        tif.write(stored, photometric="rgb", **options)
    whole = tifffile.imread(path)
    if options.get("planarconfig") == "separate":
        whole = np.moveaxis(whole, 0, -1)
    slide = Slide(path)
    assert slide.is_rgb
    assert slide.dtype == image.dtype
    box = slide.read(0, 100, 120, 140, 200)
    assert box.dtype.isnative
    np.testing.assert_array_equal(box, whole[100:240, 120:320, :3])


def test_aperio_says_resolution_and_leaves_thumbnails_out(tmp_path):
    slide = Slide(write_aperio(tmp_path / "a.svs", tissue()))
    assert [(one.height, one.width) for one in slide.levels] == [(600, 800), (150, 200)]
    assert (slide.mpp, slide.magnification, slide.derived) == (0.5, 20, False)
    assert is_slide(tmp_path / "a.svs")


def test_fluorescence_keeps_bits_names_and_resolution(tmp_path):
    image = cells()
    slide = Slide(write_fluorescence(tmp_path / "a.ome.tif", image))
    assert slide.channel_names == ("DAPI", "CD3", "CD8", "PanCK")
    assert slide.dtype == np.uint16
    assert slide.mpp == pytest.approx(0.65)
    assert slide.magnification == pytest.approx(15.4)
    assert slide.derived
    assert [one.downsample for one in slide.levels] == [1, 2]
    box = slide.read(0, 50, 60, 200, 300)
    np.testing.assert_array_equal(box, np.moveaxis(image, 0, -1)[50:250, 60:360])
    assert (slide.read(0, -5, 0, 5, 5) == 0).all()


@pytest.mark.parametrize(
    ("options", "mpp"),
    [
        ({"resolution": (20_000, 20_000), "resolutionunit": "CENTIMETER"}, 0.5),
        ({"resolution": (101_600, 101_600), "resolutionunit": "INCH"}, 0.25),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"resolution": (72, 72), "resolutionunit": "INCH"}, None),
        ({}, None),
    ],
)
def test_resolution_tags_are_believed_where_they_can_be_a_microscopes(tmp_path, options, mpp):
    path = write_pyramid(tmp_path / "a.tif", tissue(), **options)
    slide = Slide(path)
    assert slide.mpp == (None if mpp is None else pytest.approx(mpp))
    assert slide.magnification == (None if mpp is None else 10 / mpp)


def test_levels_as_pages_of_their_own_are_found(tmp_path):
    image = tissue(512, 768)
    path = tmp_path / "pages.tif"
    with tifffile.TiffWriter(path) as tif:
        for k in (1, 4, 8):
            pixels = image if k == 1 else smaller(image, k)
            tif.write(pixels, tile=(128, 128), compression="deflate", metadata=None)
    assert is_slide(path)
    assert [one.downsample for one in Slide(path).levels] == [1, 4, 8]


def test_slides_of_palettes_inks_and_white_as_0(tmp_path, rng):
    image = tissue(200, 300)
    colours = rng.integers(0, 2**16, (3, 256), "uint16")
    light = 1 - np.dstack([image, image[..., :1] // 2]) / 255
    for stored, photometric, wanted, options in (
        (image[..., 0], "palette", (colours >> 8).astype("uint8").T[image[..., 0]],
         {"colormap": colours}),
        (np.dstack([image, image[..., :1] // 2]), "separated",
         np.rint(light[..., :3] * light[..., 3:] * 255), {"planarconfig": "contig"}),
        (image[..., 0], "miniswhite", 255 - image[..., :1], {}),
    ):  # fmt: skip
        options |= {"photometric": photometric, "compression": "deflate", "tile": (64, 64)}
        tifffile.imwrite(tmp_path / "a.tif", stored, **options)
        slide = Slide(tmp_path / "a.tif")
        assert slide.is_rgb == (photometric != "miniswhite")
        box = slide.read(0, 50, 60, 100, 120)
        assert np.abs(box - wanted[50:150, 60:180].astype(int)).max() <= 1


def test_dim_fluorescence_of_8_bits_is_brightened_in_its_picture(tmp_path):
    image = (cells() // 200).clip(0, 25).astype(np.uint8)
    slide = Slide(write_fluorescence(tmp_path / "a.ome.tif", image))
    shown = slide.overview(200)
    assert shown[:40, :40].mean() > 70
    assert shown[-40:, -40:].mean() < 40


def test_overview_of_a_slide_with_one_large_level(tmp_path):
    image = tissue(1030, 1501)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, image, tile=(256, 256), compression="deflate", photometric="rgb")
    small, scale = Slide(path).shrunk(500)
    assert (small.shape, scale) == ((258, 376, 3), 4)
    want = smaller(image, 4).astype(int)
    assert np.abs(small[:257, :375].astype(int) - want).max() <= 1
    assert Slide(path).overview(500).shape == (258, 376, 3)


def test_overview_of_fluorescence_is_a_picture_for_people(tmp_path):
    slide = Slide(write_fluorescence(tmp_path / "a.ome.tif", cells()))
    shown = slide.overview(200)
    assert (shown.dtype, shown.shape[2]) == (np.uint8, 3)
    assert shown[:40, :40].mean() > 3 * shown[-40:, -40:].mean()


def test_many_threads_read_the_same_pixels(tmp_path):
    image = tissue(600, 800)
    slide = Slide(write_pyramid(tmp_path / "a.tif", image))
    corners = np.random.default_rng(0).integers(0, 500, (200, 2)).tolist()
    with ThreadPoolExecutor(8) as pool:
        boxes = list(pool.map(lambda at: slide.read(0, *at, 90, 90), corners))
    for (y, x), box in zip(corners, boxes, strict=True):
        np.testing.assert_array_equal(box, image[y : y + 90, x : x + 90])


def test_reading_decodes_only_what_is_looked_at(tmp_path, monkeypatch):
    """Of a slide of 4 x 6 file tiles, a box within four of them costs four, and once only."""
    import imagecodecs

    decoded, lock = [], threading.Lock()
    real = imagecodecs.zlib_decode

    def counted(*args, **options):
        with lock:
            decoded.append(1)
        return real(*args, **options)

    path = tmp_path / "a.tif"
    image = tissue(512, 768)
    tifffile.imwrite(path, image, tile=(128, 128), compression="zlib", photometric="rgb")
    monkeypatch.setitem(tifffile.TIFF.DECOMPRESSORS._codecs, 8, counted)
    slide = Slide(path)
    for _ in range(3):
        slide.read(0, 100, 100, 100, 100)
    assert len(decoded) == 4


def test_what_is_no_slide_says_so(tmp_path):
    stack = tmp_path / "stack.tif"
    tifffile.imwrite(stack, np.zeros((5, 64, 64), np.uint8), photometric="minisblack",
                     metadata={"axes": "ZYX"})  # fmt: skip
    with pytest.raises(PatchError, match="holds 5 images along Z, so it is a stack"):
        Slide(stack)
    (tmp_path / "text.svs").write_text("no slide at all")
    with pytest.raises(PatchError, match="is not a TIFF; give a slide"):
        Slide(tmp_path / "text.svs")
    (tmp_path / "none.tif").write_bytes(b"")
    with pytest.raises(PatchError, match=r"is empty \(0 bytes\)"):
        Slide(tmp_path / "none.tif")
    assert not is_slide(stack)
    many = tmp_path / "many.tif"
    with tifffile.TiffWriter(many) as tif:
        for _ in range(6_000):
            tif.write(np.zeros((8, 8), np.uint8), metadata=None, contiguous=False)
    times = [time.thread_time()]
    assert not is_slide(many)
    times.append(time.thread_time())
    with tifffile.TiffFile(many) as tif:
        assert len(tif.series[0]) == 6_000
    times.append(time.thread_time())
    assert times[1] - times[0] < (times[2] - times[1]) / 3  # not a look at every page
    assert not is_slide(tmp_path / "none.tif")
    assert not is_slide(tmp_path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_half_written_slide_is_refused(tmp_path, share):
    for path in (
        write_pyramid(tmp_path / "a.tif", tissue()),
        write_aperio(tmp_path / "a.svs", tissue()),
    ):
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(PatchError, match=r"cut off|not a TIFF|holds no image"):
            open_slide(path)


def test_damaged_pixels_name_slide_and_place(tmp_path):
    path = write_aperio(tmp_path / "a.svs", tissue())
    with tifffile.TiffFile(path) as tif:
        page = tif.pages[0]
        index = 1 * 7 + 2
        at, length = page.dataoffsets[index], page.databytecounts[index]
    data = bytearray(path.read_bytes())
    data[at : at + length] = bytes(length)
    path.write_bytes(data)
    slide = Slide(path)
    slide.read(0, 0, 0, 128, 800)
    with pytest.raises(PatchError, match=r"a\.svs is damaged near y 130, x 260 .*copy or"):
        slide.read(0, 130, 260, 50, 50)
