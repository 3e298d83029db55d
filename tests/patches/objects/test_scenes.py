"""Objects of one image of a file that holds several: cut, looked at, exported, annotated."""

from __future__ import annotations

import json
import tracemalloc

import h5py
import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.errors import UnclearArrayError
from napari_patchmap.patches import CropConfig, open_patches, reopen
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, fill
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.annotation_place import key_of_set
from napari_patchmap.runs.export.export_format import Exportable
from napari_patchmap.runs.export.geojson_export import FORMAT
from napari_patchmap.runs.source_images import read_source_images
from tests.patches.microscopes.made_czi import write_czi
from tests.patches.microscopes.made_lif import write_lif
from tests.patches.microscopes.made_nd2 import write_nd2
from tests.patches.objects.test_outlines import feature, square

#: Where the objects of the second image are (x, y), and how wide.
OBJECTS, WIDTH = [(4, 3), (30, 20), (8, 25)], 6


def write_hdf5(path, images):
    """Write images ``(channel, height, width)`` as arrays of one group."""
    with h5py.File(path, "w") as file:
        for k, image in enumerate(images):
            file[f"fields/f{k}"] = image


def write_zarr(path, images):
    """Write images ``(channel, height, width)`` as arrays of one group."""
    group = zarr.open_group(str(path), mode="w")
    for k, image in enumerate(images):
        group.create_array(f"f{k}", data=image)


def _scenes(write):
    return lambda path, images: write(path, images[:, None])


#: What writes a file of two images, and the name of the second.
FILES = {
    ".czi": (_scenes(write_czi), "Scene 2", "pylibCZIrw.czi"),
    ".nd2": (_scenes(write_nd2), "Well 2", "nd2"),
    ".lif": (_scenes(write_lif), "Series002", "liffile"),
    ".h5": (write_hdf5, "fields/f1", "h5py"),
    ".zarr": (write_zarr, "f1", "zarr"),
}


@pytest.fixture(params=FILES)
def two(request, tmp_path):
    """A file of two images of two channels, these, and the name of the second."""
    write, key, library = FILES[request.param]
    pytest.importorskip(library)
    images = np.random.default_rng(0).integers(1, 200, (2, 2, 40, 50)).astype(np.uint16)
    path = tmp_path / f"a{request.param}"
    write(path, images)
    return path, images, key


def labels() -> np.ndarray:
    """Return the label image of the objects, numbered from 1 on."""
    numbers = np.zeros((40, 50), np.uint16)
    for number, (x, y) in enumerate(OBJECTS, start=1):
        numbers[y : y + WIDTH, x : x + WIDTH] = number
    return numbers


def write_objects(folder, outlines: bool):
    """Write them as outlines, or as a label image."""
    if outlines:
        path = folder / "cells.geojson"
        path.write_text(json.dumps([feature([square(*one, WIDTH)]) for one in OBJECTS]))
    else:
        path = folder / "cells.tif"
        tifffile.imwrite(path, labels())
    return path


def export(patches, folder):
    """Export objects for QuPath; return the file."""
    count = len(patches)
    known = Exportable(
        "a", "pixels", {}, np.arange(count), patches.table.assign(index=range(count)),
        np.zeros((count, 2), np.float32), None, "", np.full(count, "", object), {},
        patches.origin, lambda: patches, Watch(),
    )  # fmt: skip
    (written,), notes = FORMAT.write(known, folder / "out.geojson")
    assert notes == []
    return written


def exported(patches, folder) -> np.ndarray:
    """Export objects for QuPath; return them filled again, numbered as the patches are."""
    written, painted = export(patches, folder), np.zeros((40, 50), np.uint16)
    features = json.loads(written.read_text())["features"]
    for number, one in zip(patches.table["label_id"], features, strict=True):
        rings = [np.array(ring, float) for ring in one["geometry"]["coordinates"]]
        rows, columns, inside = fill(Outline(rings), painted.shape)
        painted[rows, columns][inside] = number
    return painted


def assert_cut_out_of(patches, image) -> None:
    """See that patches are crops of ``(channel, height, width)`` where the table says."""
    for row, pixels in zip(patches.table.itertuples(), patches.stack(), strict=True):
        middle = row.height // 2, row.width // 2
        wanted = image[:, row.y + middle[0], row.x + middle[1]]
        np.testing.assert_array_equal(pixels[middle], wanted)


