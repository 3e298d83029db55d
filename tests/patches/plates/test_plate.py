"""OME-Zarr plates as one set: every patch is the field, object or tile its row says."""

import shutil

import numpy as np
import pytest
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.kind import Kind
from napari_patchmap.patches import OpenRequest, open_patches, reopen
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import Watch
from napari_patchmap.patches.wells import well_name, well_place
from napari_patchmap.runs.source_images import read_source_images
from tests.patches.plates.drawn_plate import field_pixels, squares, write_image, write_plate

versions = pytest.mark.parametrize("version", ["0.4", "0.5"])


def of_source(source, box=None):
    """Return the pixels of a field, or of a box in it, as patches have them."""
    well, _, field = source.rpartition("/")
    pixels = np.moveaxis(field_pixels(well, int(field)), 0, -1)
    if box is None:
        return pixels
    y, x, height, width = box
    return pixels[y : y + height, x : x + width]


def check_pixels(patches):
    boxes = patches.table[["y", "x", "height", "width"]].to_numpy().tolist()
    for i, (source, box) in enumerate(zip(patches.table["source"], boxes, strict=True)):
        np.testing.assert_array_equal(patches[i], of_source(source, box))


@versions
def test_each_field_is_a_patch_with_its_place(tmp_path, version):
    path = write_plate(tmp_path / "p.zarr", version=version, levels=2)
    assert recognise(path) is Kind.STACK
    patches = open_patches(path)
    check_pixels(patches)
    assert patches.channel_names == ("DAPI", "actin")
    table = patches.table
    assert table["well"].tolist() == [w for w in ("A01", "A02", "B01", "B03") for _ in "ab"]
    assert table["row"].tolist() == list("AAAABBBB")
    assert table["column"].tolist() == [1, 1, 2, 2, 1, 1, 3, 3]
    assert table["field"].tolist() == [0, 1] * 4
    assert set(table["plate"]) == {"screen 7"}
    again = reopen(patches.origin)
    np.testing.assert_array_equal(again.stack(), patches.stack())


@versions
def test_opening_reads_no_pixels(tmp_path, version):
    path = write_plate(
        tmp_path / "p.zarr",
        version=version,
        pixels=lambda well, field: field_pixels(well, field).astype(np.uint8),
    )
    described = {".zarray", ".zattrs", ".zgroup", "zarr.json"}
    chunks = [one for one in path.rglob("*") if one.is_file() and one.name not in described]
    for chunk in chunks:
        chunk.write_bytes(b"no longer a chunk")
    patches = open_patches(path)
    assert len(patches) == len(chunks) == 8
    with pytest.raises(PatchError, match="A/2/1"):
        patches[3]


def test_what_is_missing_or_of_another_kind_is_left_out_and_nothing_is_shifted(tmp_path):
    path = write_plate(tmp_path / "p.zarr", version="0.4")
    shutil.rmtree(path / "A" / "1")
    shutil.rmtree(path / "A" / "2" / "0")
    (chunk,) = [one for one in (path / "B/1/0/0").rglob("*") if one.name[0].isdigit()]
    chunk.unlink()
    shutil.rmtree(path / "B/1/1")
    other = zarr.open_group(path / "B/1").create_group("1")
    write_image(other, np.ones((3, 48, 64), np.uint16), version="0.4")
    patches = open_patches(path)
    assert patches.table["source"].tolist() == ["A/2/1", "B/3/0", "B/3/1"]
    check_pixels(patches)
    reasons = {one.source: one.reason for one in patches.skipped}
    assert set(reasons) == {"A/1", "A/2/0", "B/1/0", "B/1/1"}
    assert "not there" in reasons["A/1"]
    assert "not there" in reasons["A/2/0"]
    assert "no pixels" in reasons["B/1/0"]
    assert "3 channel(s)" in reasons["B/1/1"]
    assert any("Left out" in note for note in patches.notes)


