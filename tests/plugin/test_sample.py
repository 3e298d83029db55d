"""File > Open Sample > Patchmap."""

from __future__ import annotations

import pytest

from napari_patchmap.plugin.entry.sample_data import blood_cells
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.qt.docks import PANELS, find_panel
from napari_patchmap.plugin.workspace import workspace_of


@pytest.fixture
def viewer(make_napari_viewer):
    """A viewer on screen."""
    return make_napari_viewer(show=True)


def opened(qtbot, viewer):
    """Open the sample as napari does, and wait until it has been taken."""
    ((data, look, kind),) = blood_cells()
    assert (kind, data.shape[1:]) == ("image", (28, 28, 3))
    layer = viewer.add_image(data, **look)
    workspace = workspace_of(viewer)
    qtbot.waitUntil(
        lambda: (
            workspace.patches is not None and workspace.patches.origin["layer"] == layer.name
        ),
        timeout=30_000,
    )
    return layer


def test_the_sample_is_a_stack_and_the_viewers_patches(qtbot, viewer):
    layer = opened(qtbot, viewer)
    data = layer.data
    assert layer.rgb
    patches = workspace_of(viewer).patches
    assert len(patches) == len(data)
    assert patches.label_counts().size == 8
    assert patches.origin["layer"] == layer.name


def test_the_workspace_opens_with_it_ready_to_train(qtbot, viewer):
    opened(qtbot, viewer)
    panels = {key: find_panel(viewer, key) for key, one in PANELS.items() if one.at_first}
    assert None not in panels.values()
    qtbot.waitUntil(lambda: not panels["train"].visibleRegion().isEmpty())
    assert panels["train"].missing == ""
    assert panels["train"].button.isEnabled()
    assert panels["load"].offer.proposal is None  # it is loaded


def test_the_sample_steps_with_the_map(qtbot, viewer):
    link, workspace = MapLayer.of(viewer).link, workspace_of(viewer)
    layer = opened(qtbot, viewer)
    assert link.layer is layer
    workspace.set_current(1_234)
    assert viewer.dims.current_step[0] == 1_234
    viewer.dims.set_current_step(0, 7)
    assert workspace.current == 7


def test_opened_twice_the_second_layer_is_linked(qtbot, viewer):
    for _ in range(2):
        opened(qtbot, viewer)
    assert len(viewer.layers) == 2
    assert workspace_of(viewer).patches.origin["layer"] == viewer.layers[-1].name


def test_a_training_keeps_its_patches(qtbot, viewer, cells):
    workspace = workspace_of(viewer)
    workspace.set_patches(cells)
    workspace.set_training(True)
    assert len(blood_cells()) == 1
    qtbot.waitUntil(lambda: find_panel(viewer, "gallery") is not None, timeout=30_000)
    qtbot.wait(20)
    assert workspace.patches is cells


def test_without_a_viewer_it_is_just_a_stack():
    ((data, look, kind),) = blood_cells()
    assert (kind, look["rgb"]) == ("image", True)
    assert 1_900 <= len(data) <= 2_100
