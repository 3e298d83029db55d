"""What is dropped onto napari: what may be ours is offered, what is not is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from npe2 import PluginManifest
from PIL import Image as Picture
from qtpy.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QDialog, QDialogButtonBox, QRadioButton

import napari_patchmap
from napari_patchmap.plugin.entry.napari_reader import get_reader
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.qt.docks import find_panel
from napari_patchmap.plugin.workspace import workspace_of

INSIDE = Path(napari_patchmap.__file__).parent / "napari.yaml"


@pytest.fixture
def viewer(npe2pm, make_napari_viewer):
    """A viewer with napari's own readers and ours, as people have it."""
    builtins = PluginManifest.from_distribution("napari")
    ours = PluginManifest.from_file(INSIDE)
    with npe2pm.tmp_plugin(manifest=builtins), npe2pm.tmp_plugin(manifest=ours):
        yield make_napari_viewer(show=True)


def drop(viewer, path, answer=None):
    """Drop a file onto the canvas; return the readers that napari asked about."""
    asked: list[str] = []

    def look():
        for dialog in QApplication.topLevelWidgets():
            if isinstance(dialog, QDialog) and dialog.isVisible():
                buttons = dialog.findChildren(QRadioButton)
                asked.extend(button.text() for button in buttons)
                for button in buttons:
                    button.setChecked(button.text() == answer)
                box = dialog.findChild(QDialogButtonBox)
                box.button(
                    box.StandardButton.Ok if answer else box.StandardButton.Cancel
                ).click()

    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    action, button = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton
    keys, target = Qt.KeyboardModifier.NoModifier, canvas_widget(viewer)
    while target is not None and not target.acceptDrops():
        target = target.parentWidget()
    enter = QDragEnterEvent(QPointF(90, 90).toPoint(), action, data, button, keys)
    QApplication.sendEvent(target, enter)
    assert enter.isAccepted()
    timer = QTimer(interval=50)
    timer.timeout.connect(look)
    timer.start()
    QApplication.sendEvent(target, QDropEvent(QPointF(90, 90), action, data, button, keys))
    timer.stop()
    return sorted(asked)


@pytest.fixture
def slide(tmp_path):
    pixels = np.full((512, 512, 3), 240, np.uint8)
    pixels[:, :256] = np.random.default_rng(0).integers(0, 60, (512, 256, 3)) + 100
    pixels[:, :256, 1] //= 2
    path = tmp_path / "tissue.svs"
    tifffile.imwrite(path, pixels, photometric="rgb", tile=(128, 128))
    return path


@pytest.fixture
def archive(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (12, 10, 10, 3), dtype=np.uint8)
    np.savez(tmp_path / "cells.npz", images=pixels, labels=np.arange(12) % 3)
    return tmp_path / "cells.npz"


@pytest.fixture
def folder(tmp_path):
    """Five grey images of 30 pixels in a folder."""
    (tmp_path / "my cells").mkdir()
    rng = np.random.default_rng(0)
    for i in range(5):
        pixels = rng.integers(0, 255, (30, 30), dtype=np.uint8)
        Picture.fromarray(pixels).save(tmp_path / "my cells" / f"{i}.png")
    return tmp_path / "my cells"


def opened(qtbot, viewer):
    """Wait for the panel and what it does; return it."""
    qtbot.waitUntil(lambda: find_panel(viewer, "load") is not None, timeout=10_000)
    panel = find_panel(viewer, "load")
    qtbot.waitUntil(
        lambda: (
            not (
                panel.source.path.recognising
                or panel.loading
                or panel.source.preview.busy
                or panel.summary.sheet.busy
            )
        ),
        timeout=10_000,
    )
    return panel


def test_ordinary_images_open_without_a_question(viewer, folder, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (4, 30, 30), dtype=np.uint8)
    tifffile.imwrite(tmp_path / "stack.tif", pixels, photometric="minisblack")
    tifffile.imwrite(tmp_path / "one.ome.tiff", pixels[0])
    layers = [folder / "0.png", tmp_path / "stack.tif", tmp_path / "one.ome.tiff"]
    for count, path in enumerate(layers, 1):
        assert drop(viewer, path) == []
        assert len(viewer.layers) == count
    assert find_panel(viewer, "load") is None


