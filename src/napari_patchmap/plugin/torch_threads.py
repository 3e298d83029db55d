"""Which threads of a program compute with all cores."""

from __future__ import annotations

import threading

import torch


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
    # Threads to come take what was set last, by any thread.
    other = threading.Thread(target=torch.set_num_threads, args=(many,))
    other.start()
    other.join()
