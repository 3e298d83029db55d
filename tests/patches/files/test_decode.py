"""Every flavour of PNG, JPEG, TIFF, BMP and WebP comes out with the pixels that were stored."""

import io
import itertools
import struct
import zlib

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import ALPHA_NOTE
from napari_patchmap.patches.photometric import CMYK_NOTE
from napari_patchmap.patches.readers.folder.decode import ANIMATION_NOTE, decode
from napari_patchmap.patches.readers.folder.headers import has_jpeg_end


@pytest.fixture
def saved(tmp_path):
    """Save bytes and decode them."""

    def saved(data, name="image"):
        path = tmp_path / name
        path.write_bytes(data)
        return decode(str(path))

    return saved


def as_bytes(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def test_png_grey_and_colour_in_8_and_16_bit(saved, grey):
    for pixels in (grey(5, 7), grey(5, 7, dtype="uint16")):
        got = saved(imagecodecs.png_encode(pixels))
        assert got.channel_names == ("grey",)
        np.testing.assert_array_equal(got.pixels[..., 0], pixels)
    for pixels in (grey(5, 7, 3), grey(5, 7, 3, dtype="uint16")):
        got = saved(imagecodecs.png_encode(pixels))
        assert got.channel_names == ("red", "green", "blue")
        np.testing.assert_array_equal(got.pixels, pixels)


def test_png_alpha_is_dropped_and_said(saved, grey):
    for channels in (2, 4):
        pixels = grey(5, 7, channels)
        got = saved(imagecodecs.png_encode(pixels))
        np.testing.assert_array_equal(got.pixels, pixels[..., : channels - 1])
        assert got.notes == (ALPHA_NOTE,)


def test_png_palette_and_one_bit(saved, grey):
    colours = Image.fromarray(grey(6, 9, 3)).quantize(4)
    for bits in (2, 8):
        got = saved(as_bytes(colours, "png", bits=bits))
        np.testing.assert_array_equal(got.pixels, np.asarray(colours.convert("RGB")))
    mask = grey(6, 9) > 128
    got = saved(as_bytes(Image.fromarray(mask), "png"))
    np.testing.assert_array_equal(got.pixels[..., 0], mask * 255)


def test_exif_orientation_is_ignored_for_every_format(saved):
    gradient = np.tile(np.arange(32, dtype=np.uint8) * 8, (16, 1))
    image = Image.fromarray(gradient)
    exif = Image.Exif()
    exif[0x0112] = 6
    for kind in ("jpeg", "png", "tiff"):
        got = saved(as_bytes(image, kind, exif=exif))
        assert got.pixels.shape == (16, 32, 1)
        np.testing.assert_allclose(got.pixels[..., 0], gradient, atol=6)


def test_jpeg_progressive_with_thumbnail_and_trailing_bytes(saved, grey):
    smooth = Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (64, 1))).convert("RGB")
    thumbnail = as_bytes(smooth.resize((8, 8)), "jpeg")
    exif = b"Exif\0\0" + thumbnail
    data = as_bytes(smooth, "jpeg", progressive=True, exif=exif)
    assert saved(data).pixels.shape == (64, 64, 3)
    assert saved(data + b"\0" * 100).pixels.shape == (64, 64, 3)
    # The end of the thumbnail is not the end of the image.
    assert data.count(b"\xff\xd9") >= 2
    assert not has_jpeg_end(data[:-20])


@pytest.mark.parametrize("cut", [2, 3, 20, 200, 600])
def test_a_jpeg_cut_off_anywhere_is_noticed(saved, grey, cut):
    data = imagecodecs.jpeg8_encode(grey(64, 64, 3), level=90)
    with pytest.raises(PatchError, match="cut off"):
        saved(data[:-cut])
    with pytest.raises(PatchError, match="cut off"):
        saved(data[:-cut] + b"\0" * cut)


def test_a_cmyk_jpeg_is_what_pillow_says(saved, rng):
    image = Image.fromarray(np.full((16, 16, 4), (10, 200, 180, 20), np.uint8), "CMYK")
    got = saved(as_bytes(image, "jpeg", quality=95))
    assert got.channel_names == ("red", "green", "blue")
    assert got.notes == (CMYK_NOTE,)
    wanted = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(got.pixels - wanted).max() <= 4
    assert got.pixels[0, 0, 0] > 200  # reddish, not its negative


