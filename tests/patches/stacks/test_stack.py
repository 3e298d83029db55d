"""TIFF and NumPy stacks: axes and channel names from the metadata, pixels as stored."""

import re

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import MixedSizesError, PatchError, UnclearAxesError
from napari_patchmap.patches import LoadCancelled, open_patches
from napari_patchmap.patches.readers.tiff.tiff_series import COPIES_NOTE
from napari_patchmap.patches.watch import Watch


@pytest.fixture
def tif(tmp_path):
    """Write a TIFF and open it as patches."""

    def tif(pixels, name="stack.tif", axes="auto", **options):
        tifffile.imwrite(tmp_path / name, pixels, **options)
        return open_patches(tmp_path / name, axes=axes)

    return tif


def test_plain_grey_and_colour_pages(tif, grey):
    pixels = grey(12, 10, 14)
    for options in ({}, {"metadata": None}, {"compression": "zlib"}, {"imagej": True}):
        ps = tif(pixels, photometric="minisblack", **options)
        np.testing.assert_array_equal(ps.stack()[..., 0], pixels)
        assert ps.channel_names == ("grey",)
        assert ps.table["frame"].tolist() == list(range(12))
        assert ps.table["source"].unique().tolist() == ["stack.tif"]
        assert ps.common_size == (10, 14)
    pixels = grey(12, 10, 14, 3)
    for options in ({}, {"metadata": None}, {"compression": "zlib"}, {"imagej": True}):
        ps = tif(pixels, photometric="rgb", **options)
        np.testing.assert_array_equal(ps.stack(), pixels)
        assert ps.is_rgb


@pytest.mark.parametrize("axes", ["TYX", "ZYX"])
def test_time_or_depth_numbers_patches(tif, grey, axes):
    pixels = grey(12, 10, 14, dtype="uint16")
    ps = tif(pixels, imagej=True, metadata={"axes": axes})
    np.testing.assert_array_equal(ps.stack()[..., 0], pixels)
    assert ps[0].dtype == np.uint16


def test_imagej_channels_are_named_by_their_labels(tif, grey):
    pixels = grey(5, 3, 10, 14, dtype="uint16")
    ps = tif(
        pixels, imagej=True, metadata={"axes": "TCYX", "Labels": ["DAPI", "GFP", "BF"] * 5}
    )
    assert ps.channel_names == ("DAPI", "GFP", "BF")
    for i in range(5):
        np.testing.assert_array_equal(ps[i], pixels[i].transpose(1, 2, 0))
    # ImageJ writes the other byte order; what comes out is this machine's.
    assert ps[0].dtype.isnative
    assert ps.dtype == np.uint16


def test_imagej_channels_without_labels_are_no_colours(tif, grey):
    ps = tif(grey(5, 3, 10, 14), imagej=True, metadata={"axes": "TCYX"})
    assert ps.channel_names == ("channel 0", "channel 1", "channel 2")
    assert not ps.is_rgb


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_ome_channel_names(tif, grey, compression):
    pixels = grey(300, 2, 10, 14, dtype="uint16")
    ps = tif(
        pixels,
        "stack.ome.tif",
        metadata={"axes": "TCYX", "Channel": {"Name": ["DAPI", "GFP"]}},
        compression=compression,
    )
    assert ps.channel_names == ("DAPI", "GFP")
    np.testing.assert_array_equal(ps.stack(), pixels.transpose(0, 2, 3, 1))


def test_ome_colour(tif, grey):
    pixels = grey(6, 10, 14, 3)
    ps = tif(pixels, "stack.ome.tif", metadata={"axes": "TYXS"}, photometric="rgb")
    assert ps.is_rgb
    np.testing.assert_array_equal(ps.stack(), pixels)


