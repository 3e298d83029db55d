"""The "Load patches" panel: sources, choices, errors, and what it shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image as Picture
from qtpy.QtCore import Qt
from qtpy.QtGui import QPainter

from napari_patchmap.plugin.panels.load.label_bars import LabelBars
from napari_patchmap.plugin.workspace import workspace_of
from tests.plugin.toy import choose_source, drop

ONE_WINDOW = True


@pytest.fixture
def panel(load_panel):
    return load_panel


@pytest.fixture
def folder(tmp_path):
    """A folder of 24 small images in three sub-folders."""
    rng = np.random.default_rng(0)
    for kind in ("bar", "ring", "spot"):
        (tmp_path / "cells" / kind).mkdir(parents=True)
        for i in range(8):
            pixels = rng.integers(0, 255, (20, 20, 3), dtype=np.uint8)
            Picture.fromarray(pixels).save(tmp_path / "cells" / kind / f"{i}.png")
    return tmp_path / "cells"


def finish(qtbot, panel):
    """Wait until nothing is being recognised, loaded or drawn."""
    path, sheet = panel.source.path, panel.summary.sheet
    qtbot.waitUntil(
        lambda: not (path.recognising or panel.loading or sheet.busy), timeout=15_000
    )


def click_load(qtbot, panel):
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    finish(qtbot, panel)


def test_a_folder_is_loaded_and_described(qtbot, panel, folder):
    panel.source.choose("folder", folder)
    click_load(qtbot, panel)
    patches = panel.workspace.patches
    assert len(patches) == 24
    assert "24 patches, 20 x 20 pixels, 8-bit RGB" in panel.summary.facts.text()
    assert panel.summary.sheet.indices.size == 24
    assert [(name, end) for _, name, _, end in panel.summary.bars.rows] == [
        ("bar", "8"),
        ("ring", "8"),
        ("spot", "8"),
    ]
    assert panel.message.text == ""


def test_loading_does_not_block_the_window(qtbot, panel):
    panel.source.choose("sample")
    panel.load()
    assert panel.loading
    assert panel.workspace.patches is None
    assert panel.button.text() == "Cancel"
    finish(qtbot, panel)
    assert len(panel.workspace.patches) == 2000
    assert panel.button.text() == "Load patches"


def test_mixed_sizes_ask_and_one_click_answers(qtbot, panel, folder):
    for i in range(3):
        Picture.fromarray(np.full((30, 26, 3), 90, np.uint8)).save(
            folder / "bar" / f"big{i}.png"
        )
    panel.source.choose("folder", folder)
    click_load(qtbot, panel)
    assert "different sizes" in panel.message.text
    assert panel.answers.isVisible()
    assert panel.workspace.patches is None
    qtbot.mouseClick(panel.answers.buttons["crop"], Qt.MouseButton.LeftButton)
    finish(qtbot, panel)
    assert panel.workspace.patches.fit == "crop"
    assert len(panel.workspace.patches) == 27
    assert not panel.answers.isVisible()
    assert "scaled and centre-cropped to 20 x 20 pixels" in panel.summary.facts.text()


def test_an_error_is_one_sentence_and_earlier_patches_stay(qtbot, panel, folder, tmp_path):
    panel.source.choose("folder", folder)
    click_load(qtbot, panel)
    before = panel.workspace.patches
    (tmp_path / "nothing").mkdir()
    panel.source.choose("folder", tmp_path / "nothing")
    click_load(qtbot, panel)
    assert panel.message.level == "error"
    assert "nothing" in panel.message.text
    assert panel.message.isVisible()
    assert panel.workspace.patches is before
    assert panel.summary.isVisible()
    panel.source.choose("folder", folder)
    assert panel.message.text == ""


def test_no_path_is_said_too(qtbot, panel):
    panel.source.choose("folder", "")
    click_load(qtbot, panel)
    assert panel.message.text.startswith("Choose a folder first")


def test_broken_files_are_left_out_with_their_reason(qtbot, panel, folder):
    (folder / "bar" / "notes.png").write_text("not an image")
    panel.source.choose("folder", folder)
    click_load(qtbot, panel)
    assert len(panel.workspace.patches) == 24
    assert "1 image skipped" in panel.summary.skipped.button.text()
    assert "notes.png" in panel.summary.skipped.list.topLevelItem(0).text(0)


def test_an_open_layer_is_linked_by_its_name(qtbot, panel):
    pixels = np.random.default_rng(0).integers(0, 60_000, (12, 18, 22)).astype(np.uint16)
    panel.viewer.add_image(pixels, name="my stack")
    panel.source.choose("layer", "my stack")
    click_load(qtbot, panel)
    patches = panel.workspace.patches
    assert (patches.origin["kind"], patches.origin["layer"]) == ("layer", "my stack")
    np.testing.assert_array_equal(patches[5][..., 0], pixels[5])
    assert "12 patches, 22 x 18 pixels, 16-bit grey" in panel.summary.facts.text()


def test_layers_are_listed_as_they_come_and_go(qtbot, panel):
    choose_source(qtbot, panel, "layer")
    listed = panel.source.layers.stack
    assert listed.currentData() is None
    layer = panel.viewer.add_image(np.zeros((4, 9, 9)), name="a")
    assert [listed.itemText(i) for i in range(listed.count())] == ["a"]
    layer.name = "b"
    assert [listed.itemText(i) for i in range(listed.count())] == ["b"]
    panel.viewer.layers.remove(layer)
    panel.load()
    assert "No stack of images is open" in panel.message.text


def test_unclear_axes_are_asked_for(qtbot, panel, tmp_path):
    np.save(
        tmp_path / "stack.npy", np.zeros((4, 3, 30, 3), np.uint8) + np.arange(3, dtype="u1")
    )
    panel.source.choose("stack", tmp_path / "stack.npy")
    click_load(qtbot, panel)
    assert "axes" in panel.message.text
    assert panel.source.axes.isVisible()
    panel.source.axes.setEditText("NCYX")
    click_load(qtbot, panel)
    assert panel.workspace.patches.channels == 3
    assert panel.workspace.patches.common_size == (30, 3)


def test_a_dropped_folder_with_its_table_loads_at_once(qtbot, panel, folder, tmp_path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i in range(6):
        Picture.fromarray(np.full((20, 20, 3), 30 * i, np.uint8)).save(flat / f"{i}.png")
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n" + "".join(f"{i}.png,kind{i % 2}\n" for i in range(6)))
    assert drop(panel, flat, table)
    finish(qtbot, panel)
    assert panel.message.text == ""
    assert dict(panel.workspace.patches.label_counts()) == {"kind0": 3, "kind1": 3}


def test_a_dropped_table_alone_waits_for_its_images(panel, tmp_path):
    table = tmp_path / "labels.csv"
    table.write_text("file,label\n")
    assert drop(panel, table)
    assert not panel.loading
    assert panel.source.labels.path == str(table)


def test_nothing_is_loaded_while_a_map_is_trained(panel):
    workspace_of(panel.viewer).set_training(True)
    panel.source.choose("sample")
    panel.load()
    assert not panel.loading
    assert "being trained" in panel.message.text


def test_cancelled_loading_changes_nothing(qtbot, panel, folder, tasks):
    rng = np.random.default_rng(0)
    for i in range(150):
        pixels = rng.integers(0, 255, (300, 300, 3), dtype=np.uint8)
        Picture.fromarray(pixels).save(folder / f"{i}.png", compress_level=0)
    panel.source.choose("folder", folder)
    panel.load("resize")
    task = tasks[-1]
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert not panel.loading  # at once, however long the files take to answer
    assert "cancelled" in panel.message.text
    assert panel.button.text() == "Load patches"
    panel.source.choose("sample")
    click_load(qtbot, panel)
    assert len(panel.workspace.patches) == 2000
    qtbot.waitUntil(lambda: not task.running)
    assert panel.message.text == ""
    assert len(panel.workspace.patches) == 2000


def test_cancel_does_not_wait_for_a_folder_of_other_files(qtbot, panel, tmp_path):
    for i in range(20_000):
        (tmp_path / f"note {i}.txt").touch()
    panel.source.choose("folder", tmp_path)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.wait(20)
    assert panel.loading
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    assert not panel.loading
    click_load(qtbot, panel)
    assert "20,000 other files" in panel.message.text


def test_other_patches_shows_other_patches(qtbot, panel):
    panel.source.choose("sample")
    click_load(qtbot, panel)
    qtbot.wait(50)  # the column is still growing around the new summary
    before = panel.summary.sheet.grab().toImage()
    qtbot.mouseClick(panel.summary.again, Qt.MouseButton.LeftButton)
    finish(qtbot, panel)
    assert panel.summary.sheet.grab().toImage() != before


def test_names_of_labels_are_whole_where_there_is_room(qtbot, cells, monkeypatch):
    written = []

    class Noting(QPainter):
        def drawText(self, *args):
            written.append(args[-1])
            super().drawText(*args)

    monkeypatch.setattr("napari_patchmap.plugin.panels.load.label_bars.QPainter", Noting)
    names = [f"type{i}" for i in range(7)] + ["WWWWW", "iiiii", "lymphocyte"]
    bars = LabelBars()
    qtbot.addWidget(bars)
    bars.resize(300, 200)
    for name in names:  # each by itself, for the longest gives the others room
        cells.table["label"] = name
        bars.show_patches(replace(cells, table=cells.table.copy()))
        bars.grab()
    assert {*names} <= {*written}
