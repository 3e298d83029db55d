"""Long work in another thread, with reports on the way and exactly one end.

The only place that starts napari's thread workers. What a worker must never do
here: touch a layer or a widget, raise (napari loses some exceptions), or rely on
``quit()`` to clean up. The work is a plain function that returns; it is asked to
stop through :meth:`Task.should_stop` and still returns what it has.
"""

from __future__ import annotations

import atexit
import logging
import threading
import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from napari.qt.threading import create_worker
from qtpy.QtCore import QCoreApplication, QObject, QThreadPool, QTimer, Signal, Slot

from napari_patchmap.errors import PatchmapError
from napari_patchmap.plugin.collector import MainThreadCollector

if TYPE_CHECKING:
    from napari_patchmap.patches.watch import Watch

log = logging.getLogger(__name__)

#: Milliseconds between two deliveries of reports: often enough to look live.
_DELIVERY_MS = 80

#: How long leaving the program waits for work that was asked to stop.
_LEAVE_SECONDS = 4.0

#: And how many milliseconds for Qt's pool, whose threads notice that within ``_LOOK_SECONDS``.
_POOL_MS = 1000

#: How often a thread of Qt's pool looks whether the program is leaving.
_LOOK_SECONDS = 0.2


class Task(QObject):
    """One piece of work in another thread.

    Parameters
    ----------
    work : callable
        Called with this task in the other thread; its result goes to ``done``.
    name : str
        What is being done; napari shows it when the window is closed meanwhile.
    listed : bool
        Whether napari knows of it, asks before it closes its window, and then ends it.
        Otherwise whoever started the work ends it: for what is short, often done, and
        nothing to be asked about.

    Attributes
    ----------
    error : Exception or None
        What ended the work, set before ``failed``; for those to whom its type matters.

    Signals
    -------
    reported(list)
        What the work reported since the last time, in order; at most a dozen a second.
    done(object)
        The result.
    failed(str)
        Why there is no result, in one sentence.
    ended()
        After ``done`` or ``failed``, whatever happened. When the work was abandoned or
        napari's window closed, it comes alone: there is nobody left to tell.
    """

    reported = Signal(list)
    done = Signal(object)
    failed = Signal(str)
    ended = Signal()

    _mail = Signal()
    _over = Signal()

    def __init__(self, work: Callable[[Task], Any], name: str, *, listed: bool = True) -> None:
        super().__init__()
        self._job: _Job | None = _Job(self, work, name)
        self._listed = listed
        self._worker: Any = None
        self.error: Exception | None = None
        self._stop, self._leave = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._reports: list[Any] = []
        self._abandoned = False
        self._timer = QTimer(self, singleShot=True, interval=_DELIVERY_MS)
        self._timer.timeout.connect(self._deliver)
        self._mail.connect(self._on_mail)
        self._over.connect(self._on_finished)

    # -- in the GUI thread -----------------------------------------------------

    @property
    def running(self) -> bool:
        """Whether the work has been started and has not ended."""
        return self in _running

    def start(self) -> Task:
        """Start the work; connect to the signals before."""
        _running.add(self)
        _collector().hold()
        _watch_the_exit()
        assert self._job is not None
        if self._listed:
            self._worker = create_worker(self._job, _ignore_errors=True)
            self._worker.finished.connect(self._on_finished)
            self._worker.start()
        else:
            self._job.start(self._over.emit)
        return self

    def stop(self) -> None:
        """Ask the work to end soon; ``done`` still brings what it has."""
        self._stop.set()

    def leave(self) -> None:
        """Ask the work to end at once, also without a result."""
        self._leave.set()
        self._stop.set()

    def abandon(self) -> None:
        """Ask the work to end at once; nothing is heard of it but that it has ``ended``."""
        self._abandoned = True

    @Slot()
    def _on_mail(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    @Slot()
    def _deliver(self) -> None:
        with self._lock:
            reports, self._reports = self._reports, []
        if reports and not self._is_abandoned():
            self.reported.emit(reports)

    @Slot()
    def _on_finished(self) -> None:
        self._timer.stop()
        self._deliver()
        self._abandoned = self._is_abandoned()
        job, self._job, self._worker = self._job, None, None
        _running.discard(self)
        assert job is not None
        job.join()  # or its thread might be the last to hold what Qt made
        _collector().release()
        result, job.result = job.result, None
        self.error = job.error
        try:
            if self._abandoned:
                log.info("%s ended when nobody waited for it", job)
            elif job.trouble is None:
                self.done.emit(result)
            else:
                self.failed.emit(job.trouble)
        finally:
            self.ended.emit()

    # -- in the worker's thread --------------------------------------------------

    def should_stop(self) -> bool:
        """Whether somebody, or the closing window, asked the work to end."""
        return self._stop.is_set() or self._is_abandoned()

    def should_leave(self) -> bool:
        """Whether nobody wants to wait for a result."""
        return self._leave.is_set() or self._is_abandoned()

    @property
    def watch(self) -> Watch:
        """What work tells how far it is, which is reported, and asks whether to end."""
        from napari_patchmap.patches.watch import Watch  # slow, and Patchmap starts with this

        return Watch(lambda *step: self.report(step), self.should_stop)

    def _is_abandoned(self) -> bool:
        """Whether nobody listens: napari, closing its window, told the worker to quit."""
        worker = self._worker
        return self._abandoned or (worker is not None and worker.abort_requested)

    def report(self, value: Any) -> None:
        """Send something to the GUI; cheap, from any thread."""
        with self._lock:
            self._reports.append(value)
            first = len(self._reports) == 1
        if first:
            self._mail.emit()


class _Job:
    """The work, called by napari's worker or in a thread of ours; it never raises.

    napari keeps what it calls for as long as the window lives, so the work, the
    images it holds and the result are let go as soon as they have served.
    """

    def __init__(self, task: Task, work: Callable[[Task], Any], name: str) -> None:
        self._task: Task | None = task
        self._work: Callable[[Task], Any] | None = work
        self._name = name
        self._thread: threading.Thread | None = None
        self._begin, self._cancelled = threading.Lock(), False
        self.over = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None
        self.trouble: str | None = None

    def __str__(self) -> str:
        return self._name

    def __call__(self) -> None:
        # In a thread of its own: those of Qt's pool live on, and a training would be slow
        # beside what they keep, see plugin/torch_threads.py.
        with self._begin:
            if self._cancelled:
                return
            thread = self.start()
        while thread.is_alive() and not _given_up.is_set():
            thread.join(_LOOK_SECONDS)

    def start(self, tell: Callable[[], None] | None = None) -> threading.Thread:
        """Start the work; ``tell`` is called in its thread when it is over."""
        thread = threading.Thread(target=self._do, args=(tell,), name=self._name, daemon=True)
        self._thread = thread
        thread.start()
        return thread

    def cancel_if_waiting(self) -> bool:
        """Let work that has not begun never begin; return whether it is so."""
        with self._begin:
            self._cancelled = self._thread is None
        return self._cancelled

    def join(self, seconds: float | None = None) -> None:
        """Wait for the thread of work that is over, so many seconds at most."""
        if self._thread is not None and self.over.is_set():
            self._thread.join(seconds)

    def _do(self, tell: Callable[[], None] | None) -> None:
        task, work, self._task, self._work = self._task, self._work, None, None
        assert task is not None
        assert work is not None
        try:
            self.result = work(task)
        except Exception as error:  # noqa: BLE001 - every error becomes one sentence
            self.trouble = sentence_of(error)
            self.error = error.with_traceback(None)  # which would keep the images
        finally:
            self.over.set()
            if tell is not None:
                tell()


def sentence_of(error: Exception) -> str:
    """Say in one sentence what went wrong and what to do."""
    if isinstance(error, PatchmapError):
        return str(error)
    log.error("unexpected error", exc_info=error)
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "There is not enough memory for this; use a smaller batch or fewer patches."
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return f"A file could not be read or written: {error.strerror or error}{where}."
    text = " ".join(str(error).split())
    brief = f"{text[:200]}…" if len(text) > 200 else text
    return f"Something unexpected went wrong ({type(error).__name__}: {brief})."


#: Tasks keep themselves alive here until they have ended, whoever started them.
_running: set[Task] = set()

#: Set once the program does not wait any longer for work that does not end.
_given_up = threading.Event()
_watched = False


def stop_all(seconds: float = _LEAVE_SECONDS) -> bool:
    """Ask all tasks to end and wait for their threads; return whether they did."""
    jobs = []
    for task in _running:
        task.leave()
        assert task._job is not None
        # napari's workers are started by a timer of the event loop, which may not go on.
        if task._job.cancel_if_waiting():
            task.abandon()
        else:
            jobs.append(task._job)
    until = time.monotonic() + seconds
    ended = all(job.over.wait(max(0.0, until - time.monotonic())) for job in jobs)
    for job in jobs:
        job.join(max(0.0, until - time.monotonic()))  # it still tells that it is over
    if _running:
        _collector().end()  # the tasks may never hear that their work is over
    if not ended:
        # Qt's pool would wait for them without end, and the window has gone already.
        _given_up.set()
    if _running:
        # What a worker of napari tells at its end must not have been deleted by then.
        QThreadPool.globalInstance().waitForDone(_POOL_MS)
    return ended


@cache
def _collector() -> MainThreadCollector:
    """Return the one collector, made in the main thread at the first task."""
    return MainThreadCollector()


def _watch_the_exit() -> None:
    """Let Python not leave under a thread that still works."""
    global _watched
    app = QCoreApplication.instance()
    if not _watched and app is not None:
        _watched = True
        app.aboutToQuit.connect(stop_all)
        atexit.register(stop_all)
