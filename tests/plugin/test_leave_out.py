"""Leaving patches out: trained without, placed on the new map, taken back."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from qtpy.QtCore import Qt

from napari_patchmap.cli import main
from napari_patchmap.plugin.qt.docks import show_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.training import fit
from tests.conftest import make_cells

LEFT = Qt.MouseButton.LeftButton
OUT = np.array([3, 50, 51, 119])


@pytest.fixture(scope="module")
def mapped():
    """120 drawn cells and their map."""
    cells = make_cells(120)
    return cells, fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


def test_two_clicks_train_without_the_selected_and_place_them(qtbot, viewer, workspace, mapped):
    cells, run = mapped
    panel = show_panel(viewer, "find")
    train = show_panel(viewer, "train")
    train.form.set_config(TrainConfig(method="pixels", device="cpu"))
    show_panel(viewer, "find")
    workspace.set_patches(cells)
    workspace.set_run(dataclasses.replace(run))
    annotations = workspace.annotations.put(workspace.annotations.now.with_class("odd"))
    workspace.set_annotations(annotations.put(annotations.now.give(np.array([4, 50]), 0)))
    leave = panel.leave_out
    assert not leave.leave.isEnabled()
    workspace.select(OUT)
    qtbot.mouseClick(leave.leave, LEFT)
    assert leave.question.text() == "Train again with 116 patches, without the 4 selected?"
    qtbot.mouseClick(leave.sure, LEFT)
    assert workspace.training
    qtbot.waitUntil(lambda: workspace.run is not None, timeout=60_000)
    new = workspace.run
    assert len(new) == 116
    kept = np.setdiff1d(np.arange(120), OUT)
    np.testing.assert_array_equal(new.table["frame"], cells.table["frame"].iloc[kept])
    np.testing.assert_array_equal(workspace.annotations.now.names[:5], ["", "", "", "odd", ""])
    qtbot.waitUntil(
        lambda: any("left out of" in layer.name for layer in viewer.layers), timeout=30_000
    )
    placed = next(layer for layer in viewer.layers if "left out of" in layer.name)
    assert len(placed.data) == 4
    np.testing.assert_array_equal(placed.features["frame"], cells.table["frame"].iloc[OUT])
    # What is left out later is left out of what was loaded.
    workspace.select(np.array([0]))
    workspace.leave_out(workspace.selection)
    assert len(workspace.left_out) == 5
    show_panel(viewer, "find")
    assert leave.said.text() == "5 patches are left out."
    qtbot.mouseClick(leave.back, LEFT)
    assert workspace.patches is cells
    assert workspace.left_out is None


def test_nothing_happens_before_somebody_is_sure(qtbot, viewer, workspace, mapped):
    panel = show_panel(viewer, "find")
    workspace.set_patches(mapped[0])
    run = dataclasses.replace(mapped[1])
    workspace.set_run(run)
    workspace.select(OUT)
    qtbot.mouseClick(panel.leave_out.leave, LEFT)
    qtbot.mouseClick(panel.leave_out.rather_not, LEFT)
    assert workspace.run is run
    qtbot.mouseClick(panel.leave_out.leave, LEFT)
    workspace.select(OUT[:2])  # the question was about others
    assert not panel.leave_out.asked.isVisible()


def test_the_command_leaves_out_and_places(tmp_path, capsys):
    cells = make_cells(60)
    np.save(tmp_path / "cells.npy", cells.stack())
    (tmp_path / "odd.csv").write_text("index,score\n7,0.9\n2,0.8\n")
    command = ["embed", str(tmp_path / "cells.npy"), "--method", "pixels", "--device", "cpu"]
    out = tmp_path / "run"
    left = ["--leave-out", str(tmp_path / "odd.csv")]
    assert main([*command, "--out", str(out), *left]) == 0
    assert "2 patches are left out" in capsys.readouterr().out
    run = Run.load(out)
    kept = np.setdiff1d(np.arange(60), [2, 7])
    np.testing.assert_array_equal(run.table["frame"], kept)
    np.testing.assert_array_equal(reopen_patches(run)[5], cells[6])
    placed = pd.read_csv(out / "left-out.csv")
    np.testing.assert_array_equal(placed["frame"], [2, 7])
    assert np.isfinite(placed[["axis-0", "axis-1"]]).all(axis=None)


def test_a_file_that_leaves_nothing_or_names_nobody_is_refused_before_the_work(
    tmp_path, capsys
):
    cells = make_cells(30)
    np.save(tmp_path / "cells.npy", cells.stack())
    command = ["embed", str(tmp_path / "cells.npy"), "--method", "pixels", "--out"]
    command += [str(tmp_path / "run"), "--leave-out", str(tmp_path / "odd.csv")]
    (tmp_path / "odd.csv").write_text("\n".join(map(str, range(30))))
    assert main(command) == 2
    assert "none would be left" in capsys.readouterr().err
    (tmp_path / "odd.csv").write_text("12\n30\n")
    assert main(command) == 2
    assert "names the patch 30, which is not there" in capsys.readouterr().err
    assert not (tmp_path / "run" / "config.json").exists()
