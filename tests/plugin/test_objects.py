"""Objects of a Labels layer and tiles of a slide, on the map and where they lie."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from napari_patchmap.patches import (
    CropConfig,
    Kind,
    OpenRequest,
    from_objects,
    open_patches,
    reopen,
)
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.canvas.two_views import OVERLAY, camera_of
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.load.opening import Request, open_request
from napari_patchmap.plugin.source.painting import CHOSEN, EDGE, OTHER, OUTLINE
from napari_patchmap.runs import OpenLayer
from tests.plugin.toy import on_map

ONE_WINDOW = True

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL = Qt.KeyboardModifier.ControlModifier
ALT = Qt.KeyboardModifier.AltModifier

#: Number of the object in the middle of each cell of a grid of 6 x 8.
IDS = 1_000 * np.arange(1, 49).reshape(6, 8)


def grid_labels(shift: int = 0) -> np.ndarray:
    """Squares of 12 pixels in a grid, 20 pixels apart."""
    labels = np.zeros((120, 160), np.int32)
    for row in range(6):
        for column in range(8):
            y, x = 20 * row + 4, 20 * column + 4 + shift
            labels[y : y + 12, x : x + 12] = IDS[row, column]
    return labels


def middle(index: int) -> tuple[float, float]:
    """Where the object of patch ``index`` has its middle."""
    return 20 * (index // 8) + 9.5, 20 * (index % 8) + 9.5


def overlays(viewer) -> list[Image]:
    return [layer for layer in viewer.layers if layer.metadata.get(OVERLAY)]


def start(viewer, patches) -> MapLayer:
    """Show a map of the patches."""
    places = np.random.default_rng(0).uniform(0, 100, (len(patches), 2))
    return on_map(viewer, patches, places)


@pytest.fixture
def field(viewer, workspace):
    """A field of 48 objects in the viewer, their crops, and a map of them."""
    labels = grid_labels()
    image = np.random.default_rng(0).integers(0, 255, labels.shape, np.uint8)
    viewer.add_image(image, name="field")
    viewer.add_labels(labels.copy(), name="nuclei")
    patches = from_objects(image, labels, name="field", labels_name="nuclei")
    owner = start(viewer, patches)
    owner.views.show("source")
    return owner


def test_selected_objects_are_brought_out(viewer, workspace, field):
    assert overlays(viewer) == []
    workspace.select(np.array([3, 17]))
    (overlay,) = overlays(viewer)
    labels, picture = viewer.layers["nuclei"].data, overlay.data
    chosen = np.isin(labels, [4_000, 18_000])
    np.testing.assert_array_equal(np.isin(picture, (CHOSEN, EDGE)), chosen)
    assert picture[4, 64] == EDGE
    assert picture[10, 70] == CHOSEN
    assert overlay.name == "nuclei (selected patches)"
    assert overlay.visible
    # It is ours, not the person's: the layers themselves are as they were.
    assert viewer.layers.selection.active is viewer.layers["nuclei"]
    viewer.layers.selection.active = overlay
    assert viewer.layers.selection.active is viewer.layers["nuclei"]
    workspace.select(np.array([5]))
    assert overlays(viewer) == [overlay]
    np.testing.assert_array_equal(overlay.data > 0, labels == 6_000)
    workspace.select(np.empty(0, np.intp))
    assert not overlay.visible


def test_the_overlay_is_seen_on_the_canvas(viewer, workspace, field):
    viewer.layers["nuclei"].visible = False
    before = viewer.screenshot(flash=False)
    workspace.select(np.array([20]))
    QApplication.processEvents()
    after = viewer.screenshot(flash=False)
    yellow = (after[..., 0] > 230) & (after[..., 1] > 190) & (after[..., 2] < 60)
    assert yellow.sum() > 100
    assert not ((before[..., 0] > 230) & (before[..., 1] > 190) & (before[..., 2] < 60)).any()
    y, x = np.nonzero(yellow)
    height, width = after.shape[:2]
    zoom = camera_of(viewer).zoom
    centre = np.array(camera_of(viewer).center[-2:])
    scale = height / field.mouse.overlay.height()
    where = ([y.mean(), x.mean()] - np.array([height, width]) / 2) / zoom / scale + centre
    np.testing.assert_allclose(where, middle(20), atol=1)


def test_the_overlay_waits_while_the_map_is_shown_and_goes_with_the_patches(
    viewer, workspace, field
):
    field.views.show("map")
    workspace.select(np.array([1]))
    assert field.views.now == "map"
    assert overlays(viewer) == []
    field.views.show("source")
    assert overlays(viewer)[0].visible
    assert viewer.layers.selection.active is viewer.layers["nuclei"]
    field.views.show("map")
    assert not overlays(viewer)[0].visible
    workspace.set_patches(None)
    assert overlays(viewer) == []
    assert [layer.name for layer in viewer.layers] == ["field", "nuclei"]


def test_a_deleted_overlay_comes_back_with_the_next_selection(viewer, workspace, field):
    workspace.select(np.array([1]))
    viewer.layers.remove(overlays(viewer)[0])
    QApplication.processEvents()
    workspace.select(np.array([2]))
    np.testing.assert_array_equal(
        overlays(viewer)[0].data > 0, viewer.layers["nuclei"].data == 3_000
    )
    viewer.layers.remove("nuclei")  # the image is left, with the boxes of the crops
    QApplication.processEvents()
    assert len(overlays(viewer)) == 1
    viewer.layers.remove("field")
    QApplication.processEvents()
    assert overlays(viewer) == []
    workspace.select(np.array([3]))


def test_a_click_on_an_object_marks_its_point(viewer, workspace, field, hand):
    hand.click(middle(30))
    assert workspace.current == 30
    assert workspace.selection.size == 0
    np.testing.assert_array_equal(
        viewer.layers["map: current patch"].data[0], workspace.embedding[30]
    )
    hand.click(middle(31), SHIFT)
    hand.click(middle(12), CTRL)
    assert workspace.selection.tolist() == [12, 31]
    assert workspace.current == 12
    hand.click(middle(31), ALT)
    assert workspace.selection.tolist() == [12]
    hand.click((0.0, 0.0))  # beside all objects
    assert workspace.current == 12
    assert workspace.selection.tolist() == [12]
    viewer.layers.selection.active = viewer.layers["field"]
    hand.click(middle(7))
    assert workspace.current == 7
    hand.drag([middle(8), middle(10)])
    assert workspace.current == 7


def test_painting_is_not_disturbed(viewer, workspace, field, hand):
    labels = viewer.layers["nuclei"]
    labels.mode, labels.selected_label = "paint", 77
    hand.click(middle(30))
    assert workspace.current == -1
    assert labels.data[tuple(round(c) for c in middle(30))] == 77
    labels.mode = "pick"
    hand.click(middle(31))
    assert workspace.current == 31


def test_the_current_object_is_framed_and_brought_into_view(viewer, workspace, field):
    overlay, camera = field.mouse.overlay, camera_of(viewer)
    assert overlay.box == []
    camera.zoom *= 6
    camera.center = middle(0)
    workspace.set_current(47)
    np.testing.assert_allclose(camera.center[-2:], np.array(middle(47)), atol=0.6)
    (left, top), (right, bottom) = np.min(overlay.box, 0), np.max(overlay.box, 0)
    side = workspace.patches.table["width"].iloc[47] * camera.zoom
    assert right - left == pytest.approx(side, rel=0.01)
    assert bottom - top == pytest.approx(side, rel=0.01)
    assert (left + right) / 2 == pytest.approx(overlay.width() / 2, abs=camera.zoom)
    field.views.show("map")
    assert overlay.box == []
    workspace.set_current(0)
    field.views.show("source")
    np.testing.assert_allclose(camera.center[-2:], np.array(middle(0)), atol=0.6)
    assert len(overlay.box) == 4
    workspace.set_current(-1)
    assert overlay.box == []


def test_a_scaled_and_moved_layer_is_followed(viewer, workspace, hand):
    labels = grid_labels()
    image = np.zeros(labels.shape, np.uint8)
    viewer.add_image(image, name="field", scale=(0.5, 0.25), translate=(10, -20))
    viewer.add_labels(labels, name="nuclei", scale=(0.5, 0.25), translate=(10, -20))
    patches = from_objects(image, labels, name="field", labels_name="nuclei")
    owner = start(viewer, patches)
    owner.views.show("source")
    workspace.select(np.array([9]))
    (overlay,) = overlays(viewer)
    np.testing.assert_allclose(overlay.extent.world, viewer.layers["nuclei"].extent.world)
    hand.click(np.array(middle(22)) * (0.5, 0.25) + (10, -20))
    assert workspace.current == 22


def test_a_time_series_is_stepped_shaded_and_clicked(viewer, workspace, hand):
    labels = np.stack([grid_labels(shift) for shift in (0, 2, 4)])
    labels[1, 4:16, :20] = 0  # the first object is missing in one frame
    image = np.zeros(labels.shape, np.uint8)
    viewer.add_image(image, name="movie")
    viewer.add_labels(labels, name="tracks")
    patches = from_objects(image, labels, name="movie", labels_name="tracks")
    owner = start(viewer, patches)
    owner.views.show("source")
    viewer.dims.set_current_step(0, 0)
    assert workspace.current == -1  # many objects in each frame, none of them is meant
    table = patches.table
    last = int(np.flatnonzero((table.frame == 2) & (table.label_id == 10_000))[0])
    workspace.set_current(last)
    assert viewer.dims.current_step[0] == 2
    assert len(owner.mouse.overlay.box) == 4
    workspace.select(np.flatnonzero(table.label_id.isin([10_000, 1_000])))
    for frame, known in ((0, [1_000, 10_000]), (1, [10_000]), (2, [1_000, 10_000])):
        viewer.dims.set_current_step(0, frame)
        picture = overlays(viewer)[0].data
        np.testing.assert_array_equal(picture > 0, np.isin(labels[frame], known))
        assert table.frame[workspace.current] == frame  # the same object, followed
        assert table.label_id[workspace.current] == 10_000
    viewer.dims.set_current_step(0, 1)
    hand.click((29.5, 71.5))
    assert table.label_id[workspace.current] == 12_000
    assert table.frame[workspace.current] == 1
    viewer.dims.ndisplay = 3
    assert not overlays(viewer)[0].visible
    assert owner.mouse.overlay.box == []


def test_another_layer_of_the_name_is_left_alone(viewer, workspace):
    labels = grid_labels()
    image = np.zeros(labels.shape, np.uint8)
    viewer.add_labels(labels[:50, :50].copy(), name="nuclei")
    start(viewer, from_objects(image, labels, name="f", labels_name="nuclei"))
    MapLayer.of(viewer).views.show("source")
    workspace.select(np.array([3]))
    assert overlays(viewer) == []


def test_of_a_folder_of_fields_the_one_in_view_is_linked(
    qtbot, viewer, workspace, hand, tmp_path, rng_image
):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i, shift in enumerate((0, 3)):
        tifffile.imwrite(tmp_path / "images" / f"field {i}.tif", rng_image)
        tifffile.imwrite(tmp_path / "masks" / f"field {i}_mask.tif", grid_labels(shift))
    patches = open_patches(tmp_path / "images", objects=tmp_path / "masks")
    owner = start(viewer, patches)
    viewer.open(tmp_path / "masks" / "field 1_mask.tif", plugin="napari", layer_type="labels")
    QApplication.processEvents()
    assert owner.views.now == "source"
    table = patches.table
    chosen = np.flatnonzero(table["label_id"] == 9_000)
    assert table["source"].iloc[chosen].tolist() == ["field 0.tif", "field 1.tif"]
    workspace.select(chosen)
    (overlay,) = overlays(viewer)
    np.testing.assert_array_equal(overlay.data > 0, grid_labels(3) == 9_000)
    hand.click(np.add(middle(20), (0, 3)))
    assert table["source"].iloc[workspace.current] == "field 1.tif"
    assert table["label_id"].iloc[workspace.current] == 21_000
    # The other field replaces it.
    viewer.layers.remove("field 1_mask")
    viewer.open(tmp_path / "masks" / "field 0_mask.tif", plugin="napari", layer_type="labels")
    QApplication.processEvents()
    (overlay,) = overlays(viewer)
    np.testing.assert_array_equal(overlay.data > 0, grid_labels() == 9_000)


# -- slides ---------------------------------------------------------------------


@pytest.fixture
def slide(viewer, workspace):
    """An overview of 100 x 150 pixels of a slide of 1,600 x 2,400, with 12 of its tiles."""
    tiles = [(y, x) for y in range(0, 1200, 400) for x in range(400, 2000, 400)]
    table = pd.DataFrame(tiles, columns=["y", "x"]).assign(height=400, width=400)
    table.insert(0, "frame", 0)
    table.insert(0, "source", "a.svs")
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 16, 3), np.uint8)
    patches = PatchSet(
        pixels, table, ("red", "green", "blue"), name="slide", origin={"kind": "slides"}
    )
    viewer.add_image(
        np.full((100, 150, 3), 230, np.uint8),
        rgb=True,
        name="overview",
        scale=(8.0, 8.0),
        metadata={"patchmap_source": "a.svs", "patchmap_level0_scale": 16.0},
    )
    return start(viewer, patches)


def test_tiles_are_outlined_and_the_selected_ones_brought_out(viewer, workspace, slide):
    slide.views.show("source")
    (overlay,) = overlays(viewer)
    step = slide.places.found[0].picture.step
    assert overlay.data.shape == (-(-1600 // step), -(-2400 // step))
    assert set(np.unique(overlay.data)) == {OTHER, OUTLINE}
    assert (overlay.data == OUTLINE).mean() < 0.12  # lines, not bands
    workspace.select(np.array([0, 5]))
    chosen = overlay.data > 0
    assert chosen.sum() == 2 * (400 // step) ** 2
    assert chosen[: 400 // step, 400 // step : 800 // step].all()
    extent = viewer.layers["overview"].extent.world
    np.testing.assert_allclose(overlay.extent.world, extent, atol=step / 2)
    viewer.layers["overview"].visible = False
    assert not overlay.visible
    viewer.layers["overview"].visible = True
    assert overlay.visible


def test_a_click_on_a_tile_marks_its_point(viewer, workspace, slide, hand):
    slide.views.show("source")
    hand.click((0.5 * 600, 0.5 * 1100))  # half a unit a pixel of the slide
    assert workspace.current == 5
    hand.click((0.5 * 1500, 0.5 * 100))  # overlay
    assert workspace.current == 5
    hand.click((0.5 * 5, 0.5 * 405), SHIFT)
    assert workspace.selection.tolist() == [0]


# -- through the form's request -----------------------------------------------------


def test_layers_are_cut_out_by_request_and_reopened_from_their_files(tmp_path, rng_image):
    image, labels = rng_image, grid_labels()
    files = str(tmp_path / "image.tif"), str(tmp_path / "labels.tif")
    tifffile.imwrite(files[0], image)
    tifffile.imwrite(files[1], labels)
    request = Request(
        Kind.OBJECTS,
        OpenRequest(crops=CropConfig(size=16)),
        image=OpenLayer("field", image),
        objects=OpenLayer("nuclei", labels, labels=True),
        files=files,
    )
    ps = open_request(request, Watch()).patches
    assert len(ps) == 48
    assert ps.origin["layer"] == "field"
    assert ps.origin["labels_layer"] == "nuclei"
    again = reopen(ps.origin)
    np.testing.assert_array_equal(again[7], ps[7])
    plain = open_request(
        Request(
            Kind.OBJECTS,
            OpenRequest(files[0], objects=files[1], crops=CropConfig(size=16)),
        ),
        Watch(),
    ).patches
    np.testing.assert_array_equal(plain[7], ps[7])


@pytest.fixture
def rng_image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 255, (120, 160), np.uint8)
