"""What was made last is kept, and made once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from napari_patchmap.patches.latest import Latest


class Maker:
    """Makes values and remembers of which keys."""

    def __init__(self, kept: Latest) -> None:
        self.kept, self.made = kept, []

    def get(self, key, value=None):
        def make():
            self.made.append(key)
            return key if value is None else value

        return self.kept.get(key, make)


def test_what_was_used_last_stays():
    maker = Maker(Latest(2))
    for key in "abacab":
        assert maker.get(key) == key
    # b had to go when c came, since a was used after it; then c was the one to go.
    assert maker.made == ["a", "b", "c", "b"]


def test_values_are_kept_by_their_size_and_one_always():
    maker = Maker(Latest(100, lambda array: array.nbytes))
    for key, size in (("small", 40), ("other", 50), ("huge", 500), ("huge", 500)):
        assert maker.get(key, np.zeros(size, np.uint8)).nbytes == size
    assert maker.made == ["small", "other", "huge"]
    maker.get("small", np.zeros(40, np.uint8))
    assert maker.made == ["small", "other", "huge", "small"]


def test_threads_that_want_the_same_make_it_once_and_others_meanwhile():
    kept, made, started = Latest(10), [], threading.Event()

    def slow():
        started.set()
        time.sleep(0.2)
        made.append("slow")
        return "slow"

    with ThreadPoolExecutor(4) as pool:
        same = [pool.submit(kept.get, "slow", slow) for _ in range(3)]
        started.wait()
        assert kept.get("quick", lambda: "quick") == "quick"
        assert not made
        assert {one.result() for one in same} == {"slow"}
    assert made == ["slow"]


@pytest.mark.parametrize(("failures", "tries"), [(False, 2), (True, 1)])
def test_what_failed_is_tried_again_unless_failures_are_kept(failures, tries):
    kept, tried = Latest(10, failures=failures), []

    def fail():
        tried.append(1)
        raise OSError("the drive is gone")

    for _ in range(2):
        with pytest.raises(OSError, match="the drive is gone"):
            kept.get("a", fail)
    assert len(tried) == tries


def test_all_is_forgotten():
    maker = Maker(Latest(10))
    maker.get("a")
    maker.kept.clear()
    maker.get("a")
    assert maker.made == ["a", "a"]


def test_what_is_kept_can_be_asked_for_without_making_it():
    latest = Latest(2)
    assert latest.find("a") is None
    latest.get("a", lambda: 1)
    latest.get("b", lambda: 2)
    assert latest.find("a") == 1  # and is used last by that
    latest.get("c", lambda: 3)
    assert [latest.find(key) for key in "abc"] == [1, None, 3]
