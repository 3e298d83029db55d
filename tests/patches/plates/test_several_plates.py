"""Plates in zip files, and folders of several plates: one set, in which wells keep apart."""

import shutil

import numpy as np
import pytest
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.explore.plate_wells import wells_of
from napari_patchmap.kind import Kind
from napari_patchmap.patches import OpenRequest, open_patches, reopen
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.readers.plate.field_labels import labels_in
from napari_patchmap.patches.readers.slides.tiles import is_one_slide
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.source_images import read_source_images
from tests.patches.plates.drawn_plate import field_pixels, squares, write_plate, zipped
from tests.patches.plates.test_plate import check_pixels, of_source

TILES = TileConfig(size=16, foreground="none")


def folder_of_plates(path, **more):
    """Write two plates, of the same wells but other pixels; the second is zipped."""
    write_plate(path / "p2.zarr", name="two", **more)
    write_plate(
        path / "p10.zarr", name="ten",
        pixels=lambda well, field: field_pixels(well, field) + 5000, **more,
    )  # fmt: skip
    zipped(path / "p10.zarr")
    return path


def check_both(patches):
    """Compare each patch with the field that its row names."""
    for i, row in patches.table.iterrows():
        plate, _, field = row["source"].partition("/")
        box = row[["y", "x", "height", "width"]].astype(int)
        wanted = of_source(field, box) + (5000 if plate == "p10.zarr.zip" else 0)
        np.testing.assert_array_equal(patches[i], wanted)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("inside", ["", "p.zarr/"])
def test_a_zipped_plate_is_read_like_its_folder(tmp_path, version, inside):
    plain = write_plate(tmp_path / "p.zarr", version=version, labels=["cells"], levels=2)
    cuts = ({}, {"objects": "{}"}, {"objects": "{}/A/1/0/labels/cells"}, {"tiles": TILES})

    def opened(path):
        assert not is_one_slide(path)
        assert labels_in(path) == ["cells"]
        ways = [
            {k: v.format(path) if isinstance(v, str) else v for k, v in way.items()}
            for way in cuts
        ]
        return [open_patches(path, **way) for way in ways]

    wanted = opened(plain)
    path = zipped(plain, inside)
    assert recognise(path) is Kind.STACK
    for before, now in zip(wanted, opened(path), strict=True):
        check_pixels(now)
        assert now.table.equals(before.table)
        assert now.channel_names == before.channel_names
        assert len(reopen(now.origin)) == len(now)
    origin = OpenRequest(path, objects=path).absolute().to_dict() | {"kind": "objects"}
    (image, labels), trouble = read_source_images(origin, ["B/1/1"], Watch())
    assert trouble == ""
    np.testing.assert_array_equal(image.pixels[0], of_source("B/1/1"))
    np.testing.assert_array_equal(labels.pixels[0], squares((48, 64)))
    np.testing.assert_array_equal(label_images(origin, Watch())("B/1/1", 0), squares((48, 64)))


def test_a_zipped_plate_that_is_damaged_says_so(tmp_path):
    plain = write_plate(tmp_path / "p.zarr", version="0.4")
    shutil.rmtree(plain / "A" / "1")
    (chunk,) = [one for one in (plain / "B/1/0/0").rglob("*") if one.name[0].isdigit()]
    chunk.unlink()
    path = zipped(plain)
    patches = open_patches(path)
    check_pixels(patches)
    assert [one.source for one in patches.skipped] == ["A/1", "B/1/0"]
    path.write_bytes(path.read_bytes()[:-600])
    with pytest.raises(PatchError, match=r"p\.zarr\.zip is not a complete zip file; copy"):
        open_patches(path)


