"""Nothing is lost: kill -9 at any moment, stop, pause, full disk, changed settings."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_patchmap.errors import RunError, TrainingError
from napari_patchmap.networks.device import Device
from napari_patchmap.networks.network import NetworkSpec
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs import Run, RunConfig
from napari_patchmap.runs.checkpoint import is_unfinished, state_file
from napari_patchmap.training import fit
from napari_patchmap.training.kept import Kept, described
from tests.conftest import Steps, make_cells
from tests.training.resume_worker import config

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def straight() -> Run:
    """The run that nobody interrupted."""
    return fit(make_cells(120), config())


def differences(first: Run, second: Run) -> list[str]:
    """What differs between two runs, in words that tell where to look."""
    weights, others = first.network.state_dict(), second.network.state_dict()
    found = [name for name in weights if not weights[name].equal(others[name])]
    for name in ("embedding", "features"):
        if not np.array_equal(getattr(first, name), getattr(second, name)):
            found.append(name)
    losses = [run.history["loss"] for run in (first, second)]
    if not losses[0].equals(losses[1]):
        found.append(f"losses {[list(loss) for loss in losses]}")
    if first.info["steps"] != second.info["steps"]:
        found.append(f"steps {first.info['steps']} and {second.info['steps']}")
    return found


def about_disk(note: str) -> bool:
    """Whether it is not only that these short trainings are short."""
    return note != "" and "so this map says little" not in note


@pytest.fixture
def worker(tmp_path):
    """What trains in processes of its own, in the folder "run"."""
    # As many threads as here: sums are split among threads, so other numbers round otherwise.
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.training.resume_worker", str(tmp_path / "run")],
        cwd=ROOT,
        env=os.environ | threads,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as process:
        yield process
        process.stdin.close()
        complaint = process.stderr.read()
        assert process.wait() == 0, complaint


def start(worker: subprocess.Popen, folder: Path) -> int:
    """Begin or resume in another process; return its id."""
    worker.stdin.write("resume\n" if is_unfinished(folder) else "anew\n")
    return int(worker.stdout.readline())


def end(worker: subprocess.Popen) -> int:
    """Wait for the end of that process; return its exit code."""
    return next(int(line.split()[1]) for line in worker.stdout if line.startswith("ended"))


def test_killed_again_and_again_the_result_is_the_same_bit_for_bit(straight, tmp_path, worker):
    folder, luck = tmp_path / "run", random.Random()
    kills = 0
    while kills < 3:
        process = start(worker, folder)
        assert worker.stdout.readline() == "x\n"  # it trains
        time.sleep(luck.uniform(0.0, 1.0))
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.kill(process, signal.SIGKILL)
        code = end(worker)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        kills += 1
    assert kills >= 1
    if not (folder / "config.json").is_file():
        start(worker, folder)
        assert end(worker) == 0
    run = Run.load(folder)
    assert run.complete
    assert differences(run, straight) == []
    assert not is_unfinished(folder)


@pytest.mark.parametrize("when", [3, 40])
def test_a_stopped_run_goes_on_where_it_stopped(straight, tmp_path, when):
    cells = make_cells(120)
    stopped = fit(cells, config(), folder=tmp_path, **Steps(when).given)
    assert not stopped.complete
    stopped.save(tmp_path)
    assert is_unfinished(tmp_path)  # the partial map is kept, and so is the way on
    assert not Run.load(tmp_path).complete
    resumed = fit(cells, folder=tmp_path, resume=True)
    assert differences(resumed, straight) == []
    resumed.save(tmp_path)
    assert Run.load(tmp_path).complete
    assert not is_unfinished(tmp_path)


def test_it_is_said_what_another_device_changes():
    here = Device(torch.device("cpu"), None, "CPU, 3 threads, float32")
    spec = NetworkSpec("compact", 3, (28, 28)).to_dict()
    state = {"spec": spec, "plan": {"stages": [{"batch_size": 8}]}, "parts": 1}
    assert Kept.of(state | {"device": described(here)}).note(here) is None
    gpu = Device(torch.device("cuda"), torch.bfloat16, "GPU H100, bfloat16")
    note = Kept.of(state | {"device": described(gpu)}).note(here)
    assert note is not None
    assert "begun on GPU H100, bfloat16" in note
    assert "own random numbers" in note


def test_a_pause_holds_the_training_and_changes_nothing(straight, hand_clock):
    reports, paused = [], 0

    def should_pause():
        nonlocal paused
        if len(reports) < 3 or paused == 10:
            return False
        paused += 1
        hand_clock.now += 1
        return True

    run = fit(make_cells(120), config(), progress=reports.append, should_pause=should_pause)
    assert differences(run, straight) == []
    # The pause, from its first second on, does not count as time of the run.
    assert run.info["seconds"] == pytest.approx(hand_clock.now - 9)


def test_other_settings_are_noticed(tmp_path):
    fit(make_cells(120), config(), folder=tmp_path, **Steps(0).given)
    other = RunConfig(replace(config().train, seed=6, batch_size=16))
    with pytest.raises(
        RunError, match=r"seed was 5 and is 6 now; batch size was 32 and is 16 now"
    ):
        fit(make_cells(120), other, folder=tmp_path, resume=True)


def test_other_images_are_noticed(tmp_path):
    cells = make_cells(120)
    fit(cells, config(), folder=tmp_path, **Steps(0).given)
    changed = cells.stack().copy()
    changed[77, 3, 3] ^= 1
    others = PatchSet(changed, cells.table, cells.channel_names, name="cells 2")
    with pytest.raises(TrainingError, match=r"images of cells 2 are not those"):
        fit(others, folder=tmp_path, resume=True)


def test_nothing_to_resume_and_a_damaged_checkpoint_are_one_sentence(tmp_path):
    with pytest.raises(RunError, match="holds no unfinished run; start it without --resume"):
        fit(make_cells(120), folder=tmp_path / "none", resume=True)
    fit(make_cells(120), config(), folder=tmp_path, **Steps(0).given)
    whole = state_file(tmp_path).read_bytes()
    state_file(tmp_path).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match=r"state.safetensors is damaged"):
        fit(make_cells(120), folder=tmp_path, resume=True)


def test_a_full_disk_is_told_once_and_training_goes_on(straight, tmp_path):
    notes = []
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limit[1]))
    try:
        run = fit(
            make_cells(120),
            config(),
            folder=tmp_path / "run",
            progress=lambda p: notes.append(p.note) if about_disk(p.note) else None,
        )
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handler)
    assert differences(run, straight) == []
    assert len(notes) == 1
    assert "No checkpoint can be written in" in notes[0]
    assert "training goes on" in notes[0]
    assert [note for note in run.info["notes"] if about_disk(note)] == notes
    assert list((tmp_path / "run" / "checkpoint").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told_and_training_goes_on(straight, tmp_path):
    (tmp_path / "run").write_text("a file where the folder should be")
    notes = []
    run = fit(
        make_cells(120),
        config(),
        folder=tmp_path / "run",
        progress=lambda p: notes.append(p.note) if about_disk(p.note) else None,
    )
    assert differences(run, straight) == []
    assert len(notes) == 1
