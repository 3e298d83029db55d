"""The nearest columns of each row of a table of distances that is seen in parts."""

from __future__ import annotations

import numpy as np

from napari_patchmap.quality.pairs import Pairs


class NearestSoFar:
    """Pairs that may be among the nearest of their row.

    Parameters
    ----------
    rows, most : int
        How many there are, and how many of the nearest are looked for; none if 0.

    Attributes
    ----------
    limit : ndarray of float32, shape (rows,)
        As many as are looked for are known to be no farther than this.
    """

    def __init__(self, rows: int, most: int, limit: np.ndarray) -> None:
        self.limit = limit
        self._upper = np.full((rows, most), np.inf, np.float32)
        self._found: list[Pairs] = []

    def add(self, pairs: Pairs, unsure: np.ndarray) -> None:
        """Keep what may be near of pairs whose upper bounds lie so far above the lower."""
        close = np.flatnonzero(pairs.low <= self.limit[pairs.row])
        kept = pairs.which(close)
        self._found.append(kept)
        if not len(close):
            return
        each = np.bincount(kept.row, minlength=len(self.limit))
        place = np.arange(len(close)) - np.repeat(each.cumsum() - each, each)
        most = self._upper.shape[1]
        both = np.full((len(each), most + each.max()), np.inf, np.float32)
        both[:, :most] = self._upper
        both[kept.row, most + place] = kept.low + unsure[close]
        self._upper = np.partition(both, most - 1, axis=1)[:, :most]
        self.limit = np.minimum(self.limit, self._upper[:, -1])

    def pairs(self) -> Pairs:
        """Return all that may be among the nearest, in the order of their rows."""
        names = ("row", "own", "other", "low")
        every = Pairs(*(np.concatenate([getattr(p, n) for p in self._found]) for n in names))
        every = every.which(np.flatnonzero(every.low <= self.limit[every.row]))
        return every.which(np.argsort(every.row, kind="stable"))
