"""The time that a run has worked, and how many steps a stage still has."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from napari_patchmap.methods.coarse import WHOLE, Coarse

#: Steps at the start of a stage that are too slow to count (caches, thread pools).
_WARM = 2

#: The speed is that of the last steps: so many seconds of them, and so many steps. A
#: GPU takes steps in gulps, so single steps say nothing.
_WINDOW_SECONDS, _WINDOW_STEPS = 3.0, 10


class Clock:
    """Seconds since the run began, those ``spent`` before a resume included; no pauses."""

    def __init__(self, spent: float = 0.0, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._began = now() - spent

    def __call__(self) -> float:
        return self._now() - self._began

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Let the clock stand still meanwhile."""
        before = self()
        try:
            yield
        finally:
            self._began = self._now() - before


class Pace:
    """Progress of one stage, from 0 to 1, that ends after its steps or in its time.

    By epochs the number of steps is fixed, so that a run repeats exactly. By the
    clock it is planned anew from the speed seen so far, and the rest of the
    learning-rate schedule is stretched or squeezed smoothly to fit.

    Parameters
    ----------
    steps, deadline : float, optional
        How many steps the stage has, or when it must end by the clock; one step is made in
        any case. One of the two is given.
    coarse : Coarse
        Which of its steps take less time, so that progress is a share of the time.
    clock : callable
        Seconds, ever growing.
    """

    def __init__(
        self,
        *,
        steps: int | None = None,
        deadline: float | None = None,
        coarse: Coarse = WHOLE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if (steps is None) == (deadline is None):
            raise ValueError("give either the steps or the deadline of a stage")
        self.done = 0
        self.fraction = 0.0
        self._steps = steps
        self._deadline = deadline
        self._coarse, self._clock = coarse, clock
        self._marks: deque[tuple[float, int]] = deque()
        # By the clock: a long first plan, replaced as soon as the speed is known.
        self._left = steps if steps is not None else 10_000

    @property
    def finished(self) -> bool:
        """Whether the stage is over."""
        if self._steps is not None:
            return self.done >= self._steps
        if self.done == 0:
            return False  # a stage without a step would leave its weights as drawn by lot
        return self._clock() >= self._deadline or self.fraction >= 1.0  # type: ignore[operator]

    @property
    def steps(self) -> float:
        """Steps of the whole stage, as planned now; NaN while the speed is unknown."""
        if self._steps is not None:
            return self._steps
        if self.done <= _WARM:
            return float("nan")
        return self.done + self._left * self._coarse.ahead(self.fraction)

    @property
    def seconds_per_step(self) -> float:
        """Time of a step lately; NaN at first."""
        if len(self._marks) < 2:
            return float("nan")
        (began, first), (now, last) = self._marks[0], self._marks[-1]
        return (now - began) / (last - first)

    @property
    def seconds_per_whole_step(self) -> float:
        """Time of a step with whole views, by that of the last ones; NaN at first."""
        return self.seconds_per_step / self._coarse.work(self.fraction)

    @property
    def seconds_per_mean_step(self) -> float:
        """Mean time of all steps of the stage, by that of the last ones; NaN at first."""
        return self.seconds_per_whole_step * self._coarse.mean_work

    @property
    def seconds_left(self) -> float:
        """Time until the stage ends; NaN at first."""
        if self._deadline is not None:
            return max(0.0, self._deadline - self._clock())
        return self.seconds_per_mean_step * self.steps * (1 - self.fraction)

    def state(self) -> dict[str, float | None]:
        """Return what :meth:`restore` needs to go on from here."""
        return {"done": self.done, "fraction": self.fraction, "deadline": self._deadline}

    def restore(self, state: dict[str, float]) -> None:
        """Go on where another pace of this stage stopped."""
        self.done, self.fraction = int(state["done"]), float(state["fraction"])

    def advance(self) -> None:
        """Note that a step was made."""
        self.done += 1
        if self.done >= _WARM:
            now, marks = self._clock(), self._marks
            marks.append((now, self.done))
            while (
                len(marks) > _WINDOW_STEPS
                and now - marks[1][0] >= _WINDOW_SECONDS
                and self.done - marks[1][1] >= _WINDOW_STEPS
            ):
                marks.popleft()
        if self._steps is not None:
            self.fraction = self._coarse.progress(self.done / max(1, self._steps))
            return
        self.fraction += (1 - self.fraction) / max(1, self._left)
        self._left = self._plan() if self.done > _WARM else max(1, self._left - 1)

    def _plan(self) -> int:
        left = max(0.0, self._deadline - self._clock())  # type: ignore[operator]
        return max(1, round(left / max(self.seconds_per_step, 1e-6)))
