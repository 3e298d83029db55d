"""The pixels of a patch set, wherever they lie: in memory, in a file, in the cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np


class Images(ABC):
    """Images of one pixel type and channel count, read when they are wanted.

    Safe to be read from several threads at once.

    Attributes
    ----------
    dtype : numpy.dtype
        Pixel type, in the machine's own byte order.
    channels : int
        Number of channels.
    sizes : ndarray of int64, shape (n, 2)
        Height and width of each image in pixels, known without reading it.
    sequential : bool
        Whether reading in any other order than the images' own is very slow.
    in_memory : bool
        Whether reading one touches no file.
    """

    dtype: np.dtype
    channels: int
    sizes: np.ndarray
    sequential = False
    in_memory = False

    def __len__(self) -> int:
        return len(self.sizes)

    @abstractmethod
    def __getitem__(self, index: int) -> np.ndarray:
        """Return image ``index`` as ``(height, width, channel)``.

        Raises
        ------
        IndexError
            If there is no such image.
        PatchError
            If it cannot be read any more, in one sentence that names the file.
        """

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images of one size as ``(n, height, width, channel)``.

        They are read in their own order, in which neighbours lie together.

        Raises
        ------
        ValueError
            If their sizes differ.
        """
        indices = np.asarray(indices, np.intp).reshape(-1)
        sizes = self.sizes[indices]
        if not self.uniform and (sizes != sizes[:1]).any():
            raise ValueError("these images have several sizes")
        size = sizes[0] if len(sizes) else self.sizes[0]
        out = np.empty((len(indices), *size, self.channels), self.dtype)
        for k in np.argsort(indices % len(self), kind="stable").tolist():
            out[k] = self[int(indices[k])]
        return out

    @property
    def nbytes(self) -> int:
        """Bytes that all images take when they are decoded."""
        return int(self.sizes.prod(axis=1).sum()) * self.channels * self.dtype.itemsize

    @cached_property
    def uniform(self) -> bool:
        """Whether all images have the same size."""
        return bool((self.sizes == self.sizes[0]).all())

    @cached_property
    def size_counts(self) -> dict[tuple[int, int], int]:
        """How many images have each (height, width), most frequent first."""
        if self.uniform:
            height, width = self.sizes[0].tolist()
            return {(height, width): len(self)}
        # Many times faster than numpy's unique rows.
        keys, counts = np.unique(self.sizes[:, 0] << 32 | self.sizes[:, 1], return_counts=True)
        order = np.argsort(-counts, kind="stable")
        pairs = zip(keys[order].tolist(), counts[order].tolist(), strict=True)
        return {(key >> 32, key & 0xFFFFFFFF): count for key, count in pairs}

    def picked(self, indices: np.ndarray) -> Images:
        """Return the images with these indices, in this order; nothing is read."""
        return GatheredImages([self], np.zeros(len(indices), np.intp), indices)

    def with_channels(self, channels: Sequence[int]) -> Images:
        """Return the images with these channels only, in this order; nothing is read."""
        channels = list(channels)
        return self.converted(lambda pixels: pixels[..., channels], channels=len(channels))

    def converted(
        self,
        convert: Callable[[np.ndarray], np.ndarray],
        *,
        channels: int | None = None,
        dtype: np.dtype | None = None,
    ) -> Images:
        """Return the images with ``(..., channel)`` pixels changed when they are read.

        ``channels`` and ``dtype`` are what they have then, if something else; sizes stay.
        """
        return _Converted(self, convert, channels or self.channels, dtype or self.dtype)


def same_sizes(count: int, height: int, width: int) -> np.ndarray:
    """Return the ``sizes`` of images that are all alike; takes no memory."""
    return np.broadcast_to(np.array([height, width], np.int64), (count, 2))


