"""Reading and writing a file at any place, from any thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.threads import cores

#: Batches of this many bytes are read by several threads: copying out of the
#: system's file cache is what takes the time.
_LARGE = 2**22

#: So few rows are read one by one: to look for neighbours takes as long.
_FEW = 64


class RandomFile:
    """A file that stays open and is read at given places; closed when it goes.

    Mapping the file instead would count every page touched as memory in use, and
    end the process if the file was cut off meanwhile.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        self.path = path
        how = os.O_RDWR if writable else os.O_RDONLY
        self._fd = os.open(path, how | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if hasattr(self, "_fd"):
            os.close(self._fd)

    @property
    def size(self) -> int:
        """Length in bytes."""
        return os.fstat(self._fd).st_size

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` with the bytes from ``offset`` on.

        Raises
        ------
        PatchError
            If the file ends before, or can no longer be read.
        """
        try:
            got = self._read(buffer, offset)
            while got < len(buffer):  # a read may bring less than was asked for
                more = self._read(buffer[got:], offset + got)
                if more == 0:
                    raise PatchError(
                        f"{self.path} has become shorter since it was opened; load it again."
                    )
                got += more
        except OSError as error:
            raise PatchError(
                f"{self.path} can no longer be read ({error.strerror or error}); load it again."
            ) from None

    def read_rows(self, rows: np.ndarray, starts: np.ndarray) -> None:
        """Fill contiguous rows of bytes, ``(n, length)``, each from its place in ``starts``."""
        # In the order of the file, which is what a disk likes.
        order = np.argsort(starts, kind="stable")
        if rows.size < _LARGE:
            self._read_in_order(rows, starts, order)
        else:
            parts = np.array_split(order, _threads())
            # Every part is waited for, so that no error is lost.
            list(
                _pool(os.getpid()).map(
                    lambda part: self._read_in_order(rows, starts, part), parts
                )
            )

    def _read_in_order(self, rows: np.ndarray, starts: np.ndarray, which: np.ndarray) -> None:
        """Fill some rows; neighbours in one go."""
        length = rows.shape[1]
        ends = list(range(len(which) + 1))
        if len(which) > _FEW:
            follows = (np.diff(which) == 1) & (np.diff(starts[which]) == length)
            ends = [0, *(np.flatnonzero(~follows) + 1).tolist(), len(which)]
        firsts, offsets = (which * length).tolist(), starts[which].tolist()
        buffer = rows.reshape(-1).data
        for begin, end in pairwise(ends):
            if begin < end:
                first = firsts[begin]
                self.read_into(buffer[first : first + (end - begin) * length], offsets[begin])

    def write(self, pieces: Sequence[np.ndarray], offset: int) -> None:
        """Write contiguous arrays one after another, from a place on."""
        rest = memoryview(b"")
        if len(pieces) == 1:  # which may be large
            rest = pieces[0].reshape(-1).view(np.uint8).data
        elif pieces:
            rest = memoryview(b"".join(piece.data for piece in pieces))
        while rest:  # a full disk first takes a part
            done = self._write(rest, offset)
            rest, offset = rest[done:], offset + done

    def _read(self, buffer: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._fd, [buffer], offset)
        with self._lock:  # Windows
            os.lseek(self._fd, offset, os.SEEK_SET)
            data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _write(self, data: memoryview, offset: int) -> int:
        if hasattr(os, "pwrite"):
            return os.pwrite(self._fd, data, offset)
        with self._lock:  # Windows
            os.lseek(self._fd, offset, os.SEEK_SET)
            return os.write(self._fd, data)


def _threads() -> int:
    return min(4, cores())


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Return the threads of this process; they do not live on in a fork."""
    return ThreadPoolExecutor(_threads(), "patchmap-read")
