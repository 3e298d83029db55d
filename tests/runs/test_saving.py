"""Saving may be ended at any instant, and touches nothing but what is ours."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_patchmap.errors import RunError
from napari_patchmap.patches import Skipped
from napari_patchmap.runs import (
    Run,
    RunConfig,
    TrainConfig,
    alone_in,
    check_free,
    discard_unfinished,
    find_maps,
    is_unfinished,
    read_map,
    read_unfinished,
)
from napari_patchmap.runs.checkpoint import state_file, write_state
from napari_patchmap.runs.picture import draw_maps, save_picture
from napari_patchmap.training import fit
from napari_patchmap.writing import write_whole
from tests.conftest import Steps, make_cells

CONFIG = RunConfig(TrainConfig(method="pixels", device="cpu"))
TRAINED = RunConfig(TrainConfig(epochs=(1, 1, 1), batch_size=32, device="cpu"))


class Killed(BaseException):
    """Stands for a process that ends: nothing catches it."""


#: All by which a name on the disk changes.
STEPS = ("replace", "rename", "unlink", "remove", "rmdir", "mkdir")


@contextlib.contextmanager
def killed_at(step: int) -> Iterator[list[int]]:
    """End at a change of the disk; as of a dead process, no further change gets there."""
    made, usual = [0], {name: getattr(os, name) for name in STEPS}

    def guarded(name: str):
        def change(*args, **options):
            if made[0] >= step:
                raise Killed
            made[0] += 1
            return usual[name](*args, **options)

        return change

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, guarded(name))
        yield made


@pytest.fixture(scope="module")
def older() -> Run:
    return dataclasses.replace(fit(make_cells(), CONFIG), complete=False)


@pytest.fixture(scope="module")
def newer(older) -> Run:
    """The same training when it is over: another map, and nothing was left out any more."""
    return dataclasses.replace(older, embedding=older.embedding + 1, complete=True)


@pytest.fixture
def quickly(monkeypatch) -> None:
    """Draw pictures in no time."""

    def draw(path, *_):
        write_whole(path, b"a picture")

    monkeypatch.setattr("napari_patchmap.runs.run_writing.save_picture", draw)


def refusal(run: Run, folder: Path) -> str:
    """Save a run; return why that was impossible, or ""."""
    try:
        run.save(folder)
    except RunError as error:
        return str(error)
    return ""


def stopped_run(older: Run, folder: Path) -> None:
    """Save a stopped run with its checkpoint, beside which somebody put files of theirs."""
    left_out = dataclasses.replace(older, skipped=[_SKIPPED])
    left_out.save(folder)
    write_state(state_file(folder), {"id": older.info["id"]})
    (folder / "notes.txt").write_text("mine")
    (folder / "figures").mkdir()
    (folder / "figures" / "config.json").write_text("mine")
    (folder / "annotations.csv").write_text("mine")
    (folder / "checkpoint" / "my-unet.pt").write_text("mine")


_SKIPPED = Skipped("a.png", "is empty")
MINE = ("notes.txt", "figures/config.json", "annotations.csv", "checkpoint/my-unet.pt")


def test_a_run_is_whole_whenever_its_saving_is_ended(older, newer, tmp_path, quickly):
    step, ended, maps = 0, False, []
    while not ended:
        folder = tmp_path / f"{step}" / "run"
        stopped_run(older, folder)
        with killed_at(step) as made, contextlib.suppress(Killed):
            newer.save(folder)
            ended = True
        assert all((folder / name).read_text() == "mine" for name in MINE)
        found = Run.load(folder)  # the older or the newer one, never a part of each
        is_new = np.array_equal(found.embedding, newer.embedding)
        assert is_new or np.array_equal(found.embedding, older.embedding)
        assert found.complete == is_new
        assert is_unfinished(folder) != is_new
        assert (folder / "unreadable.csv").exists() != is_new
        assert read_map(folder).complete == is_new
        assert len(find_maps(found.name, 60, tmp_path / f"{step}")) == 1
        if not is_new:  # it goes on where it was, and is saved at last
            newer.save(folder)
        assert np.array_equal(Run.load(folder).embedding, newer.embedding)
        assert all((folder / name).read_text() == "mine" for name in MINE)
        names = {p.name for p in folder.iterdir()}
        assert not any(name.startswith(".") for name in names)
        maps.append(is_new)
        shutil.rmtree(tmp_path / f"{step}")
        step += 1
    assert step == made[0] + 1 > 20
    assert maps == sorted(maps)  # from one instant on it is the newer one


def test_a_disk_that_ends_at_any_file_costs_nothing_that_was_there(
    older, newer, tmp_path, quickly
):
    newer = dataclasses.replace(newer, skipped=[_SKIPPED])
    failed_at, outcomes = 0, []
    while not outcomes or outcomes[-1] != "whole":
        folder, flushed = tmp_path / f"{failed_at}" / "run", []
        stopped_run(older, folder)
        before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}

        def flush(_handle, flushed=flushed, failed_at=failed_at):
            flushed.append(1)
            if len(flushed) == failed_at + 1:
                raise OSError(errno.ENOSPC, "No space left on device")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("napari_patchmap.writing._flush", flush)
            said = refusal(newer, folder)
            if said:
                assert said.startswith(f"The run cannot be saved in {folder} (No space left")
                outcomes.append("older")
                assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before
            else:  # a picture and a list are worth less than the map
                outcomes.append("without one file" if newer.missed else "whole")
                assert np.array_equal(Run.load(folder).embedding, newer.embedding)
                assert not is_unfinished(folder)
        failed_at += 1
    assert outcomes.count("without one file") == 2
    assert outcomes.count("older") == len(outcomes) - 3 > 5


def test_a_first_saving_may_be_ended_and_made_again(newer, tmp_path, quickly):
    step, ended = 0, False
    while not ended:
        folder = tmp_path / f"{step}" / "run"
        with killed_at(step), contextlib.suppress(Killed):
            newer.save(folder)
            ended = True
        with contextlib.suppress(RunError):  # it is there already
            newer.save(folder)
        assert np.array_equal(Run.load(folder).embedding, newer.embedding)
        assert (
            sorted(p.name for p in folder.iterdir())
            == json.loads((folder / "config.json").read_text())["files"]
        )
        step += 1


def test_a_file_of_theirs_where_ours_belongs_is_kept(older, newer, tmp_path):
    folder = tmp_path / "run"
    write_state(state_file(folder), {"id": older.info["id"]})
    (folder / "map.png").write_text("a drawing of mine")
    newer.save(folder)
    assert (folder / "map (not of the run).png").read_text() == "a drawing of mine"
    assert (folder / "map.png").read_bytes()[:4] == b"\x89PNG"


def test_a_file_that_cannot_be_replaced_costs_nothing(older, newer, tmp_path, monkeypatch):
    """As where another program keeps a file open and the system therefore locks it."""
    folder = tmp_path / "run"
    stopped_run(older, folder)
    usual = os.replace

    def locked(source, target):
        if Path(target).name == "embedding.csv" and "saved" in str(source):
            raise PermissionError(13, "Permission denied", str(target))
        usual(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", locked)
        with pytest.raises(RunError, match=r"is saved in .* embedding.csv .*close it"):
            newer.save(folder)
    assert np.array_equal(Run.load(folder).embedding, newer.embedding)


@pytest.mark.parametrize("content", ["my-unet.pt", "state.safetensors"])
def test_a_folder_called_checkpoint_that_is_not_ours_is_refused(newer, tmp_path, content):
    from safetensors.torch import save_file
    from torch import ones

    (tmp_path / "checkpoint").mkdir()
    save_file({"weights": ones(3)}, tmp_path / "checkpoint" / content)
    for attempt in (check_free, newer.save, lambda path: fit(make_cells(), folder=path)):
        with pytest.raises(RunError, match="'checkpoint' that patchmap did not write"):
            attempt(tmp_path)
    assert (tmp_path / "checkpoint" / content).exists()


def test_a_file_called_checkpoint_is_in_the_way(newer, tmp_path):
    (tmp_path / "checkpoint").write_text("mine")
    with pytest.raises(RunError, match="is not empty"):
        newer.save(tmp_path)
    assert (tmp_path / "checkpoint").read_text() == "mine"


def test_the_unfinished_run_of_another_training_is_not_saved_over(older, newer, tmp_path):
    folder = tmp_path / "run"
    stopped_run(older, folder)
    other = dataclasses.replace(newer, info=newer.info | {"id": "another"})
    before = {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    with pytest.raises(RunError, match="already holds another run"):
        other.save(folder)
    assert {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()} == before


def test_two_trainings_of_one_folder_never_meet(tmp_path):
    """Where no lock can be had, the second one still finds the map of the first."""
    folder, cells = tmp_path / "run", make_cells()
    first = fit(cells, TRAINED, folder=folder)
    second = fit(cells, TRAINED, folder=folder)  # writes its own checkpoint
    with pytest.raises(RunError, match="already holds another run"):
        first.save(folder)
    second.save(folder)
    with pytest.raises(RunError, match="already holds a run"):
        first.save(folder)


def test_what_was_learned_is_there_when_the_training_is_over_but_not_saved(tmp_path):
    """A process that ends after the last step has lost nothing."""
    folder, cells, steps = tmp_path / "run", make_cells(), Steps()
    run = fit(cells, TRAINED, folder=folder)
    again = fit(cells, folder=folder, resume=True, **steps.given)
    assert steps.asked == 0  # not a step was made again
    assert np.array_equal(again.embedding, run.embedding)
    again.save(folder)
    assert not is_unfinished(folder)


def test_no_room_is_said_before_the_training(tmp_path, monkeypatch):
    import collections

    usage = collections.namedtuple("usage", "total used free")(10**9, 10**9 - 10_000, 10_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    steps = Steps()
    with pytest.raises(RunError, match=r"takes about \d+ MB, but only 0 MB are free"):
        fit(make_cells(), TRAINED, folder=tmp_path / "run", **steps.given)
    assert steps.asked == 0


def test_a_picture_that_fails_costs_the_picture(newer, tmp_path, monkeypatch):
    def fail(*_):
        raise ValueError("no such font")

    monkeypatch.setattr("napari_patchmap.runs.run_writing.save_picture", fail)
    run = dataclasses.replace(newer)
    folder = run.save(tmp_path / "run")
    assert run.missed == [
        "map.png could not be written (no such font); the map and all else is saved."
    ]
    assert not (folder / "map.png").exists()
    assert Run.load(folder).info["notes"][-1:] == run.missed


def test_a_quality_that_cannot_be_measured_costs_no_map(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise MemoryError

    monkeypatch.setattr("napari_patchmap.quality.knn.train_test_split", fail)
    run = fit(make_cells(), CONFIG)
    again = Run.load(run.save(tmp_path / "run"))
    (said,) = [note for note in again.metrics["notes"] if "(MemoryError)" in note]
    assert said.startswith("15-NN accuracy, ")
    assert again.metrics["knn"] is None
    assert again.metrics["silhouette"]["n"] == 60


#: Names that some programs take for something else than letters.
ODD = [r"x$\frac$", "US$ & A_$", "_hidden", "a\\b\\", "\N{GRINNING FACE}", "", '"q", 1', "#"]


def test_labels_come_back_as_they_were(older, tmp_path):
    table = older.table.assign(label=(ODD * 60)[:60])
    run = dataclasses.replace(older, table=table, name="$US & _my cells")
    folder = run.save(tmp_path / "run")
    assert run.missed == []
    assert Run.load(folder).labels.tolist() == run.labels.tolist() == (ODD * 60)[:60]
    assert read_map(folder).title


def test_labels_are_drawn_as_they_are(tmp_path):
    """Neither mathematics nor control characters nor bytes that are no text end the drawing."""
    names = [*ODD, "a\x00\nb", "\udcff", "血", "w" * 300]
    labels = np.array(names * 10, dtype=object)
    embedding = np.random.default_rng(0).normal(size=(len(labels), 2))
    path = save_picture(tmp_path / "map.png", embedding, labels, {}, r"$\nosuch$ cells")
    assert path.read_bytes()[:4] == b"\x89PNG"
    maps = [(r"$\frac$", embedding, labels, {}), ("$x_$", embedding, labels, {})]
    assert draw_maps(tmp_path / "maps.png", maps).read_bytes()[:4] == b"\x89PNG"


def test_no_line_above_a_map_is_cut_off(tmp_path):
    metrics = {
        "knn": {"accuracy": 0.9, "test_n": 3},
        "silhouette": {"mean": 0.5, "n": 3},
        "training": {"warning": "too short"},
    }
    places = np.random.default_rng(0).uniform(size=(300, 2)) * [0.8, 1.0]
    path = draw_maps(tmp_path / "maps.png", [("cells", places, None, metrics)] * 3)
    drawn = np.asarray(Image.open(path).convert("L")) < 128
    edges = (drawn[0], drawn[-1], drawn[:, 0], drawn[:, -1])
    assert not any(edge.any() for edge in edges)


def test_every_label_is_in_the_legend(tmp_path, monkeypatch):
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    seen: list[str] = []
    usual = Figure.savefig

    def look(figure, *args, **options):
        seen.extend(text.get_text() for text in figure.axes[-1].findobj(Text))
        return usual(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", look)
    labels = np.array(["$5", "_b", "c"] * 4, dtype=object)
    save_picture(tmp_path / "map.png", np.eye(12)[:, :2], labels, {}, "cells")
    assert {"$5  4", "_b  4", "c  4"} <= set(seen)


def test_a_run_that_is_being_trained_is_not_discarded(older, tmp_path):
    import threading

    folder = tmp_path / "run"
    fit(make_cells(), TRAINED, folder=folder, **Steps(0).given)
    found, refused = read_unfinished(folder), []

    def discard() -> None:
        try:
            discard_unfinished(found)
        except RunError as error:
            refused.append(str(error))

    with alone_in(folder):
        thread = threading.Thread(target=discard)
        thread.start()
        thread.join()
    assert "is being written by another window" in refused[0]
    (folder / "notes.txt").write_text("mine")
    discard_unfinished(found)
    assert [p.name for p in folder.iterdir()] == ["notes.txt"]