def test_pages_written_one_by_one(tmp_path, grey):
    pixels = grey(5, 10, 14, 3)
    for options in ({}, {"metadata": None}):
        with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
            for page in pixels:
                writer.write(page, photometric="rgb", contiguous=False, **options)
        ps = open_patches(tmp_path / "pages.tif")
        np.testing.assert_array_equal(ps.stack(), pixels)
        assert ps.is_rgb


def test_pages_of_different_sizes_are_mixed_sizes(tmp_path, grey):
    pages = [grey(10, 14), grey(12, 9), grey(10, 14)]
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for page in pages:
            writer.write(page, contiguous=False)
    with pytest.raises(MixedSizesError, match=r"2 different sizes \(2 of 14 x 10, 1 of 9 x 12"):
        open_patches(tmp_path / "pages.tif")
    ps = open_patches(tmp_path / "pages.tif", sizes="pad")
    for i, page in enumerate(pages):
        np.testing.assert_array_equal(ps[i][..., 0], page)


def test_pages_of_several_sizes_in_the_order_of_the_file(tmp_path, grey):
    """As Pillow, CellProfiler and MATLAB append crops; some are of one size."""
    sizes = ((20, 24), (20, 24), (22, 24), (21, 24), (20, 24), (21, 24), (24, 24))
    for channels in ((3,), ()):
        crops = [grey(*size, *channels) for size in sizes]
        path = tmp_path / "crops.tif"
        pages = [Image.fromarray(crop) for crop in crops]
        for compression in (None, "tiff_lzw"):
            more = {"append_images": pages[1:], "compression": compression}
            pages[0].save(path, save_all=True, **more)
            ps = open_patches(path, sizes="pad")
            for i, crop in enumerate(crops):
                np.testing.assert_array_equal(ps[i], crop.reshape(*sizes[i], -1))
            assert ps.table["frame"].tolist() == list(range(7))
            assert ps.is_rgb == bool(channels)
        with tifffile.TiffWriter(path) as writer:
            for crop in crops:
                writer.write(crop, contiguous=False, metadata=None)
        ps = open_patches(path, sizes="pad")
        for i, crop in enumerate(crops):
            np.testing.assert_array_equal(ps[i], crop.reshape(*sizes[i], -1))


def test_grey_pages_among_colour_ones(tmp_path, grey):
    pages = [grey(10, 14, 3), grey(12, 9), grey(10, 14, 3)]
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for page in pages:
            writer.write(page, contiguous=False, metadata=None)
    ps = open_patches(tmp_path / "pages.tif", sizes="pad")
    np.testing.assert_array_equal(ps[1], np.repeat(pages[1][..., None], 3, axis=2))
    np.testing.assert_array_equal(ps[2], pages[2])
    assert ps.notes == ["1 grey images among colour ones were repeated to RGB."]
    with tifffile.TiffWriter(tmp_path / "pages.tif") as writer:
        for page in (grey(10, 14), grey(12, 9, dtype="uint16")):
            writer.write(page, contiguous=False, metadata=None)
    with pytest.raises(PatchError, match=r"2 images of different kinds \(.*uint8.*uint16"):
        open_patches(tmp_path / "pages.tif", sizes="pad")


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize(
    ("shape", "axes"),
    [((20, 3, 24, 24), "NCYX"), ((20, 24, 24, 3), "NYXC"), ((7, 30, 20, 4), "NYXC")],
)
def test_four_axes_without_names_are_read_as_those_of_an_array(
    tif, tmp_path, grey, shape, axes, compression
):
    """tifffile.imwrite(path, array, photometric="minisblack")"""
    pixels = grey(*shape)
    wanted = pixels if axes == "NYXC" else pixels.transpose(0, 2, 3, 1)
    for options in ({}, {"byteorder": ">"}, {"bigtiff": True}):
        ps = tif(pixels, photometric="minisblack", compression=compression, **options)
        np.testing.assert_array_equal(ps.take([3, 0]), wanted[[3, 0]])
        np.testing.assert_array_equal(ps[5], wanted[5])
        sides = " x ".join(map(str, shape))
        assert ps.notes[0] == f"Its axes have no names; {sides} was read as {axes}."
    again = open_patches(tmp_path / "stack.tif", axes=axes)
    np.testing.assert_array_equal(again.stack(), wanted)
    # One may say otherwise.
    planes = open_patches(tmp_path / "stack.tif", axes="NQYX")
    np.testing.assert_array_equal(planes[4][..., 0], pixels.reshape(-1, *shape[2:])[4])


