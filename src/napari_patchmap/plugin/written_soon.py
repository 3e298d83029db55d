"""Writes what was changed, soon after and in another thread; changes meanwhile go with it."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal, Slot

from napari_patchmap.plugin.worker import Task

#: Milliseconds after the last change until it is written.
_SOON = 500


class WrittenSoon(QObject):
    """Writes one thing after another, an older one never over a newer.

    Parameters
    ----------
    name : str
        What is being written.
    order : bound method
        Returns what is to be written now, as it is to be known again, and what writes it
        (called in another thread); None where there is nothing to write.

    Signals
    -------
    written(object)
        That was written.
    failed(object, str)
        That could not be written, and why.
    ended()
        After either.
    """

    written = Signal(object)
    failed = Signal(object, str)
    ended = Signal()

    def __init__(
        self,
        parent: QObject,
        name: str,
        order: Callable[[], tuple[Any, Callable[[], object]] | None],
    ) -> None:
        super().__init__(parent)
        # Weak: Qt keeps this for as long as its parent, whose method it mostly is.
        self._name, self._order = name, weakref.WeakMethod(order)
        self._turn, self._number, self._last = threading.Lock(), 0, 0
        self._task: Task | None = None
        self._what: Any = None
        self._again = False
        self._timer = QTimer(self, singleShot=True, interval=_SOON)
        self._timer.timeout.connect(self._start)

    def soon(self) -> None:
        """Write what there is then, half a second after the last call."""
        self._timer.start()

    def now(self) -> None:
        """Write what there is at once, in this thread; errors of the writing are raised."""
        order = self._ordered()
        if order is not None:
            self._in_turn(self._next(), order[1])

    def _ordered(self) -> tuple[Any, Callable[[], object]] | None:
        method = self._order()
        return None if method is None else method()

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _start(self) -> None:
        self._again = self._task is not None
        order = None if self._again else self._ordered()
        if order is None:
            return
        number, (self._what, write) = self._next(), order
        self._task = Task(lambda _: self._in_turn(number, write), self._name, listed=False)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._on_failed)
        self._task.ended.connect(self._on_ended)
        self._task.start()

    def _in_turn(self, number: int, write: Callable[[], object]) -> None:
        with self._turn:
            if number > self._last:
                write()
                self._last = number

    @Slot(object)
    def _on_done(self, _: object) -> None:
        self.written.emit(self._what)

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(self._what, sentence)

    @Slot()
    def _on_ended(self) -> None:
        self._task = self._what = None
        if self._again:
            self._timer.start()
        self.ended.emit()
