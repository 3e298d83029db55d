"""More like an image from elsewhere, and by the features of other maps, by real events."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Picture
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.annotate.annotate import Annotate
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from napari_patchmap.plugin.qt.docks import find_panel, show_panel
from napari_patchmap.plugin.workspace import Compared
from napari_patchmap.runs import RunConfig, TrainConfig, read_map
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import drop

ONE_WINDOW = True


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Cells, the map of their pixels, and a saved map by other features, in another order."""
    cells = make_cells(120)
    run = fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))
    other = run.picked(np.random.default_rng(0).permutation(120))
    other.rows = None
    other.features = other.features[:, :30]
    return cells, run, other.save(tmp_path_factory.mktemp("runs") / "other")


@pytest.fixture
def panel(viewer, workspace, made):
    """The panel Annotate beside a map and the gallery."""
    cells, run, _ = made
    workspace.set_patches(cells)
    workspace.set_run(run)
    show_panel(viewer, "gallery")
    widget = show_panel(viewer, "annotate")
    QApplication.processEvents()
    return widget


def write(path, pixels):
    Picture.fromarray(pixels).save(path)
    return path


def wait(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.likeness.asking.running)


def nearest(features, row, count):
    away = np.linalg.norm(features - features[row], axis=1)
    return np.argsort(away, kind="stable")[:count]


def test_an_image_dropped_on_the_panel_is_placed_and_the_nearest_are_shown(
    panel, viewer, workspace, qtbot, tmp_path, made
):
    path = write(tmp_path / "a cell.png", made[0].stack()[7])
    assert drop(panel, path)
    wait(qtbot, panel)
    wanted = nearest(made[1].features, 7, 60)
    np.testing.assert_array_equal(workspace.selection, np.sort(wanted))
    assert "a cell.png" in panel.likeness.said.text()
    places = made[1].embedding
    away = np.linalg.norm(viewer.layers["placed: a cell.png"].data[0] - places[7])
    assert away < 0.2 * np.ptp(places)
    gallery = find_panel(viewer, "gallery")
    assert isinstance(gallery, Gallery)
    assert gallery.grid.patches.indices[0] == 7


def test_a_button_asks_for_the_file(panel, workspace, qtbot, tmp_path, made, monkeypatch):
    path = write(tmp_path / "b.png", made[0].stack()[8])
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    QTest.mouseClick(panel.likeness.image, Qt.MouseButton.LeftButton)
    wait(qtbot, panel)
    assert 8 in workspace.selection


def test_the_gallery_takes_images_too_and_wrong_ones_are_said(
    panel, viewer, workspace, qtbot, tmp_path, made
):
    gallery = find_panel(viewer, "gallery")
    workspace.select(np.array([3]))
    (tmp_path / "text.png").write_text("not an image")
    assert drop(gallery, tmp_path / "text.png")
    wait(qtbot, panel)
    assert str(tmp_path / "text.png") in panel.likeness.said.text()
    assert drop(gallery, write(tmp_path / "grey.png", made[0].stack()[7, ..., 0]))
    wait(qtbot, panel)
    assert "1 channel" in panel.likeness.said.text()
    assert workspace.selection.tolist() == [3]
    assert not drop(gallery, tmp_path / "text.png", tmp_path / "grey.png")
    workspace.set_patches(made[0])
    assert drop(gallery, tmp_path / "grey.png")
    assert "Train or open a map first" in panel.likeness.said.text()
    assert not panel.likeness.image.isEnabled()


def test_hidden_patches_are_not_found(panel, viewer, workspace, qtbot, made):
    shown = np.ones(120, bool)
    shown[nearest(made[1].features, 5, 30)] = False
    shown[5] = True
    MapLayer.of(viewer).points.shown = shown
    workspace.select(np.array([5]))
    QTest.mouseClick(panel.likeness.alike, Qt.MouseButton.LeftButton)
    wait(qtbot, panel)
    assert len(workspace.selection) == 60
    assert shown[workspace.selection].all()


def test_maps_that_are_compared_say_what_is_like_it_by_their_features(
    panel, workspace, qtbot, made
):
    cells, run, folder = made
    assert not panel.likeness.by.isVisibleTo(panel)
    saved = read_map(folder)
    workspace.set_compared([Compared(saved, saved.read_for(run.who))])
    assert panel.likeness.by.isVisibleTo(panel)
    panel.likeness.by.setFocus()
    QTest.keyClick(panel.likeness.by, Qt.Key.Key_Down)
    workspace.select(np.array([5]))
    QTest.mouseClick(panel.likeness.alike, Qt.MouseButton.LeftButton)
    wait(qtbot, panel)
    wanted = nearest(run.features[:, :30], 5, 61)[1:]
    np.testing.assert_array_equal(workspace.selection, np.sort(wanted))
    assert saved.title in panel.likeness.said.text()
    workspace.set_compared(())
    assert panel.likeness.by.currentData() is None
    assert isinstance(panel, Annotate)
    assert len(cells) == 120
