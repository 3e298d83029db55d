"""DICOM images and whole slides; files are written by pydicom, or come with it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from napari_patchmap.errors import MissingPackageError, PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.optional import optional
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.dicom import dicom_file
from napari_patchmap.patches.readers.slides.tiles import open_slide
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig
from tests.patches.dicoms.dicom_files import write_dicom, write_level

pydicom = pytest.importorskip("pydicom")


def grey(count: int = 5, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 100, (count, 12, 16)).astype(dtype)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_frames_of_a_file_are_patches(tmp_path, dtype):
    path = write_dicom(tmp_path / "a.dcm", grey(dtype=dtype))
    assert recognise(path) is Kind.STACK
    patches = open_patches(path)
    assert patches.dtype == dtype
    assert patches.channel_names == ("grey",)
    np.testing.assert_array_equal(patches.stack()[..., 0], grey(dtype=dtype))


def test_low_values_that_are_bright_are_turned(tmp_path):
    path = write_dicom(
        tmp_path / "a.dcm", grey(dtype=np.uint8), PhotometricInterpretation="MONOCHROME1"
    )
    turned = 255 - grey(dtype=np.uint8)
    np.testing.assert_array_equal(open_patches(path).stack()[..., 0], turned)


@pytest.mark.parametrize("bits", [8, 16])
def test_numbers_of_a_palette_become_their_colours(tmp_path, bits):
    colours = np.random.default_rng(1).integers(0, 2**bits, (3, 100)).astype(f"<u{bits // 8}")
    path = write_dicom(
        tmp_path / "a.dcm", grey(dtype=np.uint8), PhotometricInterpretation="PALETTE COLOR",
        **{
            f"{name}PaletteColorLookupTableDescriptor": [100, 0, bits]
            for name in ("Red", "Green", "Blue")
        },
        **{
            f"{name}PaletteColorLookupTableData": values.tobytes()
            for name, values in zip(("Red", "Green", "Blue"), colours, strict=True)
        },
    )  # fmt: skip
    patches = open_patches(path)
    assert patches.channel_names == ("red", "green", "blue")
    np.testing.assert_array_equal(patches.stack(), colours.T[grey(dtype=np.uint8)])


def test_files_of_a_folder_are_patches_and_those_of_another_kind_are_left_out(tmp_path):
    for i, frame in enumerate(grey(12)):
        write_dicom(tmp_path / f"{i}.dcm", frame[None])
    write_dicom(tmp_path / "colour.dcm", np.zeros((1, 12, 16, 3), np.uint8))
    (tmp_path / "broken.dcm").write_bytes(b"no DICOM at all")
    assert recognise(tmp_path) is Kind.STACK
    patches = open_patches(tmp_path)
    assert patches.table["source"].tolist() == [f"{i}.dcm" for i in range(12)]
    np.testing.assert_array_equal(patches.stack()[..., 0], grey(12))
    assert {one.source for one in patches.skipped} == {"colour.dcm", "broken.dcm"}


@pytest.mark.parametrize(
    "name",
    ["SC_rgb_rle_2frame.dcm", "examples_ybr_color.dcm", "SC_rgb_rle_16bit_2frame.dcm"],
)
def test_compressed_frames_are_as_pydicom_decodes_them(name):
    path = pydicom.data.get_testdata_file(name, download=False)
    if path is None:
        pytest.skip("comes with another version of pydicom")
    patches = open_patches(path)
    assert patches.channel_names == ("red", "green", "blue")
    for i in range(min(2, len(patches))):
        np.testing.assert_array_equal(patches[i], pydicom.pixels.pixel_array(path, index=i))


def slide_pixels(side: int = 128) -> np.ndarray:
    """Return pink tissue on glass, with a pattern in it."""
    pixels = np.full((side, side + 30, 3), 245, np.uint8)
    y, x = np.mgrid[: side // 2, : side // 2]
    for channel, base in enumerate((200, 90, 150)):
        pixels[: side // 2, : side // 2, channel] = base + (3 * y + 5 * x) % 40
    return pixels


def test_a_whole_slide_is_cut_at_each_level(tmp_path):
    folder = tmp_path / "slide"
    folder.mkdir()
    write_level(folder / "0.dcm", slide_pixels())
    write_level(folder / "1.dcm", slide_pixels()[::2, ::2], mpp=1.0)
    assert recognise(folder) is recognise(folder / "1.dcm") is Kind.SLIDES
    for path in (folder, folder / "0.dcm", folder / "1.dcm"):
        slide = open_slide(path)
        assert [one.downsample for one in slide.levels] == [1, 2]
        assert (slide.mpp, slide.magnification, slide.is_rgb) == (0.5, 20.0, True)
    np.testing.assert_array_equal(
        slide.read(0, 10, 20, 100, 130)[:, :130], slide_pixels()[10:110, 20:150]
    )
    patches = open_patches(folder, tiles=TileConfig(size=16, mpp=1.0))
    assert len(patches) == 4
    for i, (y, x) in enumerate(patches.table[["y", "x"]].to_numpy() // 2):
        small = slide_pixels()[::2, ::2]
        np.testing.assert_array_equal(patches[i], small[y : y + 16, x : x + 16])


def test_tiles_that_are_jpegs(tmp_path):
    path = write_level(tmp_path / "0.dcm", slide_pixels())
    data = pydicom.dcmread(path)
    frames = []
    for tile in data.pixel_array:
        buffer = io.BytesIO()
        Image.fromarray(tile).save(buffer, "jpeg", quality=90, subsampling=0)
        frames.append(buffer.getvalue())
    data.PixelData = pydicom.encaps.encapsulate(frames)
    data.file_meta.TransferSyntaxUID = pydicom.uid.JPEGBaseline8Bit
    data.PhotometricInterpretation = "YBR_FULL"
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    slide = open_slide(path)
    wanted = np.asarray(Image.open(io.BytesIO(frames[6])))  # the second of the second row
    got = slide.read(0, 32, 32, 32, 32).astype(int)
    assert np.abs(got - wanted).max() <= 2


def test_what_cannot_be_read_is_one_sentence(tmp_path):
    with pytest.raises(PatchError, match="one single image"):
        open_patches(write_dicom(tmp_path / "one.dcm", grey(1)))
    (tmp_path / "bad.dcm").write_bytes(b"x" * 300)
    with pytest.raises(PatchError, match=r"bad\.dcm is not a DICOM file"):
        open_patches(tmp_path / "bad.dcm")
    whole = write_dicom(tmp_path / "cut.dcm", grey(9))
    whole.write_bytes(whole.read_bytes()[:-900])
    patches = open_patches(whole)
    np.testing.assert_array_equal(patches.stack()[..., 0], grey(9)[:6])
    assert [one.source for one in patches.skipped] == [f"cut.dcm [{i}]" for i in (6, 7, 8)]
    sparse = write_level(tmp_path / "sparse.dcm", slide_pixels())
    data = pydicom.dcmread(sparse)
    data.TotalPixelMatrixRows = 512
    data.save_as(sparse)
    with pytest.raises(PatchError, match="do not cover it"):
        open_patches(sparse)


def test_without_pydicom_it_is_said_how_to_get_it(tmp_path, monkeypatch):
    path = write_dicom(tmp_path / "a.dcm", grey())
    monkeypatch.setattr(dicom_file, "pydicom", optional("no_such_pydicom", extra="formats"))
    with pytest.raises(MissingPackageError, match=r"pip install 'napari-patchmap\[formats\]'"):
        open_patches(path)
