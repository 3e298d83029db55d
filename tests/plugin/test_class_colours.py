"""The colours of the map on the images that its patches come from."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import tifffile
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_patchmap.explore.given_names import SUGGESTED
from napari_patchmap.patches import from_objects, open_patches
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.canvas.two_views import OVERLAY, camera_of
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.napari_private import canvas_widget
from napari_patchmap.plugin.panels.annotate.annotate import Annotate
from napari_patchmap.plugin.panels.explore.explore import Explore
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.plugin.images import BLUE, RED, assert_painted, rgb, squares, tick

ONE_WINDOW = True


def start(viewer, workspace, patches) -> Explore:
    """Show a map of the patches in a grid, two classes, and the panel."""
    owner = MapLayer.of(viewer)
    workspace.set_patches(patches)
    places = np.stack(np.divmod(np.arange(len(patches)), 4), axis=1) * 10
    workspace.set_embedding(places.astype(np.float32))
    now = workspace.annotations.now.with_class("a", RED).with_class("b", BLUE)
    workspace.set_annotations(workspace.annotations.put(now))
    panel = Explore(viewer)
    viewer.window.add_dock_widget(panel, name="Explore")
    owner.colour_by("annotation")
    QApplication.processEvents()
    return panel


def on_canvas(viewer, place) -> np.ndarray:
    """Return the colour, 0 to 255, that is seen at a place (y, x) of the world."""
    QApplication.processEvents()
    picture = viewer.screenshot(flash=False)
    canvas, camera = canvas_widget(viewer), camera_of(viewer)
    scale = picture.shape[0] / canvas.height()
    away = (np.array(place) - np.array(camera.center[-2:])) * camera.zoom * scale
    y, x = np.rint(away + np.array(picture.shape[:2]) / 2).astype(int)
    return picture[y, x, :3].astype(int)


@pytest.fixture(params=[np.int32, np.uint8], ids=lambda one: one.__name__)
def cells(request, viewer, workspace):
    """A field of objects in the viewer, on a white image, and a map of all but the last."""
    labels = squares(dtype=request.param)
    image = np.full((*labels.shape, 3), 255, np.uint8)
    viewer.add_image(image, rgb=True, name="field")
    layer = viewer.add_labels(labels.copy(), name="nuclei", opacity=1)
    known = np.where(labels == 120, 0, labels)
    patches = from_objects(image, known, name="field", labels_name="nuclei")
    return start(viewer, workspace, patches), layer


def test_the_labels_have_the_colours_of_the_map_while_one_annotates(
    viewer, workspace, cells, hand, qtbot
):
    panel, layer = cells
    owner, canvas = MapLayer.of(viewer), canvas_widget(viewer)
    former, random = layer.colormap, layer.get_color(10)
    tick(panel.on_image.paint)
    assert_painted(layer, n10="", n120="")  # nothing is annotated; one is no patch
    hand.click((0, 10))  # the second point, of object 20
    qtbot.keyClick(canvas, Qt.Key.Key_1)
    hand.click((10, 0))  # the fifth
    qtbot.keyClick(canvas, Qt.Key.Key_2)
    assert_painted(layer, n10="", n20=RED, n50=BLUE)
    owner.views.show("source")
    workspace.clear_selection()
    assert abs(on_canvas(viewer, (9.5, 29.5)) - np.array(rgb(RED)) * 255).max() < 8
    assert on_canvas(viewer, (1, 1)).min() > 250  # beside all objects nothing is painted
    workspace.select(np.array([0]))  # brought out: the others are shaded, in their colours
    red, green, _ = on_canvas(viewer, (9.5, 29.5))
    assert red > 3 * green
    assert red < 0.6 * 208
    now = workspace.annotations.now
    workspace.set_annotations(workspace.annotations.put(now.recoloured(0, "#10c010")))
    assert_painted(layer, n20="#10c010")
    for _ in range(4):
        workspace.undo()
    assert_painted(layer, n20=RED, n50="")
    workspace.redo()
    assert_painted(layer, n50=BLUE)
    owner.points.shown = np.arange(11) != 1
    owner.views.show("map")
    np.testing.assert_array_equal(layer.get_color(20)[3], 0)  # hidden here as on the map
    owner.points.shown = True
    assert_painted(layer, n20=RED)
    owner.colour_by("")
    assert layer.colormap is former
    owner.colour_by("centroid_y")
    np.testing.assert_allclose(layer.get_color(30), owner.colouring.colours[2], atol=1e-6)
    tick(panel.on_image.paint)
    assert layer.colormap is former
    np.testing.assert_array_equal(layer.get_color(10), random)


def test_the_former_colours_come_back_and_a_persons_own_choice_counts(
    viewer, workspace, cells, qtbot
):
    panel, layer = cells
    own = {None: "transparent", 0: "transparent", 10: "yellow"}
    layer.colormap = own
    former = layer.colormap
    tick(panel.on_image.paint)
    assert_painted(layer, n10="")
    layer.show_selected_label, layer.selected_label = True, 20
    workspace.annotate(np.array([0, 1]), 0)
    assert layer.get_color(10)[3] == 0  # napari shows one object alone
    assert_painted(layer, n20=RED)
    layer.show_selected_label = False
    assert_painted(layer, n10=RED)
    workspace.set_patches(None)
    assert layer.colormap is former
    patches = from_objects(
        viewer.layers["field"].data, layer.data, name="field", labels_name="nuclei"
    )
    workspace.set_patches(patches)
    qtbot.waitUntil(lambda: bool(workspace.annotations.now.classes))  # read from the disk
    workspace.annotate(np.array([11]), 0)
    MapLayer.of(viewer).colour_by("annotation")
    assert_painted(layer, n120=RED)
    layer.new_colormap()  # the button that shuffles colours
    QApplication.processEvents()
    assert not panel.on_image.paint.isChecked()
    shuffled = layer.colormap
    workspace.annotate(np.array([0]), 0)
    assert layer.colormap is shuffled


def test_an_object_that_is_followed_has_the_class_of_each_frame(viewer, workspace):
    labels = np.stack([squares(shift) for shift in (0, 2)])
    viewer.add_image(np.zeros(labels.shape, np.uint8), name="movie")
    layer = viewer.add_labels(labels, name="tracks")
    patches = from_objects(np.zeros(labels.shape), labels, name="m", labels_name="tracks")
    panel = start(viewer, workspace, patches)
    table = patches.table
    for frame, at in ((0, 0), (1, 1)):
        rows = np.flatnonzero((table.frame == frame) & (table.label_id == 30))
        workspace.annotate(rows, at)
    MapLayer.of(viewer).views.show("source")
    random = layer.colormap
    tick(panel.on_image.paint)
    for frame, colour in ((0, RED), (1, BLUE), (0, RED)):
        viewer.dims.set_current_step(0, frame)
        assert_painted(layer, n30=colour, n40="")
    viewer.dims.ndisplay = 3
    assert layer.colormap is random
    viewer.dims.ndisplay = 2
    assert_painted(layer, n30=RED)


def test_fields_of_a_folder_have_the_classes_of_their_own_objects(
    viewer, workspace, tmp_path, qtbot
):
    for folder in ("images", "masks"):
        (tmp_path / folder).mkdir()
    for i in range(2):
        tifffile.imwrite(tmp_path / "images" / f"{i}.tif", np.zeros((60, 80), np.uint8))
        tifffile.imwrite(tmp_path / "masks" / f"{i}_mask.tif", squares(i))
    patches = open_patches(tmp_path / "images", objects=tmp_path / "masks")
    panel = start(viewer, workspace, patches)
    for i in (1, 0):
        viewer.open(tmp_path / "masks" / f"{i}_mask.tif", plugin="napari", layer_type="labels")
    QApplication.processEvents()
    table = patches.table
    for i in range(2):
        of = (table["source"] == f"{i}.tif") & (table["label_id"] == 10 * (i + 1))
        workspace.annotate(np.flatnonzero(of), i)
    tick(panel.on_image.paint)
    assert_painted(viewer.layers["0_mask"], n10=RED, n20="")
    assert_painted(viewer.layers["1_mask"], n10="", n20=BLUE)
    panel.on_image.new_layer.click()
    qtbot.waitUntil(lambda: not panel.on_image.making.running)
    for i in range(2):
        made = viewer.layers[f"annotation classes ({i}_mask)"]
        np.testing.assert_array_equal(made.data, (squares(i) == 10 * (i + 1)) * (i + 1))


def test_classes_become_a_layer_that_says_what_its_values_mean_and_is_saved(
    viewer, workspace, cells, qtbot, tmp_path
):
    panel, layer = cells
    layer.scale, layer.translate = (0.5, 0.25), (3, -2)
    workspace.annotate(np.array([2, 4]), 1)
    workspace.annotate(np.array([0]), 0)
    QTest.mouseClick(panel.on_image.new_layer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "annotation classes" in viewer.layers)
    made = viewer.layers["annotation classes"]
    wanted = np.select([layer.data == 10, np.isin(layer.data, (30, 50))], [1, 2])
    np.testing.assert_array_equal(made.data, wanted)
    assert MapLayer.of(viewer).views.now == "source"
    assert made.visible
    np.testing.assert_array_equal(made.extent.world, layer.extent.world)
    known = made.features.set_index("index")
    assert known["class"].to_dict() == {1: "a", 2: "b"}
    assert known["colour"].to_dict() == {1: RED, 2: BLUE}
    assert_painted(made, n1=RED, n2=BLUE)
    made.save(str(tmp_path / "classes.tif"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "classes.tif"), wanted)
    workspace.annotate(np.array([0]), 1)
    np.testing.assert_array_equal(made.data, wanted)  # as it was then
    MapLayer.of(viewer).colour_by("centroid_y")
    assert not panel.on_image.new_layer.isEnabled()


def test_tiles_are_painted_on_the_slide_and_make_a_layer_as_fine_as_their_grid(
    viewer, workspace, hand, qtbot
):
    """An overview, half a unit a pixel of the slide, of which a pixel is 16 of the slide."""
    tiles = [(y, x) for y in range(0, 1200, 400) for x in range(400, 2000, 400)]
    table = pd.DataFrame(tiles, columns=["y", "x"]).assign(height=400, width=400)
    table.insert(0, "frame", 0)
    table.insert(0, "source", "a.svs")
    pixels = np.random.default_rng(0).integers(0, 255, (12, 16, 16, 3), np.uint8)
    patches = PatchSet(pixels, table, ("red", "green", "blue"), origin={"kind": "slides"})
    overview = viewer.add_image(
        np.full((100, 150, 3), 255, np.uint8),
        rgb=True,
        name="overview",
        scale=(8.0, 8.0),
        metadata={"patchmap_source": "a.svs", "patchmap_level0_scale": 16.0},
    )
    panel = start(viewer, workspace, patches)
    tick(panel.on_image.paint)
    owner = MapLayer.of(viewer)
    owner.views.show("source")
    qtbot.waitUntil(lambda: "overview (colours)" in viewer.layers)
    hand.click((0.5 * 600, 0.5 * 1100), Qt.KeyboardModifier.ShiftModifier)  # the sixth
    assert workspace.selection.tolist() == [5]
    workspace.annotate(workspace.selection, 0)
    workspace.clear_selection()
    names = [ly.name for ly in viewer.layers if ly.metadata.get(OVERLAY)]
    assert names == ["overview (colours)", "overview (selected patches)"]  # above the colours
    red, green, _ = on_canvas(viewer, (0.5 * 600, 0.5 * 1100))
    assert red > green + 50
    assert green > 100  # the slide is seen through it
    assert np.ptp(on_canvas(viewer, (0.5 * 600, 0.5 * 1500))) < 8
    owner.views.show("map")
    layer = viewer.layers["overview (colours)"]
    assert not layer.visible
    assert owner.image_colours.on
    panel.on_image.new_layer.click()
    qtbot.waitUntil(lambda: "annotation classes" in viewer.layers)
    made = viewer.layers["annotation classes"]
    assert made.data.shape == (4, 6)  # 1,600 x 2,400 in tiles of 400
    assert np.argwhere(made.data).tolist() == [[1, 2]]
    np.testing.assert_allclose(made.scale, (200, 200))
    # Both begin at the corner of the slide; napari names the middle of the first pixel.
    np.testing.assert_allclose(made.extent.world[0] - 100, overview.extent.world[0] - 4)
    np.testing.assert_allclose(layer.extent.world, made.extent.world)
    assert layer.visible  # to see the new layer the images were turned to
    layer.visible = False  # the eye in napari's list
    QApplication.processEvents()
    assert not panel.on_image.paint.isChecked()
    assert layer not in viewer.layers
    tick(panel.on_image.paint)
    assert viewer.layers["overview (colours)"].visible
    viewer.layers.remove("overview (colours)")
    QApplication.processEvents()
    assert not panel.on_image.paint.isChecked()
    workspace.set_patches(None)
    assert [ly.name for ly in viewer.layers] == ["overview", "annotation classes"]
    assert not panel.on_image.paint.isEnabled()


def test_suggestions_are_painted_while_one_accepts_and_rejects(viewer, workspace, qtbot):
    labels = squares()
    grain = np.random.default_rng(0).integers(0, 30, labels.shape)
    image = (np.where(np.isin(labels, (10, 20, 30, 70, 80)), 200, 40) + grain).astype(np.uint8)
    viewer.add_image(image, name="field")
    layer = viewer.add_labels(labels, name="nuclei", opacity=1)
    patches = from_objects(image, labels, name="field", labels_name="nuclei")
    panel = start(viewer, workspace, patches)
    run = fit(patches, RunConfig(TrainConfig(device="cpu", method="pixels")))
    workspace.set_run(run)
    for at, rows in enumerate(([0, 1, 2], [3, 4, 5])):  # the bright ones, the dark ones
        workspace.annotate(np.array(rows), at)
    tick(panel.on_image.paint)
    annotate = Annotate(viewer)
    viewer.window.add_dock_widget(annotate, name="Annotate")
    QApplication.processEvents()
    suggesting = annotate.suggesting
    QTest.mouseClick(suggesting.rest, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: workspace.suggestions is not None)
    assert MapLayer.of(viewer).colouring.column == SUGGESTED
    assert_painted(layer, n70=RED, n80=RED, n90=BLUE, n120=BLUE)
    workspace.select(np.array([6]))  # object 70
    QTest.mouseClick(suggesting.accept, Qt.MouseButton.LeftButton)
    workspace.select(np.array([7]))
    QTest.mouseClick(suggesting.reject, Qt.MouseButton.LeftButton)
    assert workspace.annotations.now.codes[6:8].tolist() == [0, -1]
    assert_painted(layer, n70=RED, n80="", n90=BLUE)
    MapLayer.of(viewer).colour_by("annotation")
    assert_painted(layer, n70=RED, n80="", n90="")
    workspace.select(np.array([8]))
    QTest.mouseClick(suggesting.accept, Qt.MouseButton.LeftButton)
    assert_painted(layer, n90=BLUE)
    workspace.undo()
    assert_painted(layer, n90="")


@pytest.mark.parametrize("shape", [(2, 1, 60, 80), (1, 2, 60, 80), (2, 60, 80)])
def test_of_four_axes_the_plane_that_is_seen_is_painted(viewer, workspace, shape, qtbot, hand):
    """Labels of two times, or of two depths, in a viewer with sliders of both."""
    labels = np.stack([squares(shift) for shift in (0, 2)]).reshape(shape)
    seen = (2, 2, *shape[-2:]) if len(shape) == 3 else shape
    image = np.zeros(seen, np.uint8)
    viewer.add_image(image, name="movie")
    layer = viewer.add_labels(labels, name="tracks", opacity=1)
    ours = image[0] if len(shape) == 3 else image
    patches = from_objects(ours, labels, name="movie", labels_name="tracks")
    panel = start(viewer, workspace, patches)
    table = patches.table
    for frame in (0, 1):
        rows = np.flatnonzero((table.frame == frame) & (table.label_id == 30))
        workspace.annotate(rows, frame)
    owner = MapLayer.of(viewer)
    owner.views.show("source")
    QApplication.processEvents()
    tick(panel.on_image.paint)
    axis = 0 if shape[0] == 2 and len(shape) == 4 else 1
    for frame, colour in ((0, RED), (1, BLUE), (0, RED)):
        viewer.dims.set_current_step(axis, frame)
        assert_painted(layer, n30=colour, n40="")
        hand.click((9.5, 49.5 + frame))
        assert workspace.current == int(
            np.flatnonzero((table.frame == frame) & (table.label_id == 30))[0]
        )
    workspace.set_current(int(np.flatnonzero(table.frame == 1)[0]))
    assert viewer.dims.current_step[axis] == 1
    panel.on_image.new_layer.click()
    qtbot.waitUntil(lambda: "annotation classes" in viewer.layers)
    made = viewer.layers["annotation classes"].data
    assert made.shape == shape
    both = made.reshape(2, 60, 80)
    np.testing.assert_array_equal(both[0] > 0, squares() == 30)
    np.testing.assert_array_equal(both[1], np.where(squares(2) == 30, 2, 0))
