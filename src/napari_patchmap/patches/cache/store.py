"""Decoded patches in one plain file, and how that file is written.

A store is a folder with three files: ``pixels.bin`` (the patches one after
another, in the order in which they were decoded), ``index.npy`` (where each one
begins, its height, width and channels) and ``meta.json`` (pixel type and counts).
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.system import free_memory
from napari_patchmap.writing import whole_file, write_json

PIXELS, INDEX, META = "pixels.bin", "index.npy", "meta.json"

#: Where a patch lies in the file, and its shape.
ROW = np.dtype([("offset", "<i8"), ("height", "<i4"), ("width", "<i4"), ("channels", "<i4")])

#: Disk space that is left to others, in bytes.
SPARE = 500_000_000

#: Most buffers that one call may write on any system.
_BUFFERS = 512


class _Readable(Protocol):
    def read_into(self, buffer: memoryview, offset: int) -> None: ...


class _Memory:
    """Stands in for the file when the disk is full."""

    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    def read_into(self, buffer: memoryview, offset: int) -> None:
        np.frombuffer(buffer, np.uint8)[:] = self._data[offset : offset + len(buffer)]


class StoredImages(Images):
    """The patches of a store.

    Parameters
    ----------
    file
        The open ``pixels.bin``.
    index : ndarray of :data:`ROW`, shape (n,)
    dtype : numpy.dtype
    channels : int
        Grey patches among colour ones (1 of 3 channels) are repeated.
    """

    def __init__(
        self, file: _Readable, index: np.ndarray, dtype: np.dtype, channels: int
    ) -> None:
        self._file, self._index = file, index
        self.dtype, self.channels = np.dtype(dtype), channels
        self.sizes = np.stack([index["height"], index["width"]], axis=1).astype(np.int64)
        self._alike = self.uniform and bool((index["channels"] == channels).all())

    @classmethod
    def open(cls, folder: Path) -> StoredImages:
        """Open a store.

        Raises
        ------
        OSError, ValueError, KeyError
            If it is not there, or not whole.
        """
        meta = json.loads((folder / META).read_text("utf-8"))
        index = np.load(folder / INDEX, allow_pickle=False)
        file = RandomFile(folder / PIXELS)
        if file.size != meta["bytes"] or len(index) != meta["count"] or index.dtype != ROW:
            raise ValueError(f"the store {folder} is not whole")
        return cls(file, index, np.dtype(meta["dtype"]), meta["channels"])

    def __getitem__(self, index: int) -> np.ndarray:
        row = self._index[index]
        patch = np.empty((row["height"], row["width"], row["channels"]), self.dtype)
        self._file.read_into(patch.reshape(-1).view(np.uint8).data, int(row["offset"]))
        if patch.shape[2] != self.channels:
            patch = np.repeat(patch, self.channels, axis=2)
        return patch

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some patches of one size as ``(n, height, width, channel)``."""
        if not self._alike:
            return super().take(indices)
        indices = np.asarray(indices, np.intp)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        rows = out.reshape(len(indices), -1).view(np.uint8)
        offsets = self._index["offset"][indices].tolist()
        # In the order of the file: neighbours then come from one read of the disk.
        for k in np.argsort(offsets, kind="stable").tolist():
            self._file.read_into(rows[k].data, offsets[k])
        return out