class ArrayImages(Images):
    """One array ``(n, height, width, channel)`` in memory, or mapped."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.in_memory = array, not _is_mapped(array)
        self.dtype = array.dtype.newbyteorder("=")
        self.channels = array.shape[3]
        self.sizes = same_sizes(*array.shape[:3])

    def __getitem__(self, index: int) -> np.ndarray:
        return self.array[index].astype(self.dtype, copy=False)

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images as ``(n, height, width, channel)``."""
        return self.array[np.asarray(indices)].astype(self.dtype, copy=False)


class ListImages(Images):
    """Arrays ``(height, width, channel)`` of several sizes in memory."""

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self._arrays = list(arrays)
        self.in_memory = not any(_is_mapped(array) for array in self._arrays)
        first = self._arrays[0]
        self.dtype = first.dtype.newbyteorder("=")
        self.channels = first.shape[2]
        self.sizes = np.array([a.shape[:2] for a in self._arrays], np.int64).reshape(-1, 2)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._arrays[index].astype(self.dtype, copy=False)


def _is_mapped(array: Any) -> bool:
    """Whether an array, or what it is a part of, lies in a file."""
    while array is not None and not isinstance(array, np.memmap):
        array = getattr(array, "base", None)
    return array is not None


class NoImages(Images):
    """What points without pictures have in place of images: each is one grey square."""

    in_memory = True
    dtype, channels = np.dtype(np.uint8), 1

    def __init__(self, count: int, side: int = 32) -> None:
        self.sizes = same_sizes(count, side, side)

    def __getitem__(self, index: int) -> np.ndarray:
        return np.zeros((*self.sizes[index].tolist(), 1), np.uint8)


def as_images(images: Images | np.ndarray | Sequence[np.ndarray]) -> Images:
    """Return arrays as :class:`Images`."""
    if isinstance(images, Images):
        return images
    return ArrayImages(images) if isinstance(images, np.ndarray) else ListImages(images)


class GatheredImages(Images):
    """Images out of several others, in an order of their own.

    Parameters
    ----------
    parts : sequence of Images
        Of one pixel type and channel count; at least one.
    part, row : ndarray of int, shape (n,)
        In which of them each image lies, and which one there it is.
    """

    def __init__(self, parts: Sequence[Images], part: np.ndarray, row: np.ndarray) -> None:
        self._parts, self._part, self._row = list(parts), part, np.asarray(row, np.intp)
        self.dtype, self.channels = parts[0].dtype, parts[0].channels
        self.sequential = any(images.sequential for images in parts)
        self.in_memory = all(images.in_memory for images in parts)
        self.sizes = np.empty((len(part), 2), np.int64)
        for k, images in enumerate(parts):
            here = part == k
            self.sizes[here] = images.sizes[self._row[here]]

    @classmethod
    def joined(cls, parts: Sequence[Images]) -> GatheredImages:
        """Return the images of one part after those of another."""
        counts = [len(images) for images in parts]
        rows = np.concatenate([np.arange(count) for count in counts])
        return cls(parts, np.repeat(np.arange(len(parts)), counts), rows)

    def __getitem__(self, index: int) -> np.ndarray:
        return self._parts[int(self._part[index])][int(self._row[index])]

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images of one size as ``(n, height, width, channel)``."""
        indices = np.asarray(indices, np.intp).reshape(-1)
        parts = self._part[indices]
        if len(self._parts) == 1 or (len(parts) and (parts == parts[0]).all()):
            whole = self._parts[int(parts[0]) if len(parts) else 0]
            return whole.take(self._row[indices])
        if not self.uniform:
            return super().take(indices)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        for k in np.unique(parts).tolist():
            here = parts == k
            out[here] = self._parts[k].take(self._row[indices[here]])
        return out


class _Converted(Images):
    def __init__(
        self,
        images: Images,
        convert: Callable[[np.ndarray], np.ndarray],
        channels: int,
        dtype: np.dtype,
    ) -> None:
        self._images, self._convert = images, convert
        self.dtype, self.channels = dtype, channels
        self.sizes, self.sequential = images.sizes, images.sequential
        self.in_memory = images.in_memory

    def __getitem__(self, index: int) -> np.ndarray:
        return self._convert(self._images[index])

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        return self._convert(self._images.take(indices))