def test_tiff_palette_bilevel_and_compressed(saved, grey, tmp_path):
    colours = Image.fromarray(grey(6, 9, 3)).quantize(4)
    got = saved(as_bytes(colours, "tiff"))
    np.testing.assert_array_equal(got.pixels, np.asarray(colours.convert("RGB")))
    assert got.channel_names == ("red", "green", "blue")
    mask = grey(6, 9) > 128
    got = saved(as_bytes(Image.fromarray(mask), "tiff"))
    np.testing.assert_array_equal(got.pixels[..., 0], mask * 255)
    pixels = grey(40, 50, 3, dtype="uint16")
    for compression in ("lzw", "zlib", "zstd"):
        tifffile.imwrite(tmp_path / "c.tif", pixels, compression=compression, predictor=True)
        np.testing.assert_array_equal(decode(str(tmp_path / "c.tif")).pixels, pixels)


def test_tiff_alpha_is_dropped_but_a_fourth_plane_kept(tmp_path, grey):
    path = tmp_path / "a.tif"
    pixels = grey(6, 9, 4)
    tifffile.imwrite(path, pixels, photometric="rgb", extrasamples=["unassalpha"])
    got = decode(str(path))
    np.testing.assert_array_equal(got.pixels, pixels[..., :3])
    assert got.notes == (ALPHA_NOTE,)
    planes = grey(4, 6, 9, dtype="uint16")
    tifffile.imwrite(path, planes)
    got = decode(str(path))
    np.testing.assert_array_equal(got.pixels, planes.transpose(1, 2, 0))
    assert len(got.channel_names) == 4


def test_a_bad_colour_profile_says_nothing_on_standard_error(saved, grey, capfd):
    data = as_bytes(Image.fromarray(grey(6, 9, 3)), "png", icc_profile=b"x" * 200)
    assert saved(data).pixels.shape == (6, 9, 3)
    assert capfd.readouterr().err == ""


def test_bmp_grey_colour_palette_and_mask(saved, grey):
    pixels, colours = grey(6, 9), Image.fromarray(grey(6, 9, 3))
    got = saved(as_bytes(Image.fromarray(pixels), "bmp"))
    assert got.channel_names == ("grey",)
    np.testing.assert_array_equal(got.pixels[..., 0], pixels)
    few = colours.quantize(16)
    for image in (colours, few, Image.merge("RGBA", [*colours.split(), colours.split()[0]])):
        got = saved(as_bytes(image, "bmp"))
        assert got.channel_names == ("red", "green", "blue")
        np.testing.assert_array_equal(got.pixels, np.asarray(image.convert("RGB")))
    mask = pixels > 128
    got = saved(as_bytes(Image.fromarray(mask), "bmp"))
    np.testing.assert_array_equal(got.pixels[..., 0], mask * 255)


def bmp(header, palette, data, bits):
    """Put a BMP together, of a header that no library here writes."""
    at = 14 + len(header) + len(palette)
    return struct.pack("<2sIHHI", b"BM", at + len(data), 0, 0, at) + header + palette + data


