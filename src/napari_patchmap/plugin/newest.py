"""Work in another thread that is asked for again and again; only the newest wish counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, Signal, Slot

from napari_patchmap.plugin.worker import Task

if TYPE_CHECKING:
    from napari_patchmap.patches.watch import Watch


class Newest(QObject):
    """Does what was asked for last.

    One piece runs at a time. What was asked for meanwhile, last, runs next: the one before
    is told to stop, and its result is dropped.

    Parameters
    ----------
    parent : QObject
        With it the wishes and the signals go.
    name : str
        What is being done.
    done, failed : callable, optional
        Slots for the result, and for the sentence that says why there is none.

    Attributes
    ----------
    error : Exception or None
        What ended the last work that failed, set before ``failed``.
    """

    done = Signal(object)
    failed = Signal(str)

    def __init__(
        self,
        parent: QObject,
        name: str,
        done: Callable[..., Any] | None = None,
        failed: Callable[..., Any] | None = None,
    ) -> None:
        super().__init__(parent)
        self.error: Exception | None = None
        self._name = name
        self._task: Task | None = None
        self._next: Callable[[Watch], Any] | None = None
        if done is not None:
            self.done.connect(done)
        if failed is not None:
            self.failed.connect(failed)

    @property
    def busy(self) -> bool:
        """Whether something is running or waiting."""
        return self._task is not None

    def ask(self, work: Callable[[Watch], Any]) -> None:
        """Do this instead of what was asked for before."""
        if self._task is not None:
            self._next = work
            self._task.stop()
            return
        self._task = Task(lambda task: work(task.watch), self._name)
        self._task.done.connect(self._on_done)
        self._task.failed.connect(self._on_failed)
        self._task.ended.connect(self._on_ended)
        self._task.start()

    def forget(self) -> None:
        """Drop what is running or waiting."""
        if self._task is not None:
            self._next = _nothing
            self._task.stop()

    @Slot(object)
    def _on_done(self, result: object) -> None:
        if self._next is None:
            self.done.emit(result)

    @Slot(str)
    def _on_failed(self, sentence: str) -> None:
        if self._next is None:
            self.error = None if self._task is None else self._task.error
            self.failed.emit(sentence)

    @Slot()
    def _on_ended(self) -> None:
        work, self._next, self._task = self._next, None, None
        if work is not None and work is not _nothing:
            self.ask(work)


def _nothing(_: Watch) -> None:
    """Stand for a wish that was withdrawn."""
