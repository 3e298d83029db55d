"""How much of a run is done and how long the rest takes, by the timetable and what is seen."""

from __future__ import annotations

import math
from collections.abc import Callable

from napari_patchmap.training.budget.timetable import Key, PartKind, Timetable

#: Once a part took so many seconds, its own pace is trusted.
_TRUST = 2.0


class Forecast:
    """Where a run is in its plan, by a clock that says the seconds since it began.

    Each part of a run has the seconds that the plan expects. The part that is going on
    is corrected by its own pace, and parts to come by that of the last one of their
    kind: a network that is slower than expected stays so, which says nothing of t-SNE.
    """

    def __init__(self, times: Timetable, clock: Callable[[], float]) -> None:
        self._times, self._clock = times, clock
        self._slowness: dict[str, float] = {}
        self._at: Key | None = None
        self._began = 0.0
        self._fraction = 0.0
        #: When all training must be over; None if epochs are followed.
        self.end: float | None = None
        #: Seconds that parts took which are over.
        self.seen: dict[Key, float] = {}

    def begin(self, kind: PartKind, stage: int = 0) -> None:
        """Note that a part goes on now."""
        self._move((kind, stage))

    def finish(self) -> None:
        """Note that the part that went on is over."""
        self._move(None)

    def state(
        self, kind: PartKind, stage: int = 0, share: float = math.nan, pace: float = math.nan
    ) -> tuple[float, float]:
        """Return the share of the run that is done (it never falls), and the seconds left.

        Parameters
        ----------
        kind : str
        stage : int
            From 0.
        share : float
            How much of the part is done, 0 to 1; NaN if only time tells.
        pace : float
            How many times as long as expected it takes; NaN to find out.
        """
        now, key, parts = self._clock(), (kind, stage), self._times.parts
        self._move(key)
        part, spent = parts[key], now - self._began
        expected = part.seconds.likely
        if math.isnan(share):
            share = min(0.95, spent / expected) if expected > 0 else 1.0
        elif math.isnan(pace) and spent > _TRUST and share * expected > 0:
            pace = spent / (share * expected)
        if not math.isnan(pace):
            self._slowness[part.like or kind] = pace
        left = (1 - share) * self._corrected(key)
        keys, after = list(parts), self._times.after_training
        coming = keys[keys.index(key) + 1 :]
        if self.end is not None and key not in after:
            left, coming = max(0.0, self.end - now), after
        left += sum(map(self._corrected, coming))
        done = now / (now + left) if now + left > 0 else 0.0
        self._fraction = max(self._fraction, min(1.0, done))
        return self._fraction, left

    def _corrected(self, key: Key) -> float:
        """Seconds of a part, as slow as others like it were seen to be."""
        part = self._times.parts[key]
        return part.seconds.likely * self._slowness.get(part.like or key[0], 1.0)

    def _move(self, key: Key | None) -> None:
        if key != self._at:
            now = self._clock()
            if self._at is not None:
                self.seen[self._at] = now - self._began
            self._at, self._began = key, now
