"""The list of formats: each has its reader, opens, is saved with a run, and opens again."""

from __future__ import annotations

import inspect
import json
from importlib import import_module
from pathlib import Path

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.formats import FORMATS, Format, endings, globs, listed
from napari_patchmap.kind import Kind
from napari_patchmap.patches import OpenRequest, open_patches, readers, reopen
from napari_patchmap.patches.recognise import format_of, recognise
from tests.patches.dicoms.dicom_files import write_dicom
from tests.patches.microscopes.made_czi import write_czi
from tests.patches.plates.drawn_plate import write_plate

#: Of the room of readers, what several share.
SHARED = {"__init__", "array_columns", "arrays", "cell_images", "chunked", "flat"}


def pixels(count: int = 6, side: int = 12) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (count, side, side), np.uint8)


def write_slide(path: Path) -> None:
    with tifffile.TiffWriter(path) as slide:
        slide.write(pixels(1, 512)[0], subifds=1, tile=(256, 256))
        slide.write(pixels(1, 512)[0, ::2, ::2], subfiletype=1, tile=(128, 128))


def write_folder(path: Path) -> None:
    path.mkdir()
    for i, one in enumerate(pixels()):
        tifffile.imwrite(path / f"{i}.tif", one)


def write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["images"] = pixels()


def write_stacks(path: Path) -> None:
    path.mkdir()
    for well in ("A1", "B2"):
        np.save(path / f"{well}.npy", pixels())


#: How a file of each format is written, by the reader; whoever adds a format adds one here.
EXAMPLES = {
    "slides.open_slides": ("slide.tif", write_slide),
    "tiff.tiff_stack": (
        "stack.tif",
        lambda path: tifffile.imwrite(path, pixels(), photometric="minisblack"),
    ),
    "plate.open_plate": ("plate.zarr", write_plate),
    "zarr.zarr_store": ("stack.zarr", lambda path: zarr.save(str(path), pixels())),
    "dicom.dicom_stack": ("stack.dcm", lambda path: write_dicom(path, pixels())),
    "microscope.microscope_stack": (
        "stack.czi",
        lambda path: write_czi(path, [pixels()[:, None]]),
    ),
    "npy": ("stack.npy", lambda path: np.save(path, pixels())),
    "npz.npz_file": ("set.npz", lambda path: np.savez(path, images=pixels())),
    "hdf5.hdf5_file": ("set.h5", write_hdf5),
    "stack_folder.folder_of_stacks": ("stacks", write_stacks),
    "folder.image_folder": ("folder", write_folder),
    "points": ("rows.npy", lambda path: np.save(path, np.ones((6, 3), np.float32))),
}

by_reader = pytest.mark.parametrize("one", FORMATS, ids=lambda one: one.reader)


def test_every_reader_is_in_the_list_and_has_an_example():
    room = Path(readers.__file__).parent
    there = {path.stem for path in room.iterdir() if not path.name.startswith("__pycache__")}
    known = {one.reader.split(".")[0] for one in FORMATS}
    assert there - SHARED == known, "give each reader a row in formats.FORMATS"
    # Objects are named by the request, not found at a path.
    needed = {one.reader for one in FORMATS if one.kind is not Kind.OBJECTS}
    assert set(EXAMPLES) == needed, "write an example of each format in EXAMPLES"


@by_reader
def test_every_reader_can_be_asked(one: Format):
    module = import_module(f"{readers.__name__}.{one.reader}")
    assert list(inspect.signature(module.read).parameters) == ["request", "watch"]
    if hasattr(module, "recognises"):
        assert list(inspect.signature(module.recognises).parameters) == ["path", "chosen"]
    else:
        assert one.endings or one.kind is Kind.OBJECTS
    assert set(one.offered) <= set(one.endings)
    assert all(end == end.lower() and end.startswith(".") for end in one.endings)


@pytest.mark.parametrize("reader", EXAMPLES)
def test_what_is_written_opens_and_opens_again(tmp_path, reader):
    name, write = EXAMPLES[reader]
    write(tmp_path / name)
    (row,) = (one for one in FORMATS if one.reader == reader)
    assert recognise(tmp_path / name) is row.kind
    assert format_of(OpenRequest(tmp_path / name)) is row
    patches = open_patches(tmp_path / name)
    assert patches.origin["kind"] == row.kind
    again = reopen(json.loads(json.dumps(patches.origin)))
    assert again.origin == patches.origin
    np.testing.assert_array_equal(again.stack(), patches.stack())


@by_reader
def test_help_and_dialogs_name_every_format_of_a_kind(one: Format):
    if one.endings:
        assert one.listed
        assert one.listed in listed(one.kind)
        assert set(one.endings) <= set(endings(one.kind))
        assert all(f"*{ending}" in globs(one.kind).split() for ending in one.endings)
