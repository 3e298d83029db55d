"""Label images as large as a slide: read part by part, whatever file they lie in."""

from __future__ import annotations

from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import CropConfig, open_patches, source
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.readers.objects import (
    slide_labels,
    slide_object_files,
    slide_objects,
)
from napari_patchmap.patches.readers.objects.find_objects import find_objects
from napari_patchmap.patches.readers.objects.slide_labels import SlideLabels
from napari_patchmap.patches.readers.objects.slide_object_files import slides_of
from napari_patchmap.patches.readers.slides import pages, stored_blocks
from napari_patchmap.patches.watch import Watch
from tests.patches.plates.drawn_plate import write_image
from tests.patches.slides.drawn import smaller, tissue, write_aperio, write_pyramid

#: Read at the full resolution of the slide, as its user says.
FULL = CropConfig(level=0)


def drawn_labels(height: int = 600, width: int = 800, dtype: str = "u4") -> np.ndarray:
    """Return round cells, far apart from each other, with large numbers that leave gaps."""
    labels = np.zeros((height, width), dtype)
    rng = np.random.default_rng(3)
    y, x = np.mgrid[-9:10, -9:10]
    numbers = rng.choice(60_000, 1_000, replace=False) + 1
    corners = product(range(3, height - 20, 40), range(5, width - 20, 40))
    for number, (top, left) in zip(numbers, corners, strict=False):
        inside = y**2 + x**2 <= rng.integers(9, 81)
        labels[top : top + 19, left : left + 19][inside] = number
    return labels


def write_zarr(path: Path, labels: np.ndarray, version: str = "0.5") -> Path:
    group = zarr.create_group(path, zarr_format=3 if version == "0.5" else 2)
    write_image(group, labels, "yx", version=version, levels=2, chunks=(50, 70))
    return path


@pytest.mark.parametrize(
    "kind", ["tiles", "pyramid", "strips", "palette", "float", "0.4", "0.5", "plain", "zip"]
)
def test_every_object_is_found_once_as_in_the_whole_image(tmp_path, monkeypatch, kind):
    """Cells cross the borders of blocks and of the parts that are looked at."""
    monkeypatch.setattr(slide_labels, "_PART", 128)
    labels = drawn_labels(dtype="u1" if kind == "palette" else "u4")
    path = tmp_path / "labels.ome.tif"
    if kind == "tiles":
        tifffile.imwrite(path, labels, tile=(64, 112), compression="zlib")
    elif kind == "pyramid":
        write_pyramid(path, labels, photometric="minisblack")
    elif kind == "strips":
        tifffile.imwrite(path, labels, rowsperstrip=7, compression="zlib")
    elif kind == "palette":
        colours = np.random.default_rng(0).integers(0, 2**16, (3, 256), np.uint16)
        tifffile.imwrite(
            tmp_path / "labels.tif", labels, photometric="palette", colormap=colours
        )
        path = tmp_path / "labels.tif"
    elif kind == "float":
        tifffile.imwrite(path, labels.astype(np.float32), tile=(64, 64))
    elif kind == "plain":
        path = tmp_path / "labels.zarr"
        zarr.create_array(path, shape=labels.shape, dtype="u4", chunks=(50, 70))[...] = labels
    elif kind == "zip":
        import shutil

        write_zarr(tmp_path / "labels.zarr", labels)
        shutil.make_archive(str(tmp_path / "labels.zarr"), "zip", tmp_path / "labels.zarr")
        path = tmp_path / "labels.zarr.zip"
    else:
        path = write_zarr(tmp_path / "labels.zarr", labels, kind)
    wanted = find_objects(labels)
    found = SlideLabels(path, tmp_path / "a.svs", labels.shape).objects(Watch())
    np.testing.assert_array_equal(found.ids, wanted.ids)
    np.testing.assert_array_equal(found.boxes, wanted.boxes)
    np.testing.assert_array_equal(found.area, wanted.area)
    np.testing.assert_allclose(found.centroids, wanted.centroids)
    assert len(found) > 100


def test_each_block_is_decoded_once_and_few_are_held(tmp_path, monkeypatch):
    """Also without the cache of blocks that were read last."""
    labels = drawn_labels()
    path = tmp_path / "labels.tif"
    tifffile.imwrite(path, labels, tile=(64, 64), compression="zlib")
    monkeypatch.setattr(slide_labels, "_PART", 150)
    monkeypatch.setattr(stored_blocks, "_BLOCKS", Latest(1))
    decoded: Counter[tuple[int, int]] = Counter()
    read: list[int] = []
    segment, box = pages.Plane._segment, SlideLabels.read

    def counted(self, row, column):
        decoded[row, column] += 1
        return segment(self, row, column)

    def measured(self, y, x, height, width):
        read.append(height * width)
        return box(self, y, x, height, width)

    monkeypatch.setattr(pages.Plane, "_segment", counted)
    monkeypatch.setattr(SlideLabels, "read", measured)
    SlideLabels(path, tmp_path / "a.svs", labels.shape).objects(Watch())
    assert set(decoded.values()) == {1}
    assert len(decoded) == 10 * 13
    assert max(read) <= 128**2


