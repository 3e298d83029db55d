"""OME-Zarr images that are cut into tiles, as slides are."""

import shutil

import numpy as np
import pytest
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches import open_patches, reopen
from napari_patchmap.patches.readers.slides.tiles import open_slide
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig
from tests.patches.plates.drawn_plate import describe, write_image, zipped

EVERYWHERE = TileConfig(size=32, foreground="none")


def tissue(side=256):
    """Return pink tissue on white glass, ``(channel, y, x)``, with a pattern in it."""
    pixels = np.full((3, side, side), 245, np.uint8)
    y, x = np.mgrid[: side // 2, : side // 2]
    for channel, base in enumerate((200, 90, 150)):
        pixels[channel, : side // 2, : side // 2] = base + (3 * y + 5 * x) % 40
    return pixels


def write(path, pixels, axes="cyx", version="0.5", **options):
    write_image(
        zarr.create_group(path, zarr_format=3 if version == "0.5" else 2),
        pixels, axes, version=version, levels=3, mpp=0.5, **options,
    )  # fmt: skip
    return path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_slide_is_cut_where_tissue_is_at_each_resolution(tmp_path, version):
    path = write(tmp_path / "s.ome.zarr", tissue(), version=version, chunks=(1, 50, 70))
    slide = open_slide(path)
    assert [one.downsample for one in slide.levels] == [1, 2, 4]
    assert (slide.mpp, slide.magnification, slide.is_rgb) == (0.5, 20.0, True)
    for mpp, step in ((0.5, 1), (1.0, 2), (2.0, 4)):
        patches = open_patches(path, tiles=TileConfig(size=32, mpp=mpp))
        assert len(patches) == (128 // step // 32) ** 2
        small = np.moveaxis(tissue(), 0, -1)[::step, ::step]
        for i, (y, x) in enumerate(patches.table[["y", "x"]].to_numpy() // step):
            np.testing.assert_array_equal(patches[i], small[y : y + 32, x : x + 32])


def test_what_lies_outside_is_glass(tmp_path):
    slide = open_slide(write(tmp_path / "s.zarr", tissue()))
    box = slide.read(0, -2, 250, 8, 10)
    assert (box[:2] == 255).all()
    assert (box[:, 6:] == 255).all()
    assert (box[2:, :6] == 245).all()


def test_stains_keep_their_names_and_lead_axes_of_one_are_left_out(tmp_path):
    pixels = np.arange(4 * 64 * 64, dtype=np.uint16).reshape(1, 4, 1, 64, 64)
    names = ("DAPI", "CD3", "CD8", "CD20")
    path = write(tmp_path / "s.zarr", pixels, "tczyx", names=names)
    patches = open_patches(path, tiles=EVERYWHERE)
    assert patches.channel_names == names
    np.testing.assert_array_equal(patches[3], np.moveaxis(pixels[0, :, 0, 32:, 32:], 0, -1))


def test_a_zipped_image_and_one_of_a_converter(tmp_path):
    path = write(tmp_path / "s.zarr", tissue(), version="0.4")
    shutil.make_archive(str(tmp_path / "s.zarr"), "zip", path)
    converted = zarr.create_group(tmp_path / "c.zarr", zarr_format=2)
    describe(converted, {"bioformats2raw.layout": 3}, "0.4")
    write_image(converted.create_group("0"), tissue(), version="0.4", levels=2)
    wanted = open_patches(path, tiles=EVERYWHERE).stack()
    for other in ("s.zarr.zip", "c.zarr"):
        assert recognise(tmp_path / other, Kind.SLIDES) is Kind.SLIDES
        found = open_patches(tmp_path / other, tiles=EVERYWHERE)
        np.testing.assert_array_equal(found.stack(), wanted)
    write_image(converted.create_group("1"), tissue(), version="0.4")
    with pytest.raises(PatchError, match="several images"):
        open_patches(tmp_path / "c.zarr", tiles=EVERYWHERE)


def test_a_damaged_chunk_is_named_by_its_place_and_other_tiles_are_read(tmp_path):
    path = write(tmp_path / "s.zarr", tissue(), chunks=(3, 64, 64))
    (path / "0/c/0/1/1").write_bytes(b"no longer a chunk")
    patches = open_patches(path, tiles=EVERYWHERE)
    assert len(patches) == 64 - 4
    assert "damaged near y 64, x 64" in patches.skipped[0].reason


def test_what_cannot_be_cut_says_so(tmp_path):
    zarr.save(str(tmp_path / "plain.zarr"), np.zeros((4, 40, 40), np.uint8))
    with pytest.raises(PatchError, match="without an OME-Zarr image"):
        open_patches(tmp_path / "plain.zarr", tiles=EVERYWHERE)
    path = write(tmp_path / "z.zarr", np.zeros((5, 64, 64), np.uint8), "zyx")
    with pytest.raises(PatchError, match="5 images along Z"):
        open_patches(path, tiles=EVERYWHERE)


@pytest.mark.parametrize("zip_them", [False, True])
def test_every_store_of_a_folder_is_cut(tmp_path, zip_them):
    """Fields of view that were saved one by one, each in a store of its own."""
    rng = np.random.default_rng(0)
    fields = rng.integers(0, 999, (3, 2, 64, 64)).astype(np.uint16)
    for name, field in zip(("f1", "f2", "f10"), fields, strict=True):
        write(tmp_path / f"{name}.ome.zarr", field, names=("DAPI", "actin"))
        if zip_them:
            zipped(tmp_path / f"{name}.ome.zarr")
    patches = open_patches(tmp_path, tiles=EVERYWHERE)
    assert patches.table["slide"].tolist() == ["f1"] * 4 + ["f2"] * 4 + ["f10"] * 4
    assert patches.channel_names == ("DAPI", "actin")
    tiles = fields.reshape(3, 2, 2, 32, 2, 32).transpose(0, 2, 4, 3, 5, 1)
    np.testing.assert_array_equal(patches.stack(), tiles.reshape(12, 32, 32, 2))
    np.testing.assert_array_equal(reopen(patches.origin).stack(), patches.stack())
