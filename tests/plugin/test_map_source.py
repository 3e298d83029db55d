"""Map and source images: one canvas, two views, one current patch."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.canvas.looking import camera_state
from napari_patchmap.plugin.canvas.two_views import camera_of
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.map.marks import CURRENT, MAP
from napari_patchmap.plugin.panels.load.offer import propose
from napari_patchmap.plugin.source.slider_link import read_stack
from tests.plugin.toy import toy_map, toy_patches

ONE_WINDOW = True


@pytest.fixture
def linked(viewer, workspace):
    """A stack in the viewer, one patch from each of its 120 frames, and their map."""
    patches = toy_patches()
    layer = viewer.add_image(patches.stack()[..., 0], name="stack")
    patches = dataclasses.replace(patches, origin={"kind": "layer", "layer": "stack"})
    owner = MapLayer.of(viewer)
    workspace.set_patches(patches)
    workspace.set_embedding(toy_map())
    QApplication.processEvents()
    return owner, layer


def test_map_and_source_take_turns_and_keep_their_cameras(viewer, linked):
    owner, layer = linked
    owner.workspace.set_current(3)
    assert viewer.layers[MAP].visible
    assert not layer.visible
    camera_of(viewer).zoom *= 2
    on_map = camera_state(viewer)[-3:]
    owner.views.show("source")
    assert layer.visible
    assert not viewer.layers[MAP].visible
    assert not viewer.layers[CURRENT].visible
    assert viewer.layers.selection.active is layer
    on_source = camera_state(viewer)[-3:]
    assert on_source != on_map
    owner.views.show("map")
    assert camera_state(viewer)[-3:] == on_map
    assert viewer.layers.selection.active is viewer.layers[MAP]
    owner.views.show("source")
    assert camera_state(viewer)[-3:] == on_source


def test_looking_at_a_patch_steps_the_stack_to_it(viewer, linked, workspace, hand):
    hand.click(toy_map()[70])
    assert viewer.dims.current_step[0] == 70
    workspace.set_current(5)
    assert viewer.dims.current_step[0] == 5


def test_stepping_the_stack_marks_its_point(viewer, linked, workspace):
    viewer.dims.set_current_step(0, 33)
    assert workspace.current == 33
    np.testing.assert_array_equal(viewer.layers[CURRENT].data[0], toy_map()[33])


def test_stepping_away_brings_a_far_point_into_view(viewer, linked, workspace):
    camera_of(viewer).center = toy_map()[0]
    camera_of(viewer).zoom *= 8
    zoom = camera_of(viewer).zoom
    viewer.dims.set_current_step(0, 99)
    np.testing.assert_allclose(camera_of(viewer).center[-2:], toy_map()[99], atol=1e-3)
    assert camera_of(viewer).zoom == pytest.approx(zoom)


def test_a_scaled_stack_is_stepped_by_frame(viewer, linked, workspace):
    linked[1].scale = (2.5, 1, 1)
    workspace.set_current(40)
    assert viewer.dims.point[0] == pytest.approx(100)
    viewer.dims.set_point(0, 25)
    assert workspace.current == 10


def test_a_stack_that_is_renamed_stays_linked(viewer, linked, workspace):
    owner, layer = linked
    layer.name = "blood, day 3"
    assert owner.link.layer is layer
    workspace.set_current(70)
    assert viewer.dims.current_step[0] == 70
    viewer.dims.set_current_step(0, 33)
    assert workspace.current == 33
    # Whatever has the old name now is another image.
    viewer.add_image(np.zeros((120, 12, 12), np.uint8), name="stack")
    assert owner.link.layer is layer


def test_an_image_of_another_length_is_not_taken_for_the_stack(viewer, linked, workspace):
    owner, layer = linked
    assert owner.link.layer is layer
    viewer.layers.remove("stack")
    viewer.add_image(np.zeros((50, 12, 12), np.uint8), name="stack")
    assert owner.link.layer is None
    viewer.dims.set_current_step(0, 33)
    assert workspace.current == -1


def test_closing_the_stack_leaves_the_map_working(viewer, linked, workspace):
    viewer.layers.remove("stack")
    workspace.set_current(9)
    np.testing.assert_array_equal(viewer.layers[CURRENT].data[0], toy_map()[9])


def test_patches_of_a_file_become_a_stack_that_is_linked(viewer, shown_map, workspace):
    workspace.set_current(12)
    shown_map.link.add_stack(workspace.patches, read_stack(workspace.patches, Watch()))
    stack = shown_map.link.layer
    assert stack.data.shape == (120, 12, 12)
    assert shown_map.views.now == "source"
    assert stack.visible
    assert propose(list(viewer.layers)) is None  # as patches: they are these
    assert viewer.dims.current_step[0] == 12
    np.testing.assert_array_equal(stack.data[12], workspace.patches[12][..., 0])
    viewer.dims.set_current_step(0, 77)
    assert workspace.current == 77
    workspace.set_patches(toy_patches())
    assert stack not in viewer.layers


def test_an_image_opened_beside_the_map_is_shown(viewer, shown_map):
    layer = viewer.add_image(np.zeros((50, 60), np.uint8))
    assert shown_map.views.now == "source"
    assert layer.visible
    shown_map.show_map()
    assert not layer.visible
    assert viewer.layers[MAP].visible
