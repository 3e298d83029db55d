"""The tables of a paper, a command each: all rows, beside what was published."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.cli.arguments import PAPER_TABLES
from napari_patchmap.cli.grid import cells, summarise
from napari_patchmap.cli.paper_tables import TABLES
from napari_patchmap.runs import Run
from tests.conftest import make_cells


def test_each_table_can_be_asked_for_and_has_a_number_for_each_set():
    assert tuple(TABLES) == PAPER_TABLES
    for table in TABLES.values():
        published = table.published
        assert len(published.rows) == len(table.rows)
        assert all(row.count(";") + 1 == len(published.sets) for row in published.rows)
        names = [cell.name for cell in table.cells()]
        assert len(names) == len(set(names))
    # Two tables of the same runs: nothing is trained twice.
    assert TABLES["nwabufo-2"].cells() == TABLES["nwabufo-3"].cells()
    blood = TABLES["nwabufo-2"].published.column(1)
    assert blood[:3] == ["90.4 ± 0.3", "93.0 ± 0.3", "92.9 ± 0.1"]
    assert len(TABLES["nwabufo-2"].cells()) == 6 * 3 + 3
    assert len(TABLES["nwabufo-4"].cells([0])) == 4


def test_what_is_trained_there_is_trained_as_published():
    from napari_patchmap.cli.paper_tables import SETTINGS

    for cell in TABLES["nwabufo-2"].cells():
        train = cell.config(SETTINGS).train
        if cell.method in ("tsimcne", "simclr"):
            assert (train.preset, train.backbone) == ("paper", "resnet18-small-kernel")
        assert cell.method != "pretrained" or train.backbone == cell.backbone


@pytest.mark.slow
def test_the_command_makes_the_rows_and_sets_what_was_published_beside_them(tmp_path, capsys):
    data, out = tmp_path / "cells.npz", tmp_path / "out"
    patches = make_cells()
    labels = np.asarray(patches.labels, dtype=str)
    np.savez(data, images=np.stack(list(patches.take(range(len(patches))))), labels=labels)
    command = ["benchmark", str(data), "--out", str(out), "--paper", "nwabufo-4"]
    command += ["--seeds", "3", "--backbone", "compact", "--device", "cpu"]
    command += ["--epochs", "1", "1", "1", "--batch-size", "20"]
    assert main(command) == 0
    shown = capsys.readouterr().out
    written = (out / "nwabufo-4.md").read_text("utf-8")
    assert written.strip() in shown
    lines = [[cell.strip() for cell in line.split("|")] for line in written.splitlines()]
    heading, rows = lines[2], lines[4:]
    assert [row[1] for row in rows] == [
        "all", "without crops", "without colour jitter", "without grayscaling",
    ]  # fmt: skip
    assert rows[1][heading.index("BloodMNIST")] == "76.0 ± 1.1, 0.20 ± 0.01"
    run = Run.load(out / "tsimcne_rotations_without-crop_seed-3")
    assert not run.config.augment.crop
    ours = f"{100 * run.metrics['knn']['accuracy']:.1f}"
    assert rows[1][2] == ours


def test_rows_that_are_not_there_yet_stay_empty():
    lines = TABLES["nwabufo-2"].lines(summarise([]))
    assert len(lines) == 2 + 2 + 9
    assert lines[4].split("|")[2].strip() == ""
    grid = cells(["pixels"], ["rotations"], ["nothing"], [0])

    made = SimpleNamespace(metrics={"knn": {"accuracy": 0.75}}, info={"seconds": 60.0})
    lines = TABLES["nwabufo-2"].lines(summarise([(grid[0], made)]))
    assert [line.split("|")[2].strip() for line in lines[4:]] == [""] * 6 + ["75.0", "", ""]
