"""The images that were open with a run are opened again with it, in their colours."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.kind import Kind
from napari_patchmap.patches import from_array, open_patches
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.plugin.canvas.arrangement import camera_of
from napari_patchmap.plugin.entry.launch import show_run
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.dock_sizes import dock_sizes
from napari_patchmap.plugin.qt.docks import find_panel, show_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.runs.session_file import SESSION
from napari_patchmap.training import fit
from tests.plugin.images import RED, assert_painted, slide, squares, tick
from tests.plugin.toy import Hand, click

LEFT = Qt.MouseButton.LeftButton


def opened(viewer, folder):
    """Open a run as the command line does."""
    run = Run.load(folder)
    show_run(run, reopen_patches(run), block=False, viewer=viewer)
    QApplication.processEvents()
    return workspace_of(viewer), MapLayer.of(viewer)


def saved(patches, folder):
    fit(patches, RunConfig(TrainConfig(device="cpu", method="pixels"))).save(folder)


def session_of(home):
    """Return what is written of the session so far."""
    path = home / "run" / SESSION
    return json.loads(path.read_text()) if path.exists() else {}


@pytest.fixture
def fields(tmp_path):
    """Two fields of view with a label image each, and a run of their objects."""
    rng, home = np.random.default_rng(0), tmp_path / "home"
    for folder in ("images", "masks"):
        (home / folder).mkdir(parents=True)
    for i in range(2):
        pixels = rng.integers(0, 255, (60, 80), np.uint8)
        tifffile.imwrite(home / "images" / f"{i}.tif", pixels)
        tifffile.imwrite(home / "masks" / f"{i}_mask.tif", squares(i))
    saved(open_patches(home / "images", objects=home / "masks"), home / "run")
    return home


def annotate_first(workspace, rows):
    now = workspace.annotations.now.with_class("blast", RED)
    workspace.set_annotations(workspace.annotations.put(now))
    workspace.annotate(np.array(rows), 0)


def test_fields_their_labels_and_the_colours_on_them_come_back(
    make_napari_viewer, qtbot, fields
):
    first = make_napari_viewer(show=True)
    workspace, owner = opened(first, fields / "run")
    first.open(fields / "masks" / "1_mask.tif", plugin="napari", layer_type="labels")
    owner.show_map()
    qtbot.waitUntil(lambda: len(owner.places.found) == 1)
    annotate_first(workspace, [12])  # object 10 of the second field
    owner.colour_by("annotation")
    tick(show_panel(first, "explore").on_image.paint)
    show_panel(first, "image")
    qtbot.waitUntil(lambda: find_panel(first, "image").beside is not None)
    first.window._qt_window.resizeDocks(
        [find_panel(first, "image").parent()], [333], Qt.Orientation.Horizontal
    )
    qtbot.waitUntil(lambda: session_of(fields).get("sizes", {}).get("image") == 333)
    assert session_of(fields).get("images") == [12]
    first.close()
    moved = fields.rename(fields.with_name("moved"))
    again = make_napari_viewer(show=True)
    workspace, owner = opened(again, moved / "run")
    qtbot.waitUntil(lambda: "1_mask.tif" in again.layers)
    assert "1.tif" in again.layers
    assert "0.tif" not in again.layers
    assert owner.views.now == "map"
    qtbot.waitUntil(lambda: len(owner.places.found) == 1)
    assert_painted(again.layers["1_mask.tif"], n10=RED, n20="")
    assert find_panel(again, "explore").on_image.paint.isChecked()
    qtbot.waitUntil(lambda: find_panel(again, "image").beside is not None)
    beside = find_panel(again, "image").beside
    qtbot.waitUntil(lambda: len(beside.twins.sources) == 2)
    qtbot.waitUntil(lambda: dock_sizes(again)["image"] == 333)
    place = owner.places.found[0]
    hand = Hand(beside.model, qtbot)
    qtbot.wait(50)  # the canvas follows the dock
    hand.click(place.corners(14).mean(axis=0))
    assert workspace.current == 14
    assert again.layers.selection.active is owner.points  # the mouse is still the map's
    # Taken away by hand, they do not come back the next time.
    for name in ("1.tif", "1_mask.tif"):
        again.layers.remove(name)
    qtbot.waitUntil(lambda: session_of(moved).get("images") == [])


def test_the_image_beside_the_map_is_looked_at_where_it_was(make_napari_viewer, qtbot, fields):
    def opened_beside(viewer):
        qtbot.waitUntil(lambda: find_panel(viewer, "image").beside is not None)
        beside = find_panel(viewer, "image").beside
        qtbot.waitUntil(lambda: len(beside.twins.sources) == 2)
        return camera_of(beside.model)

    first = make_napari_viewer(show=True)
    opened(first, fields / "run")
    first.open(fields / "masks" / "1_mask.tif", plugin="napari", layer_type="labels")
    first.open(fields / "images" / "1.tif", plugin="napari")
    show_panel(first, "image")
    camera = opened_beside(first)
    camera.center, camera.zoom = (0, 20, 30), 7.5
    qtbot.waitUntil(lambda: "beside" in session_of(fields).get("cameras", {}))
    first.close()
    again = make_napari_viewer(show=True)
    opened(again, fields / "run")
    camera = opened_beside(again)
    qtbot.waitUntil(lambda: tuple(camera.center) == (0, 20, 30))
    assert camera.zoom == 7.5
    click(find_panel(again, "image").whole)  # where it fits it will fit the next time, too
    qtbot.waitUntil(lambda: "beside" not in session_of(fields)["cameras"])
    assert camera.zoom != 7.5


def test_images_that_are_gone_are_said_and_asked_for_again_the_next_time(viewer, qtbot, fields):
    said = []
    workspace_of(viewer).status_changed.connect(said.append)
    values = {"version": 1, "images": [0, 12]}
    (fields / "run" / SESSION).write_text(json.dumps(values))
    run = Run.load(fields / "run")
    patches = reopen_patches(run)
    shutil.rmtree(fields / "masks")
    show_run(run, patches, block=False, viewer=viewer)
    qtbot.waitUntil(lambda: len(said) > 0)
    assert len(said) == 1
    assert str(fields / "masks") in said[0]
    MapLayer.of(viewer).colour_by("area")
    qtbot.waitUntil(lambda: session_of(fields).get("colour_by") == "area")
    assert session_of(fields).get("images") == [0, 12]


def test_the_dock_opens_the_image_of_the_patch_that_is_looked_at(viewer, qtbot, fields):
    viewer.window.resize(1300, 700)
    workspace, owner = opened(viewer, fields / "run")
    panel = show_panel(viewer, "image")
    qtbot.waitUntil(lambda: panel.beside is not None)
    workspace.set_current(14)  # object 30 of the second field
    assert panel.open.isVisible()
    QTest.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: {"1.tif", "1_mask.tif"} <= {ly.name for ly in viewer.layers})
    qtbot.waitUntil(lambda: panel.beside.canvas.isVisible())
    assert owner.views.now == "map"
    assert not viewer.layers["1.tif"].visible
    np.testing.assert_array_equal(viewer.layers["1_mask.tif"].data, squares(1))
    qtbot.waitUntil(lambda: len(panel.beside.on_images.places.found) == 1)
    assert panel.beside.on_images.places.sees(14)
    workspace.set_current(0)  # of the other one, which is not open
    assert not panel.beside.on_images.places.sees(0)


def test_a_slide_is_opened_again_and_looked_at_where_it_was(
    make_napari_viewer, qtbot, tmp_path
):
    path = slide(tmp_path / "slide.tif", (640, 800))
    patches = open_patches(path, tiles=TileConfig(size=64))
    saved(patches, tmp_path / "run")
    first = make_napari_viewer(show=True)
    workspace, owner = opened(first, tmp_path / "run")
    assert owner.opener.can_open(0)
    panel = show_panel(first, "image")
    qtbot.waitUntil(panel.open.isVisible)
    QTest.mouseClick(panel.open, LEFT)
    qtbot.waitUntil(lambda: len(owner.places.found) == 1)
    annotate_first(workspace, [3])
    owner.colour_by("annotation")
    owner.image_colours.switch(True)
    owner.views.show("source")
    camera_of(first).center, camera_of(first).zoom = (0, 200, 150), 1.5
    qtbot.waitUntil(lambda: "slide.tif (colours)" in first.layers)
    qtbot.waitUntil(lambda: session_of(tmp_path).get("view") == "source")
    first.close()
    assert session_of(tmp_path).get("images") == [0]
    again = make_napari_viewer(show=True)
    workspace, owner = opened(again, tmp_path / "run")
    qtbot.waitUntil(lambda: owner.views.now == "source")
    qtbot.waitUntil(lambda: "slide.tif (colours)" in again.layers)
    assert (tuple(camera_of(again).center), camera_of(again).zoom) == ((0, 200, 150), 1.5)
    workspace.clear_selection()
    hand = Hand(again, qtbot)
    hand.click(owner.places.found[0].corners(3).mean(axis=0))
    assert workspace.current == 3
    # The Load panel, which has the same slide in its field, does not open it twice.
    load = find_panel(again, "load")
    load.open_path(path)
    qtbot.waitUntil(lambda: "slide.tif (tiles)" in again.layers)
    assert (
        sum(ly.name.startswith("slide.tif") and "(" not in ly.name for ly in again.layers) == 1
    )


def test_a_stack_that_was_a_layer_is_found_by_its_file_and_seen_again(
    make_napari_viewer, qtbot, tmp_path
):
    stack = np.random.default_rng(0).integers(0, 255, (12, 16, 16), np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", stack)
    first = make_napari_viewer(show=True)
    load = show_panel(first, "load")
    first.open(tmp_path / "stack.tif", plugin="napari")
    load.source.choose(Kind.LAYER, "stack")
    load.load()
    workspace = workspace_of(first)
    qtbot.waitUntil(lambda: workspace.patches is not None)
    saved(workspace.patches, tmp_path / "run")
    run = Run.load(tmp_path / "run")
    workspace.set_run(run)
    owner = MapLayer.of(first)
    workspace.set_current(5)
    assert first.dims.current_step[0] == 5
    qtbot.waitUntil(lambda: session_of(tmp_path).get("stack"))
    first.close()
    again = make_napari_viewer(show=True)
    workspace, owner = opened(again, tmp_path / "run")
    qtbot.waitUntil(lambda: owner.link.layer is not None)
    assert (owner.views.now, workspace.current) == ("map", 5)
    workspace.set_current(7)
    assert again.dims.current_step[0] == 7
    np.testing.assert_array_equal(workspace.patches.images[7][..., 0], stack[7])


def test_patches_of_an_array_name_no_file():
    assert "file" not in from_array(np.zeros((3, 9, 9), np.uint8), name="a").origin
