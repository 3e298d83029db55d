"""One loading at a time: images are opened in the background, or placed on a map."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.compat import isalive
from qtpy.QtCore import QObject, Signal

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.panels.load.opening import Request, open_request
from napari_patchmap.plugin.qt.panel import WorkPanel
from napari_patchmap.plugin.worker import Task
from napari_patchmap.runs import Run


class Loading(QObject):
    """Opens what was asked for; heard only until it is cancelled.

    Parameters
    ----------
    panel : WorkPanel
        With it the work goes.

    Signals
    -------
    progressed(int, int)
        How many images are done, of how many; of 0 while they are looked for.
    opened(Opened, Request)
        What came of a request.
    placed(tuple of (PatchSet, Placed), Run)
        What was put on the map of a run.
    failed(str, Exception)
        Why nothing came of it, in one sentence, and the error.
    ended()
        After the others, or once it is cancelled.
    """

    progressed = Signal(int, int)
    opened = Signal(object, object)
    placed = Signal(object, object)
    failed = Signal(str, object)
    ended = Signal()

    def __init__(self, panel: WorkPanel) -> None:
        super().__init__(panel)
        self._run = panel.run
        self._task: Task | None = None
        self._turn = 0

    @property
    def running(self) -> bool:
        """Whether images are being read."""
        return self._task is not None

    def start(self, request: Request, run: Run | None = None) -> None:
        """Open what is asked for; with a run, place it on its map."""
        task = self._task = self._run(
            lambda task: _open(request, run, task),
            "Loading patches" if run is None else "Placing patches",
        )
        self._turn += 1
        task.reported.connect(self._heed(lambda reports: self.progressed.emit(*reports[-1])))
        if run is None:
            task.done.connect(self._heed(lambda opened: self.opened.emit(opened, request)))
        else:
            task.done.connect(self._heed(lambda found: self.placed.emit(found, run)))
        task.failed.connect(self._heed(self._on_failed))
        task.ended.connect(self._heed(self._on_end))
        task.start()

    def cancel(self) -> None:
        """Stop; at once for the person, even where a disk is slow to answer."""
        if self._task is not None:
            self._task.stop()
            self._turn += 1
            self._on_end()

    def _heed(self, slot: Callable[..., None]) -> Callable[..., None]:
        """Listen until loading is cancelled; the task may take a moment to end then."""
        turn = self._turn

        def heard(*args: Any) -> None:
            if turn == self._turn and isalive(self):  # else the panel has gone
                slot(*args)

        return heard

    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(sentence, None if self._task is None else self._task.error)

    def _on_end(self) -> None:
        self._task = None
        self.ended.emit()


def _open(request: Request, run: Run | None, task: Task) -> Any:
    """Open patches, in another thread; place them on the map of a run if there is one."""
    opened = open_request(
        request, task.should_stop, lambda done, total: task.report((done, total))
    )
    if run is None:
        return opened
    watch = Watch(lambda done, total: task.report((done, total)), task.should_stop)
    return opened.patches, run.place(opened.patches, watch.step)
