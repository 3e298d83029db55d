"""Work in another thread: results, reports, errors, stopping, leaving."""

from __future__ import annotations

import contextlib
import gc
import threading
import time

import pytest
import torch
from qtpy.QtCore import QTimer

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.threads import in_threads
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.plugin.newest import Newest
from napari_patchmap.plugin.worker import Task, sentence_of, stop_all


def run(qtbot, work):
    """Run a task to its end; return (results, sentences)."""
    task, results, sentences = Task(work, "a test"), [], []
    task.done.connect(results.append)
    task.failed.connect(sentences.append)
    with qtbot.waitSignal(task.ended, timeout=10_000):
        task.start()
    assert not task.running
    return results, sentences


def test_work_runs_elsewhere_and_its_result_arrives_here(qtbot):
    here, seen = threading.get_ident(), []
    task = Task(lambda _: threading.get_ident(), "a test")
    task.done.connect(lambda ident: seen.append((ident, threading.get_ident())))
    with qtbot.waitSignal(task.ended):
        task.start()
    ((worked, arrived),) = seen
    assert worked != here
    assert arrived == here


def test_reports_arrive_in_order_in_a_few_parcels(qtbot):
    parcels, idents = [], []

    def work(task):
        for i in range(200):
            task.report(i)
            time.sleep(0.002)

    task = Task(work, "a test")
    task.reported.connect(parcels.append)
    task.reported.connect(lambda _: idents.append(threading.get_ident()))
    with qtbot.waitSignal(task.ended, timeout=10_000):
        task.start()
    assert [i for parcel in parcels for i in parcel] == list(range(200))
    assert len(parcels) < 30
    assert set(idents) == {threading.get_ident()}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (PatchError("The folder is empty; choose another."), "The folder is empty"),
        (RuntimeError("wrapped C++ object deleted"), "wrapped C++ object deleted"),
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough memory"),
        (MemoryError(), "not enough memory"),
        (PermissionError(13, "Permission denied", "/out/run"), "Permission denied (/out/run)"),
        (StopIteration(), "StopIteration"),
    ],
)
def test_every_error_becomes_one_sentence(qtbot, error, words):
    def work(_):
        raise error

    results, sentences = run(qtbot, work)
    assert results == []
    (sentence,) = sentences
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


def test_an_error_is_kept_for_those_who_ask_for_its_type_but_not_what_it_held(qtbot):
    def work(_):
        raise PatchError("The folder is empty; choose another.")

    task = Task(work, "a test")
    with qtbot.waitSignal(task.ended):
        task.start()
    assert type(task.error) is PatchError
    assert task.error.__traceback__ is None


def test_long_messages_are_cut():
    assert len(sentence_of(ValueError("x" * 5000))) < 300


def test_stopping_keeps_the_result(qtbot):
    def work(task):
        while not task.should_stop():
            time.sleep(0.005)
        return "what was learned"

    task, results = Task(work, "a test"), []
    task.done.connect(results.append)
    task.start()
    qtbot.wait(50)
    assert task.running
    with qtbot.waitSignal(task.ended):
        task.stop()
    assert results == ["what was learned"]


def test_leaving_waits_for_work_that_is_ending(qtbot):
    ended = []

    def work(task):
        while not task.should_stop():
            time.sleep(0.005)
        time.sleep(0.2)
        ended.append(True)

    task = Task(work, "a test").start()
    qtbot.waitUntil(lambda: task.running)
    qtbot.wait(30)
    assert stop_all(5)
    assert ended == [True]
    assert gc.isenabled()  # no event may come any more that says so
    qtbot.waitUntil(lambda: not task.running)


def test_leaving_does_not_wait_for_work_that_had_no_time_to_begin(qtbot):
    worked, heard, left = [], [], []
    task = Task(lambda _: worked.append(True), "a test")
    task.done.connect(heard.append)
    task.failed.connect(heard.append)

    def start_and_leave():  # in an event loop a worker of napari begins after the next event
        task.start()
        left.append(stop_all(60))

    with qtbot.waitSignal(task.ended):
        QTimer.singleShot(0, start_and_leave)
    assert left == [True]  # that is, at once: nothing could have begun it meanwhile
    assert worked == heard == []
    assert gc.isenabled()


def test_only_the_newest_wish_is_granted(qtbot):
    from qtpy.QtCore import QObject

    parent = QObject()
    newest, seen, made = Newest(parent, "a test"), [], []
    newest.done.connect(seen.append)

    def wish(i):
        def work(_):
            made.append(i)
            time.sleep(0.05)
            return i

        return work

    for i in range(20):
        newest.ask(wish(i))
    qtbot.waitUntil(lambda: not newest.busy)
    assert seen == [19]
    assert made == [0, 19]


def test_a_withdrawn_wish_is_not_granted(qtbot):
    from qtpy.QtCore import QObject

    parent = QObject()
    newest, seen = Newest(parent, "a test"), []
    newest.done.connect(seen.append)
    newest.ask(lambda _: time.sleep(0.05))
    newest.forget()
    qtbot.waitUntil(lambda: not newest.busy)
    newest.ask(lambda _: "again")
    qtbot.waitUntil(lambda: not newest.busy)
    assert seen == ["again"]


class _Knot:
    """What only a cycle holds; it says in which thread it was destroyed."""

    def __init__(self, destroyed_in):
        self.destroyed_in = destroyed_in
        self.itself = self

    def __del__(self):
        self.destroyed_in.append(threading.get_ident())


def test_while_work_runs_only_the_main_thread_destroys_what_cycles_hold(qtbot):
    gc.collect()
    destroyed_in, enough = [], threading.Event()

    def work(task):
        # Far more than makes Python collect by itself, in the thread that allocates.
        for _ in range(50):
            kept = [[] for _ in range(5_000)]
            time.sleep(0.001)
        assert len(kept) == 5_000
        assert enough.wait(10)

    first, second = Task(work, "a test"), Task(work, "another test")
    for _ in range(100):
        _Knot(destroyed_in)
    del _
    first.start()
    second.start()
    qtbot.waitUntil(lambda: len(destroyed_in) == 100, timeout=10_000)
    assert set(destroyed_in) == {threading.get_ident()}
    assert not gc.isenabled()
    enough.set()
    qtbot.waitUntil(lambda: not first.running and not second.running)
    assert gc.isenabled()


def test_a_drive_that_does_not_answer_leaves_no_thread_that_collects(qtbot):
    answers = threading.Event()

    def read(pieces):
        for _ in pieces:
            answers.wait(20)

    def work(task):
        with contextlib.suppress(LoadCancelled):
            in_threads(read, 1, 1, Watch(should_stop=task.should_stop))

    task = Task(work, "a test")
    task.start()
    qtbot.wait(100)
    task.stop()
    qtbot.waitUntil(lambda: not task.running, timeout=10_000)
    assert not gc.isenabled()
    answers.set()
    qtbot.waitUntil(gc.isenabled)


def test_whoever_wants_no_automatic_collection_keeps_it_so(qtbot):
    destroyed_in = []
    gc.disable()
    try:
        _Knot(destroyed_in)
        run(qtbot, lambda _: time.sleep(0.3))
        assert destroyed_in == []
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.collect()
