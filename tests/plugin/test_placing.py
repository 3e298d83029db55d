"""New images on an old map: placed from the Load panel, shown as a layer, told when unlike."""

from __future__ import annotations

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_patchmap.plugin.canvas.looking import to_canvas
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import words_on_card

ONE_WINDOW = True


@pytest.fixture(scope="module")
def run():
    config = RunConfig(TrainConfig(device="cpu", epochs=(3, 1, 1), batch_size=20))
    return fit(make_cells(), config)


@pytest.fixture
def panel(load_panel):
    return load_panel


@pytest.fixture
def opened(panel, run):
    """The panel of a viewer that shows the map of some cells."""
    panel.workspace.set_patches(make_cells())
    panel.workspace.set_run(run)
    return panel


def write(path, cells):
    np.savez(path, images=cells.stack())
    return path


def place(qtbot, panel, path):
    panel.source.choose("stack", path)
    qtbot.waitUntil(lambda: not panel.source.path.recognising, timeout=15_000)
    qtbot.mouseClick(panel.place_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.loading, timeout=30_000)


def test_it_is_offered_with_a_map_only(panel, run):
    assert not panel.place_button.isVisible()
    panel.workspace.set_patches(make_cells())
    panel.workspace.set_run(run)
    assert panel.place_button.isVisible()
    panel.workspace.set_patches(make_cells(30))
    assert not panel.place_button.isVisible()


def test_new_images_become_a_layer_on_the_map(qtbot, opened, run, tmp_path):
    new = make_cells(45, seed=7)
    before = opened.workspace.patches
    place(qtbot, opened, write(tmp_path / "new cells.npz", new))
    viewer = opened.viewer
    layer = next(ly for ly in viewer.layers if ly.name.startswith("placed: new cells"))
    np.testing.assert_allclose(layer.data, run.transform(new), atol=1e-4)
    assert "unlikeness" in layer.features
    assert layer.visible
    assert opened.workspace.patches is before
    assert opened.workspace.run is run
    np.testing.assert_array_equal(viewer.layers["map"].data, run.embedding)
    assert "45 patches of new cells" in opened.message.text
    assert "unlike" not in opened.message.text
    place(qtbot, opened, tmp_path / "new cells.npz")
    assert sum(ly.name.startswith("placed:") for ly in viewer.layers) == 1


def test_unlike_images_are_told(qtbot, opened, tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (30, 40, 40, 3), np.uint8)
    np.save(tmp_path / "noise.npy", noise)
    place(qtbot, opened, tmp_path / "noise.npy")
    assert "are 40 x 40 px, those of the map 16 x 16" in opened.message.text


def test_other_channels_are_one_sentence(qtbot, opened, tmp_path):
    np.save(tmp_path / "grey.npy", np.zeros((20, 16, 16), np.uint8))
    place(qtbot, opened, tmp_path / "grey.npy")
    assert opened.message.level == "error"
    assert "channel" in opened.message.text
    assert not any(ly.name.startswith("placed:") for ly in opened.viewer.layers)


def test_placed_points_go_with_their_map(qtbot, opened, tmp_path):
    place(qtbot, opened, write(tmp_path / "new.npz", make_cells(20, seed=7)))
    assert any(ly.name.startswith("placed:") for ly in opened.viewer.layers)
    owner = MapLayer.of(opened.viewer)
    owner.views.show("source")
    assert not any(ly.visible for ly in opened.viewer.layers if ly.name.startswith("placed:"))
    owner.show_map()
    opened.workspace.set_patches(make_cells(30))
    assert not any(ly.name.startswith("placed:") for ly in opened.viewer.layers)


def test_resting_on_a_placed_patch_shows_it(qtbot, opened, run, tmp_path):
    place(qtbot, opened, write(tmp_path / "new.npz", make_cells(20, seed=7)))
    viewer, owner = opened.viewer, MapLayer.of(opened.viewer)
    layer = next(ly for ly in viewer.layers if ly.name.startswith("placed:"))
    ((x, y),) = to_canvas(viewer, layer.data[3:4])
    canvas = canvas_widget(viewer)
    qtbot.mouseMove(canvas, QPoint(round(float(x)), round(float(y))))
    qtbot.wait(50)
    lines = words_on_card(owner.mouse.overlay)
    assert lines[0] == "placed: new.npz"
    assert lines[-1].startswith("unlikeness ")
    # Of those that lie there: the one that the mouse is closest to.
    apart = np.linalg.norm(to_canvas(viewer, layer.data) - [x, y], axis=1)
    near = np.flatnonzero(apart < 8)
    shown = layer.features["unlikeness"].iloc[near]
    assert lines[-1] in {f"unlikeness {value:.2f}" for value in shown}
    layer.visible = False
    qtbot.mouseMove(canvas, QPoint(2, 2))
    qtbot.wait(50)
    qtbot.mouseMove(canvas, QPoint(round(float(x)), round(float(y))))
    qtbot.wait(50)
    assert "placed: new.npz" not in words_on_card(owner.mouse.overlay)


def test_a_click_on_a_placed_patch_selects_that_one(qtbot, opened, run, tmp_path):
    place(qtbot, opened, write(tmp_path / "new.npz", make_cells(20, seed=7)))
    viewer, owner, workspace = opened.viewer, MapLayer.of(opened.viewer), opened.workspace
    layer = next(ly for ly in viewer.layers if ly.name.startswith("placed:"))
    places = to_canvas(viewer, layer.data)
    (other,) = owner.placed.listed
    workspace.select(np.array([4]))
    for index in (3, 11):
        index = other.find(viewer, places[index], 1)  # the one on top there
        where = QPoint(*(round(float(side)) for side in places[index]))
        meant = other.find(viewer, np.array([where.x(), where.y()]), 7)
        qtbot.mouseClick(canvas_widget(viewer), Qt.MouseButton.LeftButton, pos=where)
        assert set(layer.selected_data) == {meant}
        assert workspace.selection.size == 0
        assert workspace.current == -1
    workspace.select(np.array([4]))
    assert not layer.selected_data
    layer.remove_selected()
    assert len(layer.data) == 20


def test_the_card_of_placed_patches_goes_with_their_layer(qtbot, opened, run, tmp_path):
    place(qtbot, opened, write(tmp_path / "new.npz", make_cells(20, seed=7)))
    viewer, owner = opened.viewer, MapLayer.of(opened.viewer)
    layer = next(ly for ly in viewer.layers if ly.name.startswith("placed:"))
    ((x, y),) = to_canvas(viewer, layer.data[3:4])
    qtbot.mouseMove(canvas_widget(viewer), QPoint(2, 2))
    qtbot.wait(50)
    qtbot.mouseMove(canvas_widget(viewer), QPoint(round(float(x)), round(float(y))))
    qtbot.wait(50)
    assert words_on_card(owner.mouse.overlay)[0] == "placed: new.npz"
    viewer.layers.remove(layer)
    owner.thumbnails.arrived.emit(frozenset([0]))  # a picture of the map that was waited for
    assert words_on_card(owner.mouse.overlay) == []
