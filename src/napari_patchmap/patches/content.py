"""What the pixels of a patch are, as one number: it is known by that, whatever it is called."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Of a patch that takes more bytes, rows of pixels spread over it are looked at.
_BYTES = 32_768

#: Patches, and bytes of them, that a thread reads at a time.
_STEP, _STEP_BYTES = 256, 2**24


def content_of(
    images: Images, rows: np.ndarray | None = None, watch: Watch = UNWATCHED
) -> np.ndarray:
    """Return a number for the pixels, type and size of each patch, or of those in ``rows``.

    Returns
    -------
    ndarray of uint64, shape (len(rows),)
        0 where a patch cannot be read.

    Raises
    ------
    LoadCancelled
    """
    rows = np.arange(len(images)) if rows is None else np.asarray(rows, np.intp)
    found = np.zeros(len(rows), np.uint64)
    kind = f"{images.dtype.kind}{images.dtype.itemsize}"

    step = min(_STEP, max(1, _STEP_BYTES * len(images) // max(1, images.nbytes)))

    def look(part: Pieces) -> None:
        chosen = rows[part.start : part.start + step]
        together = _together(images, chosen)
        if together is not None:
            found[part.start : part.start + step] = _digests(together, kind)
            part.done()
            return
        for i, pixels in zip(part, _read(images, chosen), strict=True):
            found[i] = 0 if pixels is None else _digest(pixels, kind)

    if len(rows):
        threads = 1 if images.sequential else None
        in_threads(look, len(rows), step, watch, threads)
    return found


def spread_over(images: Images, nbytes: float) -> np.ndarray:
    """Return rows spread over the set that take about this many bytes, all if fewer do."""
    count = min(len(images), max(1, int(nbytes * len(images) / max(1, images.nbytes))))
    return np.unique(np.linspace(0, len(images) - 1, count).astype(np.intp))


def _together(images: Images, rows: np.ndarray) -> np.ndarray | None:
    """Read some patches at once; None where sizes differ, or one cannot be read."""
    if images.uniform:
        with suppress(PatchError, OSError):
            return images.take(rows)
    return None


def _read(images: Images, rows: np.ndarray) -> Iterator[np.ndarray | None]:
    """Read some patches one by one, None for those that cannot be read."""
    for i in rows.tolist():
        try:
            pixels = images[i]
        except (PatchError, OSError):
            yield None
        else:
            yield pixels


def _digest(pixels: np.ndarray, kind: str) -> int:
    return int(_digests(pixels[None], kind)[0])


def _digests(stack: np.ndarray, kind: str) -> np.ndarray:
    """Return the content of patches of one size, ``(n, height, width, channel)``."""
    every = max(1, -(-stack[0].nbytes // _BYTES))
    seen = np.ascontiguousarray(stack[:, ::every])
    # A loop of few words: it is gone through a million times.
    begun, each, data = _begun(kind, stack.shape[1:]), seen[0].nbytes, seen.reshape(-1).data
    data, found = data.cast("B"), []
    for start in range(0, seen.nbytes, each):
        digest = begun.copy()
        digest.update(data[start : start + each])
        found.append(digest.digest())
    return np.maximum(np.frombuffer(b"".join(found), ">u8"), 1)


@lru_cache(maxsize=64)
def _begun(kind: str, shape: tuple[int, ...]) -> hashlib.blake2b:
    """Return the digest of a type and a size, which most patches of a set share."""
    return hashlib.blake2b(f"{kind} {shape}".encode(), digest_size=8)
