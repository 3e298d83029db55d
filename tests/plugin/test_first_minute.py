"""The first minute: what a newcomer sees and is offered, by real clicks."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QTabBar

from napari_patchmap.plugin.entry.open_all import open_workspace
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.load.offer import count_objects, propose
from napari_patchmap.plugin.qt.docks import PANELS, dock_of, find_panel, show_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def viewer(laptop):
    return laptop


@pytest.fixture
def load(viewer, qtbot):
    """The Load panel of the open workspace."""
    open_workspace(viewer)
    panel = find_panel(viewer, "load")
    qtbot.wait(30)
    return panel


def field(side=96, step=24):
    """An image with square cells in a grid, and their label image."""
    labels = np.zeros((side, side), np.uint16)
    for i, y in enumerate(range(4, side - 12, step)):
        for j, x in enumerate(range(4, side - 12, step)):
            labels[y : y + 12, x : x + 12] = 1 + i * 10 + j
    image = (labels * 5 + np.random.default_rng(0).integers(0, 50, labels.shape)).astype(
        np.uint8
    )
    return image, labels


def loaded(qtbot, panel):
    qtbot.waitUntil(lambda: not panel.loading, timeout=20_000)
    return panel.workspace.patches


def primary(panel):
    """The coloured buttons that are seen in a panel."""
    from qtpy.QtWidgets import QPushButton

    buttons = panel.findChildren(QPushButton)
    return [b for b in buttons if b.property("role") == "primary" and b.isVisible()]


def test_an_empty_panel_offers_the_sample_by_one_button(qtbot, load):
    assert primary(load) == [load.offer.button]
    assert load.offer.button.text() == "Try it with 2,000 blood cells"
    qtbot.mouseClick(load.offer.button, LEFT)
    assert len(loaded(qtbot, load)) == 2000
    assert not load.offer.isVisible()
    assert primary(load) == [load.next]
    qtbot.mouseClick(load.next, LEFT)
    train = find_panel(load.viewer, "train")
    qtbot.waitUntil(lambda: not train.visibleRegion().isEmpty())
    assert primary(train) == [train.button]


def test_open_labels_and_image_are_proposed_and_cut_out_by_one_click(qtbot, load, viewer):
    image, labels = field()
    viewer.add_image(image, name="tissue")
    assert load.offer.proposal.kind == "sample"
    viewer.add_labels(labels, name="cells")
    qtbot.waitUntil(lambda: load.offer.proposal.kind == "objects")
    said = load.offer.button.text().replace("\n", " ")
    assert said == "Use the 16 objects of Labels 'cells' on Image 'tissue'"
    assert load.source.kind.currentData() == "objects"  # and no folder is asked for
    assert primary(load) == [load.offer.button]
    qtbot.mouseClick(load.offer.button, LEFT)
    patches = loaded(qtbot, load)
    assert len(patches) == 16
    assert patches.origin["labels_layer"] == "cells"
    assert load.offer.proposal is None
    assert primary(load) == [load.next]


def test_the_labels_are_set_beside_the_image_that_fits(qtbot, load, viewer):
    image, labels = field()
    viewer.add_image(image, name="tissue")
    viewer.add_image(np.zeros((50, 60)), name="another")
    viewer.add_labels(labels, name="cells")
    qtbot.waitUntil(lambda: load.offer.proposal.kind == "objects")
    qtbot.mouseClick(load.offer.button, LEFT)
    assert loaded(qtbot, load).origin["layer"] == "tissue"


def test_an_empty_labels_layer_is_nothing_to_cut_out_until_it_is_painted(qtbot, load, viewer):
    image, labels = field()
    viewer.add_image(image, name="tissue")
    layer = viewer.add_labels(np.zeros_like(labels), name="cells")
    qtbot.waitUntil(lambda: not load.offer._counter.busy)
    assert load.offer.proposal.kind == "sample"
    layer.data = labels
    qtbot.mouseMove(load.offer)
    load.enterEvent(_enter())
    qtbot.waitUntil(lambda: load.offer.proposal.kind == "objects")


def _enter():
    from qtpy.QtCore import QPointF
    from qtpy.QtGui import QEnterEvent

    return QEnterEvent(QPointF(5, 5), QPointF(5, 5), QPointF(5, 5))


def test_an_open_stack_is_proposed_too(qtbot, load, viewer, cells):
    viewer.add_image(cells.stack(), name="stack", rgb=True)
    assert load.offer.button.text() == "Use the 60 planes\nof Image 'stack'"
    qtbot.mouseClick(load.offer.button, LEFT)
    assert len(loaded(qtbot, load)) == 60


def test_channels_and_single_images_are_not_taken_for_patches(viewer):
    viewer.add_image(np.zeros((4, 60, 60)), name="channels")
    viewer.add_image(np.zeros((60, 60)), name="one")
    assert propose(list(viewer.layers)) is None


def test_what_was_chosen_by_a_person_stays(qtbot, load, viewer, tmp_path):
    load.source.path.edit.setText(str(tmp_path))
    image, labels = field()
    viewer.add_image(image, name="tissue")
    viewer.add_labels(labels, name="cells")
    qtbot.waitUntil(lambda: load.offer.proposal.kind == "objects")
    assert load.source.kind.currentData() == "folder"
    assert primary(load) == [load.button]


def test_other_sources_are_loaded_by_the_coloured_button_again(qtbot, load):
    qtbot.mouseClick(load.offer.button, LEFT)
    loaded(qtbot, load)
    load.source.choose("folder", "/data/cells")
    assert primary(load) == [load.button]


def test_objects_are_counted_plane_by_plane():
    _, labels = field()
    assert count_objects(labels) == 16
    assert count_objects(np.stack([labels, labels, 0 * labels])) == 32


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory):
    """A short real run of the bundled kind of cells, saved."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    fit(make_cells(), RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1)))).save(folder)
    return folder


