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
from napari_patchmap.patches.watch import Watch

#: Of a patch that takes more bytes, rows of pixels spread over it are looked at.
_BYTES = 32_768

#: Patches, and bytes of them, that a thread reads at a time.
_STEP, _STEP_BYTES = 256, 2**24


def content_of(
    images: Images, rows: np.ndarray | None = None, watch: Watch | None = None
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
        pictures = _read(images, rows[part.start : part.start + step])
        for i, pixels in zip(part, pictures, strict=True):
            found[i] = 0 if pixels is None else _digest(pixels, kind)

    if len(rows):
        threads = 1 if images.sequential else None
        in_threads(look, len(rows), step, watch or Watch(), threads)
    return found


def spread_over(images: Images, nbytes: float) -> np.ndarray:
    """Return rows spread over the set that take about this many bytes, all if fewer do."""
    count = min(len(images), max(1, int(nbytes * len(images) / max(1, images.nbytes))))
    return np.unique(np.linspace(0, len(images) - 1, count).astype(np.intp))


def _read(images: Images, rows: np.ndarray) -> Iterator[np.ndarray | None]:
    """Read some patches, None for those that cannot be read."""
    together = None
    if images.uniform:
        with suppress(PatchError, OSError):  # of one of them; found below
            together = images.take(rows)
    if together is not None:
        yield from together
        return
    for i in rows.tolist():
        try:
            pixels = images[i]
        except (PatchError, OSError):
            yield None
        else:
            yield pixels


def _digest(pixels: np.ndarray, kind: str) -> int:
    every = -(-pixels.nbytes // _BYTES)
    digest = _begun(kind, pixels.shape).copy()
    digest.update(np.ascontiguousarray(pixels[::every] if every > 1 else pixels).data)
    return int.from_bytes(digest.digest(), "big") or 1


@lru_cache(maxsize=64)
def _begun(kind: str, shape: tuple[int, ...]) -> hashlib.blake2b:
    """Return the digest of a type and a size, which most patches of a set share."""
    return hashlib.blake2b(f"{kind} {shape}".encode(), digest_size=8)
