"""Missing images of a run are shown as missing, located and linked; nothing is shifted."""

from __future__ import annotations

import shutil

import imagecodecs
import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_patchmap.patches import from_array, from_objects, open_patches
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.compare.compare import CompareMaps
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
from napari_patchmap.plugin.panels.train.train_map import TrainMap
from napari_patchmap.runs import Run, RunConfig, TrainConfig, runs_home
from napari_patchmap.training import fit
from tests.conftest import make_cells, run_of

ONE_WINDOW = True

CONFIG = RunConfig(TrainConfig(method="pixels", device="cpu"))
COUNT = 24


@pytest.fixture(scope="module")
def cells():
    return make_cells(COUNT).stack()


@pytest.fixture(scope="module")
def one(cells):
    """A run of an image layer."""
    return fit(from_array(cells, name="cells", rgb=True), CONFIG)


@pytest.fixture
def saved(cells, one, tmp_path):
    """A run of a folder from which two images were taken away."""
    for i, cell in enumerate(cells):
        path = tmp_path / "img" / f"{i:02d}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(imagecodecs.png_encode(cell))
    patches = open_patches(tmp_path / "img")
    run_of(one, patches).save(tmp_path / "run")
    (tmp_path / "out").mkdir()
    for i in (4, 9):
        shutil.move(tmp_path / "img" / f"{i:02d}.png", tmp_path / "out" / f"moved {i}.png")
    return tmp_path


@pytest.fixture
def panel(viewer, qtbot):
    MapLayer.of(viewer)
    widget = LoadPatches(viewer)
    viewer.window.add_dock_widget(widget, name="Load")
    return widget


def load(qtbot, panel, kind, path=""):
    panel.source.choose(kind, path)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.loading, timeout=15_000)


def test_missing_images_are_marked_counted_and_located(
    qtbot, monkeypatch, viewer, panel, saved, cells
):
    explore, train = Explore(viewer), TrainMap(viewer)
    for widget in (explore, train):
        viewer.window.add_dock_widget(widget, name=type(widget).__name__)
    load(qtbot, panel, "run", saved / "run")
    workspace, locate = panel.workspace, panel.locate
    assert workspace.patches.missing.tolist() == [4, 9]
    assert locate.message.text.startswith("2 of 24 images of this run are not there")
    assert "2 of them are missing" in panel.summary.facts.text()
    assert explore.locate.isVisibleTo(explore)
    assert not locate.link.isVisibleTo(locate)
    assert "2 of 24 images of this run are not in" in panel.summary.notes.text()
    np.testing.assert_array_equal(workspace.patches[5], cells[5])
    # What stands for an image that is missing is no image, on the card or anywhere.
    picture = MapLayer.of(viewer).thumbnails.get(4, 64, 1.0).toImage()
    greys = {picture.pixelColor(x, 32).lightness() for x in range(0, 64, 4)}
    assert min(greys) > 30
    assert len(greys) > 1
    train.start()
    qtbot.waitUntil(lambda: not workspace.training and train.message.text != "", timeout=15_000)
    assert "2 of the 24 images of img are missing" in train.message.text
    locate.locate(saved / "run")
    qtbot.waitUntil(lambda: locate.message.level == "error", timeout=15_000)
    assert workspace.patches.missing.tolist() == [4, 9]
    workspace.select(np.array([2, 4]))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(saved / "out"))
    qtbot.mouseClick(locate.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(workspace.patches.missing) == 0, timeout=15_000)
    np.testing.assert_array_equal(workspace.patches.stack(), cells)
    assert workspace.run.folder == (saved / "run").resolve()
    assert workspace.selection.tolist() == [2, 4]
    assert not explore.locate.isVisibleTo(explore)
    assert not locate.isVisibleTo(panel)


def test_one_of_the_images_tells_where_all_of_them_are(
    qtbot, monkeypatch, viewer, panel, saved, cells
):
    for path in (saved / "out").iterdir():
        path.rename(saved / "img" / f"{int(path.stem.split()[1]):02d}.png")
    (saved / "disk").mkdir()
    (saved / "img").rename(saved / "disk" / "img")
    load(qtbot, panel, "run", saved / "run")
    workspace, owner, locate = panel.workspace, MapLayer.of(viewer), panel.locate
    assert len(workspace.patches.missing) == COUNT
    assert locate.other.text() == "by one of them…"
    owner.colour_by("")
    workspace.select(np.array([3, 5]))
    one = str(saved / "disk" / "img" / "07.png")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (f"{one}.gone", ""))
    qtbot.mouseClick(locate.other, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: f"There is no file or folder {one}.gone" in locate.message.text)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (one, ""))
    qtbot.mouseClick(locate.other, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(workspace.patches.missing) == 0)
    np.testing.assert_array_equal(workspace.patches.stack(), cells)
    assert owner.colouring.column == ""
    assert workspace.selection.tolist() == [3, 5]
    load(qtbot, panel, "run", saved / "run")  # again: nobody is asked
    assert len(workspace.patches.missing) == 0


