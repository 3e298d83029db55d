"""Decoded patches in one plain file.

A store is a folder: ``pixels.bin`` holds the patches one after another, ``meta.json`` their
pixel type and count of channels. Where their sizes were not known before they were decoded,
``index.npy`` says where each one lies and what its shape is. Where they are decoded as they
are wanted, each has its place from the start, and ``present.bin`` says which are there.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.patches.cache.cache_folder import (
    INDEX,
    META,
    PIXELS,
    VARIABLE,
    cache_folder,
)
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.room import check_room
from napari_patchmap.writing import whole_file, write_json

#: Where a patch lies in the file, and its shape.
ROW = np.dtype([("offset", "<i8"), ("height", "<i4"), ("width", "<i4"), ("channels", "<i4")])


def index_rows(offsets: np.ndarray | None, shapes: np.ndarray, itemsize: int = 1) -> np.ndarray:
    """Make an index of patches of these shapes, rows of height, width and channels.

    They begin at ``offsets``, or lie one after another with ``itemsize`` bytes a value.
    """
    index = np.empty(len(shapes), ROW)
    if offsets is None:
        ends = np.cumsum(shapes.prod(axis=1, dtype=np.int64) * itemsize)
        offsets = np.concatenate([[0], ends[:-1]])
    index["offset"] = offsets
    for k, name in enumerate(("height", "width", "channels")):
        index[name] = shapes[:, k]
    return index


class PixelFile:
    """The bytes of patches, in a file; in memory where the disk does not take them.

    Any thread may write and read at any time. ``needed`` is about how many bytes will come, for
    the memory to be asked.

    Attributes
    ----------
    memory : dict of int to ndarray
        What lies in memory, by its place in the file.
    trouble : str
        Why the disk cannot be used, in a few words; "" while it can.
    """

    def __init__(self, file: RandomFile | None, needed: int = 0, trouble: str = "") -> None:
        self._file, self.needed, self.trouble = file, needed, trouble
        self.memory: dict[int, np.ndarray] = {}
        self.end, self._lock = 0, threading.Lock()

    def append(self, patches: Sequence[np.ndarray]) -> np.ndarray:
        """Keep contiguous patches after the others; return where each begins, int64 ``(n,)``.

        Raises
        ------
        PatchError
            If neither the disk nor the memory has room.
        """
        lengths = np.array([patch.nbytes for patch in patches], np.int64)
        with self._lock:
            start = self.end
            self.end += int(lengths.sum())
        offsets = start + np.cumsum(lengths) - lengths
        if not self.write(patches, start):
            for offset, patch in zip(offsets.tolist(), patches, strict=True):
                self.hold(patch, offset)
        return offsets

    def write(self, patches: Sequence[np.ndarray], offset: int) -> bool:
        """Write contiguous patches one after another; return whether the disk has them."""
        if self._file is None or self.trouble:
            return False
        try:
            self._file.write(patches, offset)
        except OSError as error:
            self.trouble = error.strerror or str(error)
        return not self.trouble

    def hold(self, patch: np.ndarray, offset: int) -> None:
        """Keep a contiguous patch in memory.

        Raises
        ------
        PatchError
            If it is the first, and the memory will not take all that will come.
        """
        if not self.memory:
            check_room(
                self.needed,
                "The decoded set",
                f"make room on the disk of the cache {cache_folder()}, which cannot take it "
                f"({self.trouble}), or set {VARIABLE} to a folder on a larger disk",
            )
        self.memory[offset] = patch.reshape(-1).view(np.uint8)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill a buffer with what lies at a place."""
        if offset in self.memory:
            np.frombuffer(buffer, np.uint8)[:] = self.memory[offset]
        else:
            assert self._file is not None
            self._file.read_into(buffer, offset)

    def read_rows(self, rows: np.ndarray, offsets: np.ndarray) -> None:
        """Fill rows ``(n, length)`` of bytes with what lies at these places."""
        if self._file is not None and not self.memory:
            self._file.read_rows(rows, offsets)
            return
        for row, offset in zip(rows, offsets.tolist(), strict=True):
            self.read_into(row.data, offset)

    def leave_disk(self) -> None:
        """Close the file; only what is held is left."""
        self._file = None


class StoredImages(Images):
    """The patches of a store.

    Grey patches among colour ones (1 of 3 channels in the index) are repeated.
    """

    def __init__(
        self, pixels: PixelFile, index: np.ndarray, dtype: np.dtype, channels: int
    ) -> None:
        self._pixels, self.index = pixels, index
        self.dtype, self.channels = np.dtype(dtype), channels
        self.sizes = np.stack([index["height"], index["width"]], axis=1).astype(np.int64)
        self._offsets = index["offset"]
        self._alike = self.uniform and bool((index["channels"] == channels).all())

    def leave_disk(self) -> None:
        """Read what went to the disk into memory, and give a full disk its room back."""
        for index, offset in enumerate(self._offsets.tolist()):
            if offset not in self._pixels.memory:
                self._pixels.hold(self._stored(index), offset)
        self._pixels.leave_disk()

    @classmethod
    def open(cls, folder: Path) -> StoredImages:
        """Open a store that has an index.

        Raises
        ------
        OSError, ValueError, KeyError
            If it is not there, or not whole.
        """
        meta = json.loads((folder / META).read_text("utf-8"))
        index = np.load(folder / INDEX, allow_pickle=False)
        size = (folder / PIXELS).stat().st_size
        if size != meta["bytes"] or len(index) != meta["count"] or index.dtype != ROW:
            raise ValueError(f"the store {folder} is not whole")
        pixels = PixelFile(RandomFile(folder / PIXELS))
        return cls(pixels, index, np.dtype(meta["dtype"]), meta["channels"])

    def save(self, folder: Path) -> bool:
        """Write what belongs to the pixels in a folder; return whether the disk took it."""
        meta = {
            "dtype": self.dtype.str,
            "channels": self.channels,
            "count": len(self),
            "bytes": self._pixels.end,
        }
        if not self._pixels.trouble:
            try:
                with whole_file(folder / INDEX, flush=False) as file:
                    np.save(file, self.index)
                write_json(folder / META, meta, flush=False)
            except OSError as error:
                self._pixels.trouble = error.strerror or str(error)
        return not self._pixels.trouble

    def __getitem__(self, index: int) -> np.ndarray:
        patch = self._stored(index)
        if patch.shape[2] != self.channels:
            patch = np.repeat(patch, self.channels, axis=2)
        return patch

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some patches of one size as ``(n, height, width, channel)``."""
        indices = np.asarray(indices, np.intp).reshape(-1)
        if not self._alike or not len(indices):
            return super().take(indices)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        rows = out.reshape(len(indices), -1).view(np.uint8)
        self._pixels.read_rows(rows, self._offsets[indices])
        return out

    def _stored(self, index: int) -> np.ndarray:
        height, width = self.sizes[index].tolist()
        channels = self.channels if self._alike else int(self.index["channels"][index])
        patch = np.empty((height, width, channels), self.dtype)
        self._pixels.read_into(patch.reshape(-1).view(np.uint8).data, int(self._offsets[index]))
        return patch
