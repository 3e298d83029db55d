"""Looks at the map while it is trained."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

#: Looks may take up to this share of the training time.
_SHARE = 0.05


class Snapshots:
    """When the map is looked at during training, and how it is turned to stay put.

    Parameters
    ----------
    seconds : float or None
        Time between two looks, longer if they are costly; 0 looks after every
        step whatever it costs, None never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._every = seconds
        self._next = time.monotonic()
        self._last: np.ndarray | None = None

    @property
    def due(self) -> bool:
        """Whether it is time for a look."""
        return self._every is not None and time.monotonic() >= self._next

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Take the time of a look, and plan the next one."""
        began = time.monotonic()
        yield
        now = time.monotonic()
        self._next = now + max(self._every, (now - began) / _SHARE) if self._every else now

    def lay_flat(self, outputs: np.ndarray, dimensions: int) -> np.ndarray:
        """Return outputs in the map's dimensions.

        More are brought down to their main axes, which keep their sign from one
        look to the next.
        """
        if outputs.shape[1] == dimensions:
            return outputs
        centred = outputs - outputs.mean(axis=0)
        _, vectors = np.linalg.eigh(centred.T @ centred)
        flat = centred @ vectors[:, ::-1][:, :dimensions]
        if self._last is not None and self._last.shape == flat.shape:
            flat *= np.where((flat * self._last).sum(axis=0) < 0, -1, 1)
        self._last = flat
        return flat.astype(np.float32)
