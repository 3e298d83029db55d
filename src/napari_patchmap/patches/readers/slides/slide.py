"""Slides in TIFF files: SVS, OME-TIFF, plain TIFF pyramids."""

from __future__ import annotations

import os
import weakref
from pathlib import Path

import numpy as np
import tifffile

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import RGB
from napari_patchmap.patches.images import ArrayImages
from napari_patchmap.patches.photometric import APERIO_YCBCR, meaning_of
from napari_patchmap.patches.readers.slides.levels import (
    RGB_PHOTOMETRIC,
    check_axes,
    find_levels,
    planes_of,
    side,
    whole_ratio,
)
from napari_patchmap.patches.readers.slides.metadata import resolution
from napari_patchmap.patches.readers.slides.pyramid import Level, Pyramid
from napari_patchmap.patches.readers.tiff.tiff_metadata import channel_names, check_complete


class Slide(Pyramid):
    """A pyramidal or large TIFF image (SVS, OME-TIFF, plain TIFF), read part by part.

    Parameters
    ----------
    path : path
    numbers : bool
        Whether the numbers themselves are wanted, as of labels, and not their colours.

    Raises
    ------
    UnusableError, or anything that tifffile raises on a damaged file
        :func:`tiles.open_slide` makes a sentence of it.
    """

    def __init__(self, path: str | os.PathLike[str], numbers: bool = False) -> None:
        self.path = Path(path)
        try:
            self._tif = tifffile.TiffFile(self.path)
        except tifffile.TiffFileError:
            if not self.path.stat().st_size:
                raise UnusableError("is empty (0 bytes)") from None
            raise UnusableError(
                "is not a TIFF",
                "give a slide (SVS, TIFF pyramid, OME-TIFF), or save it as one",
            ) from None
        # Slides are dropped while other threads may still read them: closed with the last.
        self._close = weakref.finalize(self, self._tif.close)
        try:
            self._open(numbers)
        except BaseException:
            self.close()
            raise

    def _open(self, numbers: bool) -> None:
        tif = self._tif
        tif.filehandle.lock = True  # several threads read from it
        check_complete(tif)
        if not tif.series:
            raise UnusableError("holds no image")
        series = max(tif.series, key=lambda one: side(one, "Y") * side(one, "X"))
        check_axes(series)
        page = series.keyframe
        self.channel_names: tuple[str, ...] = RGB
        found = []
        for level in find_levels(tif, series):
            planes = planes_of(level)
            found.append((side(level, "Y"), side(level, "X"), planes))
        found.sort(key=lambda one: -one[0] * one[1])
        height, width, planes = found[0]
        self.levels = [Level(h, w, whole_ratio(height / h, width / w)) for h, w, _ in found]
        self._planes = [planes for _, _, planes in found]
        self.dtype = planes[0].dtype
        if self.dtype.kind not in "uif":
            raise UnusableError(f"holds values of type {self.dtype}, not pixels")
        channels = sum(one.channels for one in planes)
        apart = int(page.planarconfig) == 2
        meaning = meaning_of(page, planes=apart, numbers=numbers)
        self._convert = meaning.convert
        more = page.photometric in RGB_PHOTOMETRIC and len(planes) == 1 and channels > 3
        if more and 1 not in page.extrasamples:
            channels, self._convert = 3, None  # the rest is alpha
        if int(page.compression) == APERIO_YCBCR:
            self._convert = None  # tile by tile
        self._stored = channels, self.dtype
        if self._convert is not None:
            self.dtype = meaning.dtype
            channels = meaning.channels if meaning.channels != meaning.samples else channels
        colours = page.photometric in RGB_PHOTOMETRIC or meaning.names == RGB
        if not (colours and channels == 3):
            empty = ArrayImages(np.empty((1, 1, 1, channels), self.dtype))
            letters = "".join(axis for axis in series.axes if axis in "CYXS")
            self.channel_names = channel_names(tif, series, letters, empty)
        self.channels = channels
        index = tif.series.index(series)
        self.mpp, self.magnification, self.derived = resolution(tif, index, page)

    def close(self) -> None:
        """Close the file; reading ends here."""
        self._close()

    def block(self, level: int) -> tuple[int, int]:
        """Return height and width of the blocks in which a level is read."""
        return self._planes[level][0].block

    def _fill(self, level: int, y: int, x: int, out: np.ndarray) -> None:
        stored = out
        if self._convert is not None:
            stored = np.zeros((*out.shape[:2], self._stored[0]), self._stored[1])
        channel = 0
        for plane in self._planes[level]:
            part = stored[..., channel : channel + plane.channels]
            channel += plane.channels
            plane.read(y, x, part)
        if self._convert is not None:
            out[...] = self._convert(stored)
