"""The cells of a slide: brought out on it, clicked there, and found however small they are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import CropConfig, open_patches
from napari_patchmap.plugin.canvas.looking import fit_box
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.source.painting import EDGE, BoxPicture
from tests.patches.objects.test_outlines import feature, square
from tests.patches.slides.drawn import write_pyramid
from tests.plugin.images import BLUE, RED, tick
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


def coloured(viewer, place, red: bool) -> int:
    """Count the pixels of the screen around a place (y, x) that are red, or blue."""
    picture = viewer.screenshot(flash=False)[..., :3].astype(int)
    camera = camera_of(viewer)
    away = (np.array(place) - np.array(camera.center[-2:])) * camera.zoom
    middle = away + np.array(picture.shape[:2]) / 2
    (top, left), (bottom, right) = np.rint([middle - 12, middle + 12]).astype(int)
    around = picture[max(0, top) : bottom, max(0, left) : right]
    strong, weak = (around[..., 0], around[..., 2])[:: 1 if red else -1]
    return int((strong > weak + 40).sum())


def test_cells_have_the_colours_of_the_map_from_afar_and_from_near(
    viewer, workspace, cells, qtbot
):
    panel = Explore(viewer)
    viewer.window.add_dock_widget(panel, name="Explore")
    now = workspace.annotations.now.with_class("a", RED).with_class("b", BLUE)
    workspace.set_annotations(workspace.annotations.put(now))
    workspace.annotate(np.array([3]), 0)
    workspace.annotate(np.array([17]), 1)
    cells.colour_by("annotation")
    tick(panel.on_image.paint)
    QApplication.processEvents()
    fit_box(viewer, np.zeros(2), np.array([2400.0, 3200.0]))  # beside the panel
    QApplication.processEvents()
    places = workspace.patches.table[["y", "x"]].to_numpy() + 3.5
    # A cell is not two pixels wide where all of the slide is seen.
    assert 8 * camera_of(viewer).zoom < 2
    assert 9 <= coloured(viewer, places[3], red=True) <= 100
    assert coloured(viewer, places[3], red=False) == 0
    assert 9 <= coloured(viewer, places[17], red=False) <= 100
    layer = viewer.layers["a.tif (colours)"]
    afar = layer.opacity
    camera_of(viewer).zoom *= 40
    camera_of(viewer).center = tuple(places[3])
    QApplication.processEvents()
    assert layer.opacity < afar / 2  # the cell is seen through it
    assert coloured(viewer, places[3], red=True) > 400
    # As large as it is, and no larger: crops are 8 pixels wide, of which it fills 64.
    np.testing.assert_allclose(layer.size, 2 * np.sqrt(64 / np.pi), atol=0.2)
    tick(panel.on_image.paint)
    assert layer not in viewer.layers


def test_from_afar_a_cell_is_hit_beside_it(viewer, workspace, cells, hand):
    y, x = workspace.patches.table[["y", "x"]].to_numpy()[7] + 3.5
    pixel = 1 / camera_of(viewer).zoom
    hand.click((y + 5, x + pixel))
    assert workspace.current == 7


def test_many_chosen_cells_do_not_cover_the_slide():
    """A tenth of 100,000 cells, seen from so far that a pixel spans 100 of a slide."""
    side, count = 60_000, 100_000
    corners = np.random.default_rng(0).integers(0, side - 64, (count, 2))
    boxes = np.concatenate([corners, np.full((count, 2), 64)], axis=1)
    picture = BoxPicture(boxes, np.zeros(count, int), (side, side))
    assert picture.seen_at(100)

    def share(chosen: int) -> float:
        """How much of the slide each of so many dots covers, in pixels of the screen."""
        lit = picture.draw(0, np.arange(count) < chosen) == EDGE
        return float(lit.mean() * (side / 100) ** 2 / chosen)

    assert 9 <= share(10) <= 50
    assert 2 <= share(count // 10) < 9  # each is to be seen, and what lies between
