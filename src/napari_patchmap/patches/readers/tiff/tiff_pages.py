"""Images of a TIFF whose pages are compressed, each decoded when it is wanted."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import arrange, channel_axis, extents
from napari_patchmap.patches.images import Images, same_sizes
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import as_pixels, pixel_type
from napari_patchmap.patches.photometric import meaning_of

#: A page of a TIFF file; None where the file lacks it.
Page = tifffile.TiffPage | tifffile.TiffFrame | None


class PageImages(Images):
    """Images of one or more pages each; several images may also share a page.

    ``shape`` and ``axes`` are of all pages together, those of a page last. There is a page for
    each index of the others. The file is closed when the images go.
    """

    def __init__(
        self, tif: tifffile.TiffFile, pages: Sequence[Page], shape: tuple[int, ...], axes: str
    ) -> None:
        key = next(page for page in pages if page is not None).keyframe
        assert key is not None
        assert key.dtype is not None
        weakref.finalize(self, tif.close)
        self._path = tif.filehandle.path
        self._pages = pages
        self._lock = threading.RLock()
        self._last: Latest[np.ndarray] = Latest(1)
        outside = _outside(shape, key.shape)
        channel = channel_axis(axes)
        # A letter that means channels elsewhere must not mean them here.
        letters = [
            "S" if a == channel else a if a in "YX" else chr(0x100 + i)
            for i, a in enumerate(axes)
        ]
        apart = [i for i in range(outside) if letters[i] in "YXS"]
        lead = [i for i in range(outside) if i not in apart]
        #: Which pages make each group of images: several, if they hold channels or rows.
        grid = np.arange(math.prod(shape[:outside])).reshape(shape[:outside])
        self._grid = grid.transpose(*lead, *apart).reshape(-1, *(shape[i] for i in apart))
        self._inside = "".join(letters[i] for i in (*apart, *range(outside, len(shape))))
        self._inside_shape = shape[outside:]
        self._shared = math.prod(
            n for n, a in zip(shape[outside:], letters[outside:], strict=True) if a not in "YXS"
        )
        *sizes, self.channels = extents(shape, axes)
        self.dtype, self.sizes = pixel_type(key.dtype), same_sizes(*sizes)

    def lost(self) -> dict[int, str]:
        """Say which images the file does not hold as a whole, and why."""
        sizes: dict[int, int] = {}
        bad = {}
        for k, page in enumerate(self._pages):
            if why := _trouble(page, sizes):
                bad[k] = why
        if not bad:
            return {}
        grid = self._grid.reshape(len(self._grid), -1)
        hit = np.isin(grid, list(bad))
        return {
            int(group) * self._shared + k: bad[int(grid[group][hit[group]][0])]
            for group in np.flatnonzero(hit.any(axis=1))
            for k in range(self._shared)
        }

    def __getitem__(self, index: int) -> np.ndarray:
        group, within = divmod(range(len(self))[index], self._shared)
        return np.ascontiguousarray(self._group(group)[within], self.dtype)

    def _group(self, number: int) -> np.ndarray:
        """Decode the images of some pages, ``(images, height, width, channel)``."""
        if self._shared == 1:
            return self._decode(number)
        return self._last.get(number, lambda: self._decode(number))

    def _decode(self, number: int) -> np.ndarray:
        numbers = self._grid[number]
        planes = [
            decode_page(self._pages[page], self._path, page, self._lock).reshape(
                self._inside_shape
            )
            for page in numbers.reshape(-1).tolist()
        ]
        pixels = planes[0] if len(planes) == 1 else np.stack(planes)
        return arrange(pixels.reshape(*numbers.shape, *self._inside_shape), self._inside)


class SinglePages(Images):
    """Images of one page each, of several sizes, each with what its own numbers mean.

    Pages have the axes YX, YXS or SYX; ``numbers`` asks for the stored numbers themselves, as
    of labels. The file is closed when the images go.

    Attributes
    ----------
    names : tuple of str or None
        Of the channels, if the pages say so.
    notes : list of str
    alike : bool
        Whether all images have one pixel type and the same channels. Grey ones among colour
        ones are repeated.
    """

    def __init__(
        self, tif: tifffile.TiffFile, pages: Sequence[Page], numbers: bool = False
    ) -> None:
        weakref.finalize(self, tif.close)
        self._path, self._pages = tif.filehandle.path, pages
        self._lock = threading.RLock()
        keys = [page.keyframe for page in pages if page is not None and page.keyframe]
        self._axes = [key.axes for key in keys]
        known = {id(key): (key, meaning_of(key, numbers=numbers)) for key in keys}
        self._meanings = [known[id(key)][1] for key in keys]
        kinds = {(one.channels, one.names) for one in self._meanings}
        self.channels = max(channels for channels, _ in kinds)
        self.dtype = self._meanings[0].dtype
        self.names = next(
            (one.names for one in self._meanings if one.channels == self.channels), None
        )
        self.notes = list(dict.fromkeys(note for one in self._meanings for note in one.notes))
        several = {channels for channels, _ in kinds}
        self.alike = len({one.dtype for one in self._meanings}) == 1 and (
            len(several) == 1 or several == {1, 3}
        )
        if len(several) > 1:
            grey = sum(one.channels == 1 for one in self._meanings)
            self.notes.append(f"{grey:,} grey images among colour ones were repeated to RGB.")
        self.sizes = np.array([(key.imagelength, key.imagewidth) for key in keys], np.int64)

    def lost(self) -> dict[int, str]:
        """Say which images the file does not hold as a whole, and why."""
        sizes: dict[int, int] = {}
        return {k: why for k, page in enumerate(self._pages) if (why := _trouble(page, sizes))}

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        page, meaning = self._pages[index], self._meanings[index]
        pixels = decode_page(page, self._path, index, self._lock)
        pixels = arrange(pixels, self._axes[index])[0]
        if meaning.convert is not None:
            pixels = meaning.convert(pixels)
        if pixels.shape[2] != self.channels:
            pixels = np.repeat(pixels, self.channels, axis=2)
        return np.ascontiguousarray(pixels, self.dtype)


def decode_page(page: Page, path: str, number: int, lock: threading.RLock) -> np.ndarray:
    """Decode one page; truth values become 0 and 255.

    Raises
    ------
    PatchError
        If it is missing or damaged, naming the file and the page.
    """
    try:
        if page is None:
            raise ValueError("it is missing")
        if why := _trouble(page, {}):
            raise ValueError(f"it {why}")
        file = page.parent.filehandle
        if not file.closed:
            return as_pixels(page.asarray(lock=lock, maxworkers=1))
        with lock:  # of another file than the first
            file.open()
            try:
                return as_pixels(page.asarray(maxworkers=1))
            finally:
                file.close()
    except Exception as error:  # noqa: BLE001 - tifffile may raise anything on a damaged page
        raise PatchError(
            f"Page {number} of {path} cannot be decoded ({words(error)}); copy or export the "
            "file again."
        ) from None


def _trouble(page: Page, sizes: dict[int, int]) -> str:
    """Say what is wrong with where a page lies, "" for nothing.

    The JPEG decoder fills a strip that is cut off with grey instead of failing.
    """
    if page is None:
        return "is missing"
    file = page.parent.filehandle
    if id(file) not in sizes:
        sizes[id(file)] = file.size
    ends = (a + b for a, b in zip(page.dataoffsets, page.databytecounts, strict=False))
    if not page.dataoffsets or max(ends, default=0) > sizes[id(file)]:
        return "is cut off"
    return ""


def _outside(shape: tuple[int, ...], inside: tuple[int, ...]) -> int:
    """Count the axes that pages do not hold themselves."""
    size, outside = math.prod(inside), len(shape)
    while outside and math.prod(shape[outside:]) < size:
        outside -= 1
    return outside
