"""Objects of slides after they were loaded: the slide behind the map, outlines for QuPath."""

from __future__ import annotations

import json

import numpy as np

from napari_patchmap.patches import open_patches
from napari_patchmap.patches.watch import Watch
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


def test_rings_become_the_polygons_that_they_were():
    """Holes follow what they are in; an open ring is closed."""
    outer, hole = np.array(square(0, 0, 9)), np.array(square(2, 2, 3))[::-1]
    other = np.array(square(20, 0, 5))
    assert drawn([outer]) == {"type": "Polygon", "coordinates": [outer.tolist()]}
    assert drawn([outer[:-1], hole, other]) == {
        "type": "MultiPolygon",
        "coordinates": [[outer.tolist(), hole.tolist()], [other.tolist()]],
    }