def test_a_dropped_folder_is_offered_and_loaded(qtbot, viewer, folder):
    assert drop(viewer, folder, "Patchmap") == ["Patchmap", "napari builtins"]
    panel = opened(qtbot, viewer)
    assert panel.source.path.path == str(folder)
    assert panel.source.kind.currentData() == "folder"
    assert len(workspace_of(viewer).patches) == 5
    assert len(viewer.layers) == 0


def test_of_a_folder_napari_may_be_chosen(viewer, folder):
    drop(viewer, folder, "napari builtins")
    assert [layer.data.shape for layer in viewer.layers] == [(5, 30, 30)]
    assert find_panel(viewer, "load") is None


def test_a_dropped_zarr_is_loaded(qtbot, viewer, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (6, 12, 12), dtype=np.uint8)
    stored = zarr.create_array(tmp_path / "stack.zarr", shape=pixels.shape, dtype="u1")
    stored[:] = pixels
    assert "Patchmap" in drop(viewer, tmp_path / "stack.zarr", "Patchmap")
    panel = opened(qtbot, viewer)
    assert panel.source.kind.currentData() == "stack"
    np.testing.assert_array_equal(workspace_of(viewer).patches[4][..., 0], pixels[4])


def test_a_folder_without_images_is_one_sentence(qtbot, viewer, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear reader")
    drop(viewer, tmp_path, "Patchmap")
    panel = opened(qtbot, viewer)
    assert "holds no" in panel.message.text
    assert "letter.txt" in panel.message.text


def test_a_folder_of_slides_shows_the_tiles_first(qtbot, viewer, slide):
    drop(viewer, slide.parent, "Patchmap")
    panel = opened(qtbot, viewer)
    assert panel.source.kind.currentData() == "slides"
    assert " of " in panel.source.preview.line.text()
    assert workspace_of(viewer).patches is None
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    opened(qtbot, viewer)
    assert len(workspace_of(viewer).patches) > 0


def test_nothing_is_taken_while_patches_are_loaded(qtbot, viewer, folder, archive):
    drop(viewer, folder, "Patchmap")
    panel = opened(qtbot, viewer)
    panel.load()
    panel.open_path(archive)
    assert panel.source.path.path == str(folder)
    opened(qtbot, viewer)
    assert len(workspace_of(viewer).patches) == 5


def test_a_dropped_slide_shows_its_tiles_and_loads_nothing(qtbot, viewer, slide):
    asked = drop(viewer, slide, "Patchmap")
    assert asked == ["Patchmap", "napari builtins"]
    panel = opened(qtbot, viewer)
    assert panel.source.kind.currentData() == "slides"
    qtbot.waitUntil(lambda: "tissue.svs" in viewer.layers, timeout=10_000)
    qtbot.waitUntil(lambda: " of " in panel.source.preview.line.text())
    assert workspace_of(viewer).patches is None


def test_a_dropped_archive_is_loaded(qtbot, viewer, archive):
    assert "Patchmap" in drop(viewer, archive, "Patchmap")
    qtbot.waitUntil(lambda: workspace_of(viewer).patches is not None, timeout=10_000)
    assert len(workspace_of(viewer).patches) == 12
    opened(qtbot, viewer)


def test_napari_may_be_chosen_instead(viewer, archive):
    drop(viewer, archive, "napari builtins")
    assert len(viewer.layers) == 1
    assert find_panel(viewer, "load") is None


def test_only_what_is_ours_is_taken(slide, archive, tmp_path):
    (tmp_path / "broken.npz").write_text("no archive")
    (tmp_path / "image.tif").write_bytes(b"")
    assert get_reader(str(slide)) is not None
    assert get_reader(str(archive)) is not None
    assert get_reader(str(tmp_path)) is not None
    for other in ("broken.npz", "image.tif", "gone.svs", "gone"):
        assert get_reader(str(tmp_path / other)) is None
    assert get_reader([str(slide)]) is None


def test_without_a_viewer_the_picture_is_the_layer(slide, archive, folder):
    ((pixels, look, kind),) = get_reader(str(slide))(str(slide))
    assert (pixels.shape, kind) == ((512, 512, 3), "image")
    assert look["scale"] == (1.0, 1.0)
    ((pixels, look, kind),) = get_reader(str(archive))(str(archive))
    assert (pixels.shape, look["rgb"], kind) == ((12, 10, 10, 3), True, "image")
    ((pixels, look, kind),) = get_reader(str(folder))(str(folder))
    assert (pixels.shape, look["name"], kind) == ((5, 30, 30, 3), "my cells", "image")
