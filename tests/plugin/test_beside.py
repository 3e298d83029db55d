"""The map and the image beside each other: two canvases, one selection."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from napari.utils.colormaps import DirectLabelColormap
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from napari_patchmap.plugin.canvas.two_views import OVERLAY, camera_of
from napari_patchmap.plugin.panels.image.patch_large import PatchLarge
from napari_patchmap.plugin.qt.docks import dock_of, find_panel
from tests.plugin.images import (
    COLUMNS,
    ROWS,
    around,
    grid_labels,
    middle,
    open_beside,
    spot,
    start,
)
from tests.plugin.toy import Hand, toy_map, words_on_card

PLAIN = Qt.KeyboardModifier.NoModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier


@pytest.fixture
def field(viewer, workspace):
    """A field of 24 objects, their crops and a map of them."""
    viewer.window.resize(1300, 700)
    return start(viewer, grid_labels())


@pytest.fixture
def beside(viewer, field, qtbot):
    """The field on a canvas of its own."""
    return open_beside(viewer, qtbot)


@pytest.fixture
def there(beside, qtbot):
    """A hand on the mouse over the image."""
    return Hand(beside.model, qtbot)


def brought_out(beside) -> list[int]:
    """Return the objects that are brought out on the second canvas."""
    overlays = [ly for ly in beside.model.layers if ly.metadata.get(OVERLAY) and ly.visible]
    if not overlays:
        return []
    return [i for i in range(ROWS * COLUMNS) if overlays[0].data[tuple(map(round, middle(i)))]]


def test_what_is_done_on_one_canvas_is_seen_on_the_other(
    viewer, workspace, field, beside, hand, there
):
    assert field.views.now == "map"
    assert viewer.layers["map"].visible
    assert not viewer.layers["nuclei"].visible
    shown, main = beside.model.layers["nuclei"], hand.canvas
    assert shown.visible
    assert shown.data is viewer.layers["nuclei"].data
    # Beside each other: none of the two is squeezed.
    assert (
        there.canvas.mapToGlobal(there.canvas.rect().topRight()).x()
        <= main.mapToGlobal(main.rect().topLeft()).x()
    )
    assert min(there.canvas.width(), main.width()) > 250

    hand.click(spot(7))
    assert brought_out(beside) == workspace.selection.tolist() == [7]
    there.click(middle(3))  # looks, and the selection stays
    assert workspace.current == 3
    np.testing.assert_array_equal(viewer.layers["map: current patch"].data[0], spot(3))
    assert len(beside.on_images.mouse.overlay.box) == 4
    there.click(middle(5), SHIFT)
    assert workspace.selection.tolist() == [5, 7]
    there.click(middle(7), ALT)
    assert brought_out(beside) == workspace.selection.tolist() == [5]
    assert viewer.layers["map: selected"].data.tolist() == [list(spot(5))]
    camera_of(beside.model).zoom *= 8
    workspace.set_current(23)
    np.testing.assert_allclose(camera_of(beside.model).center[-2:], middle(23), atol=1)
    assert field.views.now == "map"


def test_a_lasso_on_the_image_selects(workspace, field, beside, there, qtbot):
    there.drag(around(0, 7), CTRL)
    assert workspace.selection.tolist() == [0, 1, 6, 7]
    there.drag(around(10, 11), SHIFT)
    assert workspace.selection.tolist() == [0, 1, 6, 7, 10, 11]
    camera = camera_of(beside.model).center
    field.hand.set_lasso(True)
    there.drag(around(6, 11), ALT)
    assert workspace.selection.tolist() == [0, 1]
    there.drag(around(2, 3))
    assert brought_out(beside) == workspace.selection.tolist() == [2, 3]
    assert camera_of(beside.model).center == camera  # nor zoomed into a box, nor dragged
    overlay = beside.on_images.mouse.overlay

    def give_up() -> None:
        assert overlay.drawing
        qtbot.keyClick(there.canvas, Qt.Key.Key_Escape)
        assert not overlay.drawing

    there.drag(around(6, 11), look=give_up)
    assert workspace.selection.tolist() == [2, 3]
    qtbot.keyClick(there.canvas, Qt.Key.Key_L)
    assert not field.hand.lasso
    there.drag([middle(0), middle(2)])
    assert camera_of(beside.model).center != camera
    qtbot.keyClick(there.canvas, Qt.Key.Key_Escape)
    assert workspace.selection.tolist() == []


def test_pointing_at_one_marks_it_on_the_other(field, beside, hand, there):
    here, over = field.mouse.overlay, beside.on_images.mouse.overlay
    there.hover(middle(9))
    assert words_on_card(over) == ["field · 9"]
    (ring,) = here.hints
    pixel = hand.pixel(spot(9))
    np.testing.assert_allclose(np.mean(ring, axis=0), (pixel.x(), pixel.y()), atol=1)
    there.hover((0.0, 0.0))  # beside all objects
    assert words_on_card(over) == []
    assert here.hints == []
    hand.hover(spot(14))
    assert words_on_card(here) == ["field · 14"]
    (outline,) = over.hints
    pixel = there.pixel(middle(14))
    np.testing.assert_allclose(np.mean(outline, axis=0), (pixel.x(), pixel.y()), atol=1)


def test_digits_name_what_is_meant_on_either(
    viewer, workspace, field, beside, hand, there, qtbot
):
    annotations = workspace.annotations
    annotation = annotations.now.with_class("blast").with_class("other")
    workspace.set_annotations(annotations.put(annotation))
    there.hover(middle(4))
    qtbot.keyClick(there.canvas, Qt.Key.Key_1)
    assert workspace.annotations.now.members(0).tolist() == [4]
    there.drag(around(0, 1), CTRL)
    qtbot.keyClick(there.canvas, Qt.Key.Key_2)
    assert workspace.annotations.now.members(1).tolist() == [0, 1]
    qtbot.keyClick(there.canvas, Qt.Key.Key_Z, CTRL)
    assert workspace.annotations.now.members(1).tolist() == []
    qtbot.keyClick(there.canvas, Qt.Key.Key_Z, CTRL | SHIFT)
    qtbot.keyClick(hand.canvas, Qt.Key.Key_1)
    assert workspace.annotations.now.members(0).tolist() == [0, 1, 4]
    # On the images of the main canvas, too; but not while one paints there.
    field.views.show("source")
    workspace.clear_selection()
    labels = viewer.layers["nuclei"]
    viewer.layers.selection.active = labels
    hand.hover(middle(20))
    qtbot.keyClick(hand.canvas, Qt.Key.Key_2)
    assert workspace.annotations.now.members(1).tolist() == [20]
    assert labels.mode == "pan_zoom"
    labels.mode = "paint"
    qtbot.keyClick(hand.canvas, Qt.Key.Key_1)
    assert labels.mode == "erase"
    assert workspace.annotations.now.members(1).tolist() == [20]


def test_images_look_as_they_do_in_the_main_viewer(viewer, field, beside, qtbot):
    labels, twin = viewer.layers["nuclei"], beside.model.layers["nuclei"]
    labels.opacity, labels.contour = 0.3, 2
    red = DirectLabelColormap(color_dict={None: "transparent", 3: "red"})
    labels.colormap = red
    assert (twin.opacity, twin.contour, twin.colormap) == (0.3, 2, red)
    viewer.layers["field"].contrast_limits = (20, 90)
    assert beside.model.layers["field"].contrast_limits == [20, 90]
    # The eye in napari's list acts here, and the map stays alone on its canvas.
    for shown in (False, True):
        viewer.layers["field"].visible = True
        qtbot.waitUntil(lambda: not viewer.layers["field"].visible)
        assert beside.model.layers["field"].visible == shown
    labels.name = "cells"
    assert twin.name == "cells"
    viewer.add_image(np.zeros((30, 30)), name="another")
    qtbot.waitUntil(lambda: "another" in beside.model.layers)
    assert beside.model.layers["another"].visible
    assert field.views.now == "map"
    assert not viewer.layers["another"].visible
    viewer.layers.move(2, 0)
    names = [ly.name for ly in viewer.layers if "map" not in ly.name]
    qtbot.waitUntil(lambda: [layer.name for layer in beside.model.layers] == names)
    viewer.layers.remove("another")
    viewer.layers.remove("field")
    qtbot.waitUntil(lambda: [layer.name for layer in beside.model.layers] == ["cells"])
    field.views.show("source")
    assert labels.visible
    labels.data_setitem((np.array([0]), np.array([0])), 3)
    assert twin.data[0, 0] == 3


def test_a_stack_is_stepped_with_the_current_patch(viewer, workspace, qtbot):
    labels = np.stack([grid_labels(shift) for shift in (0, 2, 4)])
    start(viewer, labels)
    beside = open_beside(viewer, qtbot)
    dims, table = beside.model.dims, workspace.patches.table
    last = int(np.flatnonzero((table.frame == 2) & (table.label_id == 9))[0])
    workspace.set_current(last)
    assert dims.current_step[0] == 2
    dims.set_current_step(0, 1)
    assert (table.frame[workspace.current], table.label_id[workspace.current]) == (1, 9)
    there = Hand(beside.model, qtbot)
    there.drag([np.add(place, (0, 2)) for place in around(0, 1)], CTRL)
    assert table.frame[workspace.selection].tolist() == [1, 1]  # those of the frame in view
    assert table.label_id[workspace.selection].tolist() == [1, 2]


def test_closing_it_leaves_the_map_alone(viewer, workspace, field, qtbot):
    beside = open_beside(viewer, qtbot)
    canvas, model = weakref.ref(beside.canvas), weakref.ref(beside.model)
    explore = find_panel(viewer, "explore")
    qtbot.mouseClick(explore.beside_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not field.views.beside)
    assert find_panel(viewer, "image") is None
    assert not explore.beside_button.isChecked()
    workspace.select(np.array([3]))  # nobody listens any more
    qtbot.mouseClick(explore.source_button, Qt.MouseButton.LeftButton)
    assert viewer.layers["nuclei"].visible
    assert not viewer.layers["map"].visible
    viewer.layers["field"].visible = False
    qtbot.mouseClick(explore.map_button, Qt.MouseButton.LeftButton)
    del beside
    qtbot.waitUntil(lambda: gc.collect() >= 0 and canvas() is None and model() is None)
    again = open_beside(viewer, qtbot)
    assert brought_out(again) == [3]
    assert not again.model.layers["field"].visible
    # Hidden for a while, as by the bar of the dock, it costs nothing.
    panel = find_panel(viewer, "image")
    dock_of(panel).hide()
    qtbot.waitUntil(lambda: panel.beside is None)
    assert not field.views.beside
    dock_of(panel).show()
    qtbot.waitUntil(lambda: panel.beside is not None)
    workspace.set_patches(None)
    assert [ly.name for ly in panel.beside.model.layers] == ["field", "nuclei"]


def test_patches_that_lie_in_no_image_are_shown_large(
    viewer, shown_map, workspace, hand, qtbot
):
    assert open_beside(viewer, qtbot).twins.sources == []
    panel = find_panel(viewer, "image")
    large = panel.findChild(PatchLarge)
    qtbot.waitUntil(large.isVisible)
    empty = large.grab().toImage()
    hand.click(toy_map()[3])
    assert workspace.current >= 0
    assert large.grab().toImage() != empty
    QTest.keyClick(large, Qt.Key.Key_Escape)
    assert workspace.current == -1
    viewer.add_image(np.zeros((20, 30)), name="opened later")
    qtbot.waitUntil(lambda: panel.beside.canvas.isVisible())
    assert shown_map.views.now == "map"


def test_the_image_is_drawn_and_clicked_wherever_its_dock_is(
    viewer, workspace, field, beside, qtbot
):
    panel = find_panel(viewer, "image")
    dock = dock_of(panel)
    workspace.select(np.array([2]))
    for floating, index in ((True, 9), (False, 14)):
        dock.setFloating(floating)
        qtbot.waitUntil(lambda: panel.beside is not None)
        qtbot.waitUntil(lambda: panel.beside.canvas.isVisible())
        qtbot.wait(100)  # what cannot be drawn fails the test
        assert np.ptp(panel.beside.canvas.screenshot(flash=False)[..., :3]) > 100
        hand = Hand(panel.beside.model, qtbot)
        hand.click(middle(index))
        assert workspace.current == index
        assert brought_out(panel.beside) == [2]
