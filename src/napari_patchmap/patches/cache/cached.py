"""Images that are costly to decode: decoded when they are first wanted, and only once."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.cache.cache_folder import (
    VARIABLE,
    cache_folder,
    contents,
    make_room,
)
from napari_patchmap.patches.cache.store import META, PIXELS
from napari_patchmap.patches.cache.tidying import BUILDING, DAMAGED, PRESENT, remove_store
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch
from napari_patchmap.system import free_memory
from napari_patchmap.writing import write_json

#: Bytes that a thread decodes before it reports, and images at most.
_CHUNK_BYTES, _CHUNK_IMAGES = 4_000_000, 128


class CachedImages(Images):
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
    trouble : str
        Why the cache could not be used, "" if it could.
    """

    def __init__(self, images: Images, fingerprint: str) -> None:
        self._images = images
        self.dtype, self.channels, self.sizes = images.dtype, images.channels, images.sizes
        lengths = images.sizes.prod(axis=1) * images.channels * images.dtype.itemsize
        ends = np.cumsum(lengths)
        self._offsets, self._total = ends - lengths, int(ends[-1])
        self._lock = threading.Lock()
        self._memory: dict[int, np.ndarray] = {}
        self.damaged: dict[int, str] = {}
        self.trouble = ""
        self._present: np.ndarray | None = None
        self._folder: Path | None = None
        try:
            self._open(fingerprint)
        except (OSError, ValueError) as error:
            self._give_up(error)

    @property
    def nbytes(self) -> int:
        """Bytes that all images take when they are decoded."""
        return self._total

    def __getitem__(self, index: int) -> np.ndarray:
        index = range(len(self))[index]
        if self._is_stored(index):
            height, width = self.sizes[index]
            patch = np.empty((height, width, self.channels), self.dtype)
            self._file.read_into(patch.reshape(-1).view(np.uint8).data, self._place(index))
            return patch
        if index in self._memory:
            return self._memory[index]
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
        indices = np.asarray(indices, np.intp)
        if not self.uniform or len(indices) == 0:
            return super().take(indices)
        out = np.empty((len(indices), *self.sizes[0], self.channels), self.dtype)
        missing = []
        # In the order of the file: neighbours then come from one read of the disk.
        for k in np.argsort(indices, kind="stable").tolist():
            index = int(indices[k])
            if self._is_stored(index):
                self._file.read_into(out[k].reshape(-1).view(np.uint8).data, self._place(index))
            elif index in self._memory:
                out[k] = self._memory[index]
            else:
                missing.append(k)
        if missing:
            try:
                out[missing] = self._images.take(indices[missing])
            except PatchError:  # find out which one
                for k in missing:
                    out[k] = self[int(indices[k])]
            for k in missing:
                self._keep(int(indices[k]), out[k])
        return out

    def decode_all(self, watch: Watch, where: str) -> None:
        """Decode what is not in the cache yet, on all cores; fills ``damaged``.

        Raises
        ------
        PatchError
            If there is room neither on the disk nor in memory.
        LoadCancelled
            What was decoded until then is kept.
        """
        stored = self._present if self._present is not None else np.zeros(len(self), bool)
        missing = [i for i in np.flatnonzero(stored == 0).tolist() if i not in self.damaged]
        need = int(self.sizes[missing].prod(axis=1).sum())
        need *= self.channels * self.dtype.itemsize

        def decode(part: Pieces) -> None:
            if self.trouble:
                self._check_memory(need, where)
            for i in (missing[k] for k in part):
                try:
                    patch = self._images[i]
                except PatchError as error:
                    self.damaged[i] = str(error)
                    continue
                self._keep(i, patch)
                if self.trouble:
                    self._memory[i] = patch

        each = self._total // len(self) or 1
        step = min(_CHUNK_IMAGES, max(1, _CHUNK_BYTES // each))
        before, total = len(self) - len(missing), len(self)
        inner = Watch(lambda done, _: watch.step(before + done, total))
        if missing:
            threads = 1 if self._images.sequential else None
            in_threads(decode, len(missing), step, inner, threads)
        watch.step(total, total)
        self._note_damaged()

    # -- the store -----------------------------------------------------------------

    def _open(self, fingerprint: str) -> None:
        folder = contents() / fingerprint
        meta = {"dtype": self.dtype.str, "channels": self.channels, "bytes": self._total}
        known = None
        with contextlib.suppress(OSError, ValueError):
            known = json.loads((folder / META).read_text("utf-8"))
        if known != meta:  # of another version, or left by a process that was removing it
            remove_store(folder)
        if not folder.exists():
            make_room(self._total)
            self._make(folder, meta)
        with contextlib.suppress(OSError):
            os.utime(folder)
        if (folder / PRESENT).stat().st_size != len(self):
            raise ValueError("the store is not whole")
        with contextlib.suppress(OSError, ValueError):
            damaged = json.loads((folder / DAMAGED).read_text("utf-8"))
            self.damaged = {int(i): why for i, why in damaged}
        fd = os.open(folder / PIXELS, os.O_RDWR | getattr(os, "O_BINARY", 0))
        self._file = RandomFile(folder / PIXELS, fd)
        self._present = np.memmap(folder / PRESENT, np.uint8, "r+")
        self._folder = folder

    def _make(self, folder: Path, meta: dict[str, object]) -> None:
        """Make an empty store under its name, all at once."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        building = folder.parent.parent / BUILDING  # where the next one sweeps it away
        building.mkdir(exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=building))
        try:
            (new / PIXELS).touch()
            # Written out: a mapped byte without a place on the disk could not be set later.
            (new / PRESENT).write_bytes(bytes(len(self)))
            write_json(new / META, meta, flush=False)
            with contextlib.suppress(OSError):  # another process was faster
                new.rename(folder)
        finally:
            remove_store(new)

    def _is_stored(self, index: int) -> bool:
        return self._present is not None and bool(self._present[index])

    def _place(self, index: int) -> int:
        return int(self._offsets[index])

    def _keep(self, index: int, patch: np.ndarray) -> None:
        if self._present is None or self.trouble:
            return
        try:
            self._file.write(np.ascontiguousarray(patch).data, self._place(index))
        except OSError as error:
            self._give_up(error)
            return
        self._present[index] = 1

    def _give_up(self, error: Exception) -> None:
        self.trouble = self.trouble or getattr(error, "strerror", None) or str(error)

    def _check_memory(self, need: int, where: str) -> None:
        free, held = free_memory(), sum(patch.nbytes for patch in self._memory.values())
        if free is not None and need > 0.8 * (free + held):
            raise PatchError(
                f"Decoded, {where} takes {need / 1e9:,.1f} GB, but the cache "
                f"{cache_folder()} cannot take it ({self.trouble}) and only "
                f"{free / 1e9:,.1f} GB of memory are free; make room on the disk, or set "
                f"{VARIABLE} to a folder on a larger disk."
            )

    def _note_damaged(self) -> None:
        if self.damaged and self._folder is not None:
            with contextlib.suppress(OSError):
                write_json(self._folder / DAMAGED, sorted(self.damaged.items()), flush=False)