def test_the_plates_of_a_folder_are_one_set(tmp_path):
    path = folder_of_plates(tmp_path / "day 1")
    assert recognise(path) is Kind.STACK
    patches = open_patches(path)
    check_both(patches)
    assert patches.table["plate"].tolist() == ["two"] * 8 + ["ten"] * 8
    assert "2 plates (two, ten): 16 fields in 8 wells." in patches.notes
    wells = wells_of(patches.table)
    assert wells.plates == ("ten", "two")
    assert wells.inside(0, 0, 0).tolist() == [8, 9]
    assert wells.inside(1, 0, 0).tolist() == [0, 1]
    np.testing.assert_array_equal(reopen(patches.origin).stack(), patches.stack())
    assert len(open_patches(tmp_path)) == 16  # also where folders lie between


def test_objects_and_tiles_of_several_plates(tmp_path):
    path = folder_of_plates(tmp_path / "a", labels=["cells"])
    cells = open_patches(path, objects=path)
    assert len(cells) == 16 * squares((48, 64)).max()
    check_both(cells)
    tiles = open_patches(path, tiles=TILES)
    assert len(tiles) == 16 * 12
    check_both(tiles)
    assert tiles.table["plate"].value_counts().to_dict() == {"two": 96, "ten": 96}
    origin = {**cells.origin, "kind": "objects"}
    for source in ("p2.zarr/B/3/1", "p10.zarr.zip/B/3/1"):
        (image, labels), trouble = read_source_images(origin, [source], Watch())
        assert trouble == ""
        more = 5000 * source.startswith("p10")
        np.testing.assert_array_equal(image.pixels[0], of_source("B/3/1") + more)
        np.testing.assert_array_equal(
            label_images(origin, Watch())(source, 0), labels.pixels[0]
        )


def test_a_table_is_joined_by_plate_and_well(tmp_path):
    path = folder_of_plates(tmp_path / "a")
    table = tmp_path / "layout.csv"
    table.write_text("well,compound,dose\nA01,DMSO,1\n")
    compound = open_patches(path, labels=table).table["compound"]
    assert compound.eq("DMSO").sum() == 4  # of either plate
    table.write_text("plate,well,compound,dose\ntwo,A01,DMSO,1\nten,A01,taxol,1\n")
    compound = open_patches(path, labels=table).table["compound"]
    assert compound.tolist()[:2] == ["DMSO"] * 2
    assert compound.tolist()[8:10] == ["taxol"] * 2


def test_what_makes_no_set_with_the_first_plate_is_left_out(tmp_path):
    def one_channel(well, field):
        return field_pixels(well, field)[:1]

    write_plate(tmp_path / "a.zarr", ["A/1"])
    write_plate(tmp_path / "b.zarr", ["A/1", "A/2"])
    write_plate(tmp_path / "c.zarr", ["A/1"], names=("actin", "DAPI"))
    write_plate(tmp_path / "d.zarr", ["A/1"], pixels=one_channel, names=())
    zarr.save_array(tmp_path / "e.zarr", np.zeros((3, 8, 8), np.uint8))
    (tmp_path / "f.ozx").write_bytes(b"no zip")
    shutil.rmtree(tmp_path / "b.zarr" / "A" / "2" / "1")
    patches = open_patches(tmp_path)
    assert patches.table["source"].tolist() == [
        "a.zarr/A/1/0", "a.zarr/A/1/1", "b.zarr/A/1/0", "b.zarr/A/1/1", "b.zarr/A/2/0",
    ]  # fmt: skip
    # Both call themselves "screen 7".
    assert patches.table["plate"].unique().tolist() == ["a", "b"]
    reasons = {one.source: one.reason for one in patches.skipped}
    assert "the channels actin, DAPI, the first plate DAPI, actin" in reasons["c.zarr"]
    assert "1 channel(s)" in reasons["d.zarr/A/1/0"]
    assert "no OME-Zarr plate" in reasons["e.zarr"]
    assert "not a complete zip file" in reasons["f.ozx"]
    assert "not there" in reasons["b.zarr/A/2/1"]
    (said,) = [note for note in patches.notes if note.startswith("Left out")]
    assert said.endswith("; and 2 more.")
