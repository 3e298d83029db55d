"""Dim fluorescence is brightened wherever it is looked at, and nowhere else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.augment.augmentations import Augmentations
from napari_patchmap.plugin.panels.explore.gallery import Gallery
from napari_patchmap.plugin.source.slider_link import read_stack
from tests.plugin.toy import toy_map, toy_patches

ONE_WINDOW = True

#: The brightest of the 255 grey values that the dim patches use.
TOP = 20


def dimmed(patches: PatchSet, name: str = "dim") -> PatchSet:
    images = np.stack([patches[i] for i in range(len(patches))])
    return PatchSet(
        np.rint(images * (TOP / 255)).astype(np.uint8), patches.table, ("grey",), name=name
    )


def brightest(image) -> int:
    """The brightest grey of a picture of Qt, of its middle."""
    x, y = image.width() // 2, image.height() // 2
    return max(
        image.pixelColor(x + i, y + j).lightness() for i in range(-9, 9) for j in range(-9, 9)
    )


@pytest.fixture
def dim(viewer, workspace):
    owner = MapLayer.of(viewer)
    workspace.set_patches(dimmed(toy_patches()))
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    return owner


def test_dim_patches_are_seen_on_card_gallery_stack_and_as_placed_patches(
    viewer, workspace, dim, qtbot
):
    assert brightest(dim.thumbnails.get(3, 64).toImage()) > 200
    gallery = Gallery(viewer)
    viewer.window.add_dock_widget(gallery, name="Gallery")
    gallery.show()
    qtbot.waitUntil(lambda: brightest(gallery.grid.grab().toImage()) > 200)
    dim.link.add_stack(workspace.patches, read_stack(workspace.patches, Watch()))
    assert dim.link.layer.data.max() > 200
    # What is placed on the map is as bright beside its patches as it is.
    half = dimmed(dimmed(toy_patches()), "half")
    half.images.array[:] = 10
    dim.show_placed(half, toy_map(), pd.DataFrame(index=range(len(half))))
    placed = brightest(dim.placed.listed[0].thumbnails.get(0, 64).toImage())
    assert 100 < placed < 160
    np.testing.assert_array_equal(
        workspace.patches.pixels([0], (12, 12))[0].max(), workspace.patches[0].max()
    )


def test_dim_patches_are_seen_before_they_are_trained(qtbot, viewer):
    panel = Augmentations(viewer)
    qtbot.addWidget(panel)  # in a window of its own, which no dock can squeeze to nothing
    panel.resize(400, 900)
    panel.show()
    panel.workspace.set_augment(AugmentConfig.preset("natural"))
    panel.workspace.set_patches(dimmed(toy_patches()))
    qtbot.waitUntil(lambda: not panel._pause.isActive() and not panel._previews.busy)
    panel.workspace.set_current(3)  # it was one picked at random, bright in its middle or not
    qtbot.waitUntil(lambda: panel.caption.text().startswith("Patch 3 "))
    qtbot.waitUntil(lambda: brightest(panel.original.grab().toImage()) > 200)
    qtbot.waitUntil(lambda: brightest(panel.views.grab().toImage()) > 100)
