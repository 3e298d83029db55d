"""The folder of decoded patches: where it lies, what in it is ours, how large it is.

``PATCHMAP_CACHE`` may be any folder of a person's. Ours in it are the folders
``patches-<number>`` that hold a file ``CACHEDIR.TAG`` of ours (by which programs that make
backups know a cache, too). Within them, only files that bear the names of ours are removed,
and folders that are empty then.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import platformdirs

from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.writing import leftovers, write_whole

#: Set this to keep the cache elsewhere, and this to how many gigabytes it may take.
VARIABLE, MOST = "PATCHMAP_CACHE", "PATCHMAP_CACHE_GB"

#: Raised when the layout changes; older caches are then left alone but for clearing.
_VERSION = "1"

#: Files of a store, the one first by which it counts as a store: none is left half there.
META, INDEX, PRESENT, DAMAGED, PIXELS = (
    "meta.json", "index.npy", "present.bin", "damaged.json", "pixels.bin",
)  # fmt: skip
_FILES = (META, INDEX, PRESENT, DAMAGED, PIXELS, "lock")  # the last is of older versions

#: Folders of a cache: stores, what says which files they belong to, stores that are made.
CONTENTS, SOURCES, BUILDING = "contents", "sources", "building"

#: Marks a folder as ours; the first line is the same for the caches of all programs.
_TAG = "CACHEDIR.TAG"
_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55"
_OURS = "# Decoded patches of napari-patchmap; everything here is made again when needed.\n"

#: The name of a folder of ours, of what says whose a store is, and of a lock.
_ROOT = re.compile(r"patches-\d+")
_SOURCE = re.compile(r"[0-9a-f]{8,128}\.json")
_LOCK = re.compile(r"\.\w+\.lock")


#: What is preferred where the environment says nothing: the folder, and bytes it may take.
_preferred: dict[str, Any] = {"folder": None, "bytes": 0.0}


def prefer_cache(folder: Path | None, most: float = 0.0) -> None:
    """Keep decoded patches in a folder, and no more bytes than ``most``, from now on.

    The environment goes before. None is the usual place, and 0 as much as the disk has room.
    """
    _preferred.update(folder=folder, bytes=most)


def cache_folder() -> Path:
    """Return where decoded patches are kept; the folder need not exist yet."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return _preferred["folder"] or platformdirs.user_cache_path("napari-patchmap")


def cache_limit() -> float:
    """Return how many bytes of decoded patches may be kept; infinity where nobody says."""
    with contextlib.suppress(ValueError):
        if (said := float(os.environ.get(MOST) or 0)) > 0:
            return said * 1e9
    return _preferred["bytes"] or math.inf


def current_root() -> Path:
    """Return the folder in the cache where stores of this version lie."""
    return cache_folder() / f"patches-{_VERSION}"


def mark(root: Path) -> None:
    """Make a folder of the cache, and mark it as ours.

    Raises
    ------
    OSError
    """
    root.mkdir(parents=True, exist_ok=True)
    if not (root / _TAG).exists():
        write_whole(root / _TAG, f"{_SIGNATURE}\n{_OURS}", flush=False)


def cache_size(watch: Watch = UNWATCHED) -> tuple[int, int]:
    """Count the bytes and the patch sets in the cache."""
    total, sets = 0, 0
    for root in _roots():
        for path in _files_in(root):
            watch.check()
            with contextlib.suppress(OSError):
                total += path.stat().st_size if path.name != _TAG else 0
        sets += sum(map(_is_store, entries(root / CONTENTS)))
    return total, sets


def clear_cache() -> int:
    """Remove all decoded patches; return how many bytes that freed.

    Patches that are open keep working where the system lets open files be
    removed, and stay where it does not (Windows). Only what Patchmap wrote is removed.
    """
    before, _ = cache_size()
    for root in _roots():
        places = [root / CONTENTS, root / BUILDING]
        stores = [store for place in places for store in entries(place)]
        _remove(_files_in(root), [*stores, *places, root / SOURCES, root])
    return before - cache_size()[0]


def store_size(folder: Path) -> int:
    """Count the bytes that a store takes on the disk."""
    total = 0
    for path in _files_of(folder):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def remove_store(folder: Path) -> None:
    """Remove a store; what else lies in its folder stays."""
    _remove(_files_of(folder), [folder])


def entries(folder: Path) -> list[Path]:
    """List what lies in a folder, nothing if there is none."""
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _roots() -> list[Path]:
    """Return the folders in the cache that are ours, of whatever version."""
    return [
        one for one in entries(cache_folder()) if _ROOT.fullmatch(one.name) and _is_ours(one)
    ]


def _is_ours(root: Path) -> bool:
    with contextlib.suppress(OSError, UnicodeDecodeError):
        return (root / _TAG).read_text("utf-8").endswith(_OURS)
    # Before there was a tag, a store told by what it says of itself.
    return any(map(_is_store, entries(root / CONTENTS)))


def _is_store(folder: Path) -> bool:
    """Whether a folder is a store of ours, by what it says of itself."""
    with contextlib.suppress(OSError, ValueError):
        return {"dtype", "channels", "bytes"} <= set(json.loads((folder / META).read_bytes()))
    return False


def _files_of(store: Path) -> list[Path]:
    if store.is_symlink():
        return []
    return [store / name for name in _FILES] + leftovers(store)


def _files_in(root: Path) -> list[Path]:
    """List all files of ours in a folder of the cache, the tag last.

    What is left when their removal is interrupted is still ours then.
    """
    found = leftovers(root) + leftovers(root / SOURCES)
    for place, ours in ((CONTENTS, None), (BUILDING, _LOCK), (SOURCES, _SOURCE)):
        for one in entries(root / place):
            if ours is not None and ours.fullmatch(one.name):
                found.append(one)
            elif place != SOURCES:
                found += _files_of(one)
    return [path for path in [*found, root / _TAG] if path.is_file()]


def _remove(files: Iterable[Path], folders: Iterable[Path]) -> None:
    """Remove files, and those of the folders that are empty then."""
    for path in files:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
    for folder in folders:
        with contextlib.suppress(OSError):
            folder.rmdir()
