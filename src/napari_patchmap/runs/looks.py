"""Looks at a map while it learned, kept with the run: what a film of it is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import torch

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words
from napari_patchmap.writing import whole_file

#: Name in a run's folder.
LOOKS = "looks.npz"

#: Looks and patches that are kept at most: of a map in the plane 24 MB.
MOST_LOOKS, MOST_PATCHES = 60, 100_000

#: What is known of each look: stage, from 1 (0 while the map is laid out), epoch, seconds.
_KNOWN = 3


@dataclass(eq=False)
class Looks:
    """Places of patches at several times, in half precision.

    Each look is brought to mean 0 and a root mean square radius of 1; where maps lie and how
    large they are differs from stage to stage anyway. Of more looks than are kept every
    second goes, and from then on every second that comes, so that they stay evenly apart. Of
    more patches some are kept, chosen at random.

    Attributes
    ----------
    rows : ndarray of int, shape (m,)
        Which patches of the run they are of.
    places : list of ndarray of float16, shape (m, d)
    known : list of (stage, epoch, seconds)
    """

    rows: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    places: list[np.ndarray] = field(default_factory=list)
    known: list[tuple[float, ...]] = field(default_factory=list)
    _apart: int = 1
    _seen: int = 0

    def __len__(self) -> int:
        return len(self.places)

    def note(self, embedding: np.ndarray, stage: int, epoch: float, seconds: float) -> None:
        """Take a look at a map, (n, d), if it is the turn of one."""
        self._seen += 1
        if (self._seen - 1) % self._apart or not np.isfinite(embedding).all():
            return
        if not len(self.rows):
            order = np.random.default_rng(0).permutation(len(embedding))
            self.rows = np.sort(order[:MOST_PATCHES])
        some = embedding[self.rows].astype(np.float64)
        some -= some.mean(axis=0)
        radius = float(np.sqrt((some**2).sum(axis=1).mean()))
        self.places.append((some / (radius or 1.0)).astype(np.float16))
        self.known.append((float(stage), float(epoch), float(seconds)))
        if len(self.places) > MOST_LOOKS:
            self.places, self.known = self.places[::2], self.known[::2]
            self._apart *= 2

    def part(self, rows: np.ndarray) -> Looks:
        """Return the looks at these patches of the run, which they are numbered by then."""
        now = pd.Index(rows).get_indexer(self.rows)
        kept = np.flatnonzero(now >= 0)
        kept = kept[np.argsort(now[kept])]
        return Looks(now[kept], [places[kept] for places in self.places], list(self.known))

    # -- kept in checkpoints and in runs ---------------------------------------------

    def state(self) -> dict[str, Any]:
        """Return what :meth:`restore` needs, as a checkpoint can hold it."""
        return {
            "rows": torch.from_numpy(self.rows),
            "places": [torch.from_numpy(one) for one in self.places],
            "known": [list(one) for one in self.known],
            "apart": self._apart,
            "seen": self._seen,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the looks of an interrupted run."""
        self.rows = state["rows"].numpy()
        self.places = [one.numpy() for one in state["places"]]
        self.known = [tuple(one) for one in state["known"]]
        self._apart, self._seen = int(state["apart"]), int(state["seen"])

    def save(self, path: Path) -> None:
        """Write them into a file; raises an OSError if that cannot be."""
        with whole_file(path) as file:
            np.savez(
                file, rows=self.rows, places=np.array(self.places),
                known=np.array(self.known, np.float64),
            )  # fmt: skip

    @classmethod
    def load(cls, path: Path, count: int) -> Self | None:
        """Read those of a run of so many patches; None where there are none.

        Raises
        ------
        RunError
            If the file is damaged.
        """
        if not path.is_file():
            return None
        try:
            with np.load(path, allow_pickle=False) as file:
                rows, places, known = (file[name] for name in ("rows", "places", "known"))
            if places.ndim != 3 or places.shape[:2] != (len(known), len(rows)):
                raise ValueError("its looks are not of these patches")
            if known.shape[1:] != (_KNOWN,) or (len(rows) and rows.max() >= count):
                raise ValueError("its looks are not of this run")
        except Exception as error:  # a damaged file may raise anything
            raise RunError(
                f"{path} is damaged ({words(error)}); restore it or remove it, the map needs "
                "it for films alone."
            ) from error
        return cls(rows.astype(np.int64), list(places), [tuple(one) for one in known.tolist()])
