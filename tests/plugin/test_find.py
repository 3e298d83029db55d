"""The tab "Find": a search is asked for, answered, looked at, kept in the run, and decided."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt

from napari_patchmap.cli import main
from napari_patchmap.explore.conditions import rows_where
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.images import Images
from napari_patchmap.plugin.map.map_layer import MapLayer
from napari_patchmap.plugin.panels.find.mistakes_box import DECIDED
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.export.export_run import export
from napari_patchmap.training import fit
from tests.conftest import make_cells

ONE_WINDOW = True

LEFT = Qt.MouseButton.LeftButton
WRONG = np.array([4, 60, 100])


@pytest.fixture(scope="module")
def mislabelled() -> tuple[PatchSet, Run]:
    """120 drawn cells, three of which bear the label of another kind, and their map."""
    cells = make_cells(120)
    labels = cells.table["label"].to_numpy(object).copy()
    kinds = sorted(set(labels))
    for row in WRONG:
        labels[row] = kinds[(kinds.index(labels[row]) + 1) % len(kinds)]
    wrong = dataclasses.replace(cells, table=cells.table.assign(label=labels))
    return wrong, fit(wrong, RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def shown(qtbot, viewer, workspace, mislabelled, tmp_path):
    """The unfolded box of label mistakes, and the folder of the run."""
    cells, run = mislabelled
    folder = dataclasses.replace(run).save(tmp_path / "run")
    panel = show_panel(viewer, "find")
    viewer.window.resize(1300, 1000)
    workspace.set_patches(cells)
    workspace.set_run(Run.load(folder))
    box = panel.boxes["mistakes"]
    qtbot.mouseClick(box.fold.button, LEFT)
    return box, folder


def find(qtbot, box) -> None:
    qtbot.mouseClick(box.begin, LEFT)
    qtbot.waitUntil(lambda: not box.work.running, timeout=60_000)


def test_what_is_missing_is_said_until_there_is_a_map(viewer, workspace, mislabelled):
    panel = show_panel(viewer, "find")
    assert panel.missing == "Load patches first."
    workspace.set_patches(mislabelled[0])
    assert panel.missing.startswith("Train a map first")
    workspace.set_run(dataclasses.replace(mislabelled[1]))
    assert panel.missing == ""


def test_an_answer_is_columns_everywhere_and_kept(qtbot, viewer, workspace, shown, tmp_path):
    box, folder = shown
    assert not box.answer.isVisible()
    find(qtbot, box)
    assert set(box.listed_rows()[:3]) == set(WRONG)
    qtbot.mouseClick(box.look, LEFT)
    assert set(WRONG) <= set(workspace.selection)
    gallery = show_panel(viewer, "gallery")
    assert gallery.grid.patches.indices.tolist() == box.listed_rows().tolist()
    qtbot.mouseClick(box.colour, LEFT)
    assert MapLayer.of(viewer).colouring.column == "found: likely label"
    rows = rows_where(workspace.table, "`found: label doubt` > 0.5", {})
    assert set(WRONG) <= set(rows)
    again = Run.load(folder).found["mistakes"]
    pd.testing.assert_frame_equal(again.listed, box.found.listed, rtol=1e-4, check_dtype=False)
    assert again.lines == box.found.lines
    for name, values in box.found.columns.items():
        same = np.array_equal if values.dtype == object else np.allclose
        assert same(again.columns[name], values)
    table = pd.read_csv(export(folder, tmp_path / "all.csv").paths[0])
    assert (table["found: likely label"] == again.columns["likely label"]).all()
    # Another run forgets it, this one brings it back.
    workspace.set_run(dataclasses.replace(Run.load(folder), found={}))
    assert not box.answer.isVisible()
    assert "found: likely label" not in workspace.table
    workspace.set_run(Run.load(folder))
    assert box.answer.isVisible()


def test_suspects_are_accepted_or_kept_one_by_one(qtbot, workspace, shown):
    box, _ = shown
    find(qtbot, box)
    listed = box.found.listed
    assert box.verdict.text().startswith(f"{listed['label'][0]} → {listed['likely'][0]}")
    assert not box.before.isEnabled()
    qtbot.mouseClick(box.accept, LEFT)
    qtbot.mouseClick(box.keep, LEFT)
    decided = workspace.annotations.by_name[DECIDED].names
    assert decided[listed["index"][0]] == listed["likely"][0]
    assert decided[listed["index"][1]] == listed["label"][1]
    assert np.count_nonzero(decided != "") == 2
    qtbot.mouseClick(box.before, LEFT)
    assert box.decided.text() == f"You said: {listed['label'][1]}."
    assert workspace.current == listed["index"][1]
    workspace.undo()
    assert box.decided.text() == ""


def test_a_column_that_is_not_there_is_one_sentence(qtbot, shown):
    box, _ = shown
    box.form._fields["column"].widget.setText("nope")
    box.form._fields["column"].widget.editingFinished.emit()
    find(qtbot, box)
    assert box.said.text().startswith("There is no column nope")
    assert box.begin.isEnabled()


def test_the_command_finds_writes_and_keeps_the_same(mislabelled, tmp_path, capsys):
    folder = dataclasses.replace(mislabelled[1]).save(tmp_path / "run")
    listed = tmp_path / "list.csv"
    assert main(["find", "mistakes", str(folder), "--out", str(listed)]) == 0
    said = capsys.readouterr()
    assert "Of 120 patches," in said.out
    assert "found: likely label" in said.out
    table = pd.read_csv(listed)
    assert set(table["index"][:3]) == set(WRONG)
    assert list(table.columns[:4]) == ["index", "label", "likely", "score"]
    assert set(Run.load(folder).found) == {"mistakes"}
    assert main(["find", "mistakes", str(folder), "--column", "nope"]) == 2
    assert capsys.readouterr().err.count("There is no column nope") == 1


class CountedImages(Images):
    """Images of a disk, which notes what is read of it."""

    def __init__(self, pixels) -> None:
        self.pixels, self.read = pixels, []
        self.dtype, self.channels = pixels.dtype, pixels.shape[-1]
        self.sizes = np.tile(np.array(pixels.shape[1:3], np.int64), (len(pixels), 1))

    def __getitem__(self, index):
        self.read.append(index)
        return self.pixels[index]


def test_a_folded_box_reads_no_pictures(qtbot, workspace, shown):
    box, folder = shown
    cells, run = workspace.patches, Run.load(folder)
    patches = dataclasses.replace(cells, images=CountedImages(cells.stack()))
    _ = patches.eyes
    workspace.set_patches(patches)
    workspace.set_run(run)
    find(qtbot, box)
    second = int(box.found.listed["index"].iloc[1])
    qtbot.waitUntil(lambda: int(box.found.listed["index"].iloc[0]) in patches.images.read)
    patches.images.read.clear()
    box.fold.open(False)
    box.go_to(1)
    qtbot.wait(50)
    assert second not in patches.images.read
    qtbot.mouseClick(box.fold.button, LEFT)
    qtbot.waitUntil(lambda: second in patches.images.read)
