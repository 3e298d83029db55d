"""Whatever way a TIFF stores its numbers, what comes out is what its tags say they mean."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.axes import ALPHA_NOTE
from napari_patchmap.patches.photometric import (
    CMYK_NOTE,
    LAB_NOTE,
    NEGATED_NOTE,
    SPOT_NOTE,
    YCBCR_NOTE,
)
from napari_patchmap.patches.readers.folder.decode import decode

COMPRESSIONS = (None, "lzw", "deflate", "packbits", "zstd")
ORDERS = "<>"


def every(photometric, samples, bits):
    """Go through compressions, byte orders and planar configurations of one kind of image."""
    layouts = ("contig", "separate") if samples > 1 else (None,)
    for compression, order, planar in itertools.product(COMPRESSIONS, ORDERS, layouts):
        options = {"photometric": photometric, "compression": compression, "metadata": None}
        options |= {"planarconfig": planar} if planar else {}
        options |= {"bitspersample": bits} if bits not in (8, 16, 32) else {}
        yield options, order, planar


def check(path, stored, photometric, wanted, *, bits=8, names=None, notes=(), near=0, **more):
    """Write an image (height, width, sample) in every arrangement and compare what is read."""
    samples = 1 if stored.ndim == 2 else stored.shape[2]
    for options, order, planar in every(photometric, samples, bits):
        pixels = np.moveaxis(stored, -1, 0) if planar == "separate" else stored
        pixels = pixels.astype(pixels.dtype.newbyteorder(order))
        tifffile.imwrite(path, pixels, byteorder=order, **options, **more)
        got = decode(str(path))
        where = (photometric, bits, options["compression"], order, planar)
        assert got.pixels.shape == wanted.shape, where
        assert got.pixels.dtype == wanted.dtype, where
        assert np.abs(got.pixels.astype(float) - wanted).max() <= near, where
        if names:
            assert got.channel_names == names, where
        assert got.notes == notes, where


@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 12, 16, 32])
def test_grey_of_any_bits_with_black_or_white_as_0(tmp_path, rng, bits):
    dtype = "bool" if bits == 1 else f"uint{max(8, 1 << (bits - 1).bit_length())}"
    numbers = rng.integers(0, 2**bits, (11, 13)).astype(dtype)
    numbers[0, :2] = 0, 2**bits - 1
    exact = numbers.astype(np.float64)
    if bits < 8:  # all of the range is used, from black to white
        exact = np.rint(exact * 255 / (2**bits - 1))
    top = 255 if bits < 8 else 2**bits - 1
    out = np.dtype("uint8") if bits < 8 else np.dtype(dtype)
    black, white = exact.astype(out)[..., None], (top - exact).astype(out)[..., None]
    # tifffile writes bits that do not fill bytes without compression or byte order only.
    for kind, wanted in (("minisblack", black), ("miniswhite", white)):
        if bits in (8, 16, 32):
            check(tmp_path / "a.tif", numbers, kind, wanted, bits=bits, names=("grey",))
        else:
            tifffile.imwrite(
                tmp_path / "a.tif", numbers, photometric=kind, bitspersample=bits, metadata=None
            )
            np.testing.assert_array_equal(decode(str(tmp_path / "a.tif")).pixels, wanted)


def test_white_as_0_of_signed_and_floating_point_numbers(tmp_path, rng):
    numbers = rng.integers(-(2**15), 2**15, (9, 8)).astype("int16")
    wanted = (-1 - numbers.astype(int)).astype("int16")[..., None]
    check(tmp_path / "a.tif", numbers, "miniswhite", wanted, bits=16)
    numbers = rng.random((9, 8)).astype("float32")
    check(
        tmp_path / "a.tif", numbers, "miniswhite", -numbers[..., None], bits=32,
        notes=(NEGATED_NOTE,),
    )  # fmt: skip


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_rgb_with_and_without_alpha(tmp_path, rng, dtype):
    top = np.iinfo(dtype).max
    colours = rng.integers(0, top, (9, 8, 3), dtype, endpoint=True)
    alpha = rng.integers(0, top, (9, 8, 1), dtype, endpoint=True)
    path = tmp_path / "a.tif"
    check(path, colours, "rgb", colours, bits=8 * np.dtype(dtype).itemsize)
    options = {"photometric": "rgb", "metadata": None}
    tifffile.imwrite(path, np.dstack([colours, alpha]), extrasamples=["unassalpha"], **options)
    got = decode(str(path))
    np.testing.assert_array_equal(got.pixels, colours)
    assert got.notes == (ALPHA_NOTE,)
    # Associated alpha: what is stored are colours multiplied by it.
    alpha[0], alpha[1] = 0, top
    stored = np.rint(colours * (alpha / top)).astype(dtype)
    tifffile.imwrite(path, np.dstack([stored, alpha]), extrasamples=["assocalpha"], **options)
    got = decode(str(path)).pixels
    sure = alpha[..., 0] > top // 4
    assert np.abs(got.astype(float) - colours)[sure].max() <= 2
    np.testing.assert_array_equal(got[1], colours[1])
    assert (got[0] == 0).all()
    # More samples whose meaning nobody says are channels.
    more = np.dstack([colours, alpha, alpha])
    tifffile.imwrite(path, more, extrasamples=["unspecified", "unassalpha"], **options)
    got = decode(str(path))
    np.testing.assert_array_equal(got.pixels, more[..., :4])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_palette_is_looked_up(tmp_path, rng, bits):
    colours = rng.integers(0, 2**16, (3, 2**bits), "uint16")
    numbers = rng.integers(0, 2**bits, (10, 12)).astype("uint16" if bits == 16 else "uint8")
    wanted = (colours >> 8).astype(np.uint8).T[numbers]
    names = ("red", "green", "blue")
    if bits in (8, 16):
        check(
            tmp_path / "a.tif", numbers, "palette", wanted, bits=bits, names=names,
            colormap=colours,
        )  # fmt: skip
        small = colours >> 8  # as some programs write them
        wanted = small.astype(np.uint8).T[numbers]
        check(tmp_path / "a.tif", numbers, "palette", wanted, bits=bits, colormap=small)
    else:
        (tmp_path / "a.tif").write_bytes(_bits_tiff(numbers, colours, bits))
        got = decode(str(tmp_path / "a.tif"))
        np.testing.assert_array_equal(got.pixels, wanted)
        assert got.channel_names == names


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_cmyk_is_converted(tmp_path, rng, dtype):
    top = np.iinfo(dtype).max
    inks = rng.integers(0, top, (9, 8, 4), dtype, endpoint=True)
    inks[0, :3] = (0, 0, 0, 0), (0, 0, 0, top), (0, top, top, 0)
    light = 1 - inks / top
    wanted = np.rint(light[..., :3] * light[..., 3:] * top).astype(dtype)
    assert wanted[0, :3].tolist() == [[top] * 3, [0] * 3, [top, 0, 0]]
    if dtype == "uint8":  # and so says Pillow
        pillow = np.asarray(Image.fromarray(inks, "CMYK").convert("RGB"))
        assert np.abs(pillow.astype(int) - wanted).max() <= 1
    check(
        tmp_path / "a.tif", inks, "separated", wanted, bits=8 * inks.itemsize, near=1,
        names=("red", "green", "blue"), notes=(CMYK_NOTE,),
    )  # fmt: skip
    spot = np.dstack([inks, inks[..., :1]])
    tifffile.imwrite(
        tmp_path / "a.tif", spot, photometric="separated", extrasamples=["unspecified"],
        planarconfig="contig",
    )  # fmt: skip
    got = decode(str(tmp_path / "a.tif"))
    assert np.abs(got.pixels.astype(float) - wanted).max() <= 1
    assert got.notes == (CMYK_NOTE, SPOT_NOTE)


def lab_to_srgb(lab):
    """CIE 15 and IEC 61966-2-1 in float64, from the white D50 to D65 by Bradford."""
    lightness, a, b = np.moveaxis(lab, -1, 0)
    fy = (lightness + 16) / 116
    f = np.stack([fy + a / 500, fy, fy - b / 200], axis=-1)
    xyz = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    xyz = xyz * np.array([0.96422, 1.0, 0.82521])
    to_rgb = np.array(
        [
            [3.1338561, -1.6168667, -0.4906146],
            [-0.9787684, 1.9161415, 0.0334540],
            [0.0719453, -0.2289914, 1.4052427],
        ]
    )
    linear = np.clip(xyz @ to_rgb.T, 0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("kind", ["cielab", "icclab"])
def test_cielab_is_converted(tmp_path, rng, dtype, kind):
    lab = np.dstack(
        [
            rng.uniform(20, 95, (9, 8)),
            rng.uniform(-25, 25, (9, 8)),
            rng.uniform(-25, 25, (9, 8)),
        ]
    )
    lab[0, :2] = (100, 0, 0), (0, 0, 0)
    unit = 1 if dtype == "uint8" else 256
    white = {"uint8": 255, "uint16": 65280 if kind == "icclab" else 65535}[dtype]
    offset = 128 * unit if kind == "icclab" else 0
    stored = np.rint(lab * [white / 100, unit, unit] + [0, offset, offset])
    stored = stored.astype(int).astype(dtype)  # below 0 as the two's complement
    top = np.iinfo(dtype).max
    meant = np.rint(lab * [white / 100, unit, unit]) / [white / 100, unit, unit]
    wanted = np.rint(lab_to_srgb(meant) * top).astype(dtype)
    assert wanted[0, 0].min() > 0.99 * top
    check(
        tmp_path / "a.tif", stored, kind, wanted, bits=8 * stored.itemsize, near=top * 0.012,
        names=("red", "green", "blue"), notes=(LAB_NOTE,),
    )  # fmt: skip


def test_ycbcr_that_is_not_jpeg_is_converted(tmp_path, rng):
    colours = rng.integers(0, 256, (9, 8, 3), "uint8")
    stored = np.asarray(Image.fromarray(colours).convert("YCbCr"))
    check(
        tmp_path / "a.tif", stored, "ycbcr", colours, near=3, notes=(YCBCR_NOTE,),
        names=("red", "green", "blue"),
    )  # fmt: skip
    # As television has it: black is 16 and white 235.
    luma = np.full((4, 4), 235, np.uint8)
    luma[0] = 16
    grey = np.dstack([luma, np.full_like(luma, 128), np.full_like(luma, 128)])
    references = (16, 1, 235, 1, 128, 1, 240, 1, 128, 1, 240, 1)
    tifffile.imwrite(
        tmp_path / "a.tif", grey, photometric="ycbcr",
        extratags=[(532, 5, 6, references, True)],
    )  # fmt: skip
    got = decode(str(tmp_path / "a.tif")).pixels
    assert (got[0] == 0).all()
    assert (got[1:] == 255).all()


def test_jpeg_in_tiff_stays_what_its_decoder_returns(tmp_path):
    colours = np.full((32, 32, 3), (200, 40, 40), "uint8")
    for subsampling in ((1, 1), (2, 2)):
        tifffile.imwrite(
            tmp_path / "a.tif", colours, compression="jpeg", photometric="rgb",
            subsampling=subsampling,
        )  # fmt: skip
        got = decode(str(tmp_path / "a.tif"))
        assert np.abs(got.pixels.astype(int) - colours).max() <= 3
        assert got.notes == ()


@pytest.mark.parametrize(
    ("kind", "shape", "tags", "why"),
    [
        ("cfa", (8, 8), [], "the raw mosaic"),
        ("separated", (8, 8, 4), [(332, 3, 1, 2, True)], "4 printing inks that are not CMYK"),
        ("itulab", (8, 8, 3), [], "ITU CIELab"),
    ],
)
def test_what_cannot_be_made_a_picture_is_refused(tmp_path, kind, shape, tags, why):
    path = tmp_path / "set" / "a.tif"
    path.parent.mkdir()
    tifffile.imwrite(
        path, np.ones(shape, "uint8"), photometric=kind, planarconfig="contig", extratags=tags
    )
    with pytest.raises(PatchError, match=rf"stores {why}.*; save it as RGB"):
        decode(str(path))
    with pytest.raises(PatchError, match=rf"set can be read \(a\.tif stores {why}"):
        open_patches(path.parent)


@pytest.mark.parametrize("compression", [None, "deflate"])
def test_a_stack_of_such_pages(tmp_path, rng, compression):
    path, inks = tmp_path / "a.tif", rng.integers(0, 256, (5, 9, 8, 4), "uint8")
    tifffile.imwrite(path, inks, photometric="separated", compression=compression)
    ps = open_patches(path)
    assert ps.is_rgb
    light = 1 - inks / 255
    wanted = np.rint(light[..., :3] * light[..., 3:] * 255)
    assert np.abs(ps.take([4, 0, 2]) - wanted[[4, 0, 2]]).max() <= 1
    assert ps.notes == [CMYK_NOTE]
    grey = rng.integers(0, 256, (5, 9, 8), "uint8")
    tifffile.imwrite(path, grey, photometric="miniswhite", compression=compression)
    ps = open_patches(path)
    np.testing.assert_array_equal(ps.take(range(5))[..., 0], 255 - grey)
    np.testing.assert_array_equal(ps[3][..., 0], 255 - grey[3])


def test_pages_with_palettes_of_their_own(tmp_path, rng):
    pages, wanted = [], []
    for _ in range(4):
        page = Image.fromarray(rng.integers(0, 256, (12, 10, 3), "uint8")).quantize(16)
        pages.append(page)
        wanted.append(np.asarray(page.convert("RGB")))
    path = tmp_path / "a.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    ps = open_patches(path)
    for i, picture in enumerate(wanted):
        np.testing.assert_array_equal(ps[i], picture)


def _bits_tiff(numbers, colours, bits):
    """Write a palette image of less than 8 bits, which no library here writes."""
    height, width = numbers.shape
    rows = np.unpackbits(numbers[..., None].astype("uint8"), axis=-1)[..., 8 - bits :]
    packed = np.packbits(rows.reshape(height, -1), axis=1).tobytes()
    table = colours.astype("<u2").tobytes()
    at = 8 + 2 + 12 * 10 + 4
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1),
        (262, 3, 1, 3), (273, 4, 1, at + len(table)), (277, 3, 1, 1), (278, 4, 1, height),
        (279, 4, 1, len(packed)), (320, 3, colours.size, at),
    ]  # fmt: skip
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    head = b"II*\0" + struct.pack("<I", 8) + struct.pack("<H", len(tags))
    return head + entries + bytes(4) + table + packed


def ink_profile(lab_of):
    """Make a printer's profile (ICC 2) of the colours that full amounts of inks give."""
    nodes = [lab_of(*inks) for inks in itertools.product((0, 1), repeat=4)]
    table = b"".join(
        bytes([round(lightness * 255 / 100), round(a + 128), round(b + 128)])
        for lightness, a, b in nodes
    )
    same = bytes(range(256))
    matrix = b"".join(struct.pack(">i", 65536 * (i % 4 == 0)) for i in range(9))
    look_up = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + matrix + same * 4 + table + same * 3
    head = struct.pack(">I4sI4s4s4s", 0, b"test", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">iii", 63190, 65536, 54061)
    tags = struct.pack(">I4sII", 1, b"A2B0", 144, len(look_up))
    whole = head.ljust(128, b"\0") + tags + look_up
    return struct.pack(">I", len(whole)) + whole[4:]


def test_the_files_own_profile_of_its_inks_is_used(tmp_path):
    profile = ink_profile(
        lambda c, m, y, k: (10 if k else 90 - 20 * (c + m + y), 0, 20 - 20 * k)
    )
    inks = np.zeros((8, 8, 4), "uint8")
    inks[..., 0] = 255
    path = tmp_path / "a.tif"
    wanted = lab_to_srgb(np.array([70, 0, 20.0])) * 255
    for given, colour in ((profile, wanted), (b"no profile at all", (0, 255, 255))):
        tifffile.imwrite(path, inks, photometric="separated", iccprofile=given)
        assert np.abs(decode(str(path)).pixels[3, 3] - np.array(colour)).max() <= 4
    Image.fromarray(inks, "CMYK").save(path, "JPEG", quality=98, icc_profile=profile)
    assert np.abs(decode(str(path)).pixels[3, 3] - wanted).max() <= 6