def test_bmp_run_lengths_headers_of_os2_and_16_bits(saved, rng):
    colours = rng.integers(0, 256, (256, 3), "uint8")
    quads = np.hstack([colours[:, ::-1], np.zeros((256, 1), np.uint8)]).tobytes()
    pixels = np.repeat(rng.integers(0, 256, (6, 4), "uint8"), [3, 1, 4, 2], axis=1)
    pixels = pixels.reshape(6, 10)
    runs = b"".join(
        b"".join(bytes([len(list(group)), value]) for value, group in itertools.groupby(row))
        + b"\0\0"
        for row in pixels[::-1].tolist()
    )
    info = struct.pack("<IiiHHIIiiII", 40, 10, 6, 1, 8, 1, 0, 0, 0, 256, 0)
    got = saved(bmp(info, quads, runs + b"\0\1", 8))
    np.testing.assert_array_equal(got.pixels, colours[pixels])
    assert got.channel_names == ("red", "green", "blue")
    # Four bits: runs of two pixels that take turns.
    few = struct.pack("<IiiHHIIiiII", 40, 6, 2, 1, 4, 2, 0, 0, 0, 16, 0)
    got = saved(bmp(few, quads[:64], b"\x06\x12\0\0\x06\x3f\0\0\0\1", 4))
    np.testing.assert_array_equal(
        got.pixels, colours[[[3, 15, 3, 15, 3, 15], [1, 2, 1, 2, 1, 2]]]
    )
    core = struct.pack("<IHHHH", 12, 10, 6, 1, 8)  # OS/2 1: colours of three bytes
    rows = np.pad(pixels[::-1], ((0, 0), (0, 2))).tobytes()
    got = saved(bmp(core, colours[:, ::-1].tobytes(), rows, 8))
    np.testing.assert_array_equal(got.pixels, colours[pixels])
    core2 = info[:16] + struct.pack("<I", 0) + info[20:] + bytes(24)
    got = saved(bmp(struct.pack("<I", 64) + core2[4:], quads, rows, 8))
    np.testing.assert_array_equal(got.pixels, colours[pixels])
    five = struct.pack("<IiiHHIIiiII", 40, 2, 1, 1, 16, 0, 0, 0, 0, 0, 0)
    got = saved(bmp(five, b"", struct.pack("<HH", 31 << 10, 31), 16))
    assert got.pixels.tolist() == [[[255, 0, 0], [0, 0, 255]]]
    upside = struct.pack("<IiiHHIIiiII", 40, 1, -2, 1, 32, 0, 0, 0, 0, 0, 0)
    got = saved(bmp(upside, b"", bytes([1, 2, 3, 0, 4, 5, 6, 0]), 32))
    assert got.pixels.tolist() == [[[3, 2, 1]], [[6, 5, 4]]]
    assert got.notes == ()


def test_a_damaged_bmp_is_said_to_be(saved):
    info = struct.pack("<IiiHHIIiiII", 40, 4, 4, 1, 8, 9, 0, 0, 0, 256, 0)
    with pytest.raises(PatchError, match=r"is damaged \(.*compression"):
        saved(bmp(info, bytes(1024), bytes(16), 8))


def test_numbers_of_labels_are_not_the_colours_they_are_shown_in(tmp_path, rng):
    ids = rng.integers(0, 16, (6, 8), "uint8")
    image = Image.fromarray(ids, "P")
    image.putpalette(rng.integers(0, 256, 768, "uint8").tobytes())
    for kind in ("png", "bmp", "tiff"):
        for bits in (4, 8) if kind == "png" else (8,):
            data = as_bytes(image, kind, **({"bits": bits} if kind == "png" else {}))
            (tmp_path / "a").write_bytes(data)
            got = decode(str(tmp_path / "a"), numbers=True)
            np.testing.assert_array_equal(got.pixels[..., 0], ids)
            assert decode(str(tmp_path / "a")).channel_names == ("red", "green", "blue")
    data = imagecodecs.png_encode(ids)
    (tmp_path / "a").write_bytes(data)
    np.testing.assert_array_equal(decode(str(tmp_path / "a"), numbers=True).pixels[..., 0], ids)
    rows = b"".join(b"\0" + np.packbits(_nibbles(row)).tobytes() for row in ids)
    header = struct.pack(">IIBBBBB", 8, 6, 4, 0, 0, 0, 0)
    chunks = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    (tmp_path / "a").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    np.testing.assert_array_equal(decode(str(tmp_path / "a"), numbers=True).pixels[..., 0], ids)
    np.testing.assert_array_equal(decode(str(tmp_path / "a")).pixels[..., 0], ids * 17)


def _nibbles(row):
    return np.unpackbits(row[:, None], axis=1)[:, 4:].reshape(-1)


