"""The pixels of a patch set, wherever they lie: in memory, in a file, in the cache."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
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

        Raises
        ------
        ValueError
            If their sizes differ.
        """
        return np.stack([self[int(i)] for i in indices])

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
        return _Picked(self, np.asarray(indices, np.intp))

    def with_channels(self, channels: Sequence[int]) -> Images:
        """Return the images with these channels only, in this order; nothing is read."""
        return _Channels(self, list(channels))


class ArrayImages(Images):
    """One array ``(n, height, width, channel)`` in memory, or mapped."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.in_memory = array, not _is_mapped(array)
        self.dtype = array.dtype.newbyteorder("=")
        self.channels = array.shape[3]
        self.sizes = np.broadcast_to(np.array(array.shape[1:3], np.int64), (len(array), 2))

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


def as_images(images: Images | np.ndarray | Sequence[np.ndarray]) -> Images:
    """Return arrays as :class:`Images`."""
    if isinstance(images, Images):
        return images
    return ArrayImages(images) if isinstance(images, np.ndarray) else ListImages(images)


class _Picked(Images):
    def __init__(self, images: Images, indices: np.ndarray) -> None:
        self._images, self._indices = images, indices
        self.in_memory = images.in_memory
        self.dtype, self.channels = images.dtype, images.channels
        self.sizes = images.sizes[indices]

    def __getitem__(self, index: int) -> np.ndarray:
        return self._images[int(self._indices[index])]

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        return self._images.take(self._indices[np.asarray(indices)])


class _Channels(Images):
    def __init__(self, images: Images, channels: list[int]) -> None:
        self._images, self._picked = images, channels
        self.in_memory = images.in_memory
        self.dtype, self.channels, self.sizes = images.dtype, len(channels), images.sizes

    def __getitem__(self, index: int) -> np.ndarray:
        return self._images[index][..., self._picked]

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        return self._images.take(indices)[..., self._picked]
