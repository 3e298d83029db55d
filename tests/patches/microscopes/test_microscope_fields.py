"""Fields of view and mosaics in microscopes' files: tiles, objects, folders of files."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError, UnclearArrayError
from napari_patchmap.kind import Kind
from napari_patchmap.patches import open_patches, reopen
from napari_patchmap.patches.field_of_view import ways_to_cut
from napari_patchmap.patches.readers.slides.tiles import open_slide
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.source_images import read_source_images
from tests.patches.microscopes.made_czi import write_czi, write_mosaic
from tests.patches.microscopes.made_lif import write_lif
from tests.patches.microscopes.made_nd2 import write_nd2

for library in ("pylibCZIrw.czi", "nd2", "liffile"):
    pytest.importorskip(library)

WRITERS = {".czi": write_czi, ".nd2": write_nd2, ".lif": write_lif}

by_ending = pytest.mark.parametrize("ending", WRITERS)


def drawn(*shape: int, dtype: type = np.uint16) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 200, shape).astype(dtype)


def tiles(size: int = 16, **more: object) -> TileConfig:
    return TileConfig(size=size, foreground="none", **more)


@by_ending
def test_scenes_are_cut_into_tiles(tmp_path, ending):
    scenes = drawn(2, 1, 2, 40, 50)
    path = WRITERS[ending](tmp_path / f"a{ending}", scenes, ["DAPI", "GFP"])
    patches = open_patches(path, tiles=tiles())
    assert (len(patches), patches.channel_names) == (12, ("DAPI", "GFP"))
    assert patches.mpp == pytest.approx(0.25)
    sources = patches.table["source"].unique().tolist()
    for i, row in patches.table.iterrows():
        scene = scenes[sources.index(row["source"]), 0]
        wanted = scene[:, row["y"] : row["y"] + 16, row["x"] : row["x"] + 16]
        np.testing.assert_array_equal(patches[i], wanted.transpose(1, 2, 0))
    np.testing.assert_array_equal(reopen(patches.origin).stack(), patches.stack())
    images, trouble = read_source_images(patches.origin, sources, Watch())
    assert (len(images), trouble) == (2, "")
    one = open_patches(path, tiles=tiles(), key=sources[1])
    np.testing.assert_array_equal(one.stack(), patches.stack()[6:])


def test_a_mosaic_is_joined_and_read_from_its_smaller_copies(tmp_path):
    pixels, small = drawn(40, 60), drawn(20, 30)[::-1] + 1000
    parts = [
        (pixels[:16, :24], -300, 70),
        (pixels[16:, :24], -300, 86),
        (pixels[16:, 24:], -276, 86),
    ]
    path = write_mosaic(tmp_path / "a.czi", [*parts, (small, -300, 70)], copies=1)
    slide = open_slide(path)
    assert [(one.height, one.width, one.downsample) for one in slide.levels] == [
        (40, 60, 1), (20, 30, 2),
    ]  # fmt: skip
    pixels[:16, 24:] = 0  # where there is no tile
    np.testing.assert_array_equal(slide.read(0, 0, 0, 40, 60)[..., 0], pixels)
    np.testing.assert_array_equal(slide.read(0, 11, 13, 24, 40)[..., 0], pixels[11:35, 13:53])
    np.testing.assert_array_equal(slide.read(1, 0, 0, 20, 30)[..., 0], small)
    np.testing.assert_array_equal(slide.read(1, 3, 5, 9, 20)[..., 0], small[3:12, 5:25])
    coarse = open_patches(path, tiles=tiles(10, mpp=0.5))
    np.testing.assert_array_equal(coarse[0][..., 0], small[:10, :10])


def test_a_large_mosaic_with_smaller_copies_is_a_slide(tmp_path):
    large, small = drawn(16, 4096, dtype=np.uint8), drawn(8, 2048, dtype=np.uint8)
    path = write_mosaic(tmp_path / "a.czi", [(large, 0, 0), (small, 0, 0)], copies=1)
    assert recognise(path) is Kind.SLIDES
    plain = write_czi(tmp_path / "b.czi", [large[None, None]])
    assert recognise(plain) is Kind.STACK


def test_a_time_series_is_no_slide(tmp_path):
    path = write_nd2(tmp_path / "a.nd2", [drawn(3, 1, 40, 50)])
    with pytest.raises(PatchError, match="holds 3 images along T, so it is a stack"):
        open_patches(path, tiles=tiles())


@by_ending
def test_objects_are_cut_out_of_the_scene_that_is_named(tmp_path, ending):
    scenes = drawn(2, 1, 2, 40, 50)
    path = WRITERS[ending](tmp_path / f"a{ending}", scenes, ["DAPI", "GFP"])
    labels = np.zeros((40, 50), np.uint8)
    labels[4:14, 6:18], labels[20:32, 30:40] = 1, 2
    tifffile.imwrite(tmp_path / "masks.tif", labels)
    with pytest.raises(UnclearArrayError, match="holds 2 images; choose one of") as asked:
        open_patches(path, objects=tmp_path / "masks.tif")
    key = asked.value.keys[1]
    patches = open_patches(path, objects=tmp_path / "masks.tif", key=key)
    assert (len(patches), patches.channel_names) == (2, ("DAPI", "GFP"))
    for i, row in patches.table.iterrows():
        y, x, height, width = row[["y", "x", "height", "width"]].astype(int)
        wanted = scenes[1, 0, :, max(y, 0) : y + height, max(x, 0) : x + width]
        seen = patches[i][max(-y, 0) :, max(-x, 0) :].transpose(2, 0, 1)
        seen = seen[:, : wanted.shape[1], : wanted.shape[2]]
        inside = seen > 0  # what is another object's may be left out
        np.testing.assert_array_equal(seen[inside], wanted[inside])
        assert inside.mean() > 0.5
    images, trouble = read_source_images(patches.origin, [path.name], Watch())
    assert trouble == ""
    np.testing.assert_array_equal(images[0].pixels[0], scenes[1, 0].transpose(1, 2, 0))


@by_ending
def test_what_is_missing_is_said_of_tiles_and_objects(tmp_path, ending):
    gone = 2 if ending == ".lif" else 1
    path = WRITERS[ending](tmp_path / f"a{ending}", drawn(1, 3, 1, 40, 50), missing=[gone])
    labels = np.zeros((3, 40, 50), np.uint8)
    labels[:, 4:14, 6:18] = 1
    tifffile.imwrite(tmp_path / "masks.tif", labels, photometric="minisblack")
    patches = open_patches(path, objects=tmp_path / "masks.tif")
    assert f"1 plane(s) of a{ending} are missing in the file; objects there are black." in (
        patches.notes
    )
    if ending != ".czi":  # a scene without a tile is none
        empty = WRITERS[ending](tmp_path / f"b{ending}", drawn(1, 1, 1, 40, 50), missing=[0])
        with pytest.raises(PatchError, match=f"b{ending} is missing in the file"):
            open_patches(empty, tiles=tiles())


@by_ending
def test_files_of_a_folder_are_one_set(tmp_path, ending):
    planes = drawn(3, 1, 2, 20, 24)
    for k, plane in enumerate(planes):
        WRITERS[ending](tmp_path / f"{k}{ending}", [plane[None, 0]], ["DAPI", "GFP"])
    (tmp_path / f"broken{ending}").write_bytes(b"nothing of the kind" * 99)
    assert recognise(tmp_path) is Kind.STACK
    patches = open_patches(tmp_path)
    assert patches.table["file"].tolist() == [f"{k}{ending}" for k in range(3)]
    assert (patches.channel_names, patches.mpp) == (("DAPI", "GFP"), pytest.approx(0.25))
    np.testing.assert_array_equal(patches.stack(), planes[:, 0].transpose(0, 2, 3, 1))
    assert [one.source for one in patches.skipped] == [f"broken{ending}"]
    cut = open_patches(tmp_path, tiles=tiles(10))
    assert sorted(cut.table["slide"].unique()) == ["0", "1", "2"]
    np.testing.assert_array_equal(cut[0], patches[0][:10, :10])


def test_scenes_of_several_files_are_slides_of_their_own(tmp_path):
    scenes = drawn(2, 1, 1, 20, 24)
    for name in ("a", "b"):
        write_czi(tmp_path / f"{name}.czi", scenes)
    cut = open_patches(tmp_path, tiles=tiles(20))
    assert cut.table["slide"].tolist() == ["a Scene 1", "a Scene 2", "b Scene 1", "b Scene 2"]
    np.testing.assert_array_equal(cut[3][..., 0], scenes[1, 0, 0, :, :20])


def test_fields_of_view_are_offered_to_be_tiled(tmp_path):
    fields = write_lif(tmp_path / "fields.lif", drawn(2, 1, 1, 400, 400, dtype=np.uint8))
    patches = open_patches(fields)
    assert ways_to_cut(patches) == ("tiles",)
    assert "as tiles (--tile-size)" in patches.notes[-1]
    times = write_lif(tmp_path / "times.lif", drawn(1, 2, 1, 400, 400, dtype=np.uint8))
    assert ways_to_cut(open_patches(times)) == ()
