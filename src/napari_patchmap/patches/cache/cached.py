"""Images that are costly to decode: decoded when they are first wanted, and only once."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.cache.building import (
    building_folder,
    in_use,
    put_in_place,
    store_folder,
)
from napari_patchmap.patches.cache.cache_folder import (
    DAMAGED,
    META,
    PIXELS,
    PRESENT,
    remove_store,
)
from napari_patchmap.patches.cache.store import PixelFile, StoredImages, index_rows
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch
from napari_patchmap.writing import write_json, write_whole

#: Bytes that a thread decodes before it reports, and images at most.
_CHUNK_BYTES, _CHUNK_IMAGES = 4_000_000, 128


class CachedImages(StoredImages):
    """Wraps images that are costly to decode; keeps each one in the cache.

    Every image has its place in one file from the start, so any thread and any
    process may put it there, at any time, in any order: they all write the same.
    It counts as present only after it was written, so nothing is lost, and
    nothing wrong is read, when a process is killed or the disk is full.

    Parameters
    ----------
    images : Images
    fingerprint : str
        Of the files and the options that change pixels.

    Attributes
    ----------
    damaged : dict of int to str
        Why images could not be decoded, as far as that was tried; kept in the cache.
    """

    def __init__(self, images: Images, fingerprint: str) -> None:
        self._images = images
        self.damaged: dict[int, str] = {}
        self._present = np.zeros(len(images), np.uint8)
        self._folder: Path | None = None
        try:
            self._folder = _store_of(images, fingerprint)
            with contextlib.suppress(OSError, ValueError):
                damaged = json.loads((self._folder / DAMAGED).read_text("utf-8"))
                self.damaged = {int(i): why for i, why in damaged}
            pixels = PixelFile(RandomFile(self._folder / PIXELS, writable=True))
            self._present = np.asarray(np.memmap(self._folder / PRESENT, np.uint8, "r+"))
        except (OSError, ValueError) as error:
            pixels = PixelFile(None, trouble=getattr(error, "strerror", None) or str(error))
        shapes = np.column_stack([images.sizes, np.full(len(images), images.channels)])
        index = index_rows(None, shapes, images.dtype.itemsize)
        super().__init__(pixels, index, images.dtype, images.channels)

    @property
    def trouble(self) -> str:
        """Why the cache could not be used, "" if it could."""
        return self._pixels.trouble

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        if self._present[index] or int(self._offsets[index]) in self._pixels.memory:
            return super().__getitem__(index)
        try:
            patch = self._images[index]
        except PatchError as error:
            self.damaged[index] = str(error)
            self._note_damaged()
            raise PatchError(
                f"{str(error).removesuffix('.')}; load the patches again to leave it out."
            ) from None
        self._keep(index, patch)
        return patch

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images of one size as ``(n, height, width, channel)``."""
        indices = np.asarray(indices, np.intp).reshape(-1)
        here = self._has(indices)
        if here.all():
            return super().take(indices)
        if not self.uniform:
            return Images.take(self, indices)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        out[here] = super().take(indices[here])
        missing = np.flatnonzero(~here)
        try:
            out[missing] = self._images.take(indices[missing])
        except PatchError:  # find out which one
            out[missing] = [self[int(index)] for index in indices[missing]]
        for k in missing.tolist():
            self._keep(int(indices[k]), out[k])
        return out

    def decode_all(self, watch: Watch) -> None:
        """Decode what is not in the cache yet, on all cores; fills ``damaged``.

        Raises
        ------
        PatchError
            If there is room neither on the disk nor in memory.
        LoadCancelled
            What was decoded until then is kept.
        """
        missing = [i for i in np.flatnonzero(self._present == 0) if i not in self.damaged]
        before, total = len(self) - len(missing), len(self)
        self._pixels.needed = self.nbytes * len(missing) // total

        def decode(part: Pieces) -> None:
            for i in (int(missing[k]) for k in part):
                try:
                    patch = self._images[i]
                except PatchError as error:
                    self.damaged[i] = str(error)
                    continue
                self._keep(i, patch, hold=True)

        each = self.nbytes // total or 1
        step = min(_CHUNK_IMAGES, max(1, _CHUNK_BYTES // each))
        inner = Watch(lambda done, _: watch.step(before + done, total))
        if missing:
            threads = 1 if self._images.sequential else None
            in_threads(decode, len(missing), step, inner, threads)
        watch.step(total, total)
        self._note_damaged()

    def _has(self, indices: np.ndarray) -> np.ndarray:
        """Say which images are kept, ``(n,)`` bool."""
        here: np.ndarray = self._present[indices] != 0
        if self._pixels.memory:
            offsets = self._offsets[indices].tolist()
            here |= np.array([offset in self._pixels.memory for offset in offsets], bool)
        return here

    def _keep(self, index: int, patch: np.ndarray, *, hold: bool = False) -> None:
        patch, offset = np.ascontiguousarray(patch), int(self._offsets[index])
        if self._pixels.write([patch], offset):
            self._present[index] = 1
        elif hold:
            self._pixels.hold(patch, offset)

    def _note_damaged(self) -> None:
        if self.damaged and self._folder is not None:
            with contextlib.suppress(OSError):
                write_json(self._folder / DAMAGED, sorted(self.damaged.items()), flush=False)


def _store_of(images: Images, fingerprint: str) -> Path:
    """Return the folder of the store of some images, made if there is none.

    Raises
    ------
    OSError, ValueError
    """
    folder = store_folder(fingerprint)
    meta = {"dtype": images.dtype.str, "channels": images.channels, "bytes": images.nbytes}
    known = None
    with contextlib.suppress(OSError, ValueError):
        known = json.loads((folder / META).read_text("utf-8"))
    if known != meta:  # of another version, or left by a process that was removing it
        remove_store(folder)
    if not folder.exists():
        with building_folder(images.nbytes) as new:
            # Written out: a mapped byte without a place on the disk could not be set later.
            write_whole(new / PRESENT, bytes(len(images)), flush=False)
            write_json(new / META, meta, flush=False)
            put_in_place(new, folder)
    if (folder / PRESENT).stat().st_size != len(images):
        raise ValueError("the store is not whole")
    in_use(folder)
    return folder
