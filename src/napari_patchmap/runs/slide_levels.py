"""The levels of a slide as arrays that are read where they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.readers.slides.pyramid import Pyramid

#: Levels that differ by more are not shown: between them too much would be read at a time.
_STEP = 5


class SlideLevel:
    """One level as an array of uint8, ``(height, width, 3)``; indexing reads a box.

    Parameters
    ----------
    slide : Pyramid
        Stays open for as long as this is there.
    level : int
    look : callable
        Shows pixels of the slide as uint8 RGB.
    """

    dtype = np.dtype(np.uint8)
    ndim = 3

    def __init__(
        self, slide: Pyramid, level: int, look: Callable[[np.ndarray], np.ndarray]
    ) -> None:
        self._slide, self._level, self._look = slide, level, look
        self.shape = (slide.levels[level].height, slide.levels[level].width, 3)
        self.size = prod(self.shape)

    def __getitem__(self, key: Any) -> np.ndarray:
        """Return a box; white where the slide is damaged, for nobody can be told here."""
        rows, columns, *channel = (*(key if isinstance(key, tuple) else (key,)), *_EVERY)[:3]
        (top, bottom, down), (left, right, along) = (
            _span(one, side) for one, side in zip((rows, columns), self.shape, strict=False)
        )
        try:
            box = self._look(
                self._slide.read(self._level, top, left, bottom - top, right - left)
            )
        except PatchError:
            box = np.full((bottom - top, right - left, 3), 255, np.uint8)
        return box[(down, along, *channel)]


_EVERY = (slice(None), slice(None), slice(None))


def _span(key: Any, side: int) -> tuple[int, int, Any]:
    """Return where to read along an axis, from and to, and what to take of that."""
    if isinstance(key, slice):
        start, stop, step = key.indices(side)
        return start, max(start, stop), slice(None, None, step)
    at = int(key) % side
    return at, at + 1, 0


def finer_levels(
    slide: Pyramid, longest: int, look: Callable[[np.ndarray], np.ndarray]
) -> tuple[SlideLevel, ...]:
    """Return the levels that are larger than a picture of the slide, the largest first.

    Parameters
    ----------
    slide : Pyramid
    longest : int
        Longer side of the picture in pixels.
    look : callable
        As :class:`SlideLevel` takes it.
    """
    found: list[SlideLevel] = []
    for level in reversed(range(len(slide.levels))):
        side = max(slide.levels[level].height, slide.levels[level].width)
        if side > longest:
            if side > _STEP * longest:
                return ()
            longest = side
            found.insert(0, SlideLevel(slide, level, look))
    return tuple(found)
