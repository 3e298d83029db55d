"""How long a person waits for each thing they do with a map, and how long the window freezes.

    xvfb-run -a -s "-screen 0 1600x1000x24" \\
        python benchmarks/workplace.py [--patches 17092 300000 1000000] [--where lasso]

Makes a run of so many patches (``workplace_run.py``; ``--keep FOLDER`` keeps it for the next
time), opens it in the panel "Load patches", as who drops its folder there does, and acts with
real events of the mouse and of keys. Each number of patches has a process of its own. The
first number is the time from the event until all of the window is as it should be, pictures in
the gallery included. The second is the time that the processor worked for it in all threads:
what the first would be on a core that nobody else uses, waiting aside. In brackets: the
longest stretch for which the window's thread worked without looking at events, which is what
a person feels as a freeze.

Not in it is the repaint of the canvas by OpenGL: while an action is timed, the canvas is told
not to update (``setUpdatesEnabled(False)``), and it is repainted afterwards. What Qt paints
above it, the card under the mouse and the lasso, is painted into a picture instead.

``--where WORD`` prints what the actions whose names hold that word spend their time with.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

#: Milliseconds that an action may take, by the number of patches.
GOALS = {
    "lasso of 400 vertices": (50, 300, 1000),
    "hover card": (30, 60, 100),
    "colour by": (50, 500, 1500),
    "annotate 10,000": (50, 150, 400),
    "undo": (50, 150, 400),
    "open the saved run": (2000, 5000, 15000),
    "suggest": (2000, 20000, 60000),
}
PARTS = ["look", "colour", "lasso", "sort", "annotate"]
SIZES = (17_092, 300_000, 1_000_000)

#: Work in the background that is waited for. Other panels do more of their own after opening
#: (plan a training, look for other maps), which takes its share of the processor meanwhile.
_SEEN = {
    "Sorting",
    "Looking where patches are",
    "Reading pictures",
    "Suggesting classes",
    "Looking for the next to annotate",
    "Looking for more like this",
}

#: Milliseconds: by the clock, of the processor, and the longest freeze.
Took = tuple[float, float, float]

#: Patience with one action, in seconds.
_PATIENCE = 300


class Bench:
    """A window, what it is doing, and how long that takes."""

    def __init__(self, where: str) -> None:
        self.found: dict[str, Took] = {}
        self._where = where
        self._canvas: Any = None

    def look_at(self, viewer: Any) -> None:
        """Take a viewer that has a map."""
        from napari_patchmap.plugin.map.map_layer import MapLayer
        from napari_patchmap.plugin.napari_private import canvas_widget
        from napari_patchmap.plugin.workspace import workspace_of

        self.viewer, self.map = viewer, MapLayer.of(viewer)
        self.workspace, self._canvas = workspace_of(viewer), canvas_widget(viewer)

    # -- waiting ------------------------------------------------------------------------

    def idle(self) -> bool:
        """Whether nothing is being done in the background that is seen in the window."""
        from napari_patchmap.plugin import worker

        names = {str(task._job) for task in worker._running}
        return not (names & _SEEN) and not self.map.thumbnails._asked

    def settle(self) -> None:
        """Let all be painted and written, and all panels be done with what they do."""
        from qtpy.QtTest import QTest

        from napari_patchmap.plugin import worker

        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            QTest.qWait(100)
            if not worker._running and self.idle() and not self.map.keeper.pending:
                return
        raise TimeoutError("the window does not come to rest")

    @contextmanager
    def _unpainted(self) -> Iterator[None]:
        if self._canvas is not None:
            self._canvas.setUpdatesEnabled(False)
        yield
        if self._canvas is not None:
            self._canvas.setUpdatesEnabled(True)

    # -- timing -------------------------------------------------------------------------

    def once(self, act: Callable[[], object], ready: Callable[[], bool] | None = None) -> Took:
        """Act, and return how long it is until all is ready."""
        from qtpy.QtWidgets import QApplication

        ready, longest = ready or self.idle, 0.0
        with self._unpainted():
            began, worked = time.perf_counter(), time.process_time()
            step = time.thread_time()
            act()
            while True:
                done = ready()
                longest = max(longest, time.thread_time() - step)
                step = time.thread_time()
                QApplication.processEvents()  # what is ready is painted
                if done and ready():
                    break
                if time.perf_counter() - began > _PATIENCE:
                    raise TimeoutError("an action does not end")
                time.sleep(0.001)
            longest = max(longest, time.thread_time() - step)
        ended = time.perf_counter(), time.process_time()
        return 1000 * (ended[0] - began), 1000 * (ended[1] - worked), 1000 * longest

    def time(
        self, name: str, act: Callable[[], object], ready: Callable[[], bool] | None = None,
        times: int = 1, before: Callable[[], object] | None = None,
    ) -> None:  # fmt: skip
        """Measure an action, the best of several times: others use this computer, too."""
        taken = []
        profile = (
            cProfile.Profile(time.thread_time) if self._where and self._where in name else None
        )
        for _ in range(times):
            if before is not None:
                before()
            if self._canvas is not None:
                self.settle()
            if profile is not None:
                profile.enable()
            taken.append(self.once(act, ready))
            if profile is not None:
                profile.disable()
        self.found[name] = tuple(map(min, zip(*taken, strict=True)))
        held = f"memory {memory():.2f}, at most {peak_memory():.2f} GB"
        print(f"{name}: {cell(self.found[name])} ms; {held}", file=sys.stderr, flush=True)
        if profile is not None:
            stats = pstats.Stats(profile, stream=sys.stderr)
            stats.sort_stats("cumulative").print_stats(45)
            stats.sort_stats("tottime").print_stats(25)

    # -- hands ----------------------------------------------------------------------------

    def mouse(self, kind: str, pixel: Any, button: str = "LeftButton") -> None:
        """Send an event of the mouse at a pixel (x, y) of the canvas."""
        from qtpy.QtCore import QEvent, QPointF, Qt
        from qtpy.QtGui import QMouseEvent
        from qtpy.QtWidgets import QApplication

        where = QPointF(float(pixel[0]), float(pixel[1]))
        buttons = getattr(Qt.MouseButton, button)
        caused = buttons if kind != "MouseMove" else Qt.MouseButton.NoButton
        held = Qt.MouseButton.NoButton if kind == "MouseButtonRelease" else buttons
        event = QMouseEvent(
            getattr(QEvent.Type, kind), where, QPointF(self._canvas.mapToGlobal(where)),
            caused, held, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        QApplication.sendEvent(self._canvas, event)

    def key(self, name: str, widget: Any = None, control: bool = False) -> None:
        """Press and let go of a key on the canvas, or elsewhere."""
        from qtpy.QtCore import Qt
        from qtpy.QtTest import QTest

        modifier = Qt.KeyboardModifier.ControlModifier if control else (
            Qt.KeyboardModifier.NoModifier
        )  # fmt: skip
        QTest.keyClick(widget or self._canvas, getattr(Qt.Key, f"Key_{name}"), modifier)

    def choose(self, box: Any, text: str) -> Callable[[], None]:
        """Return what chooses an entry of a list with the arrow key."""

        def act() -> None:
            at = box.findText(text)
            box.blockSignals(True)
            box.setCurrentIndex(at - 1)
            box.blockSignals(False)
            self.key("Down", box)

        return act

    @property
    def middle(self) -> np.ndarray:
        """The middle of the canvas as (x, y)."""
        return np.array([self._canvas.width(), self._canvas.height()]) / 2


def measure(folder: Path, where: str, parts: list[str]) -> dict[str, Took]:
    """Open a run and do everything with it, or some parts of it."""
    import napari

    from napari_patchmap.plugin.entry.open_all import open_workspace
    from napari_patchmap.plugin.qt.docks import find_panel, show_panel

    bench = Bench(where)
    viewer = napari.Viewer()
    viewer.window.resize(1400, 860)
    bench.look_at(viewer)
    bench.time("open the workspace", lambda: open_workspace(viewer))
    load: Any = find_panel(viewer, "load")
    bench.time(
        "open the saved run", lambda: load.open_path(folder / "run"),
        lambda: bench.workspace.run is not None and not load.loading and bench.idle(),
    )  # fmt: skip
    explore, gallery = find_panel(viewer, "explore"), find_panel(viewer, "gallery")
    bench.settle()
    acts: dict[str, Callable[[], None]] = {
        "look": lambda: look_around(bench),
        "colour": lambda: colour(bench, explore),
        "lasso": lambda: lasso(bench),
        "sort": lambda: sort(bench, gallery),
        "annotate": lambda: annotate(bench, show_panel(viewer, "annotate")),
    }
    for part in parts:
        acts[part]()
    viewer.close()
    return bench.found


def look_around(bench: Bench) -> None:
    """Hover over points and move the map."""
    from qtpy.QtCore import QPoint, QPointF, Qt
    from qtpy.QtGui import QWheelEvent
    from qtpy.QtWidgets import QApplication

    from napari_patchmap.plugin.canvas.looking import to_canvas

    places = bench.map.board.positions
    rows = iter(np.random.default_rng(1).permutation(len(places)))

    def away() -> None:
        bench.map.mouse.put_away()

    def hover() -> None:
        row = next(rows)
        bench.mouse("MouseMove", to_canvas(bench.viewer, places[[row]])[0], "NoButton")
        assert bench.map.mouse.overlay.has_card, "there is no card"
        bench.map.mouse.overlay.grab()

    bench.time("first hover card", hover, before=away)
    bench.time("hover card", hover, before=away, times=9)

    step = [0]

    def drag() -> None:
        step[0] += 1
        bench.mouse("MouseMove", bench.middle + 3 * step[0])

    bench.mouse("MouseButtonPress", bench.middle)
    bench.time("pan a step", drag, times=9)
    bench.mouse("MouseButtonRelease", bench.middle + 3 * step[0])

    def wheel(turn: int) -> None:
        where = QPointF(*bench.middle)
        event = QWheelEvent(
            where, QPointF(bench._canvas.mapToGlobal(where)), QPoint(), QPoint(0, turn),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
            Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(bench._canvas, event)

    bench.time("zoom a step", lambda: wheel(120), times=9)
    bench.map.show_all()


def colour(bench: Bench, explore: Any) -> None:
    """Colour by each column."""
    box = explore.column_box
    columns = [box.itemText(i) for i in range(box.count())]
    for name in ("area", "donor", "label"):
        assert name in columns, columns
        bench.time(
            f"colour by {name}", bench.choose(box, name), times=3,
            before=bench.choose(box, "one colour"),
        )  # fmt: skip


def lasso(bench: Bench) -> None:
    """Draw a line of 400 vertices around a third of the map."""
    angles = np.linspace(0, 2 * np.pi, 400, endpoint=False)
    wave = 1 + 0.15 * np.sin(7 * angles)
    radius = 0.3 * min(bench.middle) * 2 * wave
    path = bench.middle + np.stack([np.cos(angles), np.sin(angles)], 1) * radius[:, None]
    moves: list[float] = []

    def draw() -> None:
        bench.workspace.clear_selection()
        bench.settle()
        bench.mouse("MouseButtonPress", path[0])
        with bench._unpainted():
            for pixel in path[1:]:
                began = time.thread_time()
                bench.mouse("MouseMove", pixel)
                moves.append(1000 * (time.thread_time() - began))
        bench.map.mouse.overlay.grab()

    bench.key("L")
    assert bench.map.hand.lasso
    for name in ("lasso of 400 vertices", "lasso of 400 vertices, sorted by area"):
        if "sorted" in name:
            from napari_patchmap.plugin.qt.docks import find_panel

            bench.choose(find_panel(bench.viewer, "gallery").orders.box, "area")()
        bench.time(
            name, lambda: bench.mouse("MouseButtonRelease", path[-1]), before=draw, times=3
        )
    bench.key("L")
    share = len(bench.workspace.selection) / len(bench.workspace.patches)
    assert 0.1 < share < 0.9, share
    print(f"the lasso holds {100 * share:.0f} %", file=sys.stderr)
    bench.found["a vertex of it"] = sum(moves) / len(moves), sum(moves) / len(moves), max(moves)


def sort(bench: Bench, gallery: Any) -> None:
    """Sort the gallery of all patches, and walk in it."""
    box, grid = gallery.orders.box, gallery.grid
    bar = grid.verticalScrollBar()
    bench.workspace.clear_selection()
    bench.workspace.clear_selection()
    for name in ("area", "donor", "name"):
        bench.time(f"sort by {name}", bench.choose(box, name), times=1)
    bench.workspace.set_current(5)
    bench.time("sort by distance", bench.choose(box, "Distance"), times=1)
    bench.time("scroll a line", lambda: bar.setValue(bar.value() + bar.singleStep()), times=9)
    bench.time("jump to the middle", lambda: bar.setValue(bar.maximum() // 2))
    bench.choose(box, "label")()
    bench.settle()
    bench.time("arrow key", lambda: bench.key("Right", grid), times=9)
    bench.time("select all", lambda: bench.key("A", grid, control=True))
    bench.workspace.clear_selection()


def annotate(bench: Bench, panel: Any) -> None:
    """Give classes, take them back, and ask for the rest."""
    from qtpy.QtCore import Qt
    from qtpy.QtTest import QTest

    workspace = bench.workspace
    rng = np.random.default_rng(2)
    count = len(workspace.patches)
    labels = workspace.patches.labels
    names = np.unique(labels)
    bench.settle()
    for name in names:
        QTest.keyClicks(panel.name, str(name))
        QTest.keyClick(panel.name, Qt.Key.Key_Return)
    layer = bench.map.points
    bench.viewer.layers.selection.active = layer
    bench._canvas.setFocus()

    def select() -> None:
        workspace.select(rng.choice(count, 10_000, replace=False))

    chosen = iter("12312")
    bench.time("annotate 10,000", lambda: bench.key(next(chosen)), before=select, times=3)
    assert (workspace.annotations.now.codes >= 0).sum() >= 10_000
    bench.time("undo", lambda: bench.key("Z", control=True), before=workspace.redo, times=3)

    def written() -> bool:
        return not bench.map.keeper.pending and bench.idle()

    bench.time("until 10,000 are written", lambda: bench.key("4"), written, before=select)
    everything = np.arange(count)
    bench.time(
        "until all are written", lambda: bench.key("5"), written,
        before=lambda: workspace.select(everything),
    )  # fmt: skip

    def learn_from(each: int) -> Callable[[], None]:
        def act() -> None:
            now = workspace.annotations.now
            rows = [
                rng.choice(own, min(len(own), each), replace=False)
                for own in (np.flatnonzero(labels == name) for name in names)
            ]
            codes = np.full(count, -1, np.int16)
            for k, own in enumerate(rows):
                codes[own] = k
            workspace.set_annotations(
                workspace.annotations.put(now.take(np.arange(count), codes))
            )

        return act

    workspace.clear_selection()
    for each in (6, 50, 1250):
        bench.time(
            f"suggest from {8 * each:,}", panel.suggesting.rest.click, before=learn_from(each)
        )
        assert workspace.suggestions is not None
        right = (names[workspace.suggestions.codes] == labels).mean()
        print(f"{100 * right:.0f} % right: {workspace.suggestions.sentence}", file=sys.stderr)
    bench.time("20 most useful", panel.suggesting.next.click)
    bench.time("more like 20", panel.likeness.alike.click)


# -- each number of patches in a process of its own ------------------------------------------


def child(folder: Path, where: str, parts: list[str]) -> None:
    """Measure here, and print what was found as JSON."""
    import napari.viewer  # what importing takes is not ours  # noqa: F401

    found: dict[str, Any] = dict(measure(folder, where, parts))
    found["peak memory, GB"] = peak_memory()
    print(json.dumps(found))


def measured(count: int, options: argparse.Namespace, home: Path) -> dict[str, Any]:
    """Make a run of so many patches if there is none yet, and measure in another process."""
    folder = (options.keep or home) / f"patches-{count}"
    here = Path(__file__).parent
    if not (folder / "run" / "config.json").is_file():
        make = [sys.executable, str(here / "workplace_run.py"), str(folder)]
        subprocess.run([*make, "--patches", str(count)], check=True, stdout=sys.stderr)
    for name in ("annotations.csv", "annotations.json", "session.json"):
        (folder / "run" / name).unlink(missing_ok=True)  # of the last time
    command = [sys.executable, __file__, "--run", str(folder), "--where", options.where]
    command += ["--parts", *options.parts]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    found: dict[str, Any] = json.loads(said.splitlines()[-1])
    return found


def memory() -> float:
    """Return the memory that this process has now, in GB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 2**30


