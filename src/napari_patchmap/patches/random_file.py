"""Reading a file at any place, from any thread."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from napari_patchmap.errors import PatchError


class RandomFile:
    """A file that stays open and is read at given places; closed when it goes.

    Mapping the file instead would count every page touched as memory in use, and
    end the process if the file was cut off meanwhile.

    Parameters
    ----------
    path : Path
    fd : int, optional
        An open file to take over instead of opening ``path``.

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    def __init__(self, path: Path, fd: int | None = None) -> None:
        self.path = path
        self._fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0)) if fd is None else fd
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

    def write(self, data: memoryview, offset: int) -> None:
        """Write bytes at a place, of a file that was given open for writing.

        Raises
        ------
        OSError
            If not all of it could be written.
        """
        data = data.cast("B")
        while len(data):
            if hasattr(os, "pwrite"):
                done = os.pwrite(self._fd, data, offset)
            else:
                with self._lock:  # Windows
                    os.lseek(self._fd, offset, os.SEEK_SET)
                    done = os.write(self._fd, data)
            data, offset = data[done:], offset + done

    def _read(self, buffer: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._fd, [buffer], offset)
        with self._lock:  # Windows
            os.lseek(self._fd, offset, os.SEEK_SET)
            data = os.read(self._fd, len(buffer))
        buffer[: len(data)] = data
        return len(data)
