"""Python's garbage collector, held to the main thread while others work."""

from __future__ import annotations

import gc
import threading
import time

from qtpy.QtCore import QObject, QTimer, Slot

from napari_patchmap.system import LEFT_ALONE

#: Milliseconds between two looks at how much there may be to collect.
_LOOK_MS = 50

#: Of the main thread's time, the share that looking through everything may take.
_FULL_SHARE = 0.005


class MainThreadCollector(QObject):
    """Let no thread but the main one collect garbage, for as long as it is asked to.

    Python collects what only cycles hold in whichever thread happens to allocate next.
    Widgets are among it: Qt holds a lock of its own while it destroys one and may then
    wait for Python's, while the main thread holds Python's and waits for Qt's, for ever.
    So the automatic collection is off while threads work, and a timer of the main thread
    collects by the thresholds that Python itself goes by.
    """

    def __init__(self) -> None:
        super().__init__()
        self._holds = 0
        self._was_enabled = False
        self._next_full = 0.0
        self._timer = QTimer(self, interval=_LOOK_MS)
        self._timer.timeout.connect(self._look)

    def hold(self) -> None:
        """Collect in the main thread only, until `release` was called as often."""
        self._holds += 1
        if not self._timer.isActive():
            self._was_enabled = gc.isenabled()
            gc.disable()
            self._timer.start()

    def release(self) -> None:
        """Leave the collection to Python again, once nobody holds it any more.

        Threads that were left alone, because a drive does not answer, hold it as well.
        """
        self._holds = max(0, self._holds - 1)
        self._end_if_over()

    def _end_if_over(self) -> None:
        if not self._holds and not any(
            t.name.startswith(LEFT_ALONE) for t in threading.enumerate()
        ):
            self.end()

    def end(self) -> None:
        """Leave the collection to Python again, whoever holds it: no event comes any more."""
        self._holds = 0
        self._timer.stop()
        if self._was_enabled:
            gc.enable()

    @Slot()
    def _look(self) -> None:
        self._end_if_over()
        if not self._was_enabled:
            return  # somebody wants no automatic collection
        counts = zip(gc.get_count(), gc.get_threshold(), strict=True)
        full = [most > 0 and count > most for count, most in counts]
        if full[2] and time.monotonic() >= self._next_full:
            began = time.monotonic()
            gc.collect()
            ended = time.monotonic()
            self._next_full = ended + (ended - began) / _FULL_SHARE
        elif full[1]:
            gc.collect(1)
        elif full[0]:
            gc.collect(0)