def peak_memory() -> float:
    """Return the most memory that this process had at once, in GB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def cell(value: Any) -> str:
    """Write times and a freeze, or a number."""
    if isinstance(value, float):
        return f"{value:.2f}"
    took, worked, froze = value
    return f"{took:,.0f} / {worked:,.0f} ({froze:,.0f})"


def print_table(counts: list[int], columns: list[dict[str, Any]]) -> None:
    """Print a row an action: milliseconds and the goal."""
    print(
        "| ms: clock / processor (freeze) | "
        + " | ".join(f"{n:,}" for n in counts)
        + " | goal |"
    )
    print("|---" * (len(counts) + 2) + "|")
    for name in columns[0]:
        key = next((one for one in GOALS if name.startswith(one)), "")
        goals = dict(zip(SIZES, GOALS.get(key, ()), strict=False))
        goal = " / ".join(f"{goals[n]:,}" for n in counts if n in goals)
        cells = " | ".join(cell(found[name]) for found in columns)
        print(f"| {name} | {cells} | {goal} |")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patches", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--keep", type=Path, help="folder that keeps what is made")
    parser.add_argument("--where", default="", help="profile actions whose names hold this")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--run", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.run is not None:
        child(options.run, options.where, options.parts)
        return
    with tempfile.TemporaryDirectory() as home:
        os.environ["XDG_DATA_HOME"] = home
        columns = [measured(count, options, Path(home)) for count in options.patches]
        print_table(options.patches, columns)


if __name__ == "__main__":
    main()
