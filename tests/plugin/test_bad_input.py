"""What is wrong on the disk or in a name is one sentence in the window, and costs nothing."""

from __future__ import annotations

import os
import shutil
import subprocess

import imagecodecs
import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog

from napari_patchmap.patches import open_patches
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.annotate.annotate import Annotate
from napari_patchmap.plugin.workspace import workspace_of
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.runs.annotation_place import ANNOTATIONS, place_of_set
from napari_patchmap.runs.session_file import SESSION
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.plugin.toy import toy_patches, type_name

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run of a stack that lies beside it."""
    home = tmp_path_factory.mktemp("made")
    np.savez(home / "cells.npz", images=make_cells().stack())
    patches = open_patches(home / "cells.npz")
    fit(patches, RunConfig(TrainConfig(device="cpu", method="pixels"))).save(home / "run")
    return home


@pytest.fixture
def folder(made, tmp_path):
    """The folder of the run."""
    return shutil.copytree(made, tmp_path / "home") / "run"


@pytest.fixture
def read_only():
    """Make folders read-only, for everybody and in earnest; writable again afterwards."""
    mounted = []

    def protect(folder):
        if os.geteuid():
            folder.chmod(0o555)
            return
        for command in (["mount", "--bind"], ["mount", "-o", "remount,ro,bind"]):
            done = subprocess.run([*command, folder, folder], capture_output=True)
            if done.returncode:
                pytest.skip("nothing can be made read-only here")
            mounted[:] = [folder]

    yield protect
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def opened(viewer, folder):
    """Open a run in a window with the Annotate panel; return what is said and the panel."""
    said, workspace = [], workspace_of(viewer)
    MapLayer.of(viewer)
    workspace.status_changed.connect(said.append)
    panel = Annotate(viewer)
    viewer.window.add_dock_widget(panel, name="Annotate")
    run = Run.load(folder)
    workspace.set_patches(reopen_patches(run))
    workspace.set_run(run)
    QApplication.processEvents()
    return panel, said


def test_names_that_cannot_be_taken_are_said_and_nothing_is_lost(viewer, shown_map):
    panel = Annotate(viewer)
    viewer.window.add_dock_widget(panel, name="Annotate")
    workspace = panel.workspace
    workspace.select(np.array([1, 2]))
    type_name(panel, "a")
    workspace.clear_selection()  # else a name that is there is given to what is selected
    before = workspace.annotations
    for name in ("A", "x" * 10_000):
        panel.name.setText(name)
        QTest.keyClick(panel.name, Qt.Key.Key_Return)
        assert workspace.annotations is before
        assert panel.name.text() == name
        assert 0 < len(panel.trouble.text()) < 300
    for name in ("", "  ", "axis-0", "index", "label", "Annotation", "y" * 10_000):
        panel.trouble.setText("")
        panel.worked_on.add_column(name)
        assert workspace.annotations is before
        assert 0 < len(panel.trouble.text()) < 300


def test_annotations_of_another_run_are_named_left_and_taken_in_by_import(
    viewer, folder, tmp_path, qtbot
):
    foreign = "index,annotation\n3,blast\n75,blast\n"
    (folder / ANNOTATIONS).write_text(foreign)
    panel, said = opened(viewer, folder)
    assert "of another run" in panel.keeping.kept.text()
    assert "75" in panel.keeping.kept.text()
    assert said == [panel.keeping.kept.text()]
    assert not panel.add.isEnabled()
    panel.workspace.set_patches(None)
    assert (folder / ANNOTATIONS).read_text() == foreign


def test_unknown_names_in_the_file_become_classes(viewer, folder):
    (folder / ANNOTATIONS).write_text("index,annotation\n3,blast\n5,none knows\n")
    panel, said = opened(viewer, folder)
    assert said == []
    assert [one.name for one in panel.workspace.annotations.now.classes] == [
        "blast", "none knows",
    ]  # fmt: skip


def test_a_run_on_a_read_only_disk_is_worked_on_and_kept_elsewhere_by_a_click(
    viewer, folder, read_only, monkeypatch, qtbot, tmp_path
):
    read_only(folder)
    panel, said = opened(viewer, folder)
    for at, name in enumerate(("a", "b")):
        panel.workspace.select(np.array([at, at + 10]))
        type_name(panel, name)
        qtbot.waitUntil(lambda: not panel._map.keeper.pending)
    assert len(said) == 1
    assert str(folder) in said[0]
    assert panel.keeping.kept.text() == said[0]
    own = place_of_set(panel.workspace.patches).folder
    assert str(own) in said[0]
    assert pd.read_csv(own / ANNOTATIONS)["annotation"].tolist() == ["a", "b", "a", "b"]
    (tmp_path / "copy").mkdir()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "copy"))
    QTest.mouseClick(panel.keeping.copy, LEFT)
    qtbot.waitUntil(lambda: "copy" in panel.keeping.said.text())
    assert pd.read_csv(tmp_path / "copy" / ANNOTATIONS)["index"].tolist() == [0, 1, 10, 11]
    assert not (folder / SESSION).exists()
    QTest.mouseClick(panel.keeping.copy, LEFT)
    qtbot.waitUntil(lambda: "already" in panel.keeping.said.text())


def test_of_two_windows_on_a_run_the_second_says_so_and_writes_nothing(
    make_napari_viewer, folder, qtbot
):
    first, _ = opened(make_napari_viewer(show=True), folder)
    first.workspace.select(np.array([1]))
    type_name(first, "a")
    qtbot.waitUntil((folder / ANNOTATIONS).exists)
    qtbot.waitUntil((folder / SESSION).exists)
    second, said = opened(make_napari_viewer(show=True), folder)
    assert len(said) == 1
    assert "another window" in said[0]
    assert second.workspace.annotations.now.names[1] == "a"
    assert not second.add.isEnabled()
    before = (folder / SESSION).read_bytes()
    second.workspace.select(np.array([5, 6]))
    second.workspace.set_patches(None)
    assert (folder / SESSION).read_bytes() == before
    assert pd.read_csv(folder / ANNOTATIONS)["index"].tolist() == [1]


def test_without_features_what_needs_them_says_so(viewer, folder, qtbot):
    (folder / "features.npy").unlink()
    panel, _ = opened(viewer, folder)
    for at, name in enumerate("ab"):
        panel.workspace.select(np.arange(at, 12, 2))
        type_name(panel, name)
    panel.suggesting.rest.click()
    qtbot.waitUntil(lambda: "no features" in panel.suggesting.said.text())
    panel.likeness.alike.click()
    qtbot.waitUntil(lambda: "no features" in panel.likeness.said.text())


def test_images_that_are_gone_have_a_stand_in_and_are_named_where_they_are_needed(
    viewer, tmp_path, qtbot
):
    for i, cell in enumerate(make_cells(24).stack()):
        (tmp_path / "img").mkdir(exist_ok=True)
        (tmp_path / "img" / f"{i:02d}.png").write_bytes(imagecodecs.png_encode(cell))
    run = fit(
        open_patches(tmp_path / "img"), RunConfig(TrainConfig(device="cpu", method="pixels"))
    )
    run.save(tmp_path / "run")
    (tmp_path / "img" / "04.png").unlink()
    panel, _ = opened(viewer, tmp_path / "run")
    assert panel.workspace.patches.missing.tolist() == [4]
    owner = MapLayer.of(viewer)
    standing_in, whole = (owner.thumbnails.get(i, 64, 1.0).toImage() for i in (4, 5))
    assert standing_in != whole
    panel.exporting.export_to(tmp_path / "out")
    qtbot.waitUntil(lambda: "04.png" in panel.exporting.said.text())
    assert "1 of 24 patches are skipped" in panel.exporting.said.text()
    assert len(pd.read_csv(next((tmp_path / "out").glob("*.csv")))) == 23


def test_classes_are_imported_as_one_step(viewer, folder, tmp_path, qtbot):
    panel, _ = opened(viewer, folder)
    panel.workspace.select(np.array([4]))
    type_name(panel, "mine")
    (tmp_path / "theirs.csv").write_text("index,class\n4,blast\n7,blast\n9,mine\n")
    panel.keeping.import_table(tmp_path / "theirs.csv")
    qtbot.waitUntil(lambda: "2 patches" in panel.keeping.said.text())
    assert "1 have another one here" in panel.keeping.said.text()
    names = panel.workspace.annotations.now.names
    assert [names[i] for i in (4, 7, 9)] == ["mine", "blast", "mine"]
    QTest.mouseClick(panel.undo, LEFT)
    names = panel.workspace.annotations.now.names
    assert [names[i] for i in (4, 7, 9)] == ["mine", "", ""]
    (tmp_path / "wrong.csv").write_text("index,class\n400,blast\n")
    panel.keeping.import_table(tmp_path / "wrong.csv")
    qtbot.waitUntil(lambda: "from 400" in panel.keeping.said.text())


@pytest.fixture
def slow(tmp_path):
    """Patches of which nobody knows where they are from, on a disk that must be asked."""
    whole = toy_patches()
    np.save(tmp_path / "pixels.npy", whole.stack().reshape(len(whole), 12, 12, 1))
    pixels = np.load(tmp_path / "pixels.npy", mmap_mode="r")

    def again():
        return PatchSet(pixels, whole.table, ("grey",), name="slow")

    return again


def test_a_set_from_a_slow_disk_that_was_annotated_before_keeps_both(viewer, slow, qtbot):
    panel, workspace = Annotate(viewer), workspace_of(viewer)
    viewer.window.add_dock_widget(panel, name="Annotate")
    MapLayer.of(viewer)
    workspace.set_patches(slow())
    keeper = panel._map.keeper
    workspace.select(np.array([3]))
    type_name(panel, "first")
    qtbot.waitUntil(lambda: keeper.folder is not None and not keeper.pending)
    written = (keeper.folder / ANNOTATIONS).read_bytes()
    file = keeper.folder / ANNOTATIONS
    workspace.set_patches(slow())  # another set of the same patches: it is not known yet
    assert keeper.folder is None
    workspace.select(np.array([8]))
    type_name(panel, "second")
    qtbot.waitUntil(lambda: "annotated before" in panel.keeping.kept.text())
    assert workspace.annotations.now.names[8] == "second"  # still there to be trained with
    assert panel.keeping.copy.isVisibleTo(panel)
    workspace.set_patches(None)
    assert file.read_bytes() == written
    again = slow()
    place_of_set(again)  # as "load again" does, in the background
    workspace.set_patches(again)
    assert workspace.annotations.now.names[3] == "first"
