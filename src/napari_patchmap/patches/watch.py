"""Progress of a long step, and its end before time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from napari_patchmap.errors import PatchError

#: Called with how many of how many images are done; of 0 while that is not known.
OnProgress = Callable[[int, int], None]

#: Rows of a table that are dealt with in well under the time between two reports.
_ROWS = 50_000


class LoadCancelled(PatchError):
    """The user stopped the loading; there is nothing to mend."""


@dataclass(frozen=True)
class Watch:
    """Tells the caller how far loading is, and lets the caller stop it."""

    progress: OnProgress | None = None
    should_stop: Callable[[], bool] | None = None

    @property
    def stops(self) -> bool:
        """Whether the caller wants to stop."""
        return self.should_stop is not None and self.should_stop()

    def check(self) -> None:
        """Ask whether to end; nothing is reported.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        if self.stops:
            raise LoadCancelled("Loading was cancelled; nothing was changed.")

    def step(self, done: int, total: int) -> None:
        """Report progress.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        self.check()
        if self.progress is not None:
            self.progress(done, total)

    def ends(self, done: int, total: int) -> bool:
        """Report progress to work that asks whether to end with what is known: it never is.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        self.step(done, total)
        return False

    def parts(self, count: int, size: int = _ROWS) -> Iterator[slice]:
        """Go through ``count`` rows in parts, and report between them.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop.
        """
        for start in range(0, count, size):
            if start:  # what is short is not worth a report
                self.step(start, count)
            yield slice(start, min(start + size, count))
