"""Progress of long work, what is known of it so far, and its end before time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from napari_patchmap.errors import PatchError

#: Called with how many of how many images are done; of 0 while that is not known.
OnProgress = Callable[[int, int], None]

#: Rows of a table that are dealt with in well under the time between two reports.
_ROWS = 50_000


class LoadCancelled(PatchError):
    """The user stopped the work; there is nothing to mend."""


@dataclass(frozen=True)
class Watch:
    """Tells the caller how far long work is, and lets the caller end it.

    Parameters
    ----------
    progress : callable, optional
        Called with how many of how many parts are done, of 0 while that is not known; what it
        raises ends the work.
    should_stop : callable, optional
        Asked between two parts; True ends the work, once and for all.
    so_far : callable, optional
        Given what is known of an answer that grows.
    keeps : bool
        Whether the caller who stops wants what is known by then, where work has something.
    """

    progress: OnProgress | None = None
    should_stop: Callable[[], bool] | None = None
    so_far: Callable[[Any], object] | None = None
    keeps: bool = False

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
        self._report(done, total)

    def tell(self, so_far: Any) -> None:
        """Tell what is known so far."""
        if self.so_far is not None:
            self.so_far(so_far)

    def ends(self, done: int, total: int, so_far: Any = None) -> bool:
        """Report progress, and what is known if that is more; say whether to end with it.

        Raises
        ------
        LoadCancelled
            If the caller wants to stop, and has no use for what is known.
        """
        if so_far is not None:
            self.tell(so_far)
        self._report(done, total)
        if not self.keeps:
            self.check()
        return self.stops

    def _report(self, done: int, total: int) -> None:
        if self.progress is not None:
            self.progress(done, total)

    def part(self, begin: float, end: float) -> Watch:
        """Return the watch of a part of the work, from ``begin`` to ``end`` per cent of it."""

        def progress(done: int, total: int) -> None:
            self._report(int(begin + (end - begin) * done / max(1, total)), 100)

        return replace(self, progress=progress)

    def one_of(self, number: int, count: int) -> Watch:
        """Return the watch of one of some parts of the work that take as long as each other."""

        def progress(done: int, total: int) -> None:
            self._report(number * total + done, count * total)

        return replace(self, progress=progress)

    def at(self, done: int, total: int) -> Watch:
        """Return the watch of work of which always this is reported, whatever it does."""
        return replace(self, progress=lambda *_: self._report(done, total))

    def telling(self, make: Callable[[Any], Any]) -> Watch:
        """Return one whose caller is told what ``make`` makes of what is known so far."""
        tell = self.so_far
        return replace(self, so_far=None if tell is None else lambda known: tell(make(known)))

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


#: Of work that nobody watches.
UNWATCHED = Watch()
