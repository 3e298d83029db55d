"""How a store comes into the cache, is found there, and makes room for another.

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
import math
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_patchmap.errors import RunError
from napari_patchmap.lock import alone_in, is_taken
from napari_patchmap.patches.cache.cache_folder import (
    BUILDING,
    CONTENTS,
    PIXELS,
    SOURCES,
    cache_limit,
    current_root,
    entries,
    mark,
    remove_store,
    store_size,
)
from napari_patchmap.patches.cache.store import StoredImages
from napari_patchmap.writing import write_json

#: Disk space that is left to others, in bytes.
_SPARE = 500_000_000

#: A store that has not grown for so long was left behind by a killed process, in seconds.
_STALE = 24 * 3600.0


def store_folder(key: str) -> Path:
    """Return where the store of this name lies, if there is one."""
    return current_root() / CONTENTS / key


def look_up(fingerprint: str) -> tuple[StoredImages, dict[str, Any]] | None:
    """Find the store of files with this fingerprint, and what was noted of them.

    None if there is none that is whole.
    """
    try:
        entry = json.loads(_source(fingerprint).read_text("utf-8"))
        folder = store_folder(entry["content"])
        found = StoredImages.open(folder), entry["notes"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    in_use(folder)
    return found


def remember(fingerprint: str, key: str, building: Path, notes: dict[str, Any]) -> StoredImages:
    """Move a finished store under its name, note which files it belongs to, and open it.

    If the disk does not let that be noted, the files are decoded again next time.
    """
    target = store_folder(key)
    try:
        if target.exists():
            try:
                StoredImages.open(target)
            except (OSError, ValueError, KeyError):  # damaged
                remove_store(target)
        put_in_place(building, target)
        images = StoredImages.open(target)
        _source(fingerprint).parent.mkdir(parents=True, exist_ok=True)
        write_json(_source(fingerprint), {"content": key, "notes": notes}, flush=False)
    except (OSError, ValueError, KeyError):
        images = StoredImages.open(building if building.exists() else target)
    return images


@contextlib.contextmanager
def building_folder(needed: int) -> Iterator[Path]:
    """Give a folder with a file for ``needed`` bytes of pixels; gone afterwards.

    Raises
    ------
    OSError
        If there is no room, or nothing can be written.
    """
    root = current_root()
    mark(root)
    (root / BUILDING).mkdir(exist_ok=True)
    _sweep(root / BUILDING)
    make_room(needed)
    folder = root / BUILDING / secrets.token_hex(8)
    with contextlib.ExitStack() as alone:
        try:
            alone.enter_context(alone_in(folder))
        except RunError as error:  # who sweeps up looked at its lock just now
            raise OSError(str(error)) from None
        try:
            folder.mkdir(0o700)
            (folder / PIXELS).touch()
            yield folder
        finally:
            remove_store(folder)


def put_in_place(building: Path, target: Path) -> None:
    """Give a store that is whole its name, unless another process was faster."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        building.rename(target)


def in_use(store: Path) -> None:
    """Note that a store is used: others go first when room is needed."""
    with contextlib.suppress(OSError):
        os.utime(store)


def make_room(needed: int) -> None:
    """Remove the stores used longest ago until there is room for another one.

    Those that are there and the other one then take no more than :func:`cache_limit`.

    Raises
    ------
    OSError
        If there is still too little; others need some of the disk as well.
    """
    root, limit = current_root(), cache_limit()
    stores = sorted(entries(root / CONTENTS), key=_age, reverse=True)
    if needed > limit:
        said = f"it may take {limit / 1e9:,.1f} GB, and {needed / 1e9:,.1f} GB are needed"
        raise OSError(errno.ENOSPC, said)
    sizes = {store: store_size(store) for store in stores} if limit < math.inf else {}
    while sum(sizes.values()) + needed > limit:
        remove_store(stores[0])
        del sizes[stores.pop(0)]
    while (free := shutil.disk_usage(root).free) < needed + _SPARE:
        if not stores:
            said = f"{free / 1e9:,.1f} GB are free, {needed / 1e9:,.1f} GB are needed"
            raise OSError(errno.ENOSPC, said)
        remove_store(stores.pop(0))


def _source(fingerprint: str) -> Path:
    return current_root() / SOURCES / f"{fingerprint}.json"


def _age(path: Path) -> float:
    """Seconds since something was changed; none where that cannot be told."""
    with contextlib.suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _sweep(place: Path) -> None:
    """Remove what killed processes left behind."""
    for path in entries(place):
        folder = path.with_name(path.name.removeprefix(".").removesuffix(".lock"))
        age = _age(folder / PIXELS) or _age(folder) or _age(path)
        # Asking for a lock that nobody holds removes it.
        if not is_taken(folder, unsure=True) or age > _STALE:
            remove_store(folder)
            if path != folder:  # a lock that is left on a disk that knows none
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
