"""Images of a TIFF whose pages are compressed, each decoded when it is wanted."""

from __future__ import annotations

import math
import threading
import weakref
from collections.abc import Sequence

import numpy as np
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.axes import arrange, channel_axis, checked_numbers
from napari_patchmap.patches.images import Images

#: A page of a TIFF file; None where the file lacks it.
Page = tifffile.TiffPage | tifffile.TiffFrame | None


class PageImages(Images):
    """Images of one or more pages each; several images may also share a page.

    Parameters
    ----------
    tif : TiffFile
        Closed when the images go.
    pages : sequence of TiffPage, TiffFrame or None
        One for each index of the axes that they do not hold themselves.
    shape : tuple of int
        Of all pages together.
    axes : str
        One letter an axis; those of a page come last.
    lookup : ndarray, shape (values, channel), optional
        Colours of a palette.

    Raises
    ------
    PatchError
        In a few words, if the image's axes are spread over pages.
    """

    def __init__(
        self,
        tif: tifffile.TiffFile,
        pages: Sequence[Page],
        shape: tuple[int, ...],
        axes: str,
        lookup: np.ndarray | None = None,
    ) -> None:
        key = next(page for page in pages if page is not None).keyframe
        assert key is not None
        assert key.dtype is not None
        weakref.finalize(self, tif.close)
        self._path = tif.filehandle.path
        self._pages, self._lookup = pages, lookup
        self._lock = threading.RLock()
        self._last: tuple[int, np.ndarray] | None = None
        outside = _outside(shape, key.shape)
        self._inside_shape = shape[outside:]
        channel = channel_axis(axes)
        # Within a page, a letter that means channels elsewhere must not mean them here.
        self._inside = "".join(
            "S" if a == channel else a if a in "YX" else chr(0x100 + i)
            for i, a in enumerate(axes[outside:])
        )
        if not {"Y", "X"} <= set(self._inside):
            raise PatchError(
                f"stores its planes in an order that does not fit the axes {axes}; set axes to "
                "what the file says (auto)"
            )
        lengths = dict(zip(axes, shape, strict=True))
        grid = np.arange(math.prod(shape[:outside])).reshape(shape[:outside])
        if channel is not None and channel in axes[:outside]:
            grid = np.moveaxis(grid, axes.index(channel), -1)
        else:
            grid = grid[..., None]
        #: Which pages make each group of images, one a channel if those are pages.
        self._grid = grid.reshape(-1, grid.shape[-1])
        self._shared = math.prod(
            n for n, a in zip(self._inside_shape, self._inside, strict=True) if a not in "YXS"
        )
        self.dtype = _pixel_type(key.dtype) if lookup is None else lookup.dtype
        self.channels = lengths[channel] if channel else 1
        if lookup is not None:
            self.channels = lookup.shape[1]
        self.sizes = np.broadcast_to(
            np.array([lengths["Y"], lengths["X"]], np.int64),
            (len(self._grid) * self._shared, 2),
        )

    def lost(self) -> dict[int, str]:
        """Say which images the file does not hold as a whole, and why."""
        sizes: dict[int, int] = {}
        bad = {}
        for k, page in enumerate(self._pages):
            if why := _trouble(page, sizes):
                bad[k] = why
        if not bad:
            return {}
        hit = np.isin(self._grid, list(bad))
        return {
            int(group) * self._shared + k: bad[int(self._grid[group][hit[group]][0])]
            for group in np.flatnonzero(hit.any(axis=1))
            for k in range(self._shared)
        }

    def __getitem__(self, index: int) -> np.ndarray:
        group, within = divmod(range(len(self))[index], self._shared)
        planes = [self._plane(int(page))[within] for page in self._grid[group]]
        image = planes[0] if len(planes) == 1 else np.concatenate(planes, axis=-1)
        if self._lookup is not None:
            image = self._lookup[image[..., 0]]
        return np.ascontiguousarray(image, self.dtype)

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images as ``(n, height, width, channel)``."""
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        for k, index in enumerate(np.asarray(indices).tolist()):
            out[k] = self[index]
        return out

    def _plane(self, number: int) -> np.ndarray:
        """Decode a page to ``(images that share it, height, width, channel)``."""
        if self._shared == 1:
            return self._decode(number)
        with self._lock:
            if self._last is None or self._last[0] != number:
                self._last = number, self._decode(number)
            return self._last[1]

    def _decode(self, number: int) -> np.ndarray:
        pixels = decode_page(self._pages[number], self._path, number, self._lock)
        return arrange(pixels.reshape(self._inside_shape), self._inside)


class SinglePages(Images):
    """Images of one page each, of several sizes.

    Parameters
    ----------
    tif : TiffFile
        Closed when the images go.
    pages : sequence of TiffPage
        Of axes YX or YXS, alike in pixel type and channels.
    alpha : bool
        Whether the last channel is left out.
    """

    def __init__(
        self, tif: tifffile.TiffFile, pages: Sequence[tifffile.TiffPage], alpha: bool
    ) -> None:
        weakref.finalize(self, tif.close)
        self._path = tif.filehandle.path
        self._pages, first = pages, pages[0]
        self._lock = threading.RLock()
        assert first.dtype is not None
        self.dtype = _pixel_type(first.dtype)
        self._stored = first.shape[2] if len(first.shape) > 2 else 1
        self.channels = self._stored - alpha
        self.sizes = np.array([page.shape[:2] for page in pages], np.int64)

    def lost(self) -> dict[int, str]:
        """Say which images the file does not hold as a whole, and why."""
        sizes: dict[int, int] = {}
        return {k: why for k, page in enumerate(self._pages) if (why := _trouble(page, sizes))}

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        pixels = decode_page(self._pages[index], self._path, index, self._lock)
        image = pixels.reshape(*self.sizes[index], self._stored)[..., : self.channels]
        return np.ascontiguousarray(image, self.dtype)


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
            return checked_numbers(page.asarray(lock=lock, maxworkers=1), "the page")
        with lock:  # of another file than the first
            file.open()
            try:
                return checked_numbers(page.asarray(maxworkers=1), "the page")
            finally:
                file.close()
    except Exception as error:  # noqa: BLE001 - tifffile may raise anything on a damaged page
        said = str(error).strip() or type(error).__name__
        raise PatchError(
            f"Page {number} of {path} cannot be decoded ({said}); copy or export the file "
            "again."
        ) from None


def _pixel_type(stored: np.dtype) -> np.dtype:
    return np.dtype(np.uint8) if stored.kind == "b" else np.dtype(stored).newbyteorder("=")


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
