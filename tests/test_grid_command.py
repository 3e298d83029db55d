"""A grid of methods, ablations and seeds: one table and figure, stopped and gone on with."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import main
from napari_patchmap.cli.grid import Cell, cells, run_grid
from napari_patchmap.errors import ConfigError, RunError
from napari_patchmap.runs import Run, is_unfinished
from tests.conftest import make_cells

TRAIN = {"device": "cpu", "epochs": (1.0, 1.0, 1.0), "batch_size": 20}


def test_each_run_is_listed_once():
    grid = cells(["tsimcne", "pixels"], ["natural", "rotations"], ["nothing", "crop"], [0, 1])
    names = [cell.name for cell in grid]
    assert len(names) == len(set(names)) == 8 + 2
    assert "tsimcne_natural_without-crop_seed-1" in names
    assert names.count("pixels_seed-0") == 1


def test_settings_fit_their_method():
    train = {**TRAIN, "backbone": "compact"}
    assert Cell("simclr", "natural", "nothing", 3).config(train).train.epochs == (1.0,)
    pixels = Cell("pixels", "natural", "nothing", 3).config(train).train
    assert (pixels.epochs, pixels.backbone, pixels.seed) == (None, None, 3)
    ablated = Cell("tsimcne", "rotations", "jitter", 0).config(train)
    assert not ablated.augment.jitter
    with pytest.raises(ConfigError):
        Cell("pretrained", "natural", "nothing", 0).config(train)


def test_a_grid_is_stopped_gone_on_with_and_summed_up(tmp_path):
    patches, out = make_cells(), tmp_path / "grid"
    grid = cells(["tsimcne", "simclr"], ["rotations"], ["nothing"], [0, 1])
    reports, said = [], []

    def in_the_second():
        return (out / grid[0].name / "config.json").is_file()

    def in_its_first_stage():
        return bool(reports) and reports[-1].stage == 1

    table = run_grid(patches, out, grid, TRAIN, should_stop=in_the_second)
    assert table["runs"].tolist() == [1]
    assert not (out / grid[1].name).exists()  # it was only planned
    table = run_grid(
        patches, out, grid, TRAIN, progress=reports.append, should_stop=in_its_first_stage
    )
    assert table["runs"].tolist() == [1]
    assert is_unfinished(out / grid[1].name)
    first = (out / grid[0].name / "config.json").stat().st_mtime_ns
    table = run_grid(patches, out, grid, TRAIN, say=said.append)
    assert said[0].endswith("finished before")
    assert (out / grid[0].name / "config.json").stat().st_mtime_ns == first
    assert table["method"].tolist() == ["tsimcne", "simclr"]
    assert table["runs"].tolist() == [2, 2]
    runs = [Run.load(out / cell.name) for cell in grid[:2]]
    accuracies = [100 * run.metrics["knn"]["accuracy"] for run in runs]
    assert table["knn"][0] == pytest.approx(np.mean(accuracies))
    assert table["knn_sd"][0] == pytest.approx(np.std(accuracies, ddof=1))
    assert pd.read_csv(out / "table.csv")["runs"].tolist() == [2, 2]
    assert "±" in (out / "table.md").read_text("utf-8")
    assert (out / "maps.png").read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(RunError, match="holds a run with other settings"):
        run_grid(patches, out, grid, {**TRAIN, "epochs": (2.0, 1.0, 1.0)})


def test_the_command(tmp_path, capsys):
    cells_file = tmp_path / "cells.npz"
    cells_ = make_cells()
    np.savez(cells_file, images=cells_.stack(), labels=cells_.table["label"].to_numpy(str))
    args = ["benchmark", str(cells_file), "--out", str(tmp_path / "grid"), "--device", "cpu"]
    assert main([*args, "--methods", "pixels", "--seeds", "0", "1"]) == 0
    said = capsys.readouterr().out
    assert "| pixels |  |  | 2 |" in said
    assert "Stopped" not in said
    args[3] = str(cells_file)  # a file where the folder should be
    assert main([*args, "--methods", "pixels"]) == 2
    said = capsys.readouterr()
    assert "is a file; choose a folder" in said.err
    assert "1 of 1" not in said.out  # told before anything was trained
