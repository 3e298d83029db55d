"""Images in an array that is stored in chunks, which are decoded when they are wanted."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import arrange, extents, lead_axes
from napari_patchmap.patches.images import Images, same_sizes
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import as_pixels, pixel_type

#: Bytes of decoded chunks that are kept.
_KEPT = 2**28

#: Chunks are fetched together until they make so many bytes: a call costs by itself.
_TOGETHER = 2**22


class ChunkedImages(Images):
    """Images along the axes of an array that are no image axes; ``name`` is for people.

    ``array`` has ``shape``, ``dtype`` and ``chunks``, and is read by indexing it. Of what was
    decoded, ``kept`` bytes stay in the memory.
    """

    def __init__(self, array: Any, axes: str, name: str, kept: int = _KEPT) -> None:
        self._array, self._axes, self._name = array, axes, name
        self._lead = lead_axes(axes)
        self._counts = tuple(array.shape[i] for i in self._lead)
        self.dtype = pixel_type(array.dtype)
        count, height, width, self.channels = extents(array.shape, axes)
        self.sizes = same_sizes(count, height, width)
        self._chunks = tuple(min(array.chunks[i], array.shape[i]) for i in self._lead)
        each = height * width * self.channels * self.dtype.itemsize
        some = max(1, _TOGETHER // (each * math.prod(self._chunks)))
        self._blocks = (*self._chunks[:-1], self._chunks[-1] * some) if self._lead else ()
        self._decoded: Latest[np.ndarray] = Latest(
            kept, lambda block: block.nbytes, failures=True
        )

    def __getitem__(self, index: int) -> np.ndarray:
        place = self._place(range(len(self))[index])
        try:
            return self._cut(self._block(place, self._blocks), place, self._blocks)
        except Exception:  # noqa: BLE001 - a damaged chunk: the others of the block may be good
            pass
        try:
            return self._cut(self._block(place, self._chunks), place, self._chunks)
        except Exception as error:  # noqa: BLE001 - codecs may raise anything
            at, found = self._damaged(place, error)
            raise PatchError(
                f"The chunk {self._called(at)} of {self._name} cannot be decoded "
                f"({words(found)}); copy or save it again."
            ) from None

    def _place(self, index: int) -> tuple[int, ...]:
        return tuple(map(int, np.unravel_index(index, self._counts))) if self._lead else ()

    def _block(self, place: tuple[int, ...], blocks: tuple[int, ...]) -> np.ndarray:
        """Return the decoded block that holds a place."""
        first = tuple(p // b * b for p, b in zip(place, blocks, strict=True))
        return self._decoded.get((*first, *blocks), lambda: self._read(first, blocks))

    def _read(self, first: tuple[int, ...], blocks: tuple[int, ...]) -> np.ndarray:
        key = [slice(None)] * len(self._axes)
        for axis, start, length in zip(self._lead, first, blocks, strict=True):
            key[axis] = slice(start, start + length)
        block = as_pixels(np.asarray(self._array[tuple(key)]))
        return np.ascontiguousarray(arrange(block, self._axes), self.dtype)

    def _cut(
        self, block: np.ndarray, place: tuple[int, ...], blocks: tuple[int, ...]
    ) -> np.ndarray:
        if not self._lead:
            return block[0]
        inside = [p % b for p, b in zip(place, blocks, strict=True)]
        firsts = [p - i for p, i in zip(place, inside, strict=True)]
        shape = [min(b, n - f) for b, n, f in zip(blocks, self._counts, firsts, strict=True)]
        return block[int(np.ravel_multi_index(inside, shape))].copy()

    def _called(self, at: tuple[int, ...]) -> str:
        """What people call the chunk at a place of the grid of chunks."""
        return " x ".join(map(str, at))

    def _damaged(
        self, place: tuple[int, ...], error: Exception
    ) -> tuple[tuple[int, ...], Exception]:
        """Find which chunk of an image it is, by trying each; return its place and why."""
        chunks, shape = self._array.chunks, self._array.shape
        ranges = [range(math.ceil(n / c)) for n, c in zip(shape, chunks, strict=True)]
        for axis, p in zip(self._lead, place, strict=True):
            ranges[axis] = range(p // chunks[axis], p // chunks[axis] + 1)
        at: tuple[int, ...] = tuple(r[0] for r in ranges)
        for at in itertools.product(*ranges):
            try:
                self._array[
                    tuple(slice(k * c, (k + 1) * c) for k, c in zip(at, chunks, strict=True))
                ]
            except Exception as found:  # noqa: BLE001 - codecs may raise anything
                error = found
                break
        return at, error
