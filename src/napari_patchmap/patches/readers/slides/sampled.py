"""Slides, read at the resolution that was chosen for each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.fit import resize
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.readers.slides.pyramid import Pyramid
from napari_patchmap.patches.readers.slides.tile_grid import Sampling
from napari_patchmap.patches.readers.slides.tiles import open_slide

#: Slides that are open at a time; each may hold the places of a million file tiles.
_OPEN = 8


class SampledSlides:
    """Slides of one pixel type and channel count, which are opened when they are wanted.

    Safe to be read from several threads at once.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        samplings: Sequence[Sampling],
        dtype: np.dtype,
        channels: int,
    ) -> None:
        self.dtype, self.channels = np.dtype(dtype), channels
        self._paths, self._samplings = list(paths), list(samplings)
        # Closed by itself, when no thread reads from it any more.
        self._open: Latest[Pyramid] = Latest(_OPEN)

    def read(self, number: int, y: float, x: float, height: int, width: int) -> np.ndarray:
        """Read a box of a slide.

        Parameters
        ----------
        number : int
            Of the slide.
        y, x : float
            Corner of the box in level-0 pixels.
        height, width : int
            In pixels of the chosen resolution.

        Returns
        -------
        ndarray of dtype, shape (height, width, channels)

        Raises
        ------
        PatchError
            One sentence that names the slide and the place, if it is damaged or gone.
        """
        how = self._samplings[number]
        slide = self._open.get(number, lambda: open_slide(self._paths[number]))
        downsample = slide.levels[how.level].downsample
        pixels = slide.read(
            how.level, round(y / downsample), round(x / downsample),
            round(height * how.factor), round(width * how.factor),
        )  # fmt: skip
        if (pixels.dtype, pixels.shape[2]) != (self.dtype, self.channels):
            raise PatchError(f"{slide.path} was changed after it was opened; load it again.")
        return resize(pixels[None], (height, width))[0]


class UnlikeSlides(PatchError):
    """Slides that cannot be one set."""


def check_alike(first: Pyramid, slide: Pyramid) -> None:
    """Raise an :class:`UnlikeSlides` if two slides differ in pixel type or channels."""
    if (first.dtype, first.channel_names) == (slide.dtype, slide.channel_names):
        return
    both = [
        f"{one.path.name} ({one.channels} channel(s) of {one.dtype}: "
        f"{', '.join(one.channel_names[:4])})"
        for one in (first, slide)
    ]
    raise UnlikeSlides(
        f"The slides in {slide.path.parent} are of different kinds, {both[0]} and {both[1]}; "
        "put each kind into a folder of its own."
    )
