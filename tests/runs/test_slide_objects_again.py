"""Objects of slides after they were loaded: the slide behind the map, outlines for QuPath."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tifffile

from napari_patchmap.patches import CropConfig, open_patches
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, fill
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs.export.export_format import Exportable
from napari_patchmap.runs.export.geojson_export import FORMAT
from napari_patchmap.runs.export.outlines import drawn
from napari_patchmap.runs.source_images import has_source_images, read_source_images
from tests.patches.objects.test_outlines import feature, square
from tests.patches.slides.drawn import tissue, write_aperio


def test_the_slide_is_what_lies_behind_the_map(tmp_path):
    slide = write_aperio(tmp_path / "a.svs", tissue())
    cells = [feature([square(x, 50, 20)]) for x in (20, 80, 200)]
    (tmp_path / "a.geojson").write_text(json.dumps(cells))
    patches = open_patches(slide, objects=tmp_path / "a.geojson")
    assert has_source_images(patches.origin)
    images, trouble = read_source_images(patches.origin, ["a.svs"], Watch())
    assert trouble == ""
    assert [(one.source, one.scale, one.rgb) for one in images] == [("a.svs", 1.0, True)]
    assert images[0].pixels.shape == (1, 600, 800, 3)


@pytest.mark.parametrize("step", [1, 2])
def test_labels_of_a_slide_are_exported_as_the_outlines_that_they_have(tmp_path, step):
    """Filled again they are the labels, in pixels of the slide."""
    slide = write_aperio(tmp_path / "a.svs", tissue())
    labels = np.zeros((600, 800), np.uint16)
    for number, (x, y) in enumerate([(20, 50), (300, 402), (126, 120)], start=7):
        labels[y : y + 16, x : x + 12] = labels[y + 4 : y + 10, x : x + 20] = number
    tifffile.imwrite(tmp_path / "labels.tif", labels[::step, ::step], tile=(64, 64))
    crops = CropConfig(level=0)
    patches = open_patches(slide, objects=tmp_path / "labels.tif", crops=crops)
    table = patches.table.assign(index=range(3))
    known = Exportable(
        "a", "pixels", {}, np.arange(3), table, np.zeros((3, 2), np.float32), None, "",
        np.full(3, "", object), {}, patches.origin, lambda: patches, Watch(),
    )  # fmt: skip
    _, notes = FORMAT.write(known, tmp_path / "out.geojson")
    assert notes == []
    features = json.loads((tmp_path / "out.geojson").read_text())["features"]
    painted = np.zeros_like(labels)
    for number, one in zip(table["label_id"], features, strict=True):
        rings = [np.array(ring, float) for ring in one["geometry"]["coordinates"]]
        rows, columns, inside = fill(Outline(rings), labels.shape)
        painted[rows, columns][inside] = number
    np.testing.assert_array_equal(painted, labels)


def test_rings_become_the_polygons_that_they_were():
    """Holes follow what they are in; an open ring is closed."""
    outer, hole = np.array(square(0, 0, 9)), np.array(square(2, 2, 3))[::-1]
    other = np.array(square(20, 0, 5))
    assert drawn([outer]) == {"type": "Polygon", "coordinates": [outer.tolist()]}
    assert drawn([outer[:-1], hole, other]) == {
        "type": "MultiPolygon",
        "coordinates": [[outer.tolist(), hole.tolist()], [other.tolist()]],
    }
