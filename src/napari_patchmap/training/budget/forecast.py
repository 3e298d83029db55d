"""How much of a run is done and how long the rest takes, by the plan and what is seen."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from napari_patchmap.training.learners import learner_of

if TYPE_CHECKING:
    from napari_patchmap.training.budget.clock import Clock
    from napari_patchmap.training.plan import Plan

#: What comes before a stage's steps, the steps, the network's statistics after them, and
#: what comes after the last stage: features of all patches, their t-SNE, measuring and
#: writing.
Part = Literal["before", "steps", "settling", "features", "layout", "measuring"]

#: Once a part took so many seconds, its own pace is trusted.
_TRUST = 2.0


class Forecast:
    """Where a run is in its plan.

    Each part of a run has the seconds that the plan expects. The part that is going on
    is corrected by its own pace, and parts to come by that of the last one of their
    kind: a network that is slower than expected stays so, which says nothing of t-SNE.

    Parameters
    ----------
    plan : Plan
    clock : Clock
        Seconds since the run began.
    """

    def __init__(self, plan: Plan, clock: Clock) -> None:
        expected, self._clock = plan.expected, clock
        self._parts: dict[tuple[Part, int], float] = {}
        self._kinds: dict[tuple[Part, int], str] = {}
        stages = plan.recipe.stages
        for number, stage in enumerate(stages):
            self._parts["before", number] = expected.before[number]
            self._parts["steps", number] = plan.steps(number) * expected.step[number]
            kind = "network" if learner_of(stage).runs_backbone else "cached"
            self._kinds["steps", number] = kind
            self._parts["settling", number] = expected.settling[number]
        trained = list(self._parts)
        self._parts["features", 0] = expected.features
        self._parts["layout", 0] = expected.layout
        self._parts["measuring", 0] = expected.after - expected.features
        #: What a time budget of the training does not cover.
        self._after = [*trained[-1:], *(k for k in self._parts if k not in trained)]
        self._slowness: dict[str, float] = {}
        self._at: tuple[Part, int] | None = None
        self._began = 0.0
        self._fraction = 0.0
        #: When all training must be over; None if epochs are followed.
        self.end: float | None = None

    def state(
        self, part: Part, number: int = 0, share: float = math.nan, pace: float = math.nan
    ) -> tuple[float, float]:
        """Say where the run is.

        Parameters
        ----------
        part : str
        number : int
            Of the stage, from 0.
        share : float
            How much of the part is done, 0 to 1; NaN if only time tells.
        pace : float
            How many times as long as expected it takes; NaN to find out.

        Returns
        -------
        fraction : float
            Share of the whole run that is done, 0 to 1; it never falls.
        left : float
            Seconds that the run still takes.
        """
        now, key = self._clock(), (part, number)
        if key != self._at:
            self._at, self._began = key, now
        spent, expected = now - self._began, self._parts[key]
        if math.isnan(share):
            share = min(0.95, spent / expected) if expected > 0 else 1.0
        elif math.isnan(pace) and spent > _TRUST and share * expected > 0:
            pace = spent / (share * expected)
        kind = self._kind(key)
        if not math.isnan(pace):
            self._slowness[kind] = pace
        left = expected * (1 - share) * self._slowness.get(kind, 1.0)
        keys = list(self._parts)
        coming = keys[keys.index(key) + 1 :]
        if self.end is not None and key not in self._after:
            left, coming = max(0.0, self.end - now), self._after
        for later in coming:
            left += self._parts[later] * self._slowness.get(self._kind(later), 1.0)
        done = now / (now + left) if now + left > 0 else 0.0
        self._fraction = max(self._fraction, min(1.0, done))
        return self._fraction, left

    def _kind(self, key: tuple[Part, int]) -> str:
        return self._kinds.get(key, key[0])