@pytest.mark.parametrize("masked", [False, True])
def test_many_cells_are_opened_without_crops_and_cut_with_few_blocks_read_twice(
    tmp_path, monkeypatch, masked
):
    """With a cache that holds some squares of the slide, not a whole row of them."""
    monkeypatch.setattr(slide_objects, "_SQUARE", 256)
    monkeypatch.setattr(source, "_AT_ONCE", 0)
    kept = Latest(2 * 36 * 64 * 64 * 4, lambda block: block.nbytes)
    monkeypatch.setattr(stored_blocks, "_BLOCKS", kept)
    tiled = {"tile": (64, 64), "compression": "zlib"}
    slide = write_pyramid(tmp_path / "a.tif", tissue(1024, 1024), **tiled)
    tifffile.imwrite(tmp_path / "labels.tif", drawn_labels(1024, 1024), **tiled)
    decoded: Counter[tuple[str, int, int]] = Counter()
    segment = pages.Plane._segment

    def counted(self, row, column):
        decoded[self._file.name, row, column] += 1
        return segment(self, row, column)

    monkeypatch.setattr(pages.Plane, "_segment", counted)
    crops = CropConfig(level=0, size=24, mask_background=masked)
    patches = open_patches(slide, objects=tmp_path / "labels.tif", crops=crops)
    assert {name for name, _, _ in decoded} == {"labels.tif"}
    decoded.clear()
    assert len(patches) > 500
    for index in range(len(patches)):
        patches.images[index]
    assert {name for name, _, _ in decoded} == (
        {"a.tif", "labels.tif"} if masked else {"a.tif"}
    )
    assert sum(decoded.values()) <= 1.4 * len(decoded)


