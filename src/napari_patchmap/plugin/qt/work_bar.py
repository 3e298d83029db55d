"""Long work of a panel: how far it is, and a way to cancel it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Signal, Slot
from qtpy.QtWidgets import QHBoxLayout, QProgressBar, QPushButton

from napari_patchmap.patches.watch import Watch
from napari_patchmap.plugin.qt.basics import button, row
from napari_patchmap.plugin.worker import Task


class WorkBar(QProgressBar):
    """Does one thing at a time in the background and shows how far it is; hidden otherwise.

    Signals
    -------
    began()
        Something is being done.
    done(object)
        The result.
    failed(str, Exception)
        Why there is none, in one sentence, and the error.
    ended()
        After the others, or as soon as it is cancelled.
    """

    began = Signal()
    done = Signal(object)
    failed = Signal(str, object)
    ended = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._task: Task | None = None
        self.button: QPushButton | None = None
        self._show(False)

    def with_button(self, tip: str = "Stop reading; nothing is changed.") -> QHBoxLayout:
        """Return the bar beside a button that cancels, for panels that have no other."""
        self.button = button("Cancel", "", tip)
        self.button.clicked.connect(self.cancel)
        self._show(False)
        return row(self, self.button)

    @property
    def running(self) -> bool:
        """Whether something is being done."""
        return self._task is not None

    def start(self, name: str, work: Callable[[Watch], Any], said: str = "reading…") -> None:
        """Begin ``work``, which tells what it is given to watch it how many images are done.

        Until then the bar says what is ``said``.
        """
        self.setRange(0, 0)
        self.setFormat(said)
        self._task = task = Task(lambda task: work(task.watch), name)
        task.reported.connect(self._on_reports)
        task.done.connect(self._on_done)
        task.failed.connect(self._on_failed)
        task.ended.connect(self._on_ended)
        self.destroyed.connect(task.abandon)
        self._show(True)
        task.start()
        self.began.emit()

    def cancel(self) -> None:
        """Stop; at once for the person, even where a disk is slow to answer."""
        if self._task is not None:
            self._task.abandon()
            self._end()

    def _on_reports(self, reports: list[tuple[int, int]]) -> None:
        done, total = reports[-1]
        self.setFormat(
            f"{done:,} of {total:,}" if total else f"looking for images… {done:,} files"
        )
        self.setRange(0, total)
        self.setValue(done)

    def _on_done(self, result: object) -> None:
        self.done.emit(result)
        self._end()

    def _on_failed(self, sentence: str) -> None:
        self.failed.emit(sentence, None if self._task is None else self._task.error)
        self._end()

    @Slot()
    def _on_ended(self) -> None:
        if self._task is not None and self.sender() is self._task:
            self._end()  # napari ended the work with the window in which it was begun

    def _end(self) -> None:
        self._task = None
        self._show(False)
        self.ended.emit()

    def _show(self, shown: bool) -> None:
        self.setVisible(shown)
        if self.button is not None:
            self.button.setVisible(shown)
