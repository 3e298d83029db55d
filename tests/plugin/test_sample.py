"""File > Open Sample > Patchmap."""

from __future__ import annotations

from napari_patchmap.plugin.layers import MapLayer
from napari_patchmap.plugin.sample_data import blood_cells
from napari_patchmap.plugin.workspace import workspace_of


def test_the_sample_is_a_stack_and_the_viewers_patches(make_napari_viewer):
    viewer = make_napari_viewer()
    ((data, look, kind),) = blood_cells()
    assert (kind, data.shape[1:]) == ("image", (28, 28, 3))
    layer = viewer.add_image(data, **look)
    assert layer.rgb
    patches = workspace_of(viewer).patches
    assert len(patches) == len(data)
    assert patches.label_counts().size == 8
    assert patches.origin["layer"] == layer.name


def test_the_sample_steps_with_the_map(make_napari_viewer):
    viewer = make_napari_viewer()
    link, workspace = MapLayer.of(viewer).link, workspace_of(viewer)
    ((data, look, _),) = blood_cells()
    layer = viewer.add_image(data, **look)
    assert link.layer is layer
    workspace.set_current(1_234)
    assert viewer.dims.current_step[0] == 1_234
    viewer.dims.set_current_step(0, 7)
    assert workspace.current == 7


def test_opened_twice_the_second_layer_is_linked(make_napari_viewer):
    viewer = make_napari_viewer()
    for _ in range(2):
        ((data, look, _),) = blood_cells()
        viewer.add_image(data, **look)
    assert len(viewer.layers) == 2
    assert workspace_of(viewer).patches.origin["layer"] == viewer.layers[-1].name


def test_a_training_keeps_its_patches(make_napari_viewer, cells):
    workspace = workspace_of(make_napari_viewer())
    workspace.set_patches(cells)
    workspace.set_training(True)
    assert len(blood_cells()) == 1
    assert workspace.patches is cells


def test_without_a_viewer_it_is_just_a_stack():
    ((data, look, kind),) = blood_cells()
    assert (kind, look["rgb"]) == ("image", True)
    assert 1_900 <= len(data) <= 2_100
