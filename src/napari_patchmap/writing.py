"""Files that are whole or not there: the one way in which anything of ours is written.

A file is written under a name of its own in the folder where it is to lie, flushed to
the disk, and renamed. Whoever reads finds the older file or the newer one; a full disk,
a kill or a power cut leaves the older one as it was.
"""

from __future__ import annotations

import contextlib
import csv
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

#: What the name of a file begins and ends with while it is written: ours beyond doubt.
_BEGIN, _END = ".patchmap-", ".part"

#: What file systems say that cannot flush; the renaming is all there is to be had then.
_NO_FLUSH = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)


@contextlib.contextmanager
def whole_file(path: str | os.PathLike[str], *, flush: bool = True) -> Iterator[BinaryIO]:
    """Open a file for writing that gets its name once it is whole.

    Parameters
    ----------
    path : path
        A link is followed. What is no plain file (a pipe, a terminal) is written to
        as it is.
    flush : bool
        Wait until the disk has it. False for what is made again at no cost, and for
        thousands of small files.

    Raises
    ------
    OSError
        If there is no room or no permission; an older file stays as it was.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with path.open("wb") as stream:
            yield stream
        return
    path = Path(os.path.realpath(path))
    if path.exists() and not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    part = path.with_name(f"{_BEGIN}{secrets.token_hex(6)}{_END}")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            if flush:
                _flush(file.fileno())
        if path.exists():
            with contextlib.suppress(OSError):
                shutil.copymode(path, part)
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise
    if flush:
        flush_folder(path.parent)


def write_whole(
    path: str | os.PathLike[str],
    data: bytes | bytearray | memoryview | str,
    *,
    flush: bool = True,
) -> None:
    """Write bytes, or text as UTF-8, as a whole file or none: see :func:`whole_file`."""
    with whole_file(path, flush=flush) as file:
        file.write(data.encode() if isinstance(data, str) else data)


def write_json(path: str | os.PathLike[str], values: Any, *, flush: bool = True) -> None:
    """Write plain values as JSON, as a whole file or none: see :func:`whole_file`."""
    try:
        text = json.dumps(values, indent=2, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # the path of a folder whose name is not UTF-8
        text = json.dumps(values, indent=2).encode()
    write_whole(path, text + b"\n", flush=flush)


def leftovers(folder: str | os.PathLike[str]) -> list[Path]:
    """Return what a killed process left half-written in a folder."""
    with contextlib.suppress(OSError):
        return [path for path in Path(folder).iterdir() if is_leftover(path.name)]
    return []


def is_leftover(name: str) -> bool:
    """Whether a file's name is one that a file of ours has while it is written."""
    return name.startswith(_BEGIN) and name.endswith(_END)


def check_not_foreign(
    path: str | os.PathLike[str],
    columns: list[str],
    fail: Callable[[str], Exception],
    beside: Sequence[str] = (),
) -> None:
    """Check that a table about to be replaced is one of ours, by its first columns.

    Parameters
    ----------
    path : path
        Need not exist.
    columns : list of str
    fail : callable
        Makes the error of a sentence.
    beside : sequence of str
        Names of files that are written after the table, and are ours where it is.
    """
    try:
        with Path(path).open(encoding="utf-8", errors="replace", newline="") as file:
            found = next(csv.reader(file), [])
    except (FileNotFoundError, NotADirectoryError):
        for other in (Path(path).with_name(name) for name in beside):
            if os.path.lexists(other):
                raise fail(
                    f"{other} is there already and is not of patchmap; choose another place."
                ) from None
        return
    except (OSError, csv.Error):
        found = []
    if found[: len(columns)] != columns:
        raise fail(
            f"{path} is there already and is no table of patchmap; choose another place."
        )


def flush_folder(folder: Path) -> None:
    """Wait until the disk has the names in a folder, where that can be asked for."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _flush(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _NO_FLUSH:
            raise