def test_crops_and_columns_follow_the_labels(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    labels = drawn_labels()
    tifffile.imwrite(tmp_path / "labels.tif", labels, tile=(64, 64))
    patches = open_patches(
        slide, objects=tmp_path / "labels.tif", crops=FULL.replace(mask_background=True)
    )
    assert slides_of(patches.origin)
    wanted = find_objects(labels)
    kept = wanted.area >= 10
    assert sorted(patches.table["label_id"]) == wanted.ids[kept].tolist()
    at = np.searchsorted(wanted.ids, patches.table["label_id"])
    np.testing.assert_array_equal(patches.table["area"], wanted.area[at])
    np.testing.assert_array_equal(patches.table["centroid_x"], wanted.centroids[at, 1].round(2))
    side = patches.common_size[0]
    for row in patches.table.iloc[::20].itertuples():
        if min(row.y, row.x) < 0 or row.y + side > 600 or row.x + side > 800:
            continue
        own = labels[row.y : row.y + side, row.x : row.x + side] == row.label_id
        crop = patches.images[row.Index]
        assert own.sum() == row.area
        assert len(np.unique(crop[~own], axis=0)) == 1
    # Cells of one image belong to their numbers in other tables, too.
    rows = "\n".join(
        f"{number},{'even' if number % 2 == 0 else 'odd'}" for number in wanted.ids
    )
    (tmp_path / "kinds.csv").write_text(f"label_id,label\n{rows}\n")
    known = open_patches(
        slide, objects=tmp_path / "labels.tif", crops=FULL, labels=tmp_path / "kinds.csv"
    )
    even = known.table["label_id"] % 2 == 0
    assert (known.labels == np.where(even, "even", "odd")).all()


def test_small_images_stay_ordinary_ones_and_large_ones_become_slides(tmp_path, monkeypatch):
    labels, image = drawn_labels(), tissue()
    tifffile.imwrite(tmp_path / "labels.tif", labels, tile=(64, 64))
    pyramid = write_pyramid(tmp_path / "a.tif", image)
    tifffile.imwrite(tmp_path / "plain.tif", image, tile=(64, 64), photometric="rgb")

    def opened(path, crops=None):
        patches = open_patches(path, objects=tmp_path / "labels.tif", crops=crops)
        first = patches.table.sort_values("label_id").index[0]
        return slides_of(patches.origin), patches.images[first]

    usual, crop = opened(pyramid)
    assert not usual
    chosen, same = opened(pyramid, FULL)
    assert chosen
    np.testing.assert_array_equal(same, crop)
    assert not opened(tmp_path / "plain.tif")[0]
    monkeypatch.setattr(slide_object_files, "_LARGE", 100_000)
    for path in (pyramid, tmp_path / "plain.tif"):
        large, same = opened(path)
        assert large
        np.testing.assert_array_equal(same, crop)
    # A lower level is none of an ordinary image, of which every pixel has a label.
    monkeypatch.undo()
    tifffile.imwrite(tmp_path / "labels.tif", labels[::4, ::4])
    assert opened(pyramid)[0]


def test_a_folder_of_slides_with_a_label_image_each(tmp_path):
    for folder in ("slides", "masks"):
        (tmp_path / folder).mkdir()
    labels = drawn_labels()
    for seed, name in enumerate("abc"):
        write_aperio(tmp_path / "slides" / f"{name}.svs", tissue(seed=seed))
    tifffile.imwrite(tmp_path / "masks" / "a_mask.ome.tif", labels[::2, ::2])
    write_zarr(tmp_path / "masks" / "b.ome.zarr", labels)
    patches = open_patches(tmp_path / "slides", objects=tmp_path / "masks")
    counts = patches.table["source"].value_counts()
    assert counts["b.svs"] == (find_objects(labels).area >= 10).sum()
    assert counts["a.svs"] > 100
    assert [one.source for one in patches.skipped] == ["c.svs"]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "other",
            r"labels\.tif \(790 x 600 pixels\) is no label image of .*a\.svs \(800 x 600\)",
        ),
        ("finer", r"labels\.tif \(1,600 x 1,200 pixels\) is no label image of .*a\.svs"),
        ("picture", r"labels\.tif has 3 channels, so it is a picture of labels"),
        ("nothing", r"labels\.tif holds no objects, only background"),
        ("mask", r"labels\.tif holds the one number 255 .* tells no objects apart"),
        ("shares", r"labels\.tif holds numbers with a decimal point"),
        ("cut", r"labels\.tif is cut off"),
        ("group", r"labels\.zarr is a Zarr store without a label image.*labels\.zarr.nuclei"),
        ("stack", r"labels\.zarr holds 5 images along Z"),
    ],
)
def test_what_is_no_label_image_of_the_slide_says_so(tmp_path, name, said):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    path, labels = tmp_path / "labels.tif", drawn_labels()
    if name == "other":
        labels = labels[:, :790]
    elif name == "finer":
        labels = labels.repeat(2, 0).repeat(2, 1)
    elif name == "picture":
        labels = np.stack([labels.astype(np.uint8)] * 3, -1)
    elif name == "nothing":
        labels = np.zeros_like(labels)
    elif name == "mask":
        labels = np.where(labels > 0, np.uint8(255), np.uint8(0))
    elif name == "shares":
        labels = labels / np.float32(7)
    if name in ("group", "stack"):
        path = tmp_path / "labels.zarr"
        if name == "group":
            group = zarr.create_group(path)
            group.attrs["ome"] = {"version": "0.5", "labels": ["nuclei"]}
            write_image(group.create_group("nuclei"), labels, "yx")
        else:
            write_image(zarr.create_group(path), np.stack([labels] * 5), "zyx")
    else:
        tifffile.imwrite(path, labels, tile=(64, 64))
    if name == "cut":
        path.write_bytes(path.read_bytes()[:-9_000])
    with pytest.raises(PatchError, match=said):
        open_patches(slide, objects=path, crops=FULL)


def test_a_damaged_part_is_said_with_its_place(tmp_path, monkeypatch):
    monkeypatch.setattr(slide_labels, "_PART", 64)
    slide = write_aperio(tmp_path / "a.svs", tissue())
    path = write_zarr(tmp_path / "labels.zarr", drawn_labels())
    (path / "0/c/2/3").write_bytes(b"no longer a chunk")
    with pytest.raises(PatchError, match=r"labels\.zarr is damaged near y 100, x 210"):
        open_patches(slide, objects=path, crops=FULL)


def test_areas_in_pixels_of_the_slide_where_sides_do_not_divide(tmp_path):
    """As programs write levels: sides rounded down."""
    image = tissue(603, 801)
    slide = write_aperio(tmp_path / "a.svs", image)
    labels = smaller(np.repeat(np.repeat(drawn_labels(150, 200), 4, 0), 4, 1), 4)
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    patches = open_patches(slide, objects=tmp_path / "labels.tif")
    wanted = find_objects(labels)
    at = np.searchsorted(wanted.ids, patches.table["label_id"])
    np.testing.assert_array_equal(patches.table["area"], wanted.area[at] * 16)
    np.testing.assert_allclose(
        patches.table["centroid_y"], (wanted.centroids[at, 0] + 0.5) * 4 - 0.5, atol=0.006
    )
