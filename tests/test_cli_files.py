"""The command line keeps others out while it writes, and writes over nothing of theirs."""

from __future__ import annotations

import contextlib
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import embed_command as command
from napari_patchmap.cli import main
from napari_patchmap.runs import Run, runs_home
from tests.conftest import make_cells
from tests.holding import held_elsewhere


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("data") / "cells.npz"
    cells = make_cells()
    np.savez(path, images=cells.stack(), labels=cells.labels.astype(str))
    return path


@pytest.fixture(scope="module")
def run(data) -> Path:
    folder = data.parent / "run"
    assert main(["embed", str(data), "--out", str(folder), "--method", "pixels"]) == 0
    return folder


@pytest.fixture(scope="module")
def taken(tmp_path_factory) -> Iterator[Path]:
    """Where another process writes just now."""
    path = tmp_path_factory.mktemp("taken") / "out"
    with held_elsewhere(path):
        yield path


@pytest.mark.parametrize(
    "command",
    [
        "embed NONE --out OUT",
        "embed NONE --out OUT --resume",
        "demo --no-window --out OUT",
        "transform RUN NONE --out OUT",
        "tsne NONE --out OUT",
        "benchmark NONE --methods pixels --out OUT",
        "compare RUN RUN --out OUT",
        "tile DATA --out OUT",
    ],
)
def test_the_second_of_two_commands_is_refused_before_the_work(
    command, data, run, taken, capsys
):
    """NONE is not there: who looked for it would say so."""
    names = {"NONE": "/not/there", "OUT": taken, "RUN": run, "DATA": data}
    assert main([str(names.get(word, word)) for word in command.split()]) == 2
    said = capsys.readouterr().err
    assert f"{taken} is being written by another window or process" in said
    assert not taken.exists()


@contextlib.contextmanager
def full_disk(room: int) -> Iterator[None]:
    """Let files have some bytes and no more."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_keeps_the_older_table(data, run, tmp_path, capsys):
    out = tmp_path / "new.csv"
    out.write_text("older table")
    with full_disk(1_000):
        assert main(["transform", str(run), str(data), "--out", str(out)]) == 2
    assert "new.csv cannot be written" in capsys.readouterr().err
    assert out.read_text() == "older table"
    assert list(tmp_path.iterdir()) == [out]
    assert main(["transform", str(run), str(data), "--out", str(out)]) == 0
    assert len(pd.read_csv(out)) == 60


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("benchmark DATA --methods pixels --out OUT", "table.csv"),
        ("compare RUN RUN --out OUT", "comparison.csv"),
    ],
)
def test_a_full_disk_keeps_the_older_table_of_runs(command, name, data, run, tmp_path, capsys):
    words = [
        str({"OUT": tmp_path, "RUN": run, "DATA": data}.get(word, word))
        for word in command.split()
    ]
    assert main(words) == 0
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    assert tmp_path / name in before
    capsys.readouterr()
    with full_disk(10):
        assert main(words) == 2
    said = capsys.readouterr().err
    assert "cannot be written" in said
    assert str(tmp_path) in said
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


def test_a_table_is_not_written_over_what_it_is_made_of(data, run, tmp_path, capsys):
    before = {path: path.read_bytes() for path in [data, *run.iterdir()]}
    for out in (data, run / "embedding.csv"):
        assert main(["transform", str(run), str(data), "--out", str(out)]) == 2
        assert "choose another file for --out" in capsys.readouterr().err
    assert main(["transform", str(run), "/not/there", "--out", str(tmp_path / "no/x.csv")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in [data, *run.iterdir()]} == before


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("benchmark NONE --methods pixels --out OUT", "table.csv"),
        ("benchmark NONE --methods pixels --out OUT", "table.md"),
        ("benchmark NONE --methods pixels --out OUT", "maps.png"),
        ("compare RUN RUN --out OUT", "comparison.csv"),
        ("compare RUN RUN --out OUT", "comparison.png"),
        ("transform RUN NONE --out OUT/a.csv", "a.unreadable.csv"),
    ],
)
def test_a_file_of_somebody_else_stays(command, name, run, tmp_path, capsys):
    (tmp_path / name).write_text("name,age\n")
    command = command.replace("OUT", str(tmp_path)).replace("RUN", str(run))
    assert main(command.replace("NONE", "/not/there").split()) == 2
    assert f"{name} is there already and is no" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_map_that_finds_its_folder_taken_is_saved_elsewhere(
    data, tmp_path, capsys, monkeypatch
):
    out, usual = tmp_path / "run", command.open_data

    def late(*args):
        out.mkdir()
        (out / "thesis.txt").write_text("years of work")
        return usual(*args)

    monkeypatch.setattr(command, "open_data", late)
    assert main(["embed", str(data), "--out", str(out), "--method", "pixels"]) == 0
    (elsewhere,) = runs_home().iterdir()
    said = capsys.readouterr().err
    assert f"{out} is not empty" in said
    assert f"saved in {elsewhere} instead" in said
    assert len(Run.load(elsewhere)) == 60
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_a_picture_of_a_grid_that_fails_is_said(data, tmp_path, capsys, monkeypatch):
    def fail(*_):
        raise ValueError("no such font")

    monkeypatch.setattr("napari_patchmap.runs.run_writing.save_picture", fail)
    out = tmp_path / "grid"
    assert main(["benchmark", str(data), "--methods", "pixels", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "1 of 1: pixels_seed-0: map.png could not be written (no such font)" in said
    assert (out / "table.csv").exists()