@pytest.mark.parametrize("shape", [(6, 50, 24, 20), (3, 2, 4, 10, 12), (4, 5, 10, 12, 3)])
def test_axes_that_are_asked_for_are_then_accepted(tif, tmp_path, grey, shape):
    with pytest.raises(UnclearAxesError, match="set axes to") as caught:
        tif(grey(*shape), photometric="rgb" if shape[-1] == 3 else "minisblack")
    said = re.findall(r"(?:set axes| or|, to) (?:to )?([A-Z]{4,})", str(caught.value))
    assert said
    letters = re.findall(r"([A-Z]) \(\d+\)", str(caught.value))
    assert len(letters) == len(set(letters))  # and can be told apart
    for axes in said:
        ps = open_patches(tmp_path / "stack.tif", axes=axes)
        assert len(ps) * ps.channels * np.prod(ps.common_size) == np.prod(shape)


def test_one_colour_image_saved_as_grey_is_one_image(tif, tmp_path, grey):
    pixels = grey(24, 20, 3)
    with pytest.raises(PatchError, match=r"stack\.tif is one single image \(20 x 24, 3 chann"):
        tif(pixels, photometric="minisblack")
    (tmp_path / "set").mkdir()
    for i in range(2):
        tifffile.imwrite(tmp_path / f"set/{i}.tif", pixels, photometric="minisblack")
    np.testing.assert_array_equal(open_patches(tmp_path / "set")[1], pixels)


def test_reduced_copies_and_masks_are_no_patches(tmp_path, grey):
    """A stack of crops of which each has a small copy or a mask beside it."""
    pages = grey(4, 20, 24, 3)
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for page in pages:
            writer.write(page, contiguous=False, metadata=None)
            writer.write(page[::2, ::2].copy(), subfiletype=1, contiguous=False, metadata=None)
            mask = page[..., 0] > 99
            writer.write(mask, subfiletype=4, contiguous=False, metadata=None)
    ps = open_patches(tmp_path / "a.tif")
    np.testing.assert_array_equal(ps.stack(), pages)
    assert ps.notes == [COPIES_NOTE]


def test_a_plain_stack_that_says_channels_is_read_as_patches(tif, grey):
    pixels = grey(50, 10, 14)
    ps = tif(pixels, imagej=True)  # tifffile's default writes fifty "channels"
    np.testing.assert_array_equal(ps.stack()[..., 0], pixels)
    assert ps.notes == ["Its 50 channels were taken as patches."]


def test_two_patch_axes_need_a_word(tif, tmp_path, grey):
    pixels = grey(3, 4, 10, 14)
    with pytest.raises(
        UnclearAxesError, match=r"stack\.tif has more .*T \(3\) and Z \(4\); set axes to"
    ):
        tif(pixels, imagej=True, metadata={"axes": "TZYX"})
    ps = open_patches(tmp_path / "stack.tif", axes="TZYX")
    np.testing.assert_array_equal(ps.stack()[..., 0], pixels.reshape(12, 10, 14))


def test_axes_overrule_the_metadata(tif, grey):
    pixels = grey(6, 3, 10, 14, dtype="uint16")
    ps = tif(pixels, axes="CNYX", imagej=True, metadata={"axes": "TCYX"})
    assert ps.stack().shape == (3, 10, 14, 6)
    np.testing.assert_array_equal(ps[2], pixels[:, 2].transpose(1, 2, 0))
    with pytest.raises(UnclearAxesError, match=r"stack\.tif has 4 axes, but 'CYX' name 3;"):
        tif(pixels, axes="CYX", imagej=True, metadata={"axes": "TCYX"})
    with pytest.raises(
        UnclearAxesError, match=r"stack\.tif cannot be read with the axes 'NNYX'"
    ):
        tif(pixels, axes="NNYX")


