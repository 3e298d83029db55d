"""How long the window does not answer while a map is trained on the CPU, and what that costs.

    xvfb-run -a -s "-screen 0 1600x1000x24" \\
        python benchmarks/responsiveness.py pbc28.npz [--seconds 60] [--where] [--busy 1]

Opens napari with all panels (1366 x 768), loads the patches, starts a training with
real clicks and lets a timer tick every 5 ms in the event loop while the map moves.
A gap is the time between two ticks: somebody who clicks in it waits that long at most.
The timer itself wakes the window 200 times a second, so the speed of the training in the
window is taken afterwards, for as long again, without it. The same training is also run
on the command line's way, without a window, in processes of its own before and after.

idle
    the window with patches and no training: what the machine and its other
    work do to the timer;
training
    from the first steps of stage 1 on, live map updates included.

``--where`` prints what the event loop was doing in the gaps over 50 ms. With ``--busy``
endless loops of other programs take so many cores meanwhile, and one thread without a
window is measured beside them, too.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from under_load import busy, environment

TICK_MS, LIMIT_MS = 5, 50.0

#: The same views on both ways; loading patches chooses some in the window.
AUGMENT = "rotations"

#: Far more than is trained; the time ends it.
EPOCHS = (10_000.0, 1.0, 1.0)


class Steps:
    """Counts the steps that a training makes between two of its reports."""

    def __init__(self, patches: int) -> None:
        self._patches = patches
        self._marks: list[tuple[float, float]] = []

    def note(self, report: Any) -> None:
        """Take a report."""
        if report.epoch > 0 and report.embedding is None:
            self._marks.append((time.perf_counter(), report.epoch * self._patches))

    @property
    def begun(self) -> bool:
        """Whether training is in full swing."""
        return len(self._marks) > 2

    def forget(self) -> None:
        """Count from the last report on."""
        del self._marks[:-1]

    def per_minute(self) -> float:
        """Patches a minute."""
        (began, first), (ended, last) = self._marks[0], self._marks[-1]
        return 60 * (last - first) / (ended - began)


def command_line(data: Path, seconds: float) -> float:
    """Train without a window; return patches a minute."""
    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.patches import open_patches
    from napari_patchmap.runs import RunConfig, TrainConfig
    from napari_patchmap.training import fit

    patches = open_patches(data)
    steps, until = Steps(len(patches)), [float("inf")]

    def report(progress: Any) -> None:
        steps.note(progress)
        if steps.begun and until[0] == float("inf"):
            steps.forget()
            until[0] = time.perf_counter() + seconds

    with tempfile.TemporaryDirectory() as folder:
        fit(
            patches,
            RunConfig(TrainConfig(device="cpu", epochs=EPOCHS), AugmentConfig.preset(AUGMENT)),
            folder=Path(folder) / "run",
            progress=report,
            should_stop=lambda: time.perf_counter() > until[0],
        )
    return steps.per_minute()


class Ticker:
    """A timer in the event loop and the gaps between its ticks."""

    def __init__(self, where: bool) -> None:
        from qtpy.QtCore import Qt, QTimer

        self.gaps: list[float] = []
        self.places: collections.Counter[str] = collections.Counter()
        self._last = time.perf_counter()
        self._timer = QTimer(interval=TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._main = threading.get_ident()
        self._ended = threading.Event()
        if where:
            threading.Thread(target=self._watch, daemon=True).start()

    def _tick(self) -> None:
        now = time.perf_counter()
        self.gaps.append(now - self._last)
        self._last = now

    def run(self, seconds: float) -> list[float]:
        """Tick for so long; return the gaps in milliseconds."""
        from qtpy.QtCore import QEventLoop, QTimer

        self.gaps, self._last = [], time.perf_counter()
        self._timer.start()
        loop = QEventLoop()
        QTimer.singleShot(round(1000 * seconds), loop.quit)
        loop.exec()
        self._timer.stop()
        return [1000 * gap for gap in self.gaps]

    def close(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def _watch(self) -> None:
        """Note every 10 ms what the main thread does while it is late."""
        while not self._ended.wait(0.01):
            late = time.perf_counter() - self._last > LIMIT_MS / 1000
            if late and self._timer.isActive():
                frames = traceback.extract_stack(sys._current_frames()[self._main])
                named = [f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames]
                self.places[" < ".join(reversed(named[-7:]))] += 1


def describe(name: str, gaps: list[float]) -> None:
    """Print a row of the table."""
    all_gaps = np.array(gaps)
    p50, p95, p99 = np.percentile(all_gaps, [50, 95, 99])
    long = all_gaps[all_gaps > LIMIT_MS]
    share = 100 * long.sum() / all_gaps.sum()
    print(
        f"| {name} | {len(gaps)} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {all_gaps.max():.0f} | "
        f"{len(long)} | {share:.1f} % | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )


def window(data: Path, seconds: float, where: bool, picture: Path | None) -> float:
    """Measure in a window; return patches trained a minute."""
    import napari
    from qtpy.QtCore import QEventLoop, Qt, QTimer
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    from napari_patchmap.augment import AugmentConfig
    from napari_patchmap.patches import open_patches
    from napari_patchmap.plugin.entry.open_all import open_workspace
    from napari_patchmap.plugin.qt.docks import show_panel
    from napari_patchmap.plugin.workspace import workspace_of

    patches = open_patches(data)
    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    open_workspace(viewer)
    workspace = workspace_of(viewer)
    workspace.set_patches(patches)
    workspace.set_augment(AugmentConfig.preset(AUGMENT))
    panel = show_panel(viewer, "train")
    panel.form.set_config(panel.form.config.replace(device="cpu", epochs=EPOCHS))
    QTest.qWait(3000)
    ticker = Ticker(where)
    describe("idle", ticker.run(min(10.0, seconds)))
    ticker.places.clear()
    steps, maps = Steps(len(patches)), []
    workspace.map_changed.connect(lambda _: maps.append(time.perf_counter()))
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    panel._training.progressed.connect(lambda reports: [steps.note(r) for r in reports])
    while not (steps.begun and maps):
        QTest.qWait(50)
    steps.forget()
    maps.clear()
    describe("training", ticker.run(seconds))
    ticked = steps.per_minute()
    print(f"\nThe map moved {len(maps)} times; {ticked:,.0f} patches a minute were trained.")
    steps.forget()
    loop = QEventLoop()
    QTimer.singleShot(round(1000 * seconds), loop.quit)
    loop.exec()
    speed = steps.per_minute()
    if picture is not None:
        viewer.screenshot(str(picture), canvas_only=False, flash=False)
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    while workspace.training:
        QTest.qWait(50)
    ticker.close()
    for place, count in ticker.places.most_common(25):
        print(f"{10 * count:6d} ms  {place}")
    viewer.close()
    QApplication.processEvents()
    return speed


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--where", action="store_true")
    parser.add_argument("--busy", type=int, default=0, help="cores that others take")
    parser.add_argument("--window-only", action="store_true")
    parser.add_argument("--picture", type=Path, help="write a screenshot of the window here")
    parser.add_argument("--engine", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.data.is_file():
        parser.error(f"there is no file {options.data}; give an .npz with images")
    if options.engine:
        print(json.dumps(command_line(options.data, options.seconds)))
        return
    with busy(options.busy):
        measure(options)


def measure(options: argparse.Namespace) -> None:
    """Print the tables."""
    import torch

    cores = len(os.sched_getaffinity(0))
    print(
        f"{platform.machine()}, {cores} cores, torch {torch.__version__} with "
        f"{torch.get_num_threads()} threads, GOMP_SPINCOUNT "
        f"{os.environ.get('GOMP_SPINCOUNT', 'unset')}, load {os.getloadavg()[0]:.1f}\n"
    )
    rates = []

    def engine(threads: int | None = None) -> float:
        command = [sys.executable, __file__, str(options.data), "--engine"]
        command += ["--seconds", str(options.seconds)]
        given = None if threads is None else environment(threads)
        return float(subprocess.check_output(command, env=given).splitlines()[-1])

    if not options.window_only:
        rates.append(engine())
    heads = (
        "event loop,ticks,median ms,p95 ms,p99 ms,max ms,gaps > 50 ms,their share of time,load"
    )
    print("| " + heads.replace(",", " | ") + " |\n" + "|---" * 9 + "|")
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = home
        speed = window(options.data, options.seconds, options.where, options.picture)
    print(f"\nIn the window, without the timer, {speed:,.0f} patches a minute were trained.")
    if options.busy:
        alone = engine(threads=1)
        print(
            f"One thread without a window makes {alone:,.0f} beside the same load: the window "
            f"{speed / alone:.2f} of it."
        )
    if rates:
        rates.append(engine())
        mean = sum(rates) / len(rates)
        print(
            f"On the command line {rates[0]:,.0f} before and {rates[1]:,.0f} after: the window "
            f"makes {100 * speed / mean:.0f} % of the steps."
        )


if __name__ == "__main__":
    main()
