"""Objects of slides in each format: crops are the pixels that the slide's own reader gives."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_patchmap.patches import CropConfig, open_patches
from napari_patchmap.patches.readers.slides.tiles import open_slide
from tests.patches.dicoms.dicom_files import write_level
from tests.patches.objects.test_slide_objects import CELLS, geojson, table
from tests.patches.plates.drawn_plate import write_image
from tests.patches.slides.drawn import smaller, tissue, write_aperio


def write_slide(folder: Path, kind: str) -> Path:
    """Write the same tissue at 0.5 µm per pixel, with a copy of half or a quarter its size."""
    image = tissue()
    if kind == "svs":
        return write_aperio(folder / "a.svs", image)
    if kind == "zarr":
        group = zarr.create_group(folder / "a.zarr")
        pixels = np.ascontiguousarray(np.moveaxis(image, -1, 0))
        write_image(group, pixels, levels=3, mpp=0.5, chunks=(3, 100, 130))
        return folder / "a.zarr"
    (folder / "a").mkdir()
    for level in range(2):
        small = smaller(image, 2**level)
        write_level(folder / "a" / f"{level}.dcm", small, tile=64, mpp=0.5 * 2**level)
    return folder / "a"


def write_labels(folder: Path, step: int = 1) -> Path:
    """Write the label image of the cells, at a size that is smaller by ``step``."""
    labels = np.zeros((600, 800), np.uint16)
    for number, (x, y, side) in enumerate(CELLS, start=1):
        labels[y : y + side, x : x + side] = number
    tifffile.imwrite(folder / "labels.ome.tif", labels[::step, ::step], tile=(64, 64))
    return folder / "labels.ome.tif"


@pytest.mark.parametrize("kind", ["svs", "zarr", "dicom"])
def test_crops_are_what_the_reader_of_the_slide_gives(tmp_path, kind):
    slide = write_slide(tmp_path, kind)
    reader = open_slide(slide)
    step = int(reader.levels[1].downsample)
    for objects in (
        geojson(tmp_path / "a.geojson"),
        table(tmp_path / "a.tsv", images=[slide.name] * len(CELLS)),
        write_labels(tmp_path),
    ):
        for crops, by in (
            (CropConfig(size=32, level=0), 1),
            (CropConfig(size=8, level=1), step),
            (CropConfig(size=8, mpp=0.5 * step), step),
        ):
            patches = open_patches(slide, objects=objects, crops=crops)
            assert sorted(patches.table["label_id"]) == [1, 2, 3, 4]
            assert patches.channel_names == ("red", "green", "blue")
            assert patches.mpp == pytest.approx(0.5 * by)
            for row in patches.table.itertuples():
                x, y, side = CELLS[row.label_id - 1]
                middle = row.x + row.width / 2, row.y + row.height / 2
                np.testing.assert_allclose(middle, (x + side / 2, y + side / 2), atol=by)
                at = reader.levels[1 if by > 1 else 0]
                box = row.y // by, row.x // by, row.height // by, row.width // by
                assert at.downsample == by
                expected = reader.read(1 if by > 1 else 0, *box)
                np.testing.assert_array_equal(patches.images[row.Index], expected)


def test_one_file_of_a_slide_in_dicom_stands_for_all(tmp_path):
    slide = write_slide(tmp_path, "dicom")
    objects = geojson(tmp_path / "a.geojson")
    crops = CropConfig(size=8, level=1)
    whole = open_patches(slide, objects=objects, crops=crops)
    one = open_patches(slide / "0.dcm", objects=objects, crops=crops)
    np.testing.assert_array_equal(one.stack(), whole.stack())


@pytest.mark.parametrize("kind", ["svs", "zarr", "dicom"])
def test_labels_of_half_the_size_mask_the_same_background(tmp_path, kind):
    """The sides of the cells are even, so that nothing is lost."""
    slide = write_slide(tmp_path, kind)
    crops = CropConfig(size=32, level=0, mask_background=True)
    half, full = (
        open_patches(slide, objects=write_labels(tmp_path, step), crops=crops)
        for step in (2, 1)
    )
    np.testing.assert_array_equal(half.stack(), full.stack())
    columns = ["label_id", "y", "x", "area", "centroid_y", "centroid_x"]
    assert half.table[columns].equals(full.table[columns])
    assert any("labels.ome.tif spans 2 pixels" in note for note in half.notes)
    for row in full.table.itertuples():
        x, y, side = CELLS[row.label_id - 1]
        own = np.zeros((32, 32), bool)
        own[y - row.y : y - row.y + side, x - row.x : x - row.x + side] = True
        whole = open_slide(slide).read(0, row.y, row.x, 32, 32)
        crop = full.images[row.Index]
        np.testing.assert_array_equal(crop[own], whole[own])
        assert len(np.unique(crop[~own], axis=0)) == 1
