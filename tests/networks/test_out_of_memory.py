"""Giving memory back destroys nothing of Qt's in a thread that is not Qt's."""

from __future__ import annotations

import gc
import threading

import pytest

from napari_patchmap.networks.out_of_memory import free_cached_memory


class Cycle:
    """Only the garbage collector finds it; it says in which thread it went."""

    def __init__(self, gone: list[str]) -> None:
        self.own, self.gone = self, gone

    def __del__(self) -> None:
        self.gone.append(threading.current_thread().name)


@pytest.fixture
def _no_collection_by_itself():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("_no_collection_by_itself")
def test_cycles_are_looked_for_in_the_main_thread_alone():
    gone: list[str] = []
    Cycle(gone)
    other = threading.Thread(target=free_cached_memory, name="training")
    other.start()
    other.join()
    assert gone == []
    free_cached_memory()
    assert gone == [threading.main_thread().name]
