"""HDF5 files opened so that nothing else is opened and no code is run.

A file may name others (external links, external storage, virtual arrays), which are not what
a person chose; and decoders of its own, which HDF5 loads as plugins. Both are refused by
what the file says of itself, before anything is followed or decoded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.optional import optional

#: Decoders that are part of HDF5 itself, and lzf, which is part of h5py.
_ALLOWED = {1: "gzip", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset"}
_ALLOWED |= {32000: "lzf"}

#: Decoders that are often met, of those that are not.
_KNOWN = {
    305: "LZO", 307: "bzip2", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle",
    32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2",
}  # fmt: skip

#: A chunk is decoded as a whole, and may take so many bytes.
_LARGEST = 2**31

#: So many arrays are looked at, and groups within groups so deep.
_MOST, _DEEPEST = 2000, 16


def open_hdf5(path: Path) -> Any:
    """Open an HDF5 file to read it; who opens it closes it.

    Raises
    ------
    MissingPackageError
        Without h5py.
    PatchError
        If it is no HDF5 file.
    OSError
        If it is damaged.
    """
    h5py = optional("h5py")
    if not h5py.is_hdf5(path):
        raise PatchError(f"{path} is not an HDF5 file; copy or save it again.")
    # Files on network drives often cannot be locked, and nothing is written here.
    return h5py.File(path, "r", locking=False)


def member(group: Any, name: str) -> Any | None:
    """Return what a group holds under a name or a path of names, None if there is nothing.

    Raises
    ------
    PatchError
        If that is a link to somewhere else.
    """
    h5py, found = optional("h5py"), group
    for part in filter(None, name.split("/")):
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise PatchError(
                f"{group.file.filename} holds a link in place of {name}, which is not followed "
                "because it may lead to any other file; save the array itself there."
            )
        found = found[part]
    return found


def check_inside(file: Any, name: str) -> None:
    """Refuse a group of which anything lies in another file, before others read it.

    Raises
    ------
    PatchError
    """
    h5py, waiting, seen = optional("h5py"), [name], set()
    while waiting:
        place = waiting.pop()
        one = member(file, place)
        if isinstance(one, h5py.Dataset):
            check_stored(one)
        elif isinstance(one, h5py.Group):
            address = h5py.h5o.get_info(one.id).addr
            if address not in seen:
                seen.add(address)
                waiting += [f"{place}/{inner}" for inner in one]


def arrays_in(group: Any) -> dict[str, Any]:
    """Return the arrays of a group and of the groups in it, by their paths from it on.

    Links are left out, and each group is looked into once. Nothing of them is read.
    """
    found: dict[str, Any] = {}
    seen: set[int] = set()
    for name, array in _walk(group, "", seen, 0):
        found[name] = array
        if len(found) == _MOST:
            break
    return found


def _walk(group: Any, before: str, seen: set[int], depth: int) -> Iterator[tuple[str, Any]]:
    h5py = optional("h5py")
    address = h5py.h5o.get_info(group.id).addr
    if address in seen or depth > _DEEPEST:
        return
    seen.add(address)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            continue
        one = group[name]
        if isinstance(one, h5py.Dataset):
            yield before + name, one
        elif isinstance(one, h5py.Group):
            yield from _walk(one, f"{before}{name}/", seen, depth + 1)


def check_stored(array: Any) -> None:
    """Refuse an array whose values lie in another file or need a decoder of somebody else.

    Raises
    ------
    PatchError
    """
    path, name = array.file.filename, array.name
    if array.is_virtual or array.external:
        raise PatchError(
            f"{path} says that the values of {name} lie in other files, which are not opened "
            "because a file may name any; save the values themselves, for example with "
            "h5repack."
        )
    plan = array.id.get_create_plist()
    for number in range(plan.get_nfilters()):
        code = plan.get_filter(number)[0]
        if code not in _ALLOWED:
            raise PatchError(
                f"{name} in {path} is compressed by {_KNOWN.get(code, f'the filter {code}')}, "
                "for which HDF5 would load a plugin that this file names; save it again with a "
                "compression of HDF5 itself, for example: h5repack -f GZIP=4 OLD NEW."
            )
    if array.chunks and math.prod(array.chunks) * array.dtype.itemsize > _LARGEST:
        raise PatchError(
            f"{name} in {path} has chunks of {math.prod(array.chunks):,} values, each of which "
            "would be read as a whole; save it again with smaller chunks."
        )


def values_of(array: Any) -> np.ndarray:
    """Read an array of numbers, truth values or text; text comes as ``str``.

    Raises
    ------
    PatchError
        See :func:`check_stored`; also if it holds references to other places.
    """
    check_stored(array)
    if optional("h5py").check_string_dtype(array.dtype) is not None:
        return np.asarray(array.asstr(errors="replace")[...], str)
    if array.dtype.hasobject or array.dtype.kind not in "buifS":
        raise PatchError(
            f"{array.name} in {array.file.filename} holds values of type {array.dtype}, which "
            "are neither numbers nor text; save it again as one of these."
        )
    return np.asarray(array[...])
