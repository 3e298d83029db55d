"""What is to hold the result is looked at before the work, not after it."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.errors import RunError
from napari_patchmap.runs.writable import check_file, check_folder


def test_files_and_folders_that_can_be_written(tmp_path, monkeypatch):
    (tmp_path / "old.csv").write_text("older")
    for name in ("new.csv", "old.csv"):
        assert check_file(tmp_path / name) == tmp_path / name
    assert (tmp_path / "old.csv").read_text() == "older"
    assert check_folder(tmp_path / "a" / "b") == tmp_path / "a" / "b"
    assert check_folder(tmp_path) == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert check_file("~/new.csv") == check_file("new.csv") == tmp_path / "new.csv"
    assert [path.name for path in tmp_path.iterdir()] == ["old.csv"]  # nothing is left


def test_places_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").write_text("in the way")
    for path, said in (
        (tmp_path, r"is a folder; name a file in it"),
        (
            tmp_path / "no" / "such" / "new.csv",
            r"There is no folder .*/no/such to write new\.csv",
        ),
        (tmp_path / "file" / "new.csv", r"There is no folder .*file to write new\.csv in"),
    ):
        with pytest.raises(RunError, match=said):
            check_file(path)
    for path in (tmp_path / "file", tmp_path / "file" / "a" / "b"):
        with pytest.raises(RunError, match=r"file is a file; choose a folder"):
            check_folder(path)
    if sys.platform.startswith("linux"):  # where nobody may write, not even root
        with pytest.raises(RunError, match=r"/proc/new\.csv cannot be written .*another place"):
            check_file("/proc/new.csv")
        with pytest.raises(RunError, match=r"/proc/new/run cannot be written"):
            check_folder("/proc/new/run")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    np.save(
        folder / "cells.npy", np.random.default_rng(0).integers(0, 99, (30, 8, 8), np.uint8)
    )
    assert not main(["embed", str(folder / "cells.npy"), "--out", str(folder / "run"),
                     "--method", "pixels", "--device", "cpu"])  # fmt: skip
    return folder


@pytest.mark.parametrize("command", ["transform", "tsne", "compare", "benchmark", "tile"])
def test_no_command_works_for_nothing(run, command, capfd, monkeypatch, tmp_path):
    """Each says so before it reads anything: what it would read is not even there."""
    (tmp_path / "file").write_text("in the way")
    bad = str(tmp_path / "file" / "inside")
    gone = str(run / "gone")
    arguments = {
        "transform": [str(run / "run"), gone],
        "tsne": [gone],
        "compare": [str(run / "run"), str(run / "run")],
        "benchmark": [gone],
        "tile": [gone],
    }[command]
    monkeypatch.setattr(
        "napari_patchmap.runs.comparison.read_same", lambda maps: pytest.fail("maps were read")
    )
    capfd.readouterr()
    assert main([command, *arguments, "--out", bad]) == 2
    said = capfd.readouterr().err
    assert Path(bad).parent.name in said
    assert "gone" not in said
    assert os.listdir(tmp_path) == ["file"]
