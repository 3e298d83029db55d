"""Many images decoded by all cores and written to the cache, chunk by chunk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.cache import building_folder, cache_folder, look_up, remember
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.store import StoreWriter, index_rows
from napari_patchmap.patches.watch import Watch

#: Bytes that a thread decodes before it writes and reports.
_CHUNK_BYTES = 4_000_000

#: Images that a thread decodes at most before it reports.
_CHUNK_IMAGES = 128


@dataclass(frozen=True)
class Copied:
    """Images as they lie in the cache.

    Attributes
    ----------
    images : Images
        Those that could be decoded, in order.
    kept : ndarray of int, shape (n,)
        Which ones these are.
    reasons : dict of int to str
        Why each of the others could not.
    note : str
        What the user should know, "" for nothing.
    """

    images: Images
    kept: np.ndarray
    reasons: dict[int, str]
    note: str = ""


def copy_to_cache(images: Images, fingerprint: str, where: str, watch: Watch) -> Copied:
    """Decode images once and for all; at once if that was done before.

    Parameters
    ----------
    images : Images
        Read from several threads, unless they are ``sequential``.
    fingerprint : str
        Of the files and the options that change pixels.
    where : str
        What people call the images.

    Raises
    ------
    PatchError
        If none can be decoded, or there is no room.
    LoadCancelled
    """
    found = look_up(fingerprint)
    if found is not None:
        reasons = {int(i): why for i, why in found.notes["reasons"]}
        kept = np.setdiff1d(np.arange(len(images)), list(reasons))
        if len(kept) == len(found.images):
            watch.step(len(images), len(images))
            return Copied(found.images, kept, reasons)
    reasons = {}
    offsets = np.zeros(len(images), np.int64)
    sizes = images.sizes
    expected = int(sizes.prod(axis=1).sum()) * images.channels * images.dtype.itemsize
    digests = {}

    with building_folder(expected) as folder:
        writer = StoreWriter(folder, expected, str(cache_folder()))

        def copy(part: range) -> None:
            good, patches, digest = [], [], hashlib.sha256()
            for i in part:
                try:
                    patch = np.ascontiguousarray(images[i])
                except PatchError as error:
                    reasons[i] = str(error)
                    continue
                good.append(i)
                patches.append(patch)
                digest.update(patch.data)
            offsets[good] = writer.write(patches)
            digests[part.start] = digest.digest()

        each = expected // len(images) or 1
        step = min(_CHUNK_IMAGES, max(1, _CHUNK_BYTES // each))
        try:
            in_threads(copy, len(images), step, watch, 1 if images.sequential else None)
            kept = np.setdiff1d(np.arange(len(images)), list(reasons))
            if len(kept) == 0:
                raise PatchError(f"None of the images of {where} can be read: {reasons[0]}")
            channels = np.full(len(kept), images.channels)
            index = index_rows(offsets[kept], np.column_stack([sizes[kept], channels]))
            stored = writer.finish(index, images.dtype, images.channels)
        finally:
            writer.close()
        if stored is not None:
            return Copied(stored, kept, reasons, memory_note(writer))
        assert folder is not None
        key = content_key(digests, index, images.dtype)
        notes = {"reasons": sorted(reasons.items())}
        return Copied(remember(fingerprint, key, folder, notes), kept, reasons)


def content_key(digests: dict[int, bytes], index: np.ndarray, dtype: np.dtype) -> str:
    """Name a store by what it holds: digests of its chunks by their first image, and shapes."""
    digest = hashlib.sha256(np.dtype(dtype).str.encode())
    for start in sorted(digests):
        digest.update(digests[start])
    for name in ("height", "width", "channels"):
        digest.update(index[name].tobytes())
    return digest.hexdigest()[:40]


def memory_note(writer: StoreWriter) -> str:
    """Say why patches are kept in memory."""
    return (
        f"The cache {cache_folder()} could not be used ({writer.trouble or 'not writable'}); "
        "the patches are kept in memory this time."
    )


def in_threads(
    work: Callable[[range], None],
    count: int,
    step: int,
    watch: Watch,
    threads: int | None = None,
) -> None:
    """Call ``work`` for each ``step`` of ``count`` images, on all cores; report and cancel.

    Raises
    ------
    LoadCancelled
    Exception
        The first that ``work`` raised.
    """
    parts = [range(start, min(start + step, count)) for start in range(0, count, step)]
    with ThreadPoolExecutor(threads or cores()) as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for part, future in zip(parts, waiting, strict=True):
                future.result()
                watch.step(part.stop, count)
        finally:
            pool.shutdown(cancel_futures=True)


def cores() -> int:
    """Count the cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
