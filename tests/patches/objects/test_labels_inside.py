"""Labels that lie within stores: OME-Zarr images, folders of them, SpatialData."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches, reopen
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.source_images import read_source_images
from tests.patches.stacks.zarr_stores import write_ome

SHAPE = (2, 60, 80)


def drawn(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Return an image of two channels, and its labels: two objects, and one more each time."""
    image = np.random.default_rng(number).integers(0, 4000, SHAPE).astype(np.uint16)
    labels = np.zeros(SHAPE[1:], np.uint16)
    for k in range(2 + number):
        labels[25:31, 15 + 18 * k : 21 + 18 * k] = 10 * number + k + 1
    return image, labels


def write_labelled(path: Path, number: int, fmt: int, names: tuple[str, ...] = ("cells",)):
    """Write an OME-Zarr image with labels in it, as ome-zarr does."""
    image, labels = drawn(number)
    write_ome(path, image, "cyx", fmt=fmt)
    for name in names:
        write_ome(path / "labels" / name, labels, "yx", fmt=fmt)
    known = {"labels": list(names)}
    group = zarr.create_group(path / "labels", zarr_format=fmt)
    group.attrs.update({"ome": known} if fmt == 3 else known)


def write_spatialdata(path: Path, fmt: int, images: tuple[str, ...] = ("he",)) -> None:
    """Write what spatialdata 0.7 writes: elements in groups, each an OME-Zarr of its own."""
    image, labels = drawn(1)
    root = zarr.create_group(path, zarr_format=fmt)
    mark = {"version": "0.2" if fmt == 3 else "0.1"}
    root.attrs["spatialdata_attrs"] = mark
    for kind, names, pixels, axes in (
        ("images", images, image, "cyx"), ("labels", ("cells",), labels, "yx"),
    ):  # fmt: skip
        zarr.create_group(path / kind, zarr_format=fmt)
        for name in names:
            write_ome(path / kind / name, pixels, axes, fmt=fmt)
            zarr.open_group(path / kind / name, mode="a").attrs["spatialdata_attrs"] = mark


def check(patches, source: str, number: int) -> None:
    """Compare crops and labels of an image with what was written."""
    image, labels = drawn(number)
    rows = patches.table[patches.table["source"] == source]
    assert rows["label_id"].tolist() == np.unique(labels[labels > 0]).tolist()
    np.testing.assert_array_equal(label_images(patches.origin, Watch())(source, 0), labels)
    for row, y, x, height, width in rows[["y", "x", "height", "width"]].itertuples():
        box = image[:, y : y + height, x : x + width]
        np.testing.assert_array_equal(patches.images[row], box.transpose(1, 2, 0))


@pytest.mark.parametrize("fmt", [2, 3])
def test_a_folder_of_images_with_their_labels_is_one_set(tmp_path, fmt):
    for number in (0, 1):
        write_labelled(tmp_path / f"f{number}.ome.zarr", number, fmt)
    write_ome(tmp_path / "none.zarr", drawn(0)[0], "cyx", fmt=fmt)
    for objects in (tmp_path, tmp_path / "f1.ome.zarr/labels/cells"):
        patches = open_patches(tmp_path, objects=objects, sizes="pad")
        check(patches, "f0.ome.zarr", 0)
        check(patches, "f1.ome.zarr", 1)
        assert [one.source for one in patches.skipped] == ["none.zarr"]
        assert "well" not in patches.table
    again = reopen(json.loads(json.dumps(patches.origin)))
    np.testing.assert_array_equal(again.stack(), patches.stack())
    (image, labels), said = read_source_images(patches.origin, ["f1.ome.zarr"], Watch())
    assert said == ""
    np.testing.assert_array_equal(image.pixels[0], drawn(1)[0].transpose(1, 2, 0))
    np.testing.assert_array_equal(labels.pixels[0], drawn(1)[1])
    with pytest.raises(PatchError, match=r"does not say which labels .* \(there are cells"):
        open_patches(tmp_path, objects=tmp_path / "f1.ome.zarr/labels/nuclei")


@pytest.mark.parametrize("fmt", [2, 3])
def test_an_image_given_as_its_own_objects_means_the_labels_in_it(tmp_path, fmt):
    path = tmp_path / "a.zarr"
    write_labelled(path, 1, fmt)
    patches = open_patches(path, objects=path, sizes="pad")
    check(patches, "a.zarr", 1)
    assert patches.origin["objects"] == str(path / "labels/cells")
    write_labelled(tmp_path / "two.zarr", 1, fmt, ("cells", "nuclei"))
    with pytest.raises(PatchError, match=r"several labels in it \(cells, nuclei\); choose one"):
        open_patches(tmp_path / "two.zarr", objects=tmp_path / "two.zarr")
    write_ome(tmp_path / "none.zarr", drawn(0)[0], "cyx", fmt=fmt)
    with pytest.raises(PatchError, match=r"none\.zarr has no labels in it"):
        open_patches(tmp_path / "none.zarr", objects=tmp_path / "none.zarr")


@pytest.mark.parametrize("fmt", [2, 3])
def test_spatialdata_is_its_image_and_its_labels(tmp_path, fmt):
    path = tmp_path / "s.zarr"
    write_spatialdata(path, fmt)
    for given, objects in (
        (path, path), (path, path / "labels/cells"),
        (path / "images/he", path / "labels/cells"),
    ):  # fmt: skip
        check(open_patches(given, objects=objects, sizes="pad"), "he", 1)
    with pytest.raises(PatchError, match=r"images/he is one single image .*--objects"):
        open_patches(path)
    write_spatialdata(tmp_path / "two.zarr", fmt, ("a", "b"))
    with pytest.raises(PatchError, match=r"2 images \(a, b\); .*a, with --objects .*cells"):
        open_patches(tmp_path / "two.zarr")
    write_spatialdata(tmp_path / "none.zarr", fmt, ())
    with pytest.raises(PatchError, match=r"none\.zarr is SpatialData without an image"):
        open_patches(tmp_path / "none.zarr")
