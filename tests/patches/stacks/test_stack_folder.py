"""Folders of stacks as one set, and channel names of scanners."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.explore.plate_wells import wells_of
from napari_patchmap.patches import Kind, OpenRequest, open_patches, reopen
from napari_patchmap.patches.readers.stack_folder import folder_of_stacks
from napari_patchmap.patches.recognise import recognise
from napari_patchmap.patches.tile_config import TileConfig


def tiff(path, pixels, **options):
    options = {"photometric": "minisblack", **options}
    tifffile.imwrite(path, pixels, **options)


WRITERS = {
    ".tif": tiff,
    ".npy": np.save,
    ".npz": lambda path, pixels: np.savez(path, images=pixels, labels=np.arange(len(pixels))),
    ".zarr": lambda path, pixels: zarr.save(str(path), pixels),
}


@pytest.mark.parametrize("ending", WRITERS)
def test_one_file_a_well_is_one_set(tmp_path, grey, ending, monkeypatch):
    monkeypatch.setattr(folder_of_stacks, "_OPEN", 1)  # files are opened again
    wells = {"A2": grey(9, 12, 14), "A10": grey(11, 12, 14), "B1": grey(10, 12, 14)}
    for well, pixels in wells.items():
        WRITERS[ending](tmp_path / f"{well}{ending}", pixels)
    assert recognise(tmp_path) is Kind.STACK
    patches = open_patches(tmp_path)
    np.testing.assert_array_equal(patches.stack()[..., 0], np.concatenate([*wells.values()]))
    files = [f"{well}{ending}" for well, pixels in wells.items() for _ in pixels]
    assert patches.table["file"].tolist() == files
    assert patches.table["source"].tolist() == files
    assert patches.table["frame"].tolist() == [*range(9), *range(11), *range(10)]
    if ending == ".npz":
        assert patches.labels.tolist()[:3] == ["0", "1", "2"]
    again = reopen(json.loads(json.dumps(patches.origin)))
    np.testing.assert_array_equal(again.stack(), patches.stack())


def test_folders_are_labels_and_sizes_may_differ(tmp_path, grey):
    for kind, side in (("healthy", 12), ("sick", 16)):
        (tmp_path / kind).mkdir()
        np.save(tmp_path / kind / "a.npy", grey(9, side, side))
    patches = open_patches(tmp_path, sizes="pad")
    assert patches.labels.tolist() == ["healthy"] * 9 + ["sick"] * 9
    assert patches.table["file"].tolist()[9] == "sick/a.npy"


def test_arrays_of_one_image_are_patches(tmp_path, grey):
    images = grey(4, 12, 14, 3)
    for number, image in enumerate(images):
        np.save(tmp_path / f"{number}.npy", image)
    patches = open_patches(tmp_path)
    np.testing.assert_array_equal(patches.stack(), images)
    assert patches.channel_names == ("red", "green", "blue")


def test_a_table_is_joined_by_the_file(tmp_path, grey):
    for well in ("A1", "B1"):
        np.save(tmp_path / f"{well}.npy", grey(9, 12, 12))
    (tmp_path / "plate.csv").write_text("file,label\nA1.npy,drug\nB1.npy,none\n")
    patches = open_patches(tmp_path, labels=tmp_path / "plate.csv")
    assert patches.labels.tolist() == ["drug"] * 9 + ["none"] * 9


def test_files_named_by_wells_are_wells_of_a_plate(tmp_path, grey):
    for well in ("A1", "B1", "B10"):
        np.save(tmp_path / f"{well}.npy", grey(9, 12, 12))
    (tmp_path / "plate.csv").write_text("well,compound,dose\nA01,DMSO,0\nb10,taxol,5\n")
    patches = open_patches(tmp_path, labels=tmp_path / "plate.csv")
    assert patches.table["well"].tolist() == ["A01"] * 9 + ["B01"] * 9 + ["B10"] * 9
    assert wells_of(patches.table).inside(0, 1, 9).tolist() == [*range(18, 27)]
    compound = patches.table["compound"]
    assert compound[18:].tolist() == ["taxol"] * 9
    assert compound[9:18].isna().all()
    np.save(tmp_path / "control.npy", grey(9, 12, 12))
    assert "well" not in open_patches(tmp_path).table


def test_few_planes_without_names_are_asked_about(tmp_path, grey):
    pixels = {name: grey(3, 12, 12) for name in ("a", "b", "c")}
    for name, planes in pixels.items():
        tiff(tmp_path / f"{name}.tif", planes)
    with pytest.raises(UnclearAxesError, match="hold 3 planes each") as raised:
        open_patches(tmp_path)
    assert raised.value.readings == ("CYX", "NYX")
    channels = open_patches(tmp_path, axes="CYX")
    expected = np.stack([*pixels.values()]).transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(channels.stack(), expected)
    assert len(open_patches(tmp_path, axes="NYX")) == 9


def test_what_cannot_be_read_is_left_out_and_what_does_not_fit_is_said(tmp_path, grey):
    np.save(tmp_path / "a.npy", grey(9, 12, 12))
    (tmp_path / "b.npy").write_bytes(b"no array")
    patches = open_patches(tmp_path)
    assert len(patches) == 9
    assert [(one.source, one.reason) for one in patches.skipped] == [
        ("b.npy", "is not a NumPy file; copy or save it again")
    ]
    np.save(tmp_path / "c.npy", grey(9, 12, 12).astype(np.uint16))
    with pytest.raises(PatchError, match=r"pixel types \(uint8 in a\.npy, uint16 in c"):
        open_patches(tmp_path)
    for name in ("a.npy", "c.npy"):
        (tmp_path / name).unlink()
    with pytest.raises(PatchError, match=r"b\.npy is not a NumPy file"):
        open_patches(tmp_path)


def test_single_images_stay_a_folder_of_images(tmp_path, grey):
    for number in range(3):
        tiff(tmp_path / f"{number}.tif", grey(12, 12))
    np.save(tmp_path / "beside.npy", grey(9, 12, 12))
    assert recognise(tmp_path) is Kind.FOLDER


def test_channels_of_a_qptiff_have_their_names(tmp_path, grey):
    """As Akoya's scanners write it: each page says in XML what it shows."""
    names = ["DAPI", "CD3", "CD20", "PanCK"]
    pixels = grey(4, 600, 640)

    def said(name: str, kind: str) -> str:
        mark = f"<Biomarker>{name}</Biomarker>" if name != "DAPI" else ""
        return (
            '<?xml version="1.0" encoding="utf-16"?><PerkinElmer-QPI-ImageDescription>'
            f"<ImageType>{kind}</ImageType><Name>{name} dye</Name>{mark}"
            "</PerkinElmer-QPI-ImageDescription>"
        )

    path = tmp_path / "scan.qptiff"
    with tifffile.TiffWriter(path) as file:
        options = {"tile": (256, 256), "metadata": None, "photometric": "minisblack"}
        for step, kind in ((1, "FullResolution"), (2, "ReducedResolution")):
            for plane, name in zip(pixels, names, strict=True):
                file.write(
                    plane[::step, ::step], description=said(name, kind), **options,
                    software="PerkinElmer-QPI", subfiletype=step - 1,
                )  # fmt: skip
    with tifffile.TiffFile(path) as tif:
        assert tif.is_qpi
    patches = open_patches(path, tiles=TileConfig(size=128, foreground="none"))
    assert patches.channel_names == ("DAPI dye", "CD3", "CD20", "PanCK")
    chosen = open_patches(
        OpenRequest(path, tiles=TileConfig(size=128, foreground="none"), channels=["CD20"])
    )
    where = chosen.table.iloc[0]
    y, x = int(where["y"]), int(where["x"])
    np.testing.assert_array_equal(chosen[0][..., 0], pixels[2, y : y + 128, x : x + 128])