class StoreWriter:
    """Writes a store, from several threads; goes on in memory when the disk is full.

    Parameters
    ----------
    folder : Path or None
        An empty folder, or None to keep everything in memory.
    expected : int
        About how many bytes will come.
    where : str
        The cache's folder as people know it, for messages.
    """

    def __init__(self, folder: Path | None, expected: int, where: str) -> None:
        self._folder, self._expected, self._where = folder, expected, where
        self._lock = threading.Lock()
        self._writing, self._idle, self._closed = 0, threading.Condition(self._lock), False
        self._end = 0
        self._blocks: dict[int, np.ndarray] = {}
        self._fd: int | None = None
        self.trouble = ""  # why the disk could not be used, in a few words
        if folder is None:
            return
        try:
            self._fd = os.open(
                folder / PIXELS, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600
            )
        except OSError as error:
            self._give_up(error.strerror or str(error))

    @property
    def in_memory(self) -> bool:
        """Whether the patches are kept in memory, for want of a disk."""
        return self._fd is None or bool(self.trouble)

    def write(self, patches: Sequence[np.ndarray]) -> np.ndarray:
        """Append patches (contiguous arrays); return where each begins, ``(n,)`` int64.

        Raises
        ------
        PatchError
            If neither the disk nor the memory has room.
        ValueError
            If it was closed meanwhile.
        """
        lengths = np.array([patch.nbytes for patch in patches], np.int64)
        total = int(lengths.sum())
        with self._lock:
            if self._closed:
                raise ValueError("the store was closed")
            start = self._end
            self._end += total
            self._writing += 1
        try:
            if total and not self._to_disk(patches, start, total):
                block = np.empty(total, np.uint8)
                parts = [patch.reshape(-1).view(np.uint8) for patch in patches]
                np.concatenate(parts, out=block)
                self._blocks[start] = block
        finally:
            with self._lock:
                self._writing -= 1
                self._idle.notify_all()
        return start + np.cumsum(lengths) - lengths

    def finish(self, index: np.ndarray, dtype: np.dtype, channels: int) -> StoredImages | None:
        """Close the store; ``index`` holds a :data:`ROW` a patch.

        Returns
        -------
        StoredImages or None
            The patches if they are kept in memory; None if the folder holds them.
        """
        if not self.in_memory:
            assert self._folder is not None
            meta = {
                "dtype": np.dtype(dtype).str,
                "channels": channels,
                "count": len(index),
                "bytes": self._end,
            }
            try:
                with whole_file(self._folder / INDEX, flush=False) as file:
                    np.save(file, index)
                write_json(self._folder / META, meta, flush=False)
                return None
            except OSError as error:
                self._give_up(error.strerror or str(error))
        return StoredImages(_Memory(self._gathered()), index, dtype, channels)

    def close(self) -> None:
        """Close the file that was written; threads that come later write nowhere."""
        with self._lock:
            self._closed = True
            self._idle.wait_for(lambda: not self._writing)
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _gathered(self) -> np.ndarray:
        """Put together what went to memory and what had gone to the disk before."""
        if len(self._blocks) == 1 and 0 in self._blocks and len(self._blocks[0]) == self._end:
            return self._blocks.pop(0)
        data = np.empty(self._end, np.uint8)
        written = RandomFile(Path(PIXELS), os.dup(self._fd)) if self._fd is not None else None
        at = 0
        for start, block in [*sorted(self._blocks.items()), (self._end, np.empty(0, np.uint8))]:
            if start > at:
                assert written is not None
                written.read_into(data[at:start].data, at)
            data[start : start + len(block)] = block
            at = start + len(block)
        self._blocks = {}
        return data

    def _to_disk(self, patches: Sequence[np.ndarray], start: int, total: int) -> bool:
        if self.in_memory:
            return False
        assert self._fd is not None
        try:
            if hasattr(os, "pwritev"):
                for first in range(0, len(patches), _BUFFERS):
                    start += _write_all(self._fd, patches[first : first + _BUFFERS], start)
            else:
                block = b"".join(patch.tobytes() for patch in patches)
                with self._lock:  # Windows
                    os.lseek(self._fd, start, os.SEEK_SET)
                    while block:
                        block = block[os.write(self._fd, block) :]
        except OSError as error:
            self._give_up(error.strerror or str(error))
            return False
        return True

    def _give_up(self, why: str) -> None:
        """Go on in memory, if there is enough."""
        with self._lock:
            self.trouble = self.trouble or why
        free = free_memory()
        if free is not None and self._expected > 0.8 * free:
            raise PatchError(
                f"The decoded patches need {self._expected / 1e9:,.1f} GB, but the cache "
                f"{self._where} cannot take them ({self.trouble}) and only {free / 1e9:,.1f} "
                "GB of memory are free; make room on the disk, or set PATCHMAP_CACHE to a "
                "folder on a larger disk."
            )


def _write_all(fd: int, patches: Sequence[np.ndarray], offset: int) -> int:
    total = sum(patch.nbytes for patch in patches)
    written = os.pwritev(fd, [patch.data for patch in patches], offset)
    if written < total:  # a full disk first takes a part
        rest = b"".join(patch.tobytes() for patch in patches)[written:]
        while rest:
            more = os.pwrite(fd, rest, offset + written)
            written, rest = written + more, rest[more:]
    return total


def index_rows(offsets: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Make the index of patches: offsets ``(n,)``; height, width, channels ``(n, 3)``."""
    index = np.empty(len(offsets), ROW)
    index["offset"] = offsets
    for k, name in enumerate(("height", "width", "channels")):
        index[name] = shapes[:, k]
    return index
