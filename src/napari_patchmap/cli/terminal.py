"""Talking to a person at a terminal, or to a log file."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from napari_patchmap.patches.watch import Watch
    from napari_patchmap.training.progress import Progress

#: Seconds between two lines in a log file, where a line cannot be overwritten.
_LOG_EVERY = 10.0


def is_main_process() -> bool:
    """Whether this process is to speak: alone, or the first of those torchrun started."""
    return os.environ.get("RANK", "0") == "0"


def say(text: str) -> None:
    """Print a line; what the terminal has no letter for is escaped."""
    if not is_main_process():
        return
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
    sys.stdout.flush()


def warn(text: str) -> None:
    """Print a line on standard error."""
    if not is_main_process():
        return
    sys.stderr.write(f"patchmap: {text}\n")
    sys.stderr.flush()


def why_no_window() -> str:
    """Say in one sentence why napari cannot open a window here; empty if it can."""
    if sys.platform.startswith("linux") and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return "No display here: look at map.png, or open the run folder in napari elsewhere."
    # In a process of its own, since Qt aborts where a system library is missing.
    probe = "import napari; from qtpy.QtWidgets import QApplication; QApplication([])"
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True)
    if result.returncode == 0:
        return ""
    lines = result.stderr.strip().splitlines()
    if "ModuleNotFoundError" in result.stderr or "No Qt bindings" in result.stderr:
        return (
            f"napari is not installed whole ({lines[-1]}): run pip install "
            "'napari-patchmap[all]', then open the run folder in napari."
        )
    return (
        f"Qt cannot open a window here ({lines[0] if lines else 'no reason given'}): on Debian "
        "or Ubuntu run apt-get install libegl1 libgl1 libxcb-cursor0 libxcb-icccm4 "
        "libxcb-keysyms1 libxcb-shape0 libxkbcommon-x11-0 libdbus-1-3, then open the run "
        "folder in napari."
    )


class ProgressLine:
    """One line on standard error that is written over, or a line now and then in a log."""

    def __enter__(self) -> Self:
        self._live = sys.stderr.isatty() and is_main_process()
        self._last = -_LOG_EVERY
        self._phase = ""
        self._width = 0
        return self

    def __exit__(self, *_: object) -> None:
        self._end_line()

    def _end_line(self) -> None:
        if self._live and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()

    def count(self, what: str, done: int, total: int) -> None:
        """Show that ``done`` of ``total`` things are done; 0 is a number not known yet."""
        if done == 0 and total > 0:
            return  # nothing has happened yet
        self._write(what, f"{what}: {done:,} of {total:,}" if total else f"{what}: {done:,}")

    def show(self, progress: Progress) -> None:
        """Show a report of the trainer."""
        from napari_patchmap.percent import rounded
        from napari_patchmap.training.progress import say_left

        if progress.note:
            self._end_line()
            warn(progress.note)
        if progress.embedding is not None or progress.note:
            return
        parts = [f"{100 * progress.fraction:3.0f} %  {progress.phase}"]
        if progress.epoch > 0:
            known = progress.epochs == progress.epochs
            planned = f" of {rounded(progress.epochs, 4)}" if known else ""
            parts.append(f"epoch {progress.epoch:.1f}{planned}")
            parts.append(f"loss {progress.loss:.3f}")
            parts.append(f"{progress.views_per_second:,.0f} views/s")
        if progress.seconds_left == progress.seconds_left:
            parts.append(say_left(progress.seconds_left))
        # Counts within a phase are no new phase.
        self._write(progress.phase.partition(":")[0], ", ".join(parts))

    def show_layout(self, progress: Progress) -> None:
        """Show a report of a t-SNE, which brings the map each time."""
        from dataclasses import replace

        self.show(replace(progress, embedding=None))

    def _write(self, phase: str, text: str) -> None:
        if self._live:
            sys.stderr.write("\r" + text.ljust(self._width))
            self._width = len(text)
        elif not is_main_process():
            return
        elif phase != self._phase or time.monotonic() - self._last >= _LOG_EVERY:
            sys.stderr.write(text + "\n")
            self._last = time.monotonic()
        self._phase = phase
        sys.stderr.flush()


def _say_at_once(text: str) -> None:
    """Write on standard error past its buffer, which may be in the midst of writing."""
    if is_main_process():
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stderr.fileno(), text.encode())


class Interrupt:
    """Ctrl+C ends the loading, or the training and keeps the map; a second one the program."""

    def __enter__(self) -> threading.Event:
        event = threading.Event()

        def stop(*_: Any) -> None:
            if event.is_set():
                raise KeyboardInterrupt
            event.set()
            _say_at_once("patchmap: stopping; press Ctrl+C again to leave at once\n")

        # Signals can be handled in the main thread alone.
        self._main = threading.current_thread() is threading.main_thread()
        if self._main:
            self._before = signal.signal(signal.SIGINT, stop)
        return event

    def __exit__(self, *_: object) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._before)


@contextlib.contextmanager
def counted(what: str, *, keeps: bool = False) -> Iterator[Watch]:
    """Give a watch of what can be counted: a line says how far it is, and Ctrl+C ends it.

    Where it ``keeps`` what is known, work that has something ends with that.
    """
    from napari_patchmap.patches.watch import Watch

    with ProgressLine() as line, Interrupt() as interrupt:
        yield Watch(partial(line.count, what), interrupt.is_set, keeps=keeps)