@pytest.fixture
def layered(viewer, cells, one):
    """A run of an open layer, kept among those that napari trained, and the layer."""
    one.save(runs_home() / "one")
    # On a busy computer napari's list of layers paints rows that are gone by then.
    viewer.window._qt_viewer.dockLayerList.hide()
    layer = viewer.add_image(cells, name="cells", rgb=True)
    QApplication.processEvents()
    return layer


def test_a_run_of_a_layer_is_linked_while_it_is_open(qtbot, viewer, panel, layered, cells):
    layered.name = "renamed"
    QApplication.processEvents()
    viewer.add_image(255 - cells, name="cells", rgb=True)
    QApplication.processEvents()
    load(qtbot, panel, "run", runs_home() / "one")
    workspace = panel.workspace
    np.testing.assert_array_equal(workspace.patches.stack(), cells)
    owner = MapLayer.of(viewer)
    assert owner.link.layer is layered
    workspace.set_current(7)
    assert viewer.dims.current_step[0] == 7


def test_a_run_of_a_layer_is_linked_when_it_is_opened_later(
    qtbot, viewer, panel, layered, cells
):
    viewer.layers.remove(layered)
    QApplication.processEvents()
    load(qtbot, panel, "run", runs_home() / "one")
    locate, workspace = panel.locate, panel.workspace
    assert "None of the images" in locate.message.text
    assert len(workspace.patches.missing) == COUNT
    viewer.add_image(cells, name="again", rgb=True)
    qtbot.mouseClick(locate.link, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(workspace.patches.missing) == 0, timeout=15_000)
    np.testing.assert_array_equal(workspace.patches.stack(), cells)


def test_a_run_of_objects_is_linked_while_their_layers_are_open(qtbot, viewer, panel, one):
    viewer.window._qt_viewer.dockLayerList.hide()
    rng = np.random.default_rng(3)
    image, objects = rng.integers(0, 255, (90, 120), np.uint8), np.zeros((90, 120), np.int32)
    for k in range(COUNT):
        y, x = 3 + 20 * (k // 6), 3 + 18 * (k % 6)
        objects[y : y + 10, x : x + 8 + k % 3] = 40 - k
    patches = from_objects(image, objects, name="cells", labels_name="nuclei")
    run_of(one, patches).save(runs_home() / "field")
    viewer.add_image(255 - image, name="cells")
    viewer.add_image(image, name="day 3")
    layer = viewer.add_labels(objects, name="nuclei of day 3")
    QApplication.processEvents()
    load(qtbot, panel, "run", runs_home() / "field")
    workspace, owner = panel.workspace, MapLayer.of(viewer)
    assert workspace.patches.missing.size == 0
    np.testing.assert_array_equal(workspace.patches.stack(), patches.stack())
    qtbot.waitUntil(lambda: bool(owner.places.found), timeout=15_000)
    assert owner.places.found[0].layer is layer


def test_saved_maps_of_a_layer_are_offered_without_a_training(qtbot, viewer, panel, layered):
    compare = CompareMaps(viewer)
    viewer.window.add_dock_widget(compare, name="Compare")
    load(qtbot, panel, "layer", "cells")
    qtbot.waitUntil(lambda: compare.table.rowCount() == 1, timeout=15_000)
    assert compare.missing == ""
    assert "mark one" in compare.none.text()
    compare.table.selectRow(0)
    qtbot.mouseClick(compare.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: compare.workspace.run is not None, timeout=15_000)
    wanted = Run.load(runs_home() / "one").embedding
    np.testing.assert_array_equal(compare.workspace.embedding, wanted)


def test_a_saved_map_of_other_pixels_is_no_map_of_a_layer(qtbot, viewer, panel, layered, cells):
    compare = CompareMaps(viewer)
    viewer.window.add_dock_widget(compare, name="Compare")
    layered.data = 255 - cells
    load(qtbot, panel, "layer", "cells")
    qtbot.waitUntil(lambda: compare.table.rowCount() == 1, timeout=15_000)
    compare.table.selectRow(0)
    qtbot.mouseClick(compare.open, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: compare.message.text != "", timeout=15_000)
    assert "map of other patches" in compare.message.text
    assert compare.workspace.run is None
