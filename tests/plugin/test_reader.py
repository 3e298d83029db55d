"""Opening a saved run again, with and without its images."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image as Picture
from qtpy.QtCore import Qt

from napari_patchmap.patches import open_patches
from napari_patchmap.plugin.entry.napari_reader import get_reader
from napari_patchmap.plugin.panels.augment.augmentations import Augmentations
from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
from napari_patchmap.plugin.qt.docks import find_panel
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells

ONE_WINDOW = True


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A folder of images and a real run of it, saved."""
    home = tmp_path_factory.mktemp("saved")
    cells = make_cells(45)
    for i in range(45):
        folder = home / "images" / str(cells.table["label"][i])
        folder.mkdir(parents=True, exist_ok=True)
        Picture.fromarray(cells[i]).save(folder / f"{i:02}.png")
    patches = open_patches(home / "images")
    run = fit(patches, RunConfig(TrainConfig(device="cpu", epochs=(1, 1, 1))))
    run.save(home / "run")
    return home


@pytest.fixture
def orphan(saved, tmp_path):
    """The same run after its images were deleted."""
    shutil.copytree(saved, tmp_path / "moved")
    folder = tmp_path / "moved" / "run"
    text = (folder / "config.json").read_text()
    gone = tmp_path / "moved" / "images"
    (folder / "config.json").write_text(text.replace(str(saved / "images"), str(gone)))
    shutil.rmtree(gone)
    return folder


def test_only_runs_are_taken(saved, tmp_path):
    (tmp_path / "config.json").write_text("{}")
    assert get_reader(str(saved / "run")) is not None
    assert get_reader(str(saved / "run" / "config.json")) is not None
    assert get_reader(str(tmp_path / "config.json")) is None
    assert get_reader([str(saved / "run")]) is None


def test_without_a_viewer_a_run_is_points(saved):
    path = str(saved / "run")
    ((data, look, kind),) = get_reader(path)(path)
    assert kind == "points"
    np.testing.assert_allclose(data, Run.load(saved / "run").embedding)
    assert set(look["features"]["label"]) == {"spot", "ring", "bar"}


def test_a_run_opens_with_its_patches_linked(qtbot, viewer, saved):
    path = str(saved / "run" / "config.json")
    assert get_reader(path)(path) == [(None,)]
    workspace = workspace_of(viewer)
    assert workspace.patches is None  # it is read in the background
    qtbot.waitUntil(lambda: workspace.run is not None, timeout=15_000)
    assert len(workspace.patches) == 45
    np.testing.assert_allclose(workspace.embedding, Run.load(saved / "run").embedding)
    assert "map" in viewer.layers
    panel = find_panel(viewer, "load")
    assert panel.summary.isVisibleTo(panel)
    assert panel.source.path.path == str(saved / "run")
    qtbot.waitUntil(lambda: not (panel.loading or panel.summary.sheet.busy))


def open_from_panel(qtbot, viewer, folder):
    panel = LoadPatches(viewer)
    viewer.window.add_dock_widget(panel, name="Load")
    panel.source.choose("run", folder)
    panel.load()
    qtbot.waitUntil(lambda: not panel.loading, timeout=15_000)
    return panel


def test_the_panel_opens_a_saved_run(qtbot, viewer, saved):
    panel = open_from_panel(qtbot, viewer, saved / "run")
    assert panel.message.text == ""
    assert panel.workspace.run is not None
    assert len(panel.workspace.patches) == 45
    row = panel.workspace.patches.table.iloc[7]
    assert row["source"] == Run.load(saved / "run").table.iloc[7]["source"]


def many_images(home, count):
    """Fill a folder with many names of one image, which take a while to decode."""
    pixels = np.random.default_rng(0).integers(0, 255, (200, 200, 3), dtype=np.uint8)
    (home / "many").mkdir()
    first = home / "many" / "0.png"
    Picture.fromarray(pixels).save(first, compress_level=0)
    for i in range(1, count):
        (home / "many" / f"{i}.png").hardlink_to(first)


def test_reopening_a_run_shows_counts_and_can_be_cancelled(qtbot, viewer, saved, tmp_path):
    shutil.copytree(saved / "run", tmp_path / "run")
    config = tmp_path / "run" / "config.json"
    config.write_text(config.read_text().replace(str(saved / "images"), str(tmp_path / "many")))
    many_images(tmp_path, 4000)
    panel = LoadPatches(viewer)
    viewer.window.add_dock_widget(panel, name="Load")
    panel.source.choose("run", tmp_path / "run")
    said: list[str] = []
    panel.load()
    panel.progress.valueChanged.connect(lambda *_: said.append(panel.progress.format()))
    qtbot.waitUntil(lambda: any(" of 4,000" in text for text in said), timeout=15_000)
    qtbot.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not panel.loading, timeout=15_000)
    assert "cancelled" in panel.message.text
    assert panel.workspace.patches is None
    assert panel.workspace.run is None


def test_a_map_outlives_its_images(qtbot, viewer, orphan):
    panel = open_from_panel(qtbot, viewer, orphan)
    workspace = panel.workspace
    assert "images" in panel.message.text
    assert str(orphan.parent / "images") in panel.message.text
    assert workspace.embedding.shape == (45, 2)
    assert set(workspace.patches.labels) == {"spot", "ring", "bar"}
    augment = Augmentations(panel.viewer)
    panel.viewer.window.add_dock_widget(augment, name="Augmentations")
    assert "gone" in augment.missing


def test_a_folder_that_is_no_run_is_said(qtbot, viewer, saved):
    panel = open_from_panel(qtbot, viewer, saved / "images")
    assert "not a saved run" in panel.message.text
    assert panel.workspace.patches is None
