"""The one form of "Load patches": recognised paths, slides, recent sources, channels, cache."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture
from qtpy.QtCore import QPoint, Qt, QTimer
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication, QFileDialog, QToolTip

from napari_patchmap.patches import Kind, OpenRequest, open_patches
from napari_patchmap.patches.cache.cache_folder import cache_size
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.plugin.canvas.two_views import OVERLAY
from napari_patchmap.plugin.panels.load.cache_line import size_text
from napari_patchmap.plugin.panels.load.contact_sheet import spread_indices
from napari_patchmap.plugin.panels.load.opening import Request
from napari_patchmap.plugin.panels.load.recent import (
    recent_file,
    recent_sources,
    remember_source,
)
from napari_patchmap.plugin.source.place import SOURCE
from napari_patchmap.runs import OpenLayer, unreadable
from tests.patches.plates.drawn_plate import write_plate, zipped
from tests.plugin.images import slide
from tests.plugin.toy import choose_source

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(load_panel):
    return load_panel


def idle(qtbot, panel):
    """Wait until nothing is going on."""

    def done():
        source = panel.source
        return not (
            source.path.recognising
            or source.preview.busy
            or panel.loading
            or panel.source.recent._remembering.busy
            or panel.summary.sheet.busy
        )

    qtbot.waitUntil(done, timeout=20_000)


def type_path(qtbot, panel, path):
    panel.source.path.edit.setFocus()
    panel.source.path.edit.selectAll()
    qtbot.keyClicks(panel.source.path.edit, str(path))
    idle(qtbot, panel)


def load(qtbot, panel):
    qtbot.mouseClick(panel.button, LEFT)
    idle(qtbot, panel)


def images(folder, names, side=16):
    rng = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 255, (side, side, 3), dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / name)
    return folder


@contextlib.contextmanager
def opened_by_threads(folder: Path) -> Iterator[set[threading.Thread]]:
    """Collect the threads that open files of a folder."""
    threads, listening = set(), True

    def hear(event, details):
        if listening and event == "open" and str(details[0]).startswith(str(folder)):
            threads.add(threading.current_thread())

    sys.addaudithook(hear)  # it cannot be taken away again
    yield threads
    listening = False


# -- what a path is ------------------------------------------------------------------


def test_a_typed_path_chooses_its_kind(qtbot, panel, tmp_path):
    folder = images(tmp_path / "cells", ["a.png", "b.png"])
    stack = tmp_path / "stack.npy"
    np.save(stack, np.zeros((5, 9, 9), np.uint8))
    pyramid = slide(tmp_path / "slide.tif")
    for path, kind in ((stack, "stack"), (folder, "folder"), (pyramid, "slides")):
        type_path(qtbot, panel, path)
        assert panel.source.kind.currentData() == kind
    (tmp_path / "slides").mkdir()
    slide(tmp_path / "slides" / "one.tif")
    type_path(qtbot, panel, tmp_path / "slides")
    assert panel.source.kind.currentData() == "slides"


def test_a_wrong_path_is_one_sentence(qtbot, panel, tmp_path):
    for kind in ("folder", "stack", "slides", "run"):
        panel.source.choose(kind)
        panel.source.path.edit.clear()
        load(qtbot, panel)
        assert panel.message.text.startswith("Choose a")
        type_path(qtbot, panel, tmp_path / "it's not there")
        load(qtbot, panel)
        assert panel.message.level == "error"
        assert "it's not there" in panel.message.text
        assert "Traceback" not in panel.message.text
        assert panel.source.kind.currentData() == kind
        assert panel.workspace.patches is None


def test_only_what_matters_is_shown(panel):
    shown = {
        "folder": "path more pattern objects_file",
        "stack": "path more axes key objects_file",
        "slides": "path tiles preview more key objects_file",
        "objects": "objects image crops",
        "layer": "stack more axes",
        "sample": "",
        "run": "path",
    }
    source = panel.source
    source.more.open(True)
    every = {name for names in shown.values() for name in names.split()}
    parts = {
        name: getattr(source, name, None) or getattr(source.layers, name) for name in every
    }
    for kind, names in shown.items():
        source.choose(kind)
        visible = {name for name, part in parts.items() if part.isVisible()}
        assert visible == set(names.split()), kind


# -- slides --------------------------------------------------------------------------


def tiles_of(panel):
    return [ly for ly in panel.viewer.layers if ly.metadata.get(OVERLAY)]


def test_tiles_are_drawn_on_the_slide_before_loading(qtbot, panel, tmp_path):
    type_path(qtbot, panel, slide(tmp_path / "slide.tif"))
    panel.source.tiles.field("size").setValue(80)
    idle(qtbot, panel)
    preview = panel.source.preview
    assert preview.line.text().startswith("40 of 80 tiles")
    assert "0.50 µm per pixel" in preview.line.text()
    assert panel.workspace.patches is None
    overview = panel.viewer.layers["slide.tif"]
    assert overview.metadata[SOURCE] == "slide.tif"
    np.testing.assert_allclose(overview.extent.world, [[-0.5, -0.5], [639.5, 799.5]], atol=1)
    (tiles,) = tiles_of(panel)
    np.testing.assert_allclose(tiles.extent.world, [[-0.5, -0.5], [639.5, 799.5]], atol=4)
    wide = tiles.data.shape[1]
    assert (tiles.data[:, : wide // 2] != 0).all()
    assert (tiles.data[:, wide // 2 + 1 :] == 0).all()
    # A change is drawn at once; the slide stays the same layer.
    panel.source.tiles.field("min_foreground").setValue(0.0)
    idle(qtbot, panel)
    assert preview.line.text().startswith("80 of 80 tiles")
    assert panel.viewer.layers["slide.tif"] is overview
    load(qtbot, panel)
    assert len(panel.workspace.patches) == 80
    assert set(panel.workspace.patches.table["source"]) == {"slide.tif"}


def test_cells_of_a_slide_are_cut_out_around_their_outlines(qtbot, panel, tmp_path):
    type_path(qtbot, panel, slide(tmp_path / "slide.tif"))
    cells = [
        {"geometry": {"type": "Polygon", "coordinates": [[[x, y], [x + 20, y], [x, y + 20]]]}}
        for x in range(100, 200, 30)
        for y in range(100, 200, 30)
    ]
    (tmp_path / "cells.geojson").write_text(json.dumps(cells))
    source = panel.source
    assert source.tiles.isVisible()
    assert not source.take_dropped(tmp_path / "cells.geojson")
    idle(qtbot, panel)
    assert source.objects_file.path == str(tmp_path / "cells.geojson")
    assert source.crops.isVisible()
    assert not source.tiles.isVisible()
    assert not source.preview.isVisible()
    source.crops.field("size").setValue(24)
    load(qtbot, panel)
    patches = panel.workspace.patches
    assert (len(patches), patches.common_size) == (16, (24, 24))
    # In the list of recent sources it is the same again; without objects, tiles are cut.
    (request, *_) = recent_sources()
    source.objects_file.set_path("")
    assert source.tiles.isVisible()
    source.fill(request)
    assert source.objects_file.path == str(tmp_path / "cells.geojson")
    assert source.crops.config.size == 24
    # A table of centres that is dropped is no table of labels here.
    (tmp_path / "centres.tsv").write_text("Centroid X µm\tCentroid Y µm\n50\t60\n70\t80\n")
    assert not source.take_dropped(tmp_path / "centres.tsv")
    assert source.objects_file.path == str(tmp_path / "centres.tsv")
    load(qtbot, panel)
    assert len(panel.workspace.patches) == 2


def test_tiles_to_come_are_not_mixed_with_those_that_are_loaded(qtbot, panel, tmp_path):
    type_path(qtbot, panel, slide(tmp_path / "slide.tif"))
    panel.source.tiles.field("size").setValue(80)
    idle(qtbot, panel)
    load(qtbot, panel)
    (loaded,) = tiles_of(panel)
    assert "selected patches" in loaded.name
    assert loaded.visible
    panel.source.tiles.field("size").setValue(64)
    idle(qtbot, panel)
    (preview,) = [layer for layer in tiles_of(panel) if layer is not loaded]
    assert "(tiles)" in preview.name
    assert preview.visible
    qtbot.waitUntil(lambda: not loaded.visible)
    preview.visible = False
    qtbot.waitUntil(lambda: loaded.visible)
    preview.visible = True
    qtbot.waitUntil(lambda: not loaded.visible)
    # What is selected on the map is brought out among the tiles that are on the map.
    panel.workspace.select(np.array([3, 4]))
    qtbot.waitUntil(lambda: loaded.visible)
    assert tiles_of(panel) == [loaded]
    # The next settings are shown again, and loading them leaves one layer of tiles.
    panel.source.tiles.field("size").setValue(100)
    idle(qtbot, panel)
    qtbot.waitUntil(lambda: not loaded.visible)
    load(qtbot, panel)
    (tiles,) = tiles_of(panel)
    assert tiles.visible
    assert "selected patches" in tiles.name


def test_a_slide_of_glass_says_so(qtbot, panel, tmp_path):
    type_path(qtbot, panel, slide(tmp_path / "overlay.tif", tissue=False))
    assert "no tissue" in panel.source.preview.line.text()
    assert not tiles_of(panel)


def test_a_folder_of_slides_lets_one_look_at_each(qtbot, panel, tmp_path):
    slide(tmp_path / "a.tif")
    slide(tmp_path / "b.tif", (448, 448))
    type_path(qtbot, panel, tmp_path)
    chooser = panel.source.preview.slides
    assert [chooser.itemText(i) for i in range(chooser.count())] == ["a.tif", "b.tif"]
    assert "a.tif" in panel.viewer.layers
    chooser.setFocus()
    qtbot.keyClick(chooser, Qt.Key.Key_Down)
    idle(qtbot, panel)
    assert "b.tif" in panel.viewer.layers
    assert "a.tif" not in panel.viewer.layers


# -- other sources -------------------------------------------------------------------


def test_objects_of_a_labels_layer_are_cut_out(qtbot, panel):
    choose_source(qtbot, panel, "objects")
    load(qtbot, panel)
    assert "No Labels layer is open" in panel.message.text
    labels = np.zeros((60, 80), np.int32)
    labels[10:18, 10:18], labels[30:40, 50:58] = 3, 7
    panel.viewer.add_labels(labels, name="nuclei")
    load(qtbot, panel)
    assert "No image is open" in panel.message.text
    panel.viewer.add_image(np.arange(4800.0).reshape(60, 80), name="cells")
    load(qtbot, panel)
    assert panel.message.text == ""
    assert panel.workspace.patches.table["label_id"].tolist() == [3, 7]


def test_a_pattern_is_tried_on_the_first_names(qtbot, panel, tmp_path):
    images(tmp_path, [f"cell_B{i}_0{i}.png" for i in range(4)])
    type_path(qtbot, panel, tmp_path)
    panel.source.more.open(True)
    qtbot.keyClicks(panel.source.pattern.edit, "cell_{label}_{}")
    preview = panel.source.pattern.preview
    qtbot.waitUntil(lambda: "cell_B0_00.png → label B0" in preview.text())
    load(qtbot, panel)
    assert set(panel.workspace.patches.labels) == {"B0", "B1", "B2", "B3"}
    panel.source.pattern.set_pattern("[")
    qtbot.waitUntil(lambda: "is not a regular expression" in preview.text())


def test_some_channels_can_be_kept(qtbot, panel, tmp_path):
    pixels = np.random.default_rng(0).integers(0, 999, (6, 3, 12, 12)).astype(np.uint16)
    names = ["DAPI", "CD3", "CD20"]
    tifffile.imwrite(
        tmp_path / "three.ome.tif",
        pixels,
        photometric="minisblack",
        metadata={"axes": "TCYX", "Channel": {"Name": names}},
    )
    type_path(qtbot, panel, tmp_path / "three.ome.tif")
    load(qtbot, panel)
    choice = panel.summary.channels
    assert [box.text() for box in choice.boxes] == names
    assert not choice.button.isVisible()
    choice.boxes[1].click()
    qtbot.mouseClick(choice.button, LEFT)
    qtbot.waitUntil(lambda: panel.workspace.patches.channel_names == ("DAPI", "CD20"))
    patches = panel.workspace.patches
    np.testing.assert_array_equal(patches[2][..., 1], pixels[2, 2])
    assert patches.origin["channels"] == ["DAPI", "CD20"]
    choice.boxes[1].click()  # they can be had back
    qtbot.mouseClick(choice.button, LEFT)
    qtbot.waitUntil(lambda: panel.workspace.patches.channel_names == tuple(names))
    idle(qtbot, panel)


def test_likely_axes_are_one_click_away(qtbot, panel, tmp_path):
    np.save(
        tmp_path / "stack.npy", np.zeros((4, 3, 30, 3), np.uint8) + np.arange(3, dtype="u1")
    )
    type_path(qtbot, panel, tmp_path / "stack.npy")
    load(qtbot, panel)
    assert list(panel.answers.buttons) == ["NYXC", "NCYX"]
    qtbot.mouseClick(panel.answers.buttons["NCYX"], LEFT)
    idle(qtbot, panel)
    assert panel.workspace.patches.common_size == (30, 3)


def test_the_array_of_a_file_is_one_click_away(qtbot, panel, tmp_path):
    one, two = np.zeros((4, 30, 30), np.uint8), np.ones((5, 20, 20), np.uint8)
    np.savez(tmp_path / "set.npz", one=one, two=two)
    type_path(qtbot, panel, tmp_path / "set.npz")
    load(qtbot, panel)
    assert list(panel.answers.buttons) == ["one", "two"]
    qtbot.mouseClick(panel.answers.buttons["two"], LEFT)
    idle(qtbot, panel)
    assert panel.workspace.patches.common_size == (20, 20)
    assert panel.source.key.text() == "two"


def test_one_image_is_cut_by_one_click(qtbot, panel, tmp_path, monkeypatch):
    """As tiles, or around the objects of a file; also where it lies alone in a folder."""
    image, masks = np.zeros((500, 600), np.uint8), np.zeros((500, 600), np.uint16)
    masks[20:40, 30:50], masks[200:230, 100:120] = 1, 2
    image[masks > 0] = 200
    (tmp_path / "set").mkdir()
    tifffile.imwrite(tmp_path / "set" / "field.tif", image)
    np.save(tmp_path / "field_seg.npy", {"masks": masks}, allow_pickle=True)
    type_path(qtbot, panel, tmp_path / "set" / "field.tif")
    load(qtbot, panel)
    assert list(panel.answers.buttons) == ["tiles", "objects"]
    monkeypatch.setattr(
        QFileDialog, "getOpenFileName", lambda *_: (str(tmp_path / "field_seg.npy"), "")
    )
    qtbot.mouseClick(panel.answers.buttons["objects"], LEFT)
    idle(qtbot, panel)
    assert panel.workspace.patches.table["label_id"].tolist() == [1, 2]
    assert panel.workspace.patches.origin["objects"] == str(tmp_path / "field_seg.npy")
    panel.source.objects_file.set_path("")
    type_path(qtbot, panel, tmp_path / "set")
    load(qtbot, panel)
    assert len(panel.workspace.patches) == 1  # it is a patch, if a person wants that
    assert "fields of view" in panel.message.text
    assert "one image of 600 pixels a side" in panel.workspace.patches.notes[0]
    panel.source.tiles.set_config(TileConfig(foreground="none"))
    qtbot.mouseClick(panel.answers.buttons["tiles"], LEFT)
    idle(qtbot, panel)
    assert panel.workspace.patches.origin["kind"] == Kind.SLIDES
    assert len(panel.workspace.patches) > 1


def test_axes_that_do_not_fit_are_not_offered_again(qtbot, panel, tmp_path):
    np.save(tmp_path / "stack.npy", np.zeros((4, 3, 30, 30), np.uint8))
    type_path(qtbot, panel, tmp_path / "stack.npy")
    panel.source.axes.setCurrentText("CYX")
    load(qtbot, panel)
    assert "has 4 axes, but 'CYX' name 3" in panel.message.text
    assert list(panel.answers.buttons) == ["NYXC", "NCYX"]


# -- recent sources --------------------------------------------------------------------


def test_recent_sources_fill_in_everything(qtbot, panel, tmp_path):
    folder = images(tmp_path / "my cells", [f"{kind}_{i}.png" for kind in "ab" for i in (1, 2)])
    type_path(qtbot, panel, folder)
    panel.source.pattern.set_pattern("{label}_{}")
    load(qtbot, panel)
    recent = panel.source.recent
    qtbot.waitUntil(lambda: recent.isVisible())
    (action,) = recent.menu_of_sources.actions()
    assert action.text() == "my cells"
    assert str(folder) in action.toolTip()
    panel.source.choose("sample")
    panel.source.pattern.set_pattern("")
    action.trigger()
    request = panel.source.request()
    assert request.kind is Kind.FOLDER
    assert (request.what.path, request.what.pattern) == (str(folder), "{label}_{}")


def of_folder(path, **settings) -> Request:
    return Request(Kind.FOLDER, OpenRequest(path, **settings))


def test_a_list_of_an_earlier_version_opens(tmp_path):
    """With every key that it wrote, in its words."""
    nothing = {"labels": "", "axes": "auto", "pattern": "", "objects": "", "sizes": None}
    nothing |= {"tiles": None, "crops": None}
    tiles = {**TileConfig(size=64).to_dict()}
    listed = [
        {**nothing, "kind": "file", "path": "/a.npz", "axes": "NYXC"},
        {**nothing, "kind": "slide", "path": "/b.svs", "tiles": tiles},
        {**nothing, "kind": "folder", "path": "/c", "labels": "/l.csv", "sizes": "pad"},
        {**nothing, "kind": "run", "path": "/d"},
        {**nothing, "kind": "telescope", "path": "/e"},
    ]
    recent_file().parent.mkdir(parents=True, exist_ok=True)
    recent_file().write_text(json.dumps({"version": 1, "sources": listed}))
    stack, slides, folder, run = recent_sources()
    assert (stack.kind, stack.what) == (Kind.STACK, OpenRequest("/a.npz", axes="NYXC"))
    assert (slides.kind, slides.what.tiles) == (Kind.SLIDES, TileConfig(size=64))
    assert folder.what == OpenRequest("/c", sizes="pad", labels="/l.csv")
    assert (run.kind, run.what.path) == (Kind.RUN, "/d")


def test_the_list_is_short_and_survives_damage(qtbot, tmp_path):
    for i in range(14):
        remember_source(of_folder(tmp_path / f"{i}"))
    remember_source(of_folder(tmp_path / "9", labels=tmp_path / "l.csv"))
    remember_source(Request(Kind.LAYER, image=OpenLayer("stack", np.zeros((2, 2, 2)))))
    found = recent_sources()
    assert [Path(one.what.path).name for one in found][:3] == ["9", "13", "12"]
    assert len(found) == 10
    assert found[0].what.labels == str(tmp_path / "l.csv")
    recent_file().write_text('{"sources": [{"kind": "folder", "path": 3}, 7]}')
    assert recent_sources() == []
    recent_file().write_text("not json")
    assert recent_sources() == []
    remember_source(of_folder(tmp_path))
    assert json.loads(recent_file().read_text())["sources"][0]["path"] == str(tmp_path)


# -- what was loaded ---------------------------------------------------------------------


def test_left_out_files_are_listed_and_saved(qtbot, panel, tmp_path):
    folder = images(tmp_path / "cells", [f"{i}.png" for i in range(4)])
    for name in ("x.png", "y.png"):
        (folder / name).write_text("no image")
    type_path(qtbot, panel, folder)
    load(qtbot, panel)
    left = panel.summary.skipped
    assert left.button.text() == "2 images skipped"
    qtbot.mouseClick(left.button, LEFT)
    assert left.list.isVisible()
    assert left.list.topLevelItem(1).text(0) == "y.png"
    left.save(tmp_path / unreadable.UNREADABLE)
    assert (tmp_path / "unreadable.csv").read_text().splitlines()[1].startswith("x.png,")
    left.save(tmp_path / "no" / "such" / "folder.csv")
    assert "cannot be written" in left.said.text()


def test_the_sheet_shows_every_label_and_says_what_a_patch_is(qtbot, panel, tmp_path):
    names = [f"common/{i}.png" for i in range(60)] + ["rare/only.png"]
    type_path(qtbot, panel, images(tmp_path / "cells", names))
    load(qtbot, panel)
    sheet, labels = panel.summary.sheet, panel.workspace.patches.labels
    assert sheet.indices.size == 48
    assert set(labels[sheet.indices]) == {"common", "rare"}
    qtbot.wait(50)
    at = sheet.cell(47).center()
    event = QHelpEvent(QHelpEvent.Type.ToolTip, at, sheet.mapToGlobal(at))
    QApplication.sendEvent(sheet, event)
    assert "rare/only.png" in QToolTip.text()
    QToolTip.hideText()
    QApplication.sendEvent(sheet, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(-9, -9), at))


def test_patches_of_the_sheet_come_from_all_over():
    rng = np.random.default_rng(0)
    labels = np.array(["a"] * 100_000 + ["b"] * 5 + ["c"] * 1000, dtype=object)
    picked = spread_indices(labels, len(labels), 48, rng)
    assert len(set(picked.tolist())) == 48
    assert {"a", "b", "c"} == set(labels[picked])
    assert np.ptp(picked[labels[picked] == "a"]) > 50_000
    assert len(spread_indices(None, 7, 48, rng)) == 7
    assert len(spread_indices(labels[:1], 1, 48, rng)) == 1


def test_the_cache_is_shown_and_cleared_after_a_question(qtbot, panel, tmp_path):
    open_patches(images(tmp_path / "cells", [f"{i}.png" for i in range(300)]))
    line = panel.cache
    line.refresh()
    qtbot.waitUntil(lambda: not line.busy and line.isVisible())
    assert "in 1 set" in line.text.text()
    qtbot.mouseClick(line.clear, LEFT)
    assert "?" in line.text.text()
    qtbot.mouseClick(line.no, LEFT)
    qtbot.waitUntil(lambda: not line.busy)
    assert cache_size()[1] == 1
    qtbot.mouseClick(line.clear, LEFT)
    qtbot.mouseClick(line.yes, LEFT)
    qtbot.waitUntil(lambda: not line.busy)
    assert cache_size()[1] == 0
    assert "freed" in line.text.text()


def test_sizes_are_said_in_round_numbers():
    assert [size_text(n) for n in (0, 999, 1500, 12_345_678, 1_230_000_000)] == [
        "0 bytes",
        "999 bytes",
        "1.5 kB",
        "12 MB",
        "1.2 GB",
    ]


def test_the_window_stays_alive_while_many_files_load(qtbot, panel, tmp_path):
    folder = images(tmp_path / "cells", [f"{i % 3}/{i}.png" for i in range(3000)], side=24)
    panel.source.choose("folder", folder)
    ticks: list[bool] = []
    timer = QTimer(interval=5)
    timer.timeout.connect(lambda: ticks.append(panel.loading))
    timer.start()
    with opened_by_threads(folder) as threads:
        panel.load()
        idle(qtbot, panel)
    timer.stop()
    assert len(panel.workspace.patches) == 3000
    assert sum(ticks) > 20
    # However slow or busy the computer: it is not the window's thread that reads the files.
    assert threads
    assert threading.main_thread() not in threads


def test_a_smaller_set_follows_a_slide(qtbot, panel, tmp_path):
    type_path(qtbot, panel, slide(tmp_path / "slide.tif"))
    panel.source.tiles.field("size").setValue(64)
    idle(qtbot, panel)
    load(qtbot, panel)
    assert len(panel.workspace.patches) > 9
    type_path(qtbot, panel, images(tmp_path / "cells", [f"{i}.png" for i in range(9)]))
    load(qtbot, panel)
    assert len(panel.workspace.patches) == 9
    assert panel.message.text == ""


def test_a_plate_is_cut_by_the_labels_that_are_chosen(panel, qtbot, tmp_path, workspace):
    path = write_plate(tmp_path / "screen.zarr", ["A/1", "B/2"], 2, labels=["nuclei", "cells"])
    type_path(qtbot, panel, path)
    form = panel.source
    assert form.source is Kind.STACK
    assert form.cut.isVisibleTo(panel)
    names = [form.cut.box.itemText(i) for i in range(form.cut.box.count())]
    assert names == ["whole fields", "objects of nuclei", "objects of cells"]
    load(qtbot, panel)
    assert len(workspace.patches) == 4
    assert not form.crops.isVisibleTo(panel)
    form.cut.box.setCurrentIndex(2)
    assert form.crops.isVisibleTo(panel)
    load(qtbot, panel)
    assert len(workspace.patches) == 4 * 12
    assert set(workspace.patches.table["well"]) == {"A01", "B02"}
    asked = form.request()
    (tmp_path / "other").mkdir()
    type_path(qtbot, panel, tmp_path / "other")
    assert form.request().what.objects is None
    form.fill(asked)
    idle(qtbot, panel)
    assert form.request().what.objects == asked.what.objects
    zipped(write_plate(tmp_path / "second.zarr", ["A/1"], 1, name="2", labels=["cells"]))
    type_path(qtbot, panel, tmp_path)  # the folder of both
    form.cut.box.setCurrentIndex(2)
    load(qtbot, panel)
    assert workspace.patches.table["plate"].value_counts().to_dict() == {
        "screen 7": 48,
        "2": 12,
    }
