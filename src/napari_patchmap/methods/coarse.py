"""Small views first: what is learned from coarse pictures takes a fraction of the time."""

from __future__ import annotations

from dataclasses import dataclass

#: Views are not made smaller than this, in pixels.
_LEAST_SIDE = 8

#: Part of a step's time, about, that does not depend on how large the views are.
_FIXED = 0.15


@dataclass(frozen=True)
class Coarse:
    """Smaller views at the beginning of a stage.

    Parameters
    ----------
    share : float
        Of the stage's time, 0 to 1.
    scale : float
        Sides of these views as a share of those of whole ones, above 0 to 1.
    """

    share: float = 0.0
    scale: float = 1.0

    def view_size(self, done: float, size: tuple[int, int]) -> tuple[int, int]:
        """Height and width of views when the share ``done`` of the stage lies behind."""
        if done >= self.share:
            return size
        height, width = (max(min(side, _LEAST_SIDE), round(self.scale * side)) for side in size)
        return height, width

    def work(self, done: float) -> float:
        """Time of a step then, about, as a share of that of one with whole views."""
        return self._work if done < self.share else 1.0

    @property
    def mean_work(self) -> float:
        """Mean of :meth:`work` over all steps."""
        return 1 / (self.share / self._work + 1 - self.share)

    def progress(self, steps: float) -> float:
        """Share of the stage's time in which a share of its steps is made, about."""
        small = self.share * self.mean_work / self._work
        if steps < small:
            return steps * self.share / small
        return self.share + (steps - small) * (1 - self.share) / (1 - small or 1.0)

    def ahead(self, done: float) -> float:
        """Steps that are made in the time after the share ``done``, about.

        They are a multiple of as many as it would be at the speed of that moment.
        """
        if done >= self.share:
            return 1.0
        whole = (self.share - done) / self._work + 1 - self.share
        return whole * self._work / (1 - done)

    @property
    def _work(self) -> float:
        return _FIXED + (1 - _FIXED) * self.scale**2


#: Whole views from the first step on.
WHOLE = Coarse()