def test_webp_lossless_lossy_with_alpha_and_animated(saved, grey):
    pixels = grey(6, 9, 3)
    image = Image.fromarray(pixels)
    np.testing.assert_array_equal(saved(as_bytes(image, "webp", lossless=True)).pixels, pixels)
    assert saved(as_bytes(image, "webp", quality=90)).pixels.shape == (6, 9, 3)
    see_through = Image.fromarray(np.dstack([pixels, grey(6, 9)]))
    got = saved(as_bytes(see_through, "webp", lossless=True, exact=True))
    np.testing.assert_array_equal(got.pixels, pixels)
    assert got.notes == (ALPHA_NOTE,)
    frames = [Image.fromarray(grey(6, 9, 3)) for _ in range(3)]
    more = {"save_all": True, "append_images": frames, "lossless": True}
    got = saved(as_bytes(image, "webp", **more))
    np.testing.assert_array_equal(got.pixels, pixels)
    assert got.notes == (ANIMATION_NOTE,)


@pytest.mark.parametrize("kind", ["png", "jpeg", "bmp", "webp", "tiff"])
def test_a_file_cut_off_anywhere_is_noticed(saved, grey, kind):
    data = as_bytes(Image.fromarray(grey(40, 30, 3)), kind)
    # The last bytes of a PNG are a check sum of nothing.
    for length in (0, 1, 5, 9, 20, 31, 100, len(data) // 2, len(data) - 13):
        with pytest.raises(Exception, match=r"\w") as caught:
            saved(data[:length])
        assert not isinstance(caught.value, IndexError | struct.error)


def chunk(kind, data):
    return (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    )


def bombs():
    """A few bytes of each kind that claim a huge image."""
    image = Image.new("RGB", (40, 30))
    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    yield b"\x89PNG\r\n\x1a\n" + b"".join(
        [
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(bytes(10_000))),
            chunk(b"IEND", b""),
        ]
    )
    jpeg = bytearray(as_bytes(image, "jpeg"))
    at = jpeg.find(b"\xff\xc0")
    jpeg[at + 5 : at + 9] = struct.pack(">HH", 50_000, 50_000)
    yield bytes(jpeg)
    bmp = bytearray(as_bytes(image, "bmp"))
    bmp[18:26] = struct.pack("<ii", 50_000, -50_000)
    yield bytes(bmp)
    webp = bytearray(as_bytes(image, "webp", quality=50))
    assert webp[12:16] == b"VP8 "
    webp[26:30] = struct.pack("<HH", 16_383, 16_383)
    yield bytes(webp)
    webp = bytearray(as_bytes(image, "webp", lossless=True))
    webp[21:25] = struct.pack("<I", 16_382 | 16_382 << 14)
    yield bytes(webp)
    for order, big in (("<", False), (">", False), ("<", True)):
        file = io.BytesIO()
        tifffile.imwrite(file, np.zeros((30, 40), np.uint8), byteorder=order, bigtiff=big)
        file.seek(0)
        with tifffile.TiffFile(file, mode="r+") as tif:
            tif.pages[0].tags["ImageWidth"].overwrite(50_000, dtype="I")
            tif.pages[0].tags["ImageLength"].overwrite(50_000, dtype="I")
        yield file.getvalue()


@pytest.mark.parametrize("data", bombs())
def test_a_decompression_bomb_is_refused_before_memory_is_taken(saved, data):
    with pytest.raises(
        PatchError, match=r"^claims (50,000|16,383) x .*too large for a patch; cut"
    ):
        saved(data)


def test_a_tiff_of_many_pages_or_channels_is_refused_before_they_are_read(tmp_path):
    path = tmp_path / "a.tif"
    page = np.zeros((4096, 4096), np.uint8)
    pages = (page for _ in range(24))
    with tifffile.TiffWriter(path, ome=True) as writer:
        writer.write(
            pages, shape=(24, 4096, 4096), dtype="uint8", compression="zlib",
            photometric="minisblack", metadata={"axes": "CYX"},
        )  # fmt: skip
    with pytest.raises(PatchError, match="holds 24 images"):
        decode(str(path))
    with pytest.raises(PatchError, match=r"claims 24 channels of 4,096 x 4,096 pixels"):
        decode(str(path), axes="CYX")
