"""Files dropped onto napari itself: what is ours is offered, what is not is left alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from npe2 import PluginManifest
from PIL import Image as Picture
from qtpy.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QApplication, QDialog, QDialogButtonBox, QRadioButton

import napari_patchmap
from napari_patchmap.plugin.canvas import canvas_widget
from napari_patchmap.plugin.docks import find_panel
from napari_patchmap.plugin.reader import get_reader
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


def test_ordinary_images_and_folders_open_without_a_question(viewer, tmp_path):
    (tmp_path / "flat").mkdir()
    pixels = np.random.default_rng(0).integers(0, 255, (30, 30), dtype=np.uint8)
    Picture.fromarray(pixels).save(tmp_path / "flat" / "a.png")
    Picture.fromarray(pixels).save(tmp_path / "one.png")
    tifffile.imwrite(tmp_path / "stack.tif", np.stack([pixels] * 4))
    for name, layers in (("one.png", 1), ("stack.tif", 2), ("flat", 3)):
        assert drop(viewer, tmp_path / name) == []
        assert len(viewer.layers) == layers
    assert find_panel(viewer, "load") is None


def test_a_dropped_slide_shows_its_tiles_and_loads_nothing(qtbot, viewer, slide):
    asked = drop(viewer, slide, "Patchmap")
    assert asked == ["Patchmap", "napari builtins"]
    panel = find_panel(viewer, "load")
    assert panel.source.kind.currentData() == "slide"
    qtbot.waitUntil(lambda: "tissue.svs" in viewer.layers, timeout=10_000)
    qtbot.waitUntil(lambda: " of " in panel.source.preview.line.text())
    assert workspace_of(viewer).patches is None


def test_a_dropped_archive_is_loaded(qtbot, viewer, archive):
    assert "Patchmap" in drop(viewer, archive, "Patchmap")
    qtbot.waitUntil(lambda: workspace_of(viewer).patches is not None, timeout=10_000)
    assert len(workspace_of(viewer).patches) == 12
    qtbot.waitUntil(lambda: not find_panel(viewer, "load").summary.sheet.busy)


def test_napari_may_be_chosen_instead(viewer, archive):
    drop(viewer, archive, "napari builtins")
    assert len(viewer.layers) == 1
    assert find_panel(viewer, "load") is None


def test_only_what_is_ours_is_taken(slide, archive, tmp_path):
    (tmp_path / "broken.npz").write_text("no archive")
    (tmp_path / "image.tif").write_bytes(b"")
    assert get_reader(str(slide)) is not None
    assert get_reader(str(archive)) is not None
    for other in ("broken.npz", "image.tif", "gone.svs", "."):
        assert get_reader(str(tmp_path / other)) is None


def test_without_a_viewer_the_picture_is_the_layer(slide, archive):
    ((pixels, look, kind),) = get_reader(str(slide))(str(slide))
    assert (pixels.shape, kind) == ((512, 512, 3), "image")
    assert look["scale"] == (1.0, 1.0)
    ((pixels, look, kind),) = get_reader(str(archive))(str(archive))
    assert (pixels.shape, look["rgb"], kind) == ((12, 10, 10, 3), True, "image")
