"""What work tells who watches it, and when it ends."""

from __future__ import annotations

import pytest

from napari_patchmap.patches.watch import UNWATCHED, LoadCancelled, Watch
from tests.onlooker import Onlooker


def test_what_is_stopped_raises_unless_what_is_known_is_wanted():
    impatient = Watch(should_stop=lambda: True)
    with pytest.raises(LoadCancelled):
        impatient.step(1, 2)
    with pytest.raises(LoadCancelled):
        impatient.ends(1, 2)
    somebody = Onlooker(lambda heard: len(heard.known) == 2)
    assert not somebody.watch.ends(1, 3)
    assert not somebody.watch.ends(1, 3, "some")
    assert somebody.watch.ends(2, 3, "more")
    assert somebody.known == ["some", "more"]
    assert somebody.steps == [(1, 3), (1, 3), (2, 3)]
    assert not UNWATCHED.ends(1, 2, "all")


def test_parts_of_the_work_report_as_parts():
    somebody = Onlooker()
    second = somebody.watch.part(40, 80)
    second.step(1, 4)
    second.part(50, 100).step(1, 2)
    somebody.watch.one_of(2, 3).step(5, 10)
    somebody.watch.at(0, 0).step(7, 8)
    assert somebody.steps == [(50, 100), (70, 100), (25, 30), (0, 0)]
    with pytest.raises(LoadCancelled):
        Onlooker(lambda _: True).watch.part(0, 10).step(0, 1)


def test_what_a_part_knows_is_told_as_what_it_means_for_all():
    somebody = Onlooker()
    made = []

    def make(known):
        made.append(known)
        return f"all of {known}"

    somebody.watch.telling(make).part(0, 50).ends(1, 2, "it")
    somebody.watch.telling(make).ends(1, 2)
    UNWATCHED.telling(make).ends(1, 2, "it")
    assert somebody.known == ["all of it"]
    assert made == ["it"]  # nothing is made for nobody
