"""Pausing, resuming and discarding in the "Train map" panel, with the real engine."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from datetime import date, datetime
from pathlib import Path

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.explore.words import say_day
from napari_patchmap.patches import open_patches
from napari_patchmap.plugin.panels.load.load_patches import LoadPatches
from napari_patchmap.plugin.qt.docks import find_panel
from napari_patchmap.runs import Run, RunConfig, TrainConfig, is_unfinished, runs_home
from napari_patchmap.training import fit
from tests.conftest import Steps, make_cells
from tests.plugin.toy import click, trained

ONE_WINDOW = True

SETTINGS = {"device": "cpu", "epochs": (20, 1, 1), "batch_size": 20, "seed": 3}
QUICK = {**SETTINGS, "epochs": (3, 1, 1)}


@pytest.fixture
def panel(train_panel):
    return train_panel


def start(qtbot, panel, settings=SETTINGS):
    panel.form.set_config(panel.form.config.replace(**settings))
    click(panel.button)


def cancel_early(qtbot, panel):
    start(qtbot, panel)
    qtbot.waitUntil(lambda: len(panel.live.curve.points) > 0, timeout=60_000)
    click(panel.pause)
    qtbot.waitUntil(lambda: panel.live.phase.text() == "Paused", timeout=60_000)
    click(panel.button)
    trained(qtbot, panel)
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)


@pytest.fixture
def stack(tmp_path):
    """Sixty drawn cells in a file, as a run can open them again."""
    cells = make_cells()
    path = tmp_path / "drawn.npz"
    np.savez(path, images=np.stack([cells[i] for i in range(len(cells))]))
    return path


def interrupted(patches, folder, settings=QUICK, steps=5):
    """Train a few steps, and leave of it what is left when the process is killed."""
    config = RunConfig(train=TrainConfig(**settings))
    fit(patches, config, folder=folder, **Steps(steps).given)
    assert is_unfinished(folder)
    assert not (folder / "config.json").exists()
    return folder


def test_a_pause_stops_the_clock_and_goes_on(qtbot, panel, cells, hand_clock):
    panel.workspace.set_patches(cells)
    assert not panel.pause.isVisible()
    start(qtbot, panel, {**SETTINGS, "epochs": (1e5, 1, 1)})
    qtbot.waitUntil(lambda: len(panel.live.curve.points) > 1, timeout=60_000)
    assert panel.pause.text() == "Pause"
    click(panel.pause)
    assert panel.pause.text() == "Go on"
    qtbot.waitUntil(lambda: panel.live.phase.text() == "Paused", timeout=60_000)
    qtbot.wait(200)  # reports that were on their way
    points, times = len(panel.live.curve.points), panel.live.times.text()
    hand_clock.now += 1e6
    qtbot.wait(1200)
    assert len(panel.live.curve.points) == points
    assert panel.live.times.text() == times
    assert panel.live.phase.text() == "Paused"
    click(panel.pause)
    assert "Stage 1 of 3" in panel.live.phase.text()
    qtbot.waitUntil(lambda: len(panel.live.curve.points) > points, timeout=60_000)
    assert panel.live._seconds < 1e6  # the pause did not count
    click(panel.pause)
    click(panel.button)  # cancelled in the middle of a pause
    trained(qtbot, panel)
    assert not panel.workspace.run.complete
    assert not panel.pause.isVisible()


def test_a_cancelled_training_is_resumed_in_its_folder(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    cancel_early(qtbot, panel)
    folder = panel.workspace.run.folder
    assert is_unfinished(folder)
    assert "Unfinished training of drawn cells from today" in panel.unfinished.text
    assert "(stage 1 of 3, " in panel.unfinished.text
    panel.form.set_config(TrainConfig(seed=77))
    click(panel.unfinished.resume)
    assert panel.form.config.seed == 3  # those of the run are shown
    assert panel.form.config.epochs == (20, 1, 1)
    assert not panel.unfinished.isVisible()
    trained(qtbot, panel)
    run = panel.workspace.run
    assert run.complete
    assert run.folder == folder
    assert list(runs_home().iterdir()) == [folder]
    assert not is_unfinished(folder)
    assert Run.load(folder).complete
    qtbot.waitUntil(lambda: not panel.unfinished._finder.busy, timeout=60_000)
    assert not panel.unfinished.isVisible()


def test_a_killed_training_is_offered_and_ends_in_the_same_map(qtbot, panel, stack):
    patches = open_patches(stack)
    whole = fit(patches, RunConfig(train=TrainConfig(**QUICK)))
    folder = interrupted(patches, runs_home() / "2026-01-01_000000_drawn")
    others = interrupted(make_cells(33, seed=1), runs_home() / "2026-01-02_000000_others")
    panel.workspace.set_patches(patches)
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    assert panel.unfinished.offered.folder == folder
    click(panel.unfinished.resume)
    trained(qtbot, panel)
    assert panel.message.text == ""
    np.testing.assert_array_equal(panel.workspace.run.embedding, whole.embedding)
    assert panel.workspace.run.folder == folder
    assert is_unfinished(others)


def test_a_process_that_is_killed_leaves_what_can_be_resumed(qtbot, panel, stack):
    """A napari that trains is ended by force; the next one offers to go on."""
    patches = open_patches(stack)
    folder = runs_home() / "killed"
    script = (
        "import sys\n"
        "import pytest\n"
        "from napari_patchmap.patches import open_patches\n"
        "from napari_patchmap.runs import RunConfig, TrainConfig\n"
        "from napari_patchmap.training import fit\n"
        "from tests.narrow import narrow\n"
        "narrow(pytest.MonkeyPatch())\n"
        "config = RunConfig(train=TrainConfig(device='cpu', epochs=(1e5, 1, 1),"
        " batch_size=20, checkpoint_every=0))\n"
        "fit(open_patches(sys.argv[1]), config, folder=sys.argv[2])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(stack), str(folder)], cwd=Path(__file__).parents[2]
    )
    try:
        qtbot.waitUntil(lambda: is_unfinished(folder), timeout=60_000)
        panel.workspace.set_patches(patches)
        qtbot.waitUntil(lambda: not panel.unfinished._finder.busy, timeout=60_000)
        assert not panel.unfinished.isVisible()  # it is being trained there
    finally:
        process.kill()
        process.wait()
    panel.workspace.set_patches(open_patches(stack))
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    click(panel.unfinished.resume)
    qtbot.waitUntil(lambda: len(panel.live.curve.points) > 1, timeout=60_000)
    click(panel.button)
    trained(qtbot, panel)
    assert panel.message.level != "error"
    assert panel.workspace.run.folder == folder


def test_other_images_of_the_same_name_are_refused_in_a_sentence(qtbot, panel, stack):
    folder = interrupted(open_patches(stack), runs_home() / "before")
    np.savez(stack, images=np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), "u1"))
    panel.workspace.set_patches(open_patches(stack))
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    click(panel.unfinished.resume)
    trained(qtbot, panel)
    assert panel.message.level == "error"
    assert "not those that the run" in panel.message.text
    assert "\n" not in panel.message.text
    assert is_unfinished(folder)
    assert panel.button.text() == "Start training"


def test_a_checkpoint_damaged_meanwhile_is_one_sentence(qtbot, panel, stack):
    folder = interrupted(open_patches(stack), runs_home() / "before")
    panel.workspace.set_patches(open_patches(stack))
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    state = folder / "checkpoint" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:-1000])
    click(panel.unfinished.resume)
    trained(qtbot, panel)
    assert panel.message.level == "error"
    assert "damaged" in panel.message.text
    assert "\n" not in panel.message.text
    assert not panel.unfinished.isVisible()


def test_discarding_asks_once_more_and_keeps_the_map(qtbot, panel, cells):
    panel.workspace.set_patches(cells)
    cancel_early(qtbot, panel)
    folder = panel.workspace.run.folder
    click(panel.unfinished.discard)
    assert "for good" in panel.unfinished.text
    assert "its map stays" in panel.unfinished.text
    click(panel.unfinished.keep)
    assert "Unfinished training" in panel.unfinished.text
    assert is_unfinished(folder)
    click(panel.unfinished.discard)
    click(panel.unfinished.really)
    qtbot.waitUntil(lambda: not is_unfinished(folder), timeout=60_000)
    qtbot.waitUntil(lambda: not panel.unfinished._finder.busy, timeout=60_000)
    assert not panel.unfinished.isVisible()
    assert len(Run.load(folder)) == 60


def test_after_discarding_the_next_older_one_is_offered(qtbot, panel, stack):
    patches = open_patches(stack)
    old = interrupted(patches, runs_home() / "old")
    new = runs_home() / "new"
    shutil.copytree(old, new, copy_function=shutil.copyfile)
    panel.workspace.set_patches(patches)
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    assert panel.unfinished.offered.folder == new
    click(panel.unfinished.discard)
    assert "no map yet" in panel.unfinished.text
    click(panel.unfinished.really)
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    assert panel.unfinished.offered.folder == old
    assert not new.exists()


def test_opening_the_folder_of_a_killed_run_leads_to_resume(qtbot, panel, stack, tmp_path):
    folder = interrupted(open_patches(stack), tmp_path / "elsewhere" / "my run")
    load = LoadPatches(panel.viewer)
    panel.viewer.window.add_dock_widget(load, name="Load")
    load.source.kind.setFocus()
    load.source.path.edit.clear()
    qtbot.keyClicks(load.source.path.edit, str(folder))
    click(load.button)
    qtbot.waitUntil(panel.unfinished.isVisible, timeout=60_000)
    assert load.source.kind.currentData() == "run"
    assert "not finished" in load.message.text
    assert len(panel.workspace.patches) == 60
    assert panel.unfinished.offered.folder == folder
    assert find_panel(panel.viewer, "train") is panel
    click(panel.unfinished.resume)
    trained(qtbot, panel)
    assert panel.workspace.run.complete
    assert panel.workspace.run.folder == folder


def test_a_damaged_or_homeless_run_is_one_sentence_in_the_load_panel(qtbot, panel, stack):
    folder = interrupted(open_patches(stack), runs_home() / "mine")
    load = LoadPatches(panel.viewer)
    panel.viewer.window.add_dock_widget(load, name="Load")
    stack.unlink()
    load.source.choose("run", folder)
    click(load.button)
    qtbot.waitUntil(lambda: load.message.text != "", timeout=60_000)
    assert load.message.level == "error"
    assert str(stack) in load.message.text
    state = folder / "checkpoint" / "state.safetensors"
    state.write_bytes(b"not a checkpoint")
    load.source.choose("run", folder)
    click(load.button)
    qtbot.waitUntil(lambda: "damaged" in load.message.text, timeout=60_000)
    assert "\n" not in load.message.text


def test_notes_of_the_engine_are_shown_and_stay(qtbot, panel, cells):
    """The place where checkpoints go vanishes while a map is trained."""
    panel.workspace.set_patches(cells)
    start(qtbot, panel, {**SETTINGS, "epochs": (1e5, 1, 1), "checkpoint_every": 0.0})
    qtbot.waitUntil(lambda: len(panel.live.curve.points) > 1, timeout=60_000)
    assert panel.live.notes.text == ""
    (folder,) = (p for p in runs_home().iterdir() if not p.name.startswith("."))
    while folder.exists():
        shutil.rmtree(folder, ignore_errors=True)
        with_file = folder.with_name("in the way")
        with_file.touch()
        try:
            with_file.rename(folder)
        except OSError:
            time.sleep(0.01)
        else:
            break
    qtbot.waitUntil(
        lambda: "No checkpoint can be written" in panel.live.notes.text, timeout=60_000
    )
    assert panel.live.notes.isVisible()
    click(panel.button)
    trained(qtbot, panel)
    assert "No checkpoint can be written" in panel.live.notes.text
    assert panel.workspace.run is not None
    assert "kept here" in panel.message.text
    Path(folder).unlink()


def test_the_panel_and_the_command_line_make_the_same_run(qtbot, panel, stack, tmp_path):
    """Same images, settings and threads: the same map and the same network, bit for bit."""
    load = LoadPatches(panel.viewer)
    panel.viewer.window.add_dock_widget(load, name="Load")
    load.source.choose("stack", stack)
    click(load.button)
    qtbot.waitUntil(lambda: panel.workspace.patches is not None, timeout=60_000)
    start(qtbot, panel, QUICK)
    trained(qtbot, panel)
    mine = panel.workspace.run
    out = tmp_path / "by command"
    words = ["embed", str(stack), "--out", str(out), "--device", "cpu", "--seed", "3"]
    assert main([*words, "--epochs", "3", "1", "1", "--batch-size", "20"]) == 0
    theirs = Run.load(out)
    assert theirs.config == mine.config
    for name in ("embedding.csv", "features.npy", "model.safetensors"):
        assert (out / name).read_bytes() == (mine.folder / name).read_bytes(), name
    assert theirs.info["steps"] == mine.info["steps"]


def test_days_are_said_as_people_do():
    today = date(2026, 11, 21)
    assert say_day(datetime(2026, 11, 21, 14, 5), today) == "today 14:05"
    assert say_day(datetime(2026, 11, 20, 9, 30), today) == "yesterday 09:30"
    assert say_day(datetime(2026, 11, 2, 9, 30), today) == "2026-11-02 09:30"
