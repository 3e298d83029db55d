"""What is hidden on the map is not hit on the images either."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.napari_private import canvas_widget
from tests.plugin.images import around, grid_labels, middle, open_beside, start
from tests.plugin.toy import Hand, toy_map, toy_patches

ONE_WINDOW = True

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier

#: Patches that are hidden in the field of 24 objects.
HIDDEN = np.array([1, 7])


@pytest.fixture(params=["in turn", "beside"])
def field(request, viewer, workspace, qtbot):
    """A field of objects some of which are hidden, and a hand over its image."""
    viewer.window.resize(1300, 700)
    owner = start(viewer, grid_labels())
    annotation = workspace.annotations.now.with_class("blast")
    workspace.set_annotations(workspace.annotations.put(annotation))
    if request.param == "beside":
        beside = open_beside(viewer, qtbot)
        hand, mouse = Hand(beside.model, qtbot), beside.on_images.mouse
    else:
        owner.views.show("source")
        QApplication.processEvents()
        hand, mouse = Hand(viewer, qtbot), owner.on_images.mouse
    workspace.select(HIDDEN)
    qtbot.keyClick(hand.canvas, Qt.Key.Key_H)  # the map has one colour, and no groups
    assert owner.points.shown.sum() == 22
    return owner, hand, mouse


def test_an_object_whose_point_is_hidden_is_not_hit(workspace, field, qtbot):
    owner, hand, mouse = field
    hand.hover(middle(1))
    assert owner.hand.pointed == -1
    assert not mouse.overlay.hints
    qtbot.keyClick(hand.canvas, Qt.Key.Key_1)
    hand.click(middle(1))
    hand.click(middle(1), SHIFT)
    assert workspace.current == -1
    assert workspace.selection.tolist() == []
    assert not workspace.annotations.now.members(0).size
    hand.drag(around(0, 7), CTRL)
    assert workspace.selection.tolist() == [0, 6]
    owner.hidden.show_all()
    hand.click(middle(1), SHIFT)
    assert workspace.selection.tolist() == [0, 1, 6]


def test_what_is_hidden_under_the_mouse_is_not_named(workspace, field, qtbot):
    owner, hand, _ = field
    hand.hover(middle(4))
    assert owner.hand.pointed == 4
    owner.hidden.hide_patches(np.array([4]))
    qtbot.keyClick(hand.canvas, Qt.Key.Key_1)
    assert not workspace.annotations.now.members(0).size


def test_stepping_leads_to_nothing_that_is_hidden(viewer, workspace, qtbot):
    patches = toy_patches()
    viewer.add_image(patches.stack()[..., 0], name="stack")
    owner = MapLayer.of(viewer)
    workspace.set_patches(dataclasses.replace(patches, origin={"layer": "stack"}))
    workspace.set_embedding(toy_map())
    annotation = workspace.annotations.now.with_class("blast")
    workspace.set_annotations(workspace.annotations.put(annotation))
    owner.hidden.hide_patches(np.array([34]))
    owner.views.show("source")
    viewer.dims.set_current_step(0, 33)
    assert workspace.current == 33
    viewer.dims.set_current_step(0, 34)
    qtbot.keyClick(canvas_widget(viewer), Qt.Key.Key_1)
    assert not workspace.annotations.now.members(0).size  # nor the one that was seen before
    viewer.dims.set_current_step(0, 35)
    assert workspace.current == 35


def test_a_tile_below_a_hidden_one_is_hit(viewer, workspace, hand):
    """Tiles of 400 pixels, 200 apart: each place lies in two of them."""
    table = pd.DataFrame({"source": "a.svs", "frame": 0, "y": 0, "x": [0, 200, 400]})
    table = table.assign(height=400, width=400)
    pixels = np.zeros((3, 16, 16, 3), np.uint8)
    patches = PatchSet(pixels, table, ("red", "green", "blue"), origin={"kind": "slides"})
    viewer.add_image(
        np.full((400, 800, 3), 255, np.uint8), rgb=True, metadata={"patchmap_source": "a.svs"}
    )
    workspace.set_patches(patches)
    workspace.set_embedding(np.array([[0, 0], [0, 9], [0, 20]], np.float32))
    owner = MapLayer.of(viewer)
    owner.views.show("source")
    QApplication.processEvents()
    hand.click((200, 380))
    assert workspace.current == 1
    owner.hidden.hide_patches(np.array([1]))
    hand.click((200, 390))
    assert workspace.current == 0
    hand.click((200, 410))
    assert workspace.current == 2
