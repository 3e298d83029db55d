"""The cells of a slide: brought out on it, clicked there, and found however small they are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import CropConfig, open_patches
from napari_patchmap.plugin.canvas.looking import fit_box
from napari_patchmap.plugin.canvas.two_views import camera_of
from tests.patches.objects.test_outlines import feature, square
from tests.patches.slides.drawn import write_pyramid
from tests.plugin.toy import on_map

ONE_WINDOW = True

#: Corners (x, y) of the cells, 8 pixels wide, on a slide of 3,200 x 2,400.
CELLS = [(x, y) for y in range(300, 2400, 600) for x in range(300, 3200, 600)]


@pytest.fixture
def cells(viewer, workspace, qtbot, tmp_path):
    """A map of the cells of a slide, which is open and to be seen."""
    slide = write_pyramid(tmp_path / "a.tif", np.full((2400, 3200, 3), 240, np.uint8))
    known = [feature([square(*cell, 8)]) for cell in CELLS]
    (tmp_path / "a.geojson").write_text(json.dumps(known))
    crops = CropConfig(size=8)
    patches = open_patches(slide, objects=tmp_path / "a.geojson", crops=crops)
    owner = on_map(viewer, patches, [(i, 3 * i) for i in range(len(patches))])
    owner.opener.open([0])
    qtbot.waitUntil(lambda: bool(owner.places.found))
    owner.views.show("source")
    fit_box(viewer, np.zeros(2), np.array([2400.0, 3200.0]))
    QApplication.processEvents()
    return owner


def lit(owner) -> dict[int, int]:
    """Return the cells that are brought out, and how many pixels around their middles are."""
    (place,) = owner.places.found
    assert place.overlay.visible
    picture, step = np.asarray(place.overlay.data), place.picture.step
    wide = picture != 0
    found = {}
    for row in owner.workspace.patches.table.itertuples():
        y, x = int(row.y + 4) // step, int(row.x + 4) // step
        if wide[y, x]:
            around = 100 // step
            found[row.Index] = int(wide[y - around : y + around, x - around : x + around].sum())
    assert sum(found.values()) == wide.sum()
    return found


def test_chosen_cells_light_up_large_enough_to_be_seen(viewer, workspace, cells):
    pixel = 1 / camera_of(viewer).zoom  # pixels of the slide, of which all is seen
    assert pixel > 4
    workspace.select(np.array([3, 17]))
    (place,) = cells.places.found
    whole = lit(cells)
    assert list(whole) == [3, 17]
    for count in whole.values():
        assert 3 * pixel <= np.sqrt(count) * place.picture.step < 7 * pixel
    # From near they are as large as they are; and dots again from afar.
    camera_of(viewer).zoom *= 40
    assert lit(cells) == {3: 64, 17: 64}
    camera_of(viewer).zoom /= 40
    assert lit(cells) == whole


def test_from_near_the_pixels_of_the_slide_are_seen(viewer, workspace, cells):
    layer = viewer.layers["a.tif"]
    assert layer.data.shape == (2400, 3200, 3)
    np.testing.assert_allclose(layer.extent.world, [[0, 0], [2400, 3200]], atol=1)
    camera_of(viewer).zoom *= 40
    camera_of(viewer).center = (1000, 1500)
    QApplication.processEvents()
    viewer.screenshot(flash=False)
    assert layer.data_level == 0
    camera_of(viewer).zoom /= 40
    QApplication.processEvents()
    viewer.screenshot(flash=False)
    assert layer.data_level == 1


def test_a_cell_is_clicked_where_its_dot_is(viewer, workspace, cells, hand):
    table = workspace.patches.table
    y, x = (float(table[name].iloc[7]) + 3.5 for name in ("y", "x"))
    pixel = 1 / camera_of(viewer).zoom
    workspace.select(np.array([3]))
    hand.click((y + pixel, x + pixel))
    assert workspace.current == 7
    # From near, a cell is no larger than it is.
    workspace.set_current(2)
    camera_of(viewer).zoom *= 40
    camera_of(viewer).center = (y, x)
    hand.click((y + pixel, x + pixel))
    assert workspace.current == 2
    hand.click((y + 3, x - 3))
    assert workspace.current == 7