def test_fields_of_several_sizes_are_brought_to_one(tmp_path):
    def pixels(well, field):
        return field_pixels(well, field, (2, 48, 64 if well == "A/1" else 32))

    path = write_plate(tmp_path / "p.zarr", pixels=pixels)
    with pytest.raises(PatchError, match="size"):
        open_patches(path)
    patches = open_patches(path, sizes="crop")
    assert any("2 sizes" in note for note in patches.notes)
    assert patches[0].shape == (48, 64, 2)
    assert patches[2].shape == (48, 32, 2)


def test_names_of_levels_may_differ_from_field_to_field(tmp_path):
    path = write_plate(tmp_path / "p.zarr", ["A/1", "A/2"], 1, version="0.4")
    (path / "A/2/0/0").rename(path / "A/2/0/full")
    group = zarr.open_group(path / "A/2/0")
    scales = group.attrs["multiscales"]
    scales[0]["datasets"][0]["path"] = "full"
    group.attrs["multiscales"] = scales
    check_pixels(open_patches(path))


def test_a_time_series_is_a_patch_a_frame_and_a_volume_is_asked_about(tmp_path):
    def series(well, field):
        return np.stack([field_pixels(well, field) + t for t in (0, 1, 2)])

    path = write_plate(tmp_path / "t.zarr", ["A/1", "B/2"], 1, pixels=series, axes="tcyx")
    patches = open_patches(path)
    assert patches.table["frame"].tolist() == [0, 1, 2] * 2
    assert patches.table["well"].tolist() == ["A01"] * 3 + ["B02"] * 3
    np.testing.assert_array_equal(patches[5], of_source("B/2/0") + 2)
    path = write_plate(tmp_path / "z.zarr", ["A/1"], 1, pixels=series, axes="zcyx")
    with pytest.raises(PatchError, match="3-D volume"):
        open_patches(path)
    assert len(open_patches(path, axes="NCYX")) == 3


@versions
def test_objects_of_all_fields(tmp_path, version):
    path = write_plate(tmp_path / "p.zarr", version=version, labels=["cells"])
    shutil.rmtree(path / "A/2/1/labels")
    patches = open_patches(path, objects=path)
    numbers = squares((48, 64))
    assert len(patches) == 7 * numbers.max()
    check_pixels(patches)
    first = patches.table[patches.table["source"] == "B/3/1"]
    assert first["label_id"].tolist() == list(range(1, numbers.max() + 1))
    assert set(first["well"]) == {"B03"}
    (left,) = patches.skipped
    assert (left.source, left.reason) == ("A/2/1", "has no labels cells")
    assert len(reopen(patches.origin)) == len(patches)


def test_which_labels_are_meant(tmp_path):
    path = write_plate(tmp_path / "p.zarr", ["A/1"], 1, labels=["nuclei", "cells"])
    with pytest.raises(PatchError, match="there are nuclei, cells"):
        open_patches(path, objects=path)
    for name in ("nuclei", "cells"):
        assert len(open_patches(path, objects=path / "A/1/0/labels" / name)) == 12
    with pytest.raises(PatchError, match="does not say which labels"):
        open_patches(path, objects=path / "A/1/0/labels/membranes")
    bare = write_plate(tmp_path / "q.zarr", ["A/1"], 1)
    with pytest.raises(PatchError, match="has no labels"):
        open_patches(bare, objects=bare)


def test_labels_of_another_size_are_left_out(tmp_path):
    path = write_plate(tmp_path / "p.zarr", ["A/1", "A/2"], 1, labels=["cells"], version="0.4")
    shutil.rmtree(path / "A/1/0/labels/cells")
    group = zarr.open_group(path / "A/1/0/labels").create_group("cells")
    write_image(group, squares((24, 32)), "yx", version="0.4")
    patches = open_patches(path, objects=path)
    assert set(patches.table["well"]) == {"A02"}
    assert "is 1 x 64 x 48" in patches.skipped[0].reason