def test_four_planes_of_a_plain_stack_all_stay(tif, grey):
    pixels = grey(6, 4, 10, 14, dtype="uint16")
    ps = tif(pixels)
    np.testing.assert_array_equal(ps.stack(), pixels.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("shape", [(10, 14), (10, 14, 3), (3, 10, 14)])
def test_one_single_image(tif, grey, shape):
    with pytest.raises(PatchError, match=r"stack\.tif is one single image \(14 x 10,.*folder"):
        tif(grey(*shape), photometric="rgb" if 3 in shape else "minisblack")


@pytest.mark.parametrize("how", ["plain", "shaped", "pages", "zlib", "jpeg", "imagej", "ome"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.95, 0.999])
def test_a_half_written_file_keeps_its_whole_patches(tmp_path, grey, how, share):
    pixels, path = grey(40, 32, 32), tmp_path / "half.tif"
    compression = {"shaped": "zlib", "zlib": "zlib", "jpeg": "jpeg"}.get(how)
    with tifffile.TiffWriter(path, imagej=how == "imagej", ome=how == "ome") as writer:
        if how in ("plain", "shaped", "imagej", "ome"):
            writer.write(pixels, compression=compression)
        else:
            for page in pixels:
                writer.write(page, contiguous=False, compression=compression, metadata=None)
    pixels = tifffile.imread(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    if share < 0.3 or how == "ome":  # whose description comes last
        with pytest.raises(PatchError, match=r"half\.tif .*again\.$"):
            open_patches(path)
        return
    ps = open_patches(path)
    # What is left is somewhat less than the file, and whole.
    assert share * 40 - 3 <= len(ps) <= share * 48 + 1
    np.testing.assert_array_equal(ps.take(range(len(ps)))[..., 0], pixels[: len(ps)])
    assert ps.table["frame"].tolist() == list(range(len(ps)))
    if len(ps) < 40:
        assert ps.skipped
        assert re.search(r"half\.tif is (cut off: what|not whole: )", ps.notes[-1])
        assert ps.skipped[0].reason.startswith("is cut off")


def test_text_in_a_tif(tmp_path):
    (tmp_path / "a.tif").write_text("this is not a TIFF")
    with pytest.raises(PatchError, match=r"a\.tif is not a TIFF that can be read"):
        open_patches(tmp_path / "a.tif")


def test_npy_layouts(tmp_path, grey):
    path = tmp_path / "a.npy"
    for pixels, axes, names in (
        (grey(20, 10, 14), "NYX", 1),
        (grey(20, 10, 14, 3), "NYXC", 3),
        (grey(20, 10, 14, 1), "NYXC", 1),
        (grey(20, 5, 10, 14, dtype="uint16"), "NCYX", 5),
        (grey(3, 3, 64, 64), "NCYX", 3),
    ):
        np.save(path, pixels)
        ps = open_patches(path)
        assert len(ps.channel_names) == names
        expected = (
            np.moveaxis(pixels, axes.index("C"), -1) if "C" in axes else pixels[..., None]
        )
        np.testing.assert_array_equal(ps.stack(), expected)


def test_npy_axes_that_are_not_clear(tmp_path, grey):
    path = tmp_path / "a.npy"
    for shape in ((6, 50, 60, 70), (10, 4, 12, 4), (2, 3, 4, 64, 64)):
        np.save(path, grey(*shape))
        with pytest.raises(UnclearAxesError, match=r"not clear which axis of a\.npy .*axes"):
            open_patches(path)
    np.save(path, grey(10, 4, 12, 4))
    assert open_patches(path, axes="NCYX").stack().shape == (10, 12, 4, 4)
    for shape in ((64, 64), (64, 64, 3)):
        np.save(path, grey(*shape))
        with pytest.raises(PatchError, match=r"a\.npy is one single image .*folder"):
            open_patches(path)


def test_npy_truth_values_and_nan(tmp_path, grey):
    masks = grey(6, 8, 8) > 128
    np.save(tmp_path / "masks.npy", masks)
    ps = open_patches(tmp_path / "masks.npy")
    np.testing.assert_array_equal(ps.stack()[..., 0], masks * 255)
    pixels = np.arange(5 * 64, dtype=np.float32).reshape(5, 8, 8)
    pixels[3, 2, 1] = np.nan
    np.save(tmp_path / "nan.npy", pixels)
    ps = open_patches(tmp_path / "nan.npy")
    assert ps.table["frame"].tolist() == [0, 1, 2, 4]
    np.testing.assert_array_equal(ps[3][..., 0], pixels[4])
    assert ps.skipped[0].source == "nan.npy [3]"
    np.save(tmp_path / "nan.npy", np.full((5, 8, 8), np.inf))
    with pytest.raises(PatchError, match=r"All 5 images of nan\.npy hold NaN or infinite"):
        open_patches(tmp_path / "nan.npy")


def test_npy_that_is_not_numbers_or_not_whole(tmp_path, grey):
    path = tmp_path / "a.npy"
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(PatchError, match=r"a\.npy holds Python objects, .*can run code; save"):
        open_patches(path)
    np.save(path, np.array([["text"]]))
    with pytest.raises(PatchError, match=r"a\.npy holds values of type <U4, not pixels"):
        open_patches(path)
    np.save(path, grey(20, 8, 8))
    for length in (100, 128 + 63):
        half = tmp_path / "half.npy"
        half.write_bytes(path.read_bytes()[:length])
        with pytest.raises(PatchError, match=r"half\.npy is not a complete NumPy file"):
            open_patches(half)
    for content in (b"", b"plain text"):
        path.write_bytes(content)
        with pytest.raises(PatchError, match=r"a\.npy is not a NumPy file; copy"):
            open_patches(path)
    np.save(path, np.zeros((0, 8, 8)))
    with pytest.raises(PatchError, match=r"a\.npy holds no images"):
        open_patches(path)


def test_npy_that_is_half_written_keeps_its_whole_patches(tmp_path, grey):
    path, pixels = tmp_path / "a.npy", grey(20, 8, 8)
    np.save(path, pixels)
    path.write_bytes(path.read_bytes()[:700])
    ps = open_patches(path)
    np.testing.assert_array_equal(ps.take(range(len(ps)))[..., 0], pixels[:8])
    assert ps.notes == ["a.npy is cut off: 12 of its 20 patches were skipped."]
    assert [s.source for s in ps.skipped] == [f"a.npy [{i}]" for i in range(8, 20)]
    assert ps.skipped[0].reason == "is cut off"


@pytest.mark.parametrize("dtype", ["u1", ">u2", "<f4", "?"])
@pytest.mark.parametrize(
    ("axes", "shape"),
    [
        ("NYX", (40, 9, 12)),
        ("NYXC", (40, 9, 12, 3)),
        ("CNYX", (2, 40, 9, 12)),
        ("YXN", (9, 12, 40)),
        ("TCZYX", (5, 2, 8, 9, 12)),
        ("YNXC", (9, 40, 12, 3)),
    ],
)
@pytest.mark.parametrize("order", "CF")
def test_npy_in_any_order_of_axes_and_bytes(tmp_path, rng, axes, shape, dtype, order):
    pixels = np.asarray(rng.integers(0, 200, shape), dtype, order=order)
    np.save(tmp_path / "a.npy", pixels)
    letter = "C" if "C" in axes else None
    wanted = np.moveaxis(pixels, axes.index("C"), -1) if letter else pixels[..., None]
    rest = axes.replace("C", "")
    wanted = np.moveaxis(wanted, (rest.index("Y"), rest.index("X")), (-3, -2))
    wanted = wanted.reshape(40, *wanted.shape[-3:])
    if dtype == "?":
        wanted = wanted * np.uint8(255)
    ps = open_patches(tmp_path / "a.npy", axes=axes)
    some = rng.integers(0, 40, 100)
    np.testing.assert_array_equal(ps.take(some), wanted[some])
    np.testing.assert_array_equal(ps[39], wanted[39])
    assert ps[39].dtype.isnative


def test_npy_that_gets_shorter_meanwhile(tmp_path, grey):
    np.save(tmp_path / "a.npy", grey(20, 8, 8))
    ps = open_patches(tmp_path / "a.npy")
    with (tmp_path / "a.npy").open("r+b") as file:
        file.truncate(700)
    with pytest.raises(PatchError, match=r"a\.npy has become shorter"):
        ps.take(range(20))
    assert ps.take(range(8)).shape == (8, 8, 8, 1)


def test_a_damaged_page_in_the_middle_is_left_out(tmp_path, grey):
    path, pixels = tmp_path / "a.tif", grey(12, 32, 32, 3)
    tifffile.imwrite(path, pixels, compression="zlib", photometric="rgb")
    with tifffile.TiffFile(path) as tif:
        offset = tif.series[0].pages[7].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset : offset + 60] = b"\xff" * 60
    path.write_bytes(data)
    ps = open_patches(path)
    kept = [i for i in range(12) if i != 7]
    np.testing.assert_array_equal(ps.take(range(11)), pixels[kept])
    assert ps.table["frame"].tolist() == kept
    assert ps.skipped[0].source == "a.tif [7]"
    assert ps.skipped[0].reason.startswith(f"Page 7 of {path} cannot be decoded (")


def test_compressed_pages_in_every_arrangement(tmp_path, grey):
    path = tmp_path / "a.tif"
    pixels = grey(9, 3, 32, 40, dtype="uint16")
    wanted = pixels.transpose(0, 2, 3, 1)
    for options in (
        {"photometric": "minisblack", "metadata": {"axes": "TCYX"}},
        {"photometric": "minisblack", "metadata": {"axes": "TCYX"}, "ome": True},
        {"photometric": "rgb", "planarconfig": "separate"},
        {"photometric": "minisblack", "metadata": {"axes": "TCYX"}, "tile": (16, 16)},
    ):
        tifffile.imwrite(path, pixels, compression="zlib", **options)
        ps = open_patches(path)
        np.testing.assert_array_equal(ps.take([8, 0, 3]), wanted[[8, 0, 3]])
        np.testing.assert_array_equal(ps[8], wanted[8])
    # Channels before time: a patch is put together from pages far apart.
    options = {"photometric": "minisblack", "metadata": {"axes": "CTYX"}}
    tifffile.imwrite(path, pixels, compression="zlib", **options)
    np.testing.assert_array_equal(open_patches(path)[2], pixels[:, 2].transpose(1, 2, 0))
    # Colour with alpha, and a page that holds several planes.
    pixels = grey(9, 32, 40, 4)
    tifffile.imwrite(path, pixels, compression="zlib", photometric="rgb", extrasamples=[2])
    ps = open_patches(path)
    np.testing.assert_array_equal(ps.take(range(9)), pixels[..., :3])
    assert ps.notes == ["Alpha (transparency) was dropped."]
    tifffile.imwrite(
        path, grey(7, 16, 32), volumetric=True, tile=(7, 16, 32), compression="zlib"
    )
    np.testing.assert_array_equal(
        open_patches(path, axes="NYX").take(range(7))[..., 0], tifffile.imread(path)
    )


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_palette_colours(tmp_path, grey, compression):
    pixels, colours = grey(6, 20, 30), grey(3, 256, dtype="uint16")
    options = {"photometric": "palette", "colormap": colours, "compression": compression}
    tifffile.imwrite(tmp_path / "a.tif", pixels, **options)
    ps = open_patches(tmp_path / "a.tif")
    assert ps.is_rgb
    wanted = (colours >> 8).astype(np.uint8).T[pixels]
    np.testing.assert_array_equal(ps.take(range(6)), wanted)


def test_a_volume_is_asked_about(tif, tmp_path, grey):
    pixels = grey(12, 10, 14)
    said = r"stack\S* is a 3-D volume of 12 planes \(axes ZYX\); set axes to NYX to take"
    with pytest.raises(UnclearAxesError, match=said):
        tif(pixels, imagej=True, metadata={"axes": "ZYX", "spacing": 0.5})
    assert len(open_patches(tmp_path / "stack.tif", axes="NYX")) == 12
    with pytest.raises(UnclearAxesError, match=said):
        tif(pixels, "stack.ome.tif", metadata={"axes": "ZYX"})
    with pytest.raises(UnclearAxesError, match=r"is a 3-D volume .* set axes to NCYX to take"):
        tif(grey(6, 2, 10, 14), "stack.ome.tif", metadata={"axes": "ZCYX"})


def test_an_ome_tiff_of_several_files(tmp_path, grey):
    pixels, uuid = grey(6, 32, 32), ["urn:uuid:" + str(k) * 8 for k in range(2)]
    planes = "".join(
        f'<TiffData FirstT="{t}" IFD="{t % 3}" PlaneCount="1">'
        f'<UUID FileName="part{t // 3}.ome.tif">{uuid[t // 3]}</UUID></TiffData>'
        for t in range(6)
    )
    for k in range(2):
        xml = (
            '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06" '
            f'UUID="{uuid[k]}"><Image ID="Image:0"><Pixels ID="Pixels:0" '
            'DimensionOrder="XYZCT" Type="uint8" SizeX="32" SizeY="32" SizeZ="1" SizeC="1" '
            'SizeT="6"><Channel ID="Channel:0:0" SamplesPerPixel="1"/>'
            f"{planes}</Pixels></Image></OME>"
        )
        tifffile.imwrite(
            tmp_path / f"part{k}.ome.tif",
            pixels[3 * k : 3 * k + 3],
            description=xml,
            metadata=None,
            compression="zlib",
            photometric="minisblack",
        )
    ps = open_patches(tmp_path / "part0.ome.tif")
    np.testing.assert_array_equal(ps.take(range(6))[..., 0], pixels)
    (tmp_path / "part1.ome.tif").unlink()
    with pytest.raises(
        PatchError, match=r"part0\.ome\.tif needs the file part1\.ome\.tif, whi"
    ):
        open_patches(tmp_path / "part0.ome.tif")


def test_opening_a_long_stack_can_be_cancelled(tmp_path, grey):
    with tifffile.TiffWriter(tmp_path / "long.tif") as writer:
        for _ in range(3000):
            writer.write(grey(8, 8), contiguous=False, compression="zlib", metadata=None)
    with pytest.raises(LoadCancelled):
        open_patches(tmp_path / "long.tif", watch=Watch(should_stop=lambda: True))
    assert len(open_patches(tmp_path / "long.tif")) == 3000


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (3, 8, 8", "complete NumPy file"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (-3, -8, 8)}", "negative length"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (9" + "L" * 99, "complete NumPy"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776, 2, 2)}", "claims"),
        ("{'descr': '|u1', 'fortran_order': False, 'shape': (40, 9000, 9000)}", "claims"),
    ],
)
def test_heads_of_npy_that_are_damaged_or_claim_too_much(tmp_path, head, said):
    path = tmp_path / "a.npy"
    data = head.encode() + b"\n"
    start = b"\x93NUMPY\x01\x00" + len(data).to_bytes(2, "little")
    path.write_bytes(start + data + bytes(192))
    with pytest.raises(PatchError, match=rf"a\.npy .*{said}"):
        open_patches(path)
