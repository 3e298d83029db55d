"""What the pixels of a patch are, as one number: it is known by that, whatever it is called."""

from __future__ import annotations

import hashlib

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.threads import in_threads
from napari_patchmap.patches.watch import Watch

#: Of a patch that takes more bytes, rows of pixels spread over it are looked at.
_BYTES = 32_768

#: Patches that a thread looks at before it reports.
_STEP = 256


def content_of(
    images: Images, rows: np.ndarray | None = None, watch: Watch | None = None
) -> np.ndarray:
    """Return a number for the pixels, type and size of each patch, as stored.

    Parameters
    ----------
    images : Images
    rows : ndarray of int, optional
        Which; all when None.
    watch : Watch, optional

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

    def look(part: range) -> None:
        chosen = rows[part.start : part.stop]
        for i, pixels in zip(part, _read(images, chosen), strict=True):
            found[i] = 0 if pixels is None else _digest(pixels, kind)

    if len(rows):
        threads = 1 if images.sequential else None
        in_threads(look, len(rows), _STEP, watch or Watch(), threads)
    return found


def spread_over(images: Images, nbytes: float) -> np.ndarray:
    """Return rows spread over the set that take about this many bytes, all if fewer do."""
    each = images.sizes.prod(axis=1).mean() * images.channels * images.dtype.itemsize
    count = min(len(images), max(1, int(nbytes / max(each, 1))))
    return np.unique(np.linspace(0, len(images) - 1, count).astype(np.intp))


def _read(images: Images, rows: np.ndarray) -> list[np.ndarray | None]:
    if images.uniform:
        try:
            return list(images.take(rows))
        except PatchError:
            pass  # one of them; found below
    found: list[np.ndarray | None] = []
    for i in rows.tolist():
        try:
            found.append(images[i])
        except PatchError:
            found.append(None)
    return found


def _digest(pixels: np.ndarray, kind: str) -> int:
    every = -(-pixels.nbytes // _BYTES)
    seen = np.ascontiguousarray(pixels[::every])
    digest = hashlib.blake2b(f"{kind} {pixels.shape}".encode(), digest_size=8)
    digest.update(seen.reshape(-1).view(np.uint8).data)
    return int.from_bytes(digest.digest(), "big") or 1
