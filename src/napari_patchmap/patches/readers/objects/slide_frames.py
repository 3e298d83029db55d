"""Whole slides as planes out of which crops are cut, at the resolution that is wanted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.patches.readers.objects.frames import Frames
from napari_patchmap.patches.readers.slides.sampled import SampledSlides
from napari_patchmap.patches.readers.slides.tile_grid import Sampling


class SlideFrames(Frames):
    """One plane a slide, in pixels of the chosen resolution; of each, boxes are read alone.

    Parameters
    ----------
    paths : sequence of Path
    shapes : sequence of (height, width)
        Of the slides in level-0 pixels.
    samplings : sequence of Sampling
    dtype : numpy.dtype
    channels : int
    """

    slow = True

    def __init__(
        self,
        paths: Sequence[Path],
        shapes: Sequence[tuple[int, int]],
        samplings: Sequence[Sampling],
        dtype: np.dtype,
        channels: int,
    ) -> None:
        self.dtype, self.channels, self._samplings = np.dtype(dtype), channels, list(samplings)
        self.shapes = [
            (max(1, int(height / how.downsample)), max(1, int(width / how.downsample)))
            for (height, width), how in zip(shapes, samplings, strict=True)
        ]
        self._slides = SampledSlides(paths, samplings, dtype, channels)

    def cut(self, frame: int, rows: slice, columns: slice) -> np.ndarray:
        """Return a box of a slide as ``(height, width, channel)``."""
        height, width = self.shapes[frame]
        (top, bottom, _), (left, right, _) = rows.indices(height), columns.indices(width)
        downsample = self._samplings[frame].downsample
        return self._slides.read(
            frame, top * downsample, left * downsample, bottom - top, right - left
        )
