"""Which threads of a program compute with all cores."""

from __future__ import annotations

import os
import threading

import torch

#: How many threads there are to compute with when nothing is preferred.
_usual: list[int] = []


def compute_elsewhere() -> None:
    """Let torch use one core in the calling thread, and all of them in others still.

    For the thread of a window. As soon as two threads of a program have computed with
    all cores, GNU's OpenMP library has more threads than cores and no longer keeps the
    waiting ones awake between two operations; a training on a CPU then takes 1.6 times as
    long, for as long as both threads live.
    """
    many = torch.get_num_threads()
    if many == 1:
        return
    torch.set_num_threads(1)
    _let_others(many)


def prefer_threads(count: int) -> None:
    """Let the threads to come compute with so many cores; 0 for as many as usual.

    ``OMP_NUM_THREADS`` goes before. What computes already goes on as it is.
    """
    if "OMP_NUM_THREADS" in os.environ:
        return
    if not _usual:
        _usual.append(_of_others())
    _let_others(min(count, os.cpu_count() or count) if count > 0 else _usual[0])


def _let_others(many: int) -> None:
    # Threads to come take what was set last, by any thread.
    other = threading.Thread(target=torch.set_num_threads, args=(many,))
    other.start()
    other.join()


def _of_others() -> int:
    """Return with how many cores a thread to come computes."""
    found: list[int] = []
    other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    return found[0]
