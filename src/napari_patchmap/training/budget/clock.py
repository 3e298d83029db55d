"""The time that a run has worked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds since the run began; pauses, and the time between stop and resume, are left out.

    Parameters
    ----------
    spent : float
        Seconds that were used before.
    """

    def __init__(self, spent: float = 0.0) -> None:
        self._began = time.monotonic() - spent

    def __call__(self) -> float:
        return time.monotonic() - self._began

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the clock stand still meanwhile."""
        before = self()
        try:
            yield
        finally:
            self._began = time.monotonic() - before
