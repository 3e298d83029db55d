"""How long a t-SNE takes: as it did here before or a small one does, then by its iterations."""

from __future__ import annotations

from collections.abc import Callable

import torch

from napari_patchmap.layout.device_forces import computes_forces
from napari_patchmap.layout.tsne import EVERY, INTERPOLATED, Tsne, early_iteration
from napari_patchmap.networks.device import CPU
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.training.budget.estimate import kept_for_a_while
from napari_patchmap.training.budget.speeds import (
    FEWEST,
    Seconds,
    name_of,
    recall,
    remember,
)

#: Between so many times as fast and as slow as a small one tells is one never made here.
_DOUBT = 1.6

#: Once so much of a t-SNE is made, its own pace is trusted.
_ENOUGH = 0.05


@kept_for_a_while
def _early_rate(watch: Watch, patches: int, dimensions: int, device: torch.device) -> float:
    return early_iteration(patches, dimensions, torch.get_num_threads(), device, watch)


class LayoutTime:
    """Seconds of a t-SNE, expected and seen; the clock is for one that is made.

    Where none was made here before, some iterations are tried; ``watch`` may end that.
    """

    def __init__(
        self,
        tsne: Tsne,
        patches: int,
        clock: Callable[[], float] = lambda: 0.0,
        *,
        device: torch.device = CPU,
        watch: Watch = UNWATCHED,
    ) -> None:
        self._tsne, self._patches, self._clock, self._device = tsne, patches, clock, device
        self._work = name_of(
            "t-SNE", tsne.metric, tsne.dimensions, tsne.exaggeration, tsne.last_exaggeration,
            patches >= INTERPOLATED, *([device.type] if computes_forces(device) else []),
        )  # fmt: skip
        known = recall(self._work)
        self._rate = self._measured(watch) if known is None else Seconds.about(known)
        self._whole = tsne.cost(tsne.steps, patches, device)
        self._began: float | None = None
        self._spent = self._made = 0.0

    @property
    def expected(self) -> Seconds:
        """The whole of it, before it begins."""
        return self._rate * self._whole

    def _measured(self, watch: Watch) -> Seconds:
        rate = _early_rate(watch, self._patches, self._tsne.dimensions, self._device)
        return Seconds.about(rate, _DOUBT)

    def share(self, done: int) -> float:
        """Return how much of the time is over after so many iterations, 0 to 1, about."""
        return self._tsne.cost(done, self._patches, self._device) / self._whole

    def note(self, done: int) -> None:
        """Note that so many iterations are made; called every ten of them.

        What comes before the first ones, the neighbours, says nothing of the others.
        """
        if self._began is None:
            self._began = self._clock()
            return
        self._spent = self._clock() - self._began
        self._made += self._cost(done - EVERY, done)

    def last(self) -> float:
        """Return how long the iterations with the last exaggeration will take."""
        last = self._cost(self._tsne.before_last, self._tsne.steps)
        trusted = self._made >= _ENOUGH * self._whole
        return last * (self._spent / self._made if trusted else self._rate.likely)

    def keep(self) -> None:
        """Remember what iterations took, if there were enough to tell of others."""
        # Of few patches an iteration takes what does not grow with them.
        if self._patches >= 2 * FEWEST and self._made >= _ENOUGH * self._whole:
            remember({self._work: self._spent / self._made})

    def _cost(self, first: int, last: int) -> float:
        until = (self._tsne.cost(done, self._patches, self._device) for done in (last, first))
        return next(until) - next(until)
