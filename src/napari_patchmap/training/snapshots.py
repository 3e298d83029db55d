"""Looks at the map while it is trained."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

#: A look is at least at so many patches.
_FEWEST = 256

#: Dimensions in which patches are carried along by an affine map.
_FLAT = 3

#: Looks may take up to this share of the training time.
_SHARE = 0.05


class Snapshots:
    """When the map is looked at during training, and how it is turned to stay put.

    The first look of a stage is at all patches. Later ones are at as many as the share
    of the time allows, in turn, so that the map of a large set moves often rather than
    seldom. Their turn is random, since neighbours in a set are often alike, and the
    patches that are not looked at are carried along as those are that moved.

    Between two looks are so many ``seconds``, more if they are costly; 0 looks at all
    patches after every step whatever it costs, None never.
    """

    def __init__(self, seconds: float | None) -> None:
        self._every = seconds
        self._next = time.monotonic()
        self._last: np.ndarray | None = None
        self._outputs: np.ndarray | None = None
        self._turn = 0
        self._order = np.arange(0)
        self._speed = math.inf  # patches a second

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
        self._next = now
        if self._every:
            first = self._turn == 0  # of a stage: what it costs is not made up for
            self._next += self._every if first else max(self._every, (now - began) / _SHARE)

    def choose(self, count: int) -> np.ndarray:
        """Return which of so many patches to look at now, in order."""
        whole = self._outputs is None or len(self._outputs) != count or not self._every
        if whole:
            self._turn = 0
            return np.arange(count)
        allowed = max(_FEWEST, int(_SHARE * (self._every or 0) * self._speed))
        if len(self._order) != count:
            self._order = np.random.default_rng(0).permutation(count)
        start = self._turn % count
        self._turn = min(count, start + allowed)
        return np.sort(self._order[start : self._turn])

    def update(self, chosen: np.ndarray, outputs: np.ndarray, seconds: float) -> np.ndarray:
        """Put new outputs among the last ones of all patches, carried along; return them all.

        Those of the ``chosen`` patches, shape (c, d), took so many seconds.
        """
        self._speed = len(chosen) / max(seconds, 1e-9)
        if self._outputs is None or len(chosen) == len(self._outputs):
            self._outputs = outputs.copy()
        else:
            self._outputs = carried(self._outputs, chosen, outputs)
            self._outputs[chosen] = outputs
        return self._outputs.copy()

    def begin_stage(self) -> None:
        """Look at all patches next time; the outputs are others now."""
        self._outputs, self._turn = None, 0

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


def carried(places: np.ndarray, chosen: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Move all places as some of them moved.

    By the affine map that suits these best; in more dimensions than a map has, where a
    few do not tell it, by their mean and their spread. ``places`` are all of them, (n, d),
    ``found`` the new ones of those that are ``chosen``, (c, d).
    """
    old = places[chosen]
    centre, offset = old.mean(axis=0), found.mean(axis=0)
    away = (places - centre).astype(np.float64)
    if places.shape[1] <= _FLAT:
        turn, *_ = np.linalg.lstsq(away[chosen], found - offset, rcond=1e-6)
    else:
        spread = float(old.std(axis=0).mean())
        grown = float(found.std(axis=0).mean()) / spread if spread > 0 else 1.0
        turn = grown * np.eye(places.shape[1])
    return (away @ turn + offset).astype(places.dtype)
