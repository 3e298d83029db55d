"""The parts of a run, what each is expected to take, and when it must be over."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from napari_patchmap.training.budget.speeds import FEWEST, Seconds, remember, seconds_of

#: Reading the pixels; features before a stage's steps and their layout, the steps, the
#: network's statistics after them, and whether they helped; and what comes after the last
#: stage: features of all patches, their t-SNE, measuring, noting which patch is which, and
#: saving.
PartKind = Literal[
    "reading",
    "before",
    "first layout",
    "steps",
    "settling",
    "judging",
    "features",
    "layout",
    "measuring",
    "identifying",
    "saving",
]
Key = tuple[PartKind, int]

#: Share of a time budget that is kept for what takes longer than expected, the start of
#: the program among it; and the seconds that are kept at least.
_RESERVE, _LEAST_RESERVE = 0.01, 2.0

#: What comes once the map is there.
_AFTER_MAP: tuple[PartKind, ...] = ("measuring", "identifying", "saving")

#: Share of a time budget that is kept for the steps, whatever is expected of the rest.
_LEAST_TRAINING = 0.4


@dataclass(frozen=True)
class Part:
    """A part of a run.

    Parameters
    ----------
    seconds : Seconds
        That it is expected to take.
    work : str
        Name of what is done, under which this computer remembers it; "" if it does not.
    size : float
        Units of that work.
    like : str
        Parts for which it says the same are slow together; its kind if "".
    """

    seconds: Seconds
    work: str = ""
    size: float = 1.0
    like: str = ""

    @classmethod
    def of(cls, work: str, size: float, guess: float) -> Part:
        """Work that is expected to take what it took here, else a guess a unit."""
        return cls(seconds_of(work, guess) * size, work, size)


@dataclass(frozen=True)
class Timetable:
    """What a run is expected to take, and when its parts must be over.

    Parameters
    ----------
    parts : dict
        Part by kind and stage (from 0), in order.
    step : tuple of Seconds
        A step of each stage.
    shares : tuple of float
        Of the training time, that each stage gets.
    budget : float or None
        Seconds that the whole run is given; None when epochs are followed.
    """

    parts: dict[Key, Part] = field(default_factory=dict)
    step: tuple[Seconds, ...] = ()
    shares: tuple[float, ...] = ()
    budget: float | None = None

    def seconds(self, kind: PartKind, stage: int = 0) -> Seconds:
        """What a part is expected to take."""
        return self.parts[kind, stage].seconds

    @property
    def whole(self) -> Seconds:
        """What all of it is expected to take: the budget, if something is trained in it."""
        if self.budget is not None and self.shares:
            return Seconds.about(self.budget)
        return total(part.seconds for part in self.parts.values())

    @property
    def around(self) -> Seconds:
        """All but the steps."""
        return total(part.seconds for key, part in self.parts.items() if key[0] != "steps")

    @property
    def busy(self) -> bool:
        """Whether it may be much faster once other programs leave this computer alone."""
        measured = (*self.step, self.seconds("features"))
        return any(seconds.low < seconds.likely for seconds in measured)

    @property
    def after_training(self) -> list[Key]:
        """What comes after the last step."""
        keys: list[Key] = list(self.parts)
        last: Key = ("settling", len(self.shares) - 1)
        return keys[keys.index(last if self.shares else ("features", 0)) :]

    def training(self, stage: int) -> float:
        """What the steps of a stage are expected to take."""
        if self.budget is not None:
            return self.budget * self.shares[stage]
        return self.seconds("steps", stage).likely

    def steps_in_budget(self, stages: Iterable[int]) -> tuple[float, float, float]:
        """Fewest, likely and most steps that some stages can make in the time given."""
        assert self.budget is not None
        around, per_second = self.around, Seconds.about(0.0)
        for stage in stages:
            share, step = self.shares[stage], self.step[stage]
            per_second += Seconds(share / step.likely, share / step.high, share / step.low)
        return (
            max(0.0, self.budget - around.high) * per_second.low,
            max(0.0, self.budget - around.likely) * per_second.likely,
            max(0.0, self.budget - around.low) * per_second.high,
        )

    # -- deadlines -----------------------------------------------------------------------

    @property
    def map_due(self) -> float:
        """Seconds after which the map must be there; infinite when epochs are followed."""
        if self.budget is None:
            return math.inf
        after = total(self.seconds(kind) for kind in _AFTER_MAP)
        return self.budget - max(_RESERVE * self.budget, _LEAST_RESERVE) - after.likely

    def training_due(self, now: float) -> float | None:
        """Seconds after which all training must be over; None when epochs are followed."""
        if self.budget is None:
            return None
        after = [self.parts[key].seconds for key in self.after_training]
        still = total(after[: -len(_AFTER_MAP)])
        # However slow the rest seems to be: without steps it would show nothing.
        least = now + _LEAST_TRAINING * max(0.0, self.budget - now)
        return max(self.map_due - still.likely, least)

    def stage_due(self, stage: int, now: float, end: float) -> float:
        """Seconds after which a stage that begins now must be over, of all until ``end``."""
        later = self.shares[stage:]
        return now + max(0.0, end - now) * later[0] / sum(later)

    # -- afterwards ----------------------------------------------------------------------

    def keep(self, seen: dict[Key, float]) -> None:
        """Let this computer remember what parts really took, in seconds."""
        known = ((self.parts[key], seconds) for key, seconds in seen.items())
        remember(
            {
                part.work: seconds / part.size
                for part, seconds in known
                if part.work and seconds > 0 and (part.size == 1 or part.size >= FEWEST)
            }
        )


def total(times: Iterable[Seconds]) -> Seconds:
    """Add times."""
    return sum(times, Seconds.about(0.0))
