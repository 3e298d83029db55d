"""What the person wants while a run is trained."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from napari_patchmap.errors import TrainingStopped
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.training.budget.pace import Clock
from napari_patchmap.training.distributed.ranks import Ranks
from napari_patchmap.training.progress import StopCallback

#: How often a pause is looked at, in seconds.
_LOOK = 0.05


class Control:
    """Asks before every step whether to end and keep what was learned, rest, or leave.

    Who leaves ends at once, without a map. The clock stands still during a pause, and all
    processes of a run stop when one is asked to.
    """

    def __init__(
        self,
        should_stop: StopCallback | None,
        should_pause: StopCallback | None,
        should_leave: StopCallback | None,
        clock: Clock,
        ranks: Ranks,
    ) -> None:
        self.stopped = False
        self.should_stop = should_stop or (lambda: False)
        self._should_pause = should_pause or (lambda: False)
        self._should_leave = should_leave or (lambda: False)
        self._clock, self._ranks = clock, ranks

    def asked_to_stop(self) -> bool:
        """Whether to end now; waits while the person wants a pause."""
        if self._should_pause():
            with self._clock.stopped():
                while self._should_pause() and not (self.should_stop() or self.leaves):
                    time.sleep(_LOOK)
        self.stopped = self._ranks.agree(self.stopped or self.should_stop() or self.leaves)
        return self.stopped

    @property
    def planning(self) -> Watch:
        """Ends what comes before anything is learned, for who wants to stop or to leave."""
        alone = self._ranks.world == 1
        return Watch(should_stop=lambda: alone and (self.should_stop() or self.leaves))

    @property
    def finishing(self) -> Watch:
        """Ends what makes a map, for who wants to leave."""
        return Watch(should_stop=lambda: self.leaves)

    @property
    def leaves(self) -> bool:
        """Whether the person does not want to wait for a map of what was learned."""
        return self._ranks.world == 1 and self._should_leave()

    def check_leaving(self) -> None:
        """Raise TrainingStopped if the person does not want to wait for a map."""
        if self.leaves:
            raise TrainingStopped("Stopped at once, so there is no map of what was learned.")


@contextmanager
def ends_training() -> Iterator[None]:
    """Tell of work that a watch ended as of a training that the person stopped."""
    try:
        yield
    except LoadCancelled:
        raise TrainingStopped("Stopped before there was a map, so nothing was saved.") from None
