"""Many short pieces of work on all cores, with progress and a way out."""

from __future__ import annotations

import contextvars
import os
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.system import LEFT_ALONE

T = TypeVar("T")

#: Seconds after which is reported, and asked whether to stop, though nothing came to an end.
_PAUSE = 0.1

#: Seconds that are left to what is being read to come to its end, and to what waits for
#: it. A drive that takes longer is not waited for: what it brings then is dropped.
_PATIENCE, _LONGER = 0.8, 1.2


class _Stopped(BaseException):
    """Ends a thread between two pieces."""


class Pieces:
    """The numbers of some pieces of work, one after another until the whole is stopped."""

    def __init__(self, part: range, job: _Job) -> None:
        self.start = part.start
        self._part, self._job = part, job

    def __iter__(self) -> Iterator[int]:
        for piece in self._part:
            yield piece
            self._job.count()

    def done(self) -> None:
        """Count them all, where they were done together."""
        self._job.count(len(self._part))


class _Job:
    """Parts of the work that threads take, and how far they are."""

    def __init__(self, work: Callable[[Pieces], None], count: int, step: int) -> None:
        self._work, self._step, self._count = work, step, count
        self._next = self.done = self._alive = 0
        self._changed = threading.Condition()
        self._stopped = False
        self.error: BaseException | None = None

    def start(self, threads: int) -> None:
        self._alive = threads
        context = contextvars.copy_context()
        for _ in range(threads):
            # Daemons: a process does not wait at its end for a drive that does not answer.
            run = context.copy().run
            threading.Thread(
                target=run, args=(self._run,), name=LEFT_ALONE, daemon=True
            ).start()

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    start = self._next
                    self._next += self._step
                    if start >= self._count or self._stopped:
                        return
                part = range(start, min(start + self._step, self._count))
                self._work(Pieces(part, self))
                with self._changed:
                    self._changed.notify_all()
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self.stop(error)
        finally:
            with self._changed:
                self._alive -= 1
                self._changed.notify_all()

    def count(self, pieces: int = 1) -> None:
        """Count pieces that are done; from here a thread ends that is to end."""
        with self._changed:
            self.done += pieces
            if self._stopped:
                raise _Stopped

    def stop(self, error: BaseException | None = None) -> None:
        with self._changed:
            self._stopped = True
            self.error = self.error or error

    def wait(self, seconds: float, whole: bool = False) -> bool:
        """Wait for a part, or for the whole, to end; return whether all threads did."""
        with self._changed:
            if whole:
                self._changed.wait_for(lambda: not self._alive, seconds)
            elif self._alive:
                self._changed.wait(seconds)
            return not self._alive


def in_threads(
    work: Callable[[Pieces], None],
    count: int,
    step: int,
    watch: Watch,
    threads: int | None = None,
) -> None:
    """Call ``work`` for each ``step`` of ``count`` pieces, on all cores; report and cancel.

    ``work`` goes through its pieces once, or says that they are done. Once stopped, it ends
    where it takes the next one. What does not come to an end then (a drive that does not
    answer) is left alone, so ``work`` must be harmless later.

    Raises
    ------
    LoadCancelled
    Exception
        The first that ``work`` raised.
    """
    job = _Job(work, count, step)
    watch.step(0, count)
    job.start(min(threads or cores(), -(-count // step)))
    try:
        while not job.wait(_PAUSE) and job.error is None:
            watch.step(min(job.done, count - 1), count)
    finally:
        job.stop()
        job.wait(_PATIENCE, whole=True)
    if job.error is not None:
        raise job.error
    watch.step(count, count)


def attended(work: Callable[[Watch], T], watch: Watch) -> T:
    """Do something long, and report and cancel even while it waits for a drive.

    The caller's functions are called in the calling thread, as always.

    Parameters
    ----------
    work : callable
        Called in a thread with a watch of its own. Once cancelled it ends at the next
        step that it reports; if that does not come soon it is left alone, so what it
        does later must be harmless.
    watch : Watch

    Raises
    ------
    LoadCancelled
    Exception
        What ``work`` or the caller's functions raised.
    """
    if watch.progress is None and watch.should_stop is None:
        return work(watch)
    asked: queue.SimpleQueue[tuple[str, Any]] = queue.SimpleQueue()
    cancelled = threading.Event()

    def step(done: int, total: int) -> None:
        answered = threading.Event()
        asked.put(("step", (done, total, answered)))
        while not cancelled.is_set() and not answered.wait(_PAUSE):
            pass
        if cancelled.is_set():
            raise LoadCancelled("Loading was cancelled; nothing was changed.")

    def run() -> None:
        try:
            asked.put(("result", work(Watch(step))))
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            asked.put(("error", error))

    context = contextvars.copy_context()
    thread = threading.Thread(target=context.run, args=(run,), name=LEFT_ALONE, daemon=True)
    thread.start()
    try:
        return _attend(asked, watch)
    finally:
        cancelled.set()
        thread.join(_LONGER)


def _attend(asked: queue.SimpleQueue[tuple[str, Any]], watch: Watch) -> Any:
    """Report what a thread asks to be reported, or its last step while it asks nothing."""
    last = [0, 0]
    while True:
        try:
            kind, said = asked.get(timeout=_PAUSE)
        except queue.Empty:
            watch.step(*last)
            continue
        if kind == "result":
            return said
        if kind == "error":
            raise said
        *last, answered = said
        watch.step(*last)
        answered.set()


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
