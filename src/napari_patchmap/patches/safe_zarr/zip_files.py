"""Zarr stores that are zip files: a path may lead into one, as if it were a folder."""

from __future__ import annotations

import lzma
import threading
import weakref
import zipfile
import zlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from napari_patchmap.errors import UnusableError
from napari_patchmap.formats import ZIPPED_ZARR

#: Files that describe a group or an array; one of them lies at the top of every store.
MARKS = ("zarr.json", ".zarray", ".zgroup")

#: What reading from a damaged zip file raises.
_DAMAGE = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, ValueError,
)  # fmt: skip

#: Those that describe; all others are chunks.
_DESCRIBED = (*MARKS, ".zattrs", ".zmetadata")


class ZippedStore:
    """An open zip file with a store in it, at its top or in the one folder there.

    Safe to be read from several threads at once. It is closed when nobody needs it any more.

    Raises
    ------
    UnusableError
        If it is no zip file, or is cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._file = zipfile.ZipFile(path)
        except zipfile.BadZipFile:
            raise UnusableError("is not a complete zip file", "copy or save it again") from None
        self._top = _top(self._file.namelist())

    def read(self, key: str, most: int) -> bytes | None:
        """Return a file of the store; None if there is none, or one of more bytes.

        Raises
        ------
        UnusableError
            If it is damaged, encrypted, or packed in a way that Python does not know.
        """
        try:
            known = self._file.getinfo(self._top + key)
        except KeyError:
            return None
        if known.file_size > most:
            return None
        try:
            return self._file.read(known)
        except _DAMAGE:
            raise UnusableError(
                f"is a zip file in which {known.filename} cannot be read",
                "copy or save it again",
            ) from None

    def has_chunks(self, key: str) -> bool:
        """Whether an array has any chunk at all."""
        return self._top + key in self._chunked

    def folders(self, key: str) -> list[str]:
        """Return the names of the groups and arrays in a group."""
        start = self._top + (f"{key}/" if key else "")
        inside = (n[len(start) :] for n in self._file.namelist() if n.startswith(start))
        return sorted({name.split("/")[0] for name in inside if "/" in name})

    def open(self, key: str) -> Any:
        """Open a group or an array as Zarr does."""
        import zarr

        return zarr.open(store=self._store, path=(self._top + key).strip("/"), mode="r")

    @cached_property
    def _store(self) -> Any:
        from zarr.storage import ZipStore

        return ZipStore(self.path, mode="r")

    @cached_property
    def _chunked(self) -> set[str]:
        """All folders in which, at whatever depth, a chunk lies."""
        found = set[str]()
        for name in self._file.namelist():
            folder, _, last = name.rpartition("/")
            if not last or last in _DESCRIBED:
                continue
            while folder and folder not in found:
                found.add(folder)
                folder = folder.rpartition("/")[0]
        return found


_OPEN = weakref.WeakValueDictionary[tuple[str, int, int], ZippedStore]()
_LOCK = threading.Lock()


def split_zip(path: Path) -> tuple[Path, str] | None:
    """Split a path into a zipped store and the key in it; None if it leads into none."""
    if not any(ending in str(path).lower() for ending in ZIPPED_ZARR):
        return None
    for at in (path, *path.parents):
        if at.name.lower().endswith(ZIPPED_ZARR) and at.is_file():
            key = path.relative_to(at).as_posix()
            return at, "" if key == "." else key
    return None


def zipped(path: Path) -> tuple[ZippedStore, str] | None:
    """Return the zipped store that a path leads into, and the key in it; else None.

    A file that somebody has open is not opened again: to list thousands of names takes long.

    Raises
    ------
    UnusableError
        If it is no zip file.
    """
    found = split_zip(path)
    if found is None:
        return None
    known = found[0].stat()
    mark = (str(found[0]), known.st_mtime_ns, known.st_size)
    with _LOCK:
        store = _OPEN.get(mark)
        if store is None:
            store = _OPEN[mark] = ZippedStore(found[0])
    return store, found[1]


def _top(names: Sequence[str]) -> str:
    """Return the folder in a zip file that is the store, with a slash behind it, or ""."""
    if any(mark in names for mark in MARKS):
        return ""
    tops = {name.split("/")[0] for name in names if not name.startswith(("__MACOSX/", "."))}
    return f"{tops.pop()}/" if len(tops) == 1 else ""
