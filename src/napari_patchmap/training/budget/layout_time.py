"""How long a t-SNE takes: as it did here before, then by its own iterations."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_patchmap.layout.tsne import EVERY, FIRST_GUESS, INTERPOLATED, PHASES, Rates, Tsne
from napari_patchmap.training.budget.speeds import (
    GUESSED,
    Seconds,
    name_of,
    recall,
    remember,
)

#: Once so much of a t-SNE is made, its own pace is trusted.
_ENOUGH = 0.05

#: Fewer iterations, or fewer patches of which neighbours were found or which were moved,
#: tell nothing about others.
_FEWEST_ITERATIONS, _FEWEST_NEIGHBOURS, _FEWEST_PATCHES = 50, 2000, 500


class LayoutTime:
    """Seconds of a t-SNE, expected and seen.

    Parameters
    ----------
    tsne : Tsne
    patches : int
    clock : callable, optional
        Seconds, ever growing; only for one that is made.
    """

    def __init__(
        self, tsne: Tsne, patches: int, clock: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._tsne, self._patches, self._clock = tsne, patches, clock
        known = {phase: recall(self._work(phase)) for phase in PHASES}
        guess = vars(FIRST_GUESS)
        slowness = [value / guess[phase] for phase, value in known.items() if value]
        # What was never reached here is as slow as the rest.
        usual = sum(slowness) / len(slowness) if slowness else 1.0
        self._rates = Rates(**{p: known[p] or usual * guess[p] for p in PHASES})
        self._doubt = 1.0 if slowness else GUESSED
        self._at = clock()
        self._first: tuple[float, float] | None = None
        self._seen = dict.fromkeys(PHASES, (0.0, 0))

    @property
    def expected(self) -> Seconds:
        """The whole of it, before it begins."""
        return Seconds.about(self._seconds(self._tsne.steps), self._doubt)

    def share(self, done: int) -> float:
        """Return how much of the time is over after so many iterations, 0 to 1, about."""
        return self._seconds(done) / self._seconds(self._tsne.steps)

    def note(self, done: int) -> None:
        """Note that so many iterations are made; asked every ten of them."""
        now = self._clock()
        if self._first is None:
            self._first = now, self._seconds(done)
            self._seen["neighbours"] = now - self._at, done
        else:
            phase = self._tsne.phase(done)
            seconds, iterations = self._seen[phase]
            self._seen[phase] = seconds + now - self._at, iterations + EVERY
        self._at = now

    def last(self, done: int) -> float:
        """Return how long the iterations with the last exaggeration will take.

        What comes before the first iteration, the neighbours, says nothing of them.
        """
        whole = self._seconds(self._tsne.steps)
        last = whole - self._seconds(self._tsne.before_last)
        if self._first is None:
            return last
        began, before = self._first
        made = self._seconds(done) - before
        return last if made < _ENOUGH * whole else last * (self._at - began) / made

    def keep(self) -> None:
        """Remember what each phase took, if it was long enough to tell of others."""
        count, found = self._patches, {}
        for phase in PHASES[1:]:
            seconds, iterations = self._seen[phase]
            if iterations >= _FEWEST_ITERATIONS and count >= _FEWEST_PATCHES:
                found[phase] = seconds / (iterations * count)
        before, iterations = self._seen["neighbours"]
        if "early" in found and count >= _FEWEST_NEIGHBOURS:
            before -= found["early"] * iterations * count
            found["neighbours"] = max(0.0, before) / self._tsne.pairs(count)
        remember({self._work(phase): rate for phase, rate in found.items()})

    def _seconds(self, iterations: int) -> float:
        return self._tsne.seconds(iterations, self._patches, self._rates)

    def _work(self, phase: str) -> str:
        tsne = self._tsne
        return name_of(
            "t-SNE", phase, tsne.metric, tsne.dimensions, tsne.exaggeration,
            tsne.last_exaggeration, self._patches >= INTERPOLATED, torch.get_num_threads(),
        )  # fmt: skip