@pytest.mark.parametrize("outlines", [True, False])
def test_objects_stay_those_of_their_image(two, tmp_path, outlines):
    path, images, key = two
    axes = "CYX" if path.suffix in (".h5", ".zarr") else "auto"
    how = {"objects": write_objects(tmp_path, outlines), "axes": axes}
    with pytest.raises(UnclearArrayError, match=r"choose one.*--key"):
        open_patches(path, **how)
    patches = open_patches(path, **how, key=key)
    assert (len(patches), patches.channels) == (3, 2)
    assert_cut_out_of(patches, images[1])
    np.testing.assert_array_equal(reopen(patches.origin).stack(), patches.stack())
    (image, numbers), trouble = read_source_images(patches.origin, [path.name], Watch())
    assert trouble == ""
    np.testing.assert_array_equal(image.pixels[0], images[1].transpose(1, 2, 0))
    np.testing.assert_array_equal(numbers.pixels[0], labels())
    np.testing.assert_array_equal(exported(patches, tmp_path), labels())


def test_the_images_of_a_file_are_annotated_apart(two):
    """Their patches are numbered alike, so that what one is called is not for the other."""
    path, _, key = two
    other = {"Series002": "Series001", "Well 2": "Well 1", "Scene 2": "Scene 1"}.get(key)
    other = other or key.replace("1", "0")
    sets = [open_patches(path, key=one, axes="TYX") for one in (key, other)]
    assert key_of_set(sets[0]) != key_of_set(sets[1])


def test_of_a_file_of_slides_the_scene_that_is_named_is_cut(tmp_path):
    pytest.importorskip("pylibCZIrw.czi")
    images = np.random.default_rng(0).integers(1, 200, (2, 1, 2, 40, 50)).astype(np.uint16)
    path = write_czi(tmp_path / "a.czi", images)
    how = {"objects": write_objects(tmp_path, outlines=True), "crops": CropConfig(level=0)}
    with pytest.raises(UnclearArrayError, match="choose one of Scene 1, Scene 2"):
        open_patches(path, **how)
    patches = open_patches(path, **how, key="Scene 2")
    assert patches.table["source"].tolist() == ["Scene 2"] * 3
    assert_cut_out_of(patches, images[1, 0])
    np.testing.assert_array_equal(reopen(patches.origin).stack(), patches.stack())
    (slide,), trouble = read_source_images(patches.origin, ["Scene 2"], Watch())
    assert (slide.path, trouble) == (path / "Scene 2", "")
    np.testing.assert_array_equal(exported(patches, tmp_path), labels())


def test_labels_are_read_from_hdf5(tmp_path):
    """As ilastik writes them: one array, with an axis of length 1 behind."""
    image = np.random.default_rng(0).integers(1, 200, (40, 50)).astype(np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", image)
    with h5py.File(tmp_path / "a_Object Identities.h5", "w") as file:
        file["exported_data"] = labels()[..., None]
        axes = [{"key": axis} for axis in "yxc"]
        file["exported_data"].attrs["axistags"] = json.dumps({"axes": axes})
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "a_Object Identities.h5")
    assert patches.table["label_id"].tolist() == [1, 2, 3]
    assert_cut_out_of(patches, image[None])
    np.testing.assert_array_equal(exported(patches, tmp_path), labels())


def test_outlines_are_written_one_at_a_time(tmp_path):
    """Of 100,000 cells they would take gigabytes; here each has a thousand corners."""
    rng = np.random.default_rng(0)
    numbers = np.zeros((50 * 8, 50 * 8), np.uint16)
    for number, (y, x) in enumerate(np.ndindex(8, 8), start=1):
        ragged = rng.random((46, 46)) < 0.5
        numbers[50 * y : 50 * y + 46, 50 * x : 50 * x + 46][ragged] = number
    tifffile.imwrite(tmp_path / "masks.tif", numbers)
    tifffile.imwrite(tmp_path / "a.tif", numbers.astype(np.uint8))
    patches = open_patches(tmp_path / "a.tif", objects=tmp_path / "masks.tif")
    tracemalloc.start()
    written = export(patches, tmp_path)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 6 * written.stat().st_size
