"""What the person wants while a run is trained."""

from __future__ import annotations

import time

from napari_patchmap.training.clock import Clock
from napari_patchmap.training.progress import StopCallback
from napari_patchmap.training.ranks import Ranks

#: How often a pause is looked at, in seconds.
_LOOK = 0.05


class Control:
    """What the person wants meanwhile: go on, pause or stop.

    Parameters
    ----------
    should_stop, should_pause : callable or None
        Asked before every step.
    clock : Clock
        Stands still during a pause.
    ranks : Ranks
        All processes of a run stop when one is asked to.
    """

    def __init__(
        self,
        should_stop: StopCallback | None,
        should_pause: StopCallback | None,
        clock: Clock,
        ranks: Ranks,
    ) -> None:
        self.stopped = False
        self.should_stop = should_stop or (lambda: False)
        self._should_pause = should_pause or (lambda: False)
        self._clock, self._ranks = clock, ranks

    def asked_to_stop(self) -> bool:
        """Whether to end now; waits while the person wants a pause."""
        if self._should_pause():
            with self._clock.stopped():
                while self._should_pause() and not self.should_stop():
                    time.sleep(_LOOK)
        self.stopped = self._ranks.agree(self.stopped or self.should_stop())
        return self.stopped