@versions
def test_tiles_of_all_fields(tmp_path, version):
    path = write_plate(tmp_path / "p.zarr", version=version, levels=2, chunks=(1, 20, 20))
    patches = open_patches(path, tiles=TileConfig(size=16, foreground="none"))
    assert len(patches) == 8 * 12
    check_pixels(patches)
    assert patches.table["well"].value_counts().to_dict() == dict.fromkeys(
        ("A01", "A02", "B01", "B03"), 24
    )
    coarse = open_patches(path, tiles=TileConfig(size=16, foreground="none", mpp=1.3))
    assert len(coarse) == 8 * 2
    np.testing.assert_array_equal(coarse[1], of_source("A/1/0")[::2, ::2][:16, 16:])


def test_the_images_and_labels_of_a_field_are_found_again(tmp_path):
    path = write_plate(tmp_path / "p.zarr", labels=["cells"], levels=2)
    origin = OpenRequest(path, objects=path).absolute().to_dict() | {"kind": "objects"}
    (image, labels), trouble = read_source_images(origin, ["B/1/1"], Watch())
    assert trouble == ""
    np.testing.assert_array_equal(image.pixels[0], of_source("B/1/1"))
    np.testing.assert_array_equal(labels.pixels[0], squares((48, 64)))
    np.testing.assert_array_equal(label_images(origin, Watch())("B/1/1", 0), squares((48, 64)))
    origin = OpenRequest(path, tiles=TileConfig(size=16)).absolute().to_dict()
    (picture,), trouble = read_source_images({**origin, "kind": "slides"}, ["B/1/1"], Watch())
    assert trouble == ""
    assert picture.pixels.shape == (1, 48, 64, 3)


def test_a_table_is_joined_by_well_and_field(tmp_path):
    path = write_plate(tmp_path / "p.zarr")
    table = tmp_path / "layout.csv"
    table.write_text("Well,compound,dose\nA1,DMSO,0\na02,taxol,5\nB-3,taxol,10\n")
    patches = open_patches(path, labels=table)
    compound = patches.table["compound"]
    assert compound.tolist()[:4] == ["DMSO", "DMSO", "taxol", "taxol"]
    assert compound.isna().tolist() == [False] * 4 + [True] * 2 + [False] * 2
    table.write_text("well,site,label\nA01,0,in focus\nA01,1,blurred\n")
    labels = open_patches(path, labels=table).table["label"]
    assert labels.tolist()[:2] == ["in focus", "blurred"]
    assert labels[2:].isna().all()
    table.write_text("well,compound\nA01,DMSO\nA1,taxol\n")
    with pytest.raises(PatchError, match="different rows for the well A01"):
        open_patches(path, labels=table)


def test_what_is_no_plate_says_so(tmp_path):
    path = write_plate(tmp_path / "p.zarr", version="0.4")
    (path / "A/1/0/.zattrs").write_text("{")
    with pytest.raises(PatchError, match="no whole JSON"):
        open_patches(path)
    for well in ("A", "B"):
        shutil.rmtree(path / well)
    with pytest.raises(PatchError, match="lists no well whose images are there"):
        open_patches(path)


def test_a_plate_cannot_lead_out_of_its_folder(tmp_path):
    outside = write_plate(tmp_path / "outside.zarr", ["A/1"], 1, version="0.4")
    path = write_plate(tmp_path / "p.zarr", ["A/1"], 1, version="0.4")
    group = zarr.open_group(path)
    known = group.attrs["plate"]
    known["wells"] = [{"path": f"../{outside.name}/A/1", "rowIndex": 0, "columnIndex": 0}]
    group.attrs["plate"] = known
    with pytest.raises(PatchError, match="lists no well"):
        open_patches(path)


def test_names_of_wells():
    for row, column, names in (
        (1, 6, ("B07", "b7", "B/7", "B-07", "r02c07", "B 7")),
        (31, 47, ("AF48",)),
        (0, 0, ("A1", "A01")),
    ):
        assert {well_place(name) for name in names} == {(row, column)}
    assert well_name(1, 6) == "B07"
    assert well_name(31, 47) == "AF48"
    for name in ("B00", "lymphocyte", "7", "", "A123", "CD8b"):
        assert well_place(name) is None
