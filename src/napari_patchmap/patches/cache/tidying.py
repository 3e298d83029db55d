"""What may be removed from the cache: stores of ours, by the names of their files.

``PATCHMAP_CACHE`` may be any folder of a person's. Ours in it are the folders
``patches-<number>`` that hold a file ``CACHEDIR.TAG`` of ours (by which programs that make
backups know a cache, too). Within them, only files that bear the names of ours are removed,
and folders that are empty then.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path

from napari_patchmap.patches.cache.store import INDEX, META, PIXELS
from napari_patchmap.writing import is_leftover, write_whole

#: Files of a store, the one first by which it counts as a store: none is left half there.
PRESENT, DAMAGED, LOCK = "present.bin", "damaged.json", "lock"
_FILES = (META, INDEX, PRESENT, DAMAGED, PIXELS, LOCK)

#: Folders of a cache.
CONTENTS, SOURCES, BUILDING = "contents", "sources", "building"

#: Marks a folder as ours; the first line is the same for the caches of all programs.
TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
_OURS = "# Decoded patches of napari-patchmap; everything here is made again when needed.\n"

#: The name of a folder of ours, of a store, and of what says whose it is.
_ROOT = re.compile(r"patches-\d+")
_SOURCE = re.compile(r"[0-9a-f]{8,128}\.json")


def mark(root: Path) -> None:
    """Make a folder of the cache, and mark it as ours.

    Raises
    ------
    OSError
    """
    root.mkdir(parents=True, exist_ok=True)
    if not (root / TAG).exists():
        write_whole(root / TAG, f"{_SIGNATURE}\n{_OURS}", flush=False)


def roots(cache: Path) -> list[Path]:
    """Return the folders in a cache that are ours, of whatever version."""
    try:
        return [one for one in cache.iterdir() if _ROOT.fullmatch(one.name) and _is_ours(one)]
    except OSError:
        return []


def _is_ours(root: Path) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (root / TAG).read_text("utf-8").endswith(_OURS)
    # Before there was a tag, a store told by what it says of itself.
    with contextlib.suppress(OSError):
        return any(is_store(store) for store in (root / CONTENTS).iterdir())
    return False


def is_store(folder: Path) -> bool:
    """Whether a folder is a store of ours, by what it says of itself."""
    with contextlib.suppress(OSError, ValueError):
        return {"dtype", "channels", "bytes"} <= set(json.loads((folder / META).read_bytes()))
    return False


def files_in(root: Path) -> list[Path]:
    """List all files of ours in a folder of the cache."""
    found = [root / TAG]
    for place in (CONTENTS, BUILDING):
        for store in _folders(root / place):
            found += [store / name for name in _FILES] + _half_written(store)
    with contextlib.suppress(OSError):
        found += [one for one in (root / SOURCES).iterdir() if _SOURCE.fullmatch(one.name)]
    found += _half_written(root) + _half_written(root / SOURCES)
    return [path for path in found if path.is_file()]


def remove_store(folder: Path) -> None:
    """Remove a store; what else lies in its folder stays."""
    for path in [folder / name for name in _FILES] + _half_written(folder):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    _remove_empty(folder)


def remove_all(root: Path) -> None:
    """Remove all that is ours from a folder of the cache."""
    for place in (CONTENTS, BUILDING):
        for store in _folders(root / place):
            remove_store(store)
        _remove_empty(root / place)
    # The tag last: what is left after an interruption is still ours.
    for path in sorted(files_in(root), key=lambda path: path.name == TAG):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    _remove_empty(root / SOURCES)
    _remove_empty(root)


def _remove_empty(folder: Path) -> None:
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def _folders(place: Path) -> list[Path]:
    try:
        return [one for one in place.iterdir() if one.is_dir() and not one.is_symlink()]
    except OSError:
        return []


def _half_written(folder: Path) -> list[Path]:
    try:
        return [one for one in folder.iterdir() if is_leftover(one.name)]
    except OSError:
        return []
