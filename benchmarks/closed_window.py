"""How long a program goes on after its window was closed in the middle of its work.

    xvfb-run -a -s "-screen 0 1366x768x24" \\
        python benchmarks/closed_window.py pbc28.npz [--busy 0 1 2] [--times 3] [--planning]

Each time a process opens napari with the workspace, trains t-SimCNE on the patches and has
its window closed a while after the first map; with ``--planning`` no training is started, and
the window is closed while one is planned. ``--busy`` takes so many cores meanwhile. Seconds
are told from the closing on, and it is an error if anything but that is said:

hidden
    until the window is gone from the screen;
left
    until the event loop has ended and Python begins to leave;
ended
    until the process is no more.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from blood_cells import machine
from under_load import busy


def window(data: Path, planning: bool) -> None:
    """Train, or plan to, in a window and close it; print when what was over."""
    import napari
    from qtpy.QtCore import Qt, QTimer
    from qtpy.QtTest import QTest
    from qtpy.QtWidgets import QApplication

    from napari_patchmap.patches import open_patches
    from napari_patchmap.plugin.entry.open_all import open_workspace
    from napari_patchmap.plugin.qt.docks import show_panel
    from napari_patchmap.plugin.workspace import workspace_of

    viewer = napari.Viewer()
    viewer.window.resize(1366, 768)
    open_workspace(viewer)
    workspace = workspace_of(viewer)
    workspace.set_patches(open_patches(data))
    panel = show_panel(viewer, "train")
    panel.form.set_config(panel.form.config.replace(device="cpu", epochs=(10_000.0, 1.0, 1.0)))
    maps: list[float] = []
    workspace.map_changed.connect(lambda _: maps.append(time.time()))
    if not planning:
        QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    shown = viewer.window._qt_window

    def close() -> None:
        if not planning and len(maps) < 3:
            QTimer.singleShot(200, close)
            return
        if planning and not panel.plan.text().startswith("Estimating"):
            raise SystemExit("The plan was made before the window could be closed.")
        print("closed", time.time(), flush=True)
        shown.close()
        QApplication.processEvents()
        print("hidden", time.time(), flush=True)

    QTimer.singleShot(600, close)  # a plan is made once settings have rested
    napari.run()
    print("left", time.time(), flush=True)


def once(data: Path, planning: bool) -> tuple[float, float, float]:
    """Return the seconds until hidden, left and ended of one process."""
    command = [sys.executable, __file__, str(data), "--window"]
    command += ["--planning"] if planning else []
    done = subprocess.run(command, capture_output=True, text=True)
    ended = time.time()
    if done.returncode or "terminate called" in done.stderr or "Traceback" in done.stderr:
        raise SystemExit(f"The program ended with {done.returncode}:\n{done.stderr}")
    when = dict(line.split() for line in done.stdout.splitlines() if line.count(" ") == 1)
    closed = float(when["closed"])
    return float(when["hidden"]) - closed, float(when["left"]) - closed, ended - closed


def main() -> None:
    """Print a row for each load."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument(
        "--planning", action="store_true", help="close it while a training is planned"
    )
    parser.add_argument("--window", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.window:
        window(args.data, args.planning)
        return
    print(machine())
    print("| loops beside | hidden, s | left, s | ended, s |\n|---|---|---|---|")
    for count in args.busy:
        with busy(count):
            found = [once(args.data, args.planning) for _ in range(args.times)]
        spans = [f"{min(some):.1f} to {max(some):.1f}" for some in zip(*found, strict=True)]
        print(f"| {count} | {' | '.join(spans)} |", flush=True)


if __name__ == "__main__":
    main()