def test_a_reopened_run_lands_on_explore(qtbot, load, viewer, run_folder):
    load.open_path(run_folder)
    qtbot.waitUntil(lambda: load.workspace.run is not None, timeout=20_000)
    explore = find_panel(viewer, "explore")
    qtbot.waitUntil(lambda: not explore.visibleRegion().isEmpty())
    assert load.visibleRegion().isEmpty()
    assert len(Run.load(run_folder)) == len(load.workspace.patches)


def tabs(viewer):
    window = dock_of(find_panel(viewer, "train")).parent()
    bars = [bar for bar in window.findChildren(QTabBar) if bar.isVisible()]
    listed = [[bar.tabText(i) for i in range(bar.count())] for bar in bars]
    return next((names for names in listed if PANELS["train"].tab in names), [])


def test_a_panel_closed_and_opened_again_returns_to_its_place(qtbot, load, viewer):
    before = tabs(viewer)
    for key in ("explore", "load", "compare"):
        assert PANELS[key].tab in before
        viewer.window.remove_dock_widget(dock_of(find_panel(viewer, key)))
        qtbot.wait(30)
        # As napari's menu does it: beside the others, under a longer name.
        widget = PANELS[key].load()(viewer)
        viewer.window.add_dock_widget(widget, name=PANELS[key].dock_name)
        qtbot.waitUntil(lambda: tabs(viewer) == before, timeout=20_000)
        assert not widget.visibleRegion().isEmpty()


@pytest.mark.usefixtures("make_napari_viewer")  # without notes of before
def test_a_long_note_is_shown_whole(qtbot, load, viewer):
    from qtpy.QtWidgets import QDialog

    from napari_patchmap.plugin.napari_private import canvas_widget

    said = "Each point of the map is a patch, so that points are not edited, moved or deleted."
    workspace_of(viewer).say(said)
    viewer.window._qt_window.activateWindow()

    def notes():
        return [n for n in canvas_widget(viewer).findChildren(QDialog) if n.isVisible()]

    qtbot.waitUntil(lambda: bool(notes()) and bool(notes()[0].property("expanded")))
    (note,) = notes()
    qtbot.waitUntil(lambda: note.height() > 50)


def test_a_map_of_pixels_stands_until_the_network_has_learned(qtbot, viewer, cells):
    open_workspace(viewer)
    workspace, owner = workspace_of(viewer), MapLayer.of(viewer)
    workspace.set_patches(cells)
    train = show_panel(viewer, "train")
    train.form.set_config(
        train.form.config.replace(device="cpu", epochs=(3, 1, 1), batch_size=20)
    )
    seen = []
    workspace.map_changed.connect(lambda places: seen.append(places.copy()))
    said = []
    workspace.provisional_changed.connect(said.append)
    qtbot.mouseClick(train.button, LEFT)
    qtbot.waitUntil(lambda: bool(said), timeout=60_000)
    assert said[0] == "Map of pixels, until the network has learned"
    qtbot.waitUntil(lambda: not workspace.training, timeout=150_000)
    assert said == [said[0], ""]
    assert not owner.note.label.isVisible()
    assert workspace.run is not None
    assert not np.allclose(workspace.run.embedding, seen[0])  # it is never the result
    np.testing.assert_array_equal(workspace.embedding, workspace.run.embedding)
    # A map that stands is left to stand when another one is trained.
    said.clear()
    qtbot.mouseClick(train.button, LEFT)
    qtbot.waitUntil(lambda: not workspace.training, timeout=150_000)
    assert said == []


def test_what_stands_in_for_a_map_says_so_on_the_canvas(qtbot, viewer, cells):
    owner, workspace = MapLayer.of(viewer), workspace_of(viewer)
    workspace.set_patches(cells)
    places = np.random.default_rng(0).normal(size=(60, 2)).astype(np.float32)
    workspace.set_embedding(places, provisional="Map of pixels")
    assert owner.note.label.isVisible()
    assert owner.note.label.text() == "Map of pixels"
    owner.views.show("source")
    assert not owner.note.label.isVisible()
    owner.show_map()
    assert owner.note.label.isVisible()
    workspace.set_embedding(100 * places)
    assert not owner.note.label.isVisible()
    workspace.set_embedding(places, provisional="Map of pixels")
    workspace.set_patches(make_cells(33))
    assert not owner.note.label.isVisible()
    assert workspace.provisional == ""
