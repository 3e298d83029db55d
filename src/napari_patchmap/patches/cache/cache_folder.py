"""The cache of decoded patches: under the user's cache directory, shared by all runs.

``contents/<key>/`` are stores, named by what they hold, so that a copied folder
shares the store of the first; ``sources/<fingerprint>.json`` say which store
belongs to which files; ``building/`` holds stores that are being written. A store
appears under its name by one renaming, whole or not at all: two processes may
build the same one, and a killed one leaves only what the next one sweeps away.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from napari_patchmap.patches.cache.store import PIXELS, SPARE, StoredImages
from napari_patchmap.patches.cache.tidying import (
    BUILDING,
    CONTENTS,
    LOCK,
    SOURCES,
    TAG,
    files_in,
    is_store,
    mark,
    remove_all,
    remove_store,
    roots,
)
from napari_patchmap.writing import write_json

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Set this to keep the cache elsewhere.
VARIABLE = "PATCHMAP_CACHE"

#: Raised when the layout changes; older caches are then left alone but for clearing.
_VERSION = "1"

#: A store that has not grown for so long was left behind by a killed process, in seconds.
_STALE = 24 * 3600.0


def cache_folder() -> Path:
    """Return where decoded patches are kept; the folder need not exist yet."""
    if os.environ.get(VARIABLE):
        return Path(os.environ[VARIABLE]).expanduser()
    return platformdirs.user_cache_path("napari-patchmap")


@dataclass(frozen=True)
class Remembered:
    """A store that was found, and what was noted beside it."""

    images: StoredImages
    notes: dict[str, Any]


def look_up(fingerprint: str) -> Remembered | None:
    """Find the store of files with this fingerprint; None if there is none that is whole."""
    try:
        entry = json.loads(_source(fingerprint).read_text("utf-8"))
        folder = contents() / entry["content"]
        found = Remembered(StoredImages.open(folder), entry["notes"])
        with contextlib.suppress(OSError):
            os.utime(folder)  # it is in use: others go first when room is needed
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found


def remember(fingerprint: str, key: str, building: Path, notes: dict[str, Any]) -> StoredImages:
    """Move a finished store under its name, note which files it belongs to, and open it.

    If the disk does not let that be noted, the files are decoded again next time.
    """
    target = contents() / key
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if _is_damaged(target):
            remove_store(target)
        (building / LOCK).unlink(missing_ok=True)
        # Another process may have been faster; its store is as good.
        with contextlib.suppress(OSError):
            building.rename(target)
        images = StoredImages.open(target)
        _source(fingerprint).parent.mkdir(parents=True, exist_ok=True)
        write_json(_source(fingerprint), {"content": key, "notes": notes}, flush=False)
    except (OSError, ValueError, KeyError):
        images = StoredImages.open(building if building.exists() else target)
    return images


@contextlib.contextmanager
def building_folder(needed: int) -> Iterator[Path | None]:
    """Give a folder to build a store in, None where none can be made; gone afterwards."""
    folder = None
    with contextlib.suppress(OSError):
        place = _root() / BUILDING
        mark(_root())
        place.mkdir(exist_ok=True)
        sweep(place)
        make_room(needed)
        folder = Path(tempfile.mkdtemp(dir=place))
    try:
        with _locked(folder):
            yield folder
    finally:
        if folder is not None:
            remove_store(folder)


def cache_size() -> tuple[int, int]:
    """Count the bytes and the patch sets in the cache."""
    total = 0
    for root in roots(cache_folder()):
        for path in files_in(root):
            if path.name == TAG:
                continue
            with contextlib.suppress(OSError):
                total += path.stat().st_size
    return total, sum(map(is_store, _stores()))


def clear_cache() -> int:
    """Remove all decoded patches; return how many bytes that freed.

    Patches that are open keep working where the system lets open files be
    removed, and stay where it does not (Windows). Only what Patchmap wrote is removed.
    """
    before, _ = cache_size()
    for root in roots(cache_folder()):
        remove_all(root)
    return before - cache_size()[0]


# -- places ------------------------------------------------------------------


def _root() -> Path:
    return cache_folder() / f"patches-{_VERSION}"


def contents() -> Path:
    """Return the folder of the stores."""
    return _root() / CONTENTS


def _source(fingerprint: str) -> Path:
    return _root() / SOURCES / f"{fingerprint}.json"


def _stores() -> list[Path]:
    """Return the stores, those used longest ago first."""
    try:
        return sorted(contents().iterdir(), key=lambda folder: folder.stat().st_mtime)
    except OSError:
        return []


def _is_damaged(folder: Path) -> bool:
    if not folder.exists():
        return False
    try:
        StoredImages.open(folder)
    except (OSError, ValueError, KeyError):
        return True
    return False


# -- tidying -------------------------------------------------------------------


@contextlib.contextmanager
def _locked(folder: Path | None) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends."""
    if folder is None or fcntl is None:
        yield
        return
    with (folder / LOCK).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield


def sweep(place: Path) -> None:
    """Remove what killed processes left behind."""
    for folder in place.iterdir():
        with contextlib.suppress(OSError):
            if _is_abandoned(folder):
                remove_store(folder)


def _is_abandoned(folder: Path) -> bool:
    try:
        touched = (folder / PIXELS).stat().st_mtime
    except OSError:
        touched = folder.stat().st_mtime
    if time.time() - touched > _STALE:
        return True
    if fcntl is None:
        return False
    try:
        with (folder / LOCK).open("r") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (FileNotFoundError, BlockingIOError):
        return False  # just being made, or being written
    return True


def make_room(needed: int) -> None:
    """Remove the stores used longest ago until there is room for another one.

    Raises
    ------
    OSError
        If there is still too little; others need some of the disk as well.
    """
    mark(_root())
    for store in _stores():
        if shutil.disk_usage(_root()).free >= needed + SPARE:
            return
        remove_store(store)
    free = shutil.disk_usage(_root()).free
    if free < needed + SPARE:
        raise OSError(
            errno.ENOSPC, f"{free / 1e9:,.1f} GB are free, {needed / 1e9:,.1f} GB are needed"
        )
