"""Many short pieces of work on all cores, with progress and a way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from napari_patchmap.patches.watch import Watch


def in_threads(
    work: Callable[[range], None],
    count: int,
    step: int,
    watch: Watch,
    threads: int | None = None,
) -> None:
    """Call ``work`` for each ``step`` of ``count`` pieces, on all cores; report and cancel.

    Raises
    ------
    LoadCancelled
    Exception
        The first that ``work`` raised.
    """
    parts = [range(start, min(start + step, count)) for start in range(0, count, step)]
    with ThreadPoolExecutor(threads or cores()) as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for part, future in zip(parts, waiting, strict=True):
                future.result()
                watch.step(part.stop, count)
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
