"""Progress of a long step, and its end before time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from napari_patchmap.errors import PatchError

#: Called with how many of how many images are done; of 0 while that is not known.
Progress = Callable[[int, int], None]


class LoadCancelled(PatchError):
    """The user stopped the loading; there is nothing to mend."""


@dataclass(frozen=True)
class Watch:
    """Tells the caller how far loading is, and lets the caller stop it."""

    progress: Progress | None = None
    should_stop: Callable[[], bool] | None = None

    def step(self, done: int, total: int) -> None:
        """Report progress.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        if self.should_stop is not None and self.should_stop():
            raise LoadCancelled("Loading was cancelled; nothing was changed.")
        if self.progress is not None:
            self.progress(done, total)
