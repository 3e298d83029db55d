"""Images that lie uncompressed in one piece of a file: .npy, plain TIFF, stored .npz."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import channel_axis, lead_axes
from napari_patchmap.patches.images import Images, same_sizes
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import as_pixels, pixel_type
from napari_patchmap.patches.random_file import RandomFile

#: Bytes are read in one go if at least this share of them is wanted.
_DENSE = 0.5

#: More pieces than this an image are slow to gather one image at a time.
_PIECES = 64

#: A file that is cut off is used for what it holds, but not if it lacks all but one in so
#: many bytes.
_LACKING = 1000

#: Bytes of such images that are read together and kept.
_WINDOW = 2**26

#: Bytes of a sample that are read at a time.
_SOME = 2**22


class FlatImages(Images):
    """Images of one size at regular places of a file, read when they are wanted.

    ``shape`` and ``axes`` are those of the array that begins at ``offset`` (bytes), ``dtype``
    its type there, of either byte order; ``fortran`` says that its first axis runs fastest.

    Raises
    ------
    UnusableError
        If the file holds next to nothing of this.
    """

    def __init__(
        self,
        file: RandomFile,
        offset: int,
        dtype: np.dtype,
        shape: tuple[int, ...],
        axes: str,
        *,
        fortran: bool = False,
    ) -> None:
        self._file = file
        dtype = np.dtype(dtype)
        claimed = offset + math.prod(shape) * dtype.itemsize
        if claimed > _LACKING * file.size:  # lists as long as the claim would follow
            raise UnusableError(
                f"claims {claimed:,} bytes and holds {file.size:,}",
                "copy or save it again",
            )
        self._stored, self._offset = dtype, offset
        self.dtype = pixel_type(dtype)
        places = list(zip(shape, _strides(shape, dtype.itemsize, fortran), strict=True))
        channel = channel_axis(axes)
        self._lead = _merged([places[i] for i in lead_axes(axes)])
        inner = [places[axes.index("Y")], places[axes.index("X")]]
        inner.append((1, dtype.itemsize) if channel is None else places[axes.index(channel)])
        self._shape = tuple(length for length, _ in inner)
        self._strides = tuple(stride for _, stride in inner)
        count = int(np.prod([length for length, _ in self._lead]))
        self._rows: np.ndarray = np.arange(count)
        self._describe()

    def _describe(self) -> None:
        height, width, self.channels = self._shape
        self.sizes = same_sizes(len(self._rows), height, width)
        self._span = _span(self._shape, self._strides, self._stored.itemsize)
        wanted = int(np.prod(self._shape)) * self._stored.itemsize
        self._dense = wanted >= _DENSE * self._span
        # Images that lie in many pieces among each other are read many at a time.
        _, outer = _block(self._shape, self._strides, self._stored.itemsize)
        self.sequential = math.prod(self._shape[i] for i in outer) > _PIECES
        self._some = max(1, _WINDOW // wanted)
        self._window: Latest[np.ndarray] = Latest(1)
        for known in ("size_counts", "uniform"):  # of the images that this is a part of
            self.__dict__.pop(known, None)

    def complete(self) -> np.ndarray:
        """Say which images lie in the file as a whole, ``(n,)`` bool."""
        return self._starts(self._rows) + self._span <= self._file.size

    # -- reading ---------------------------------------------------------------

    def __getitem__(self, index: int) -> np.ndarray:
        if not self.sequential:
            return self.take([index])[0]
        index = range(len(self))[index]
        block, within = divmod(index, self._some)
        return self._window.get(block, lambda: self._read_together(block))[within].copy()

    def take(self, indices: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return some images as ``(n, height, width, channel)``."""
        rows = self._rows[np.asarray(indices, np.intp).reshape(-1)]
        found = self._take_dense(rows) if self._dense else self._take_pieces(rows)
        return np.ascontiguousarray(as_pixels(found), self.dtype)

    def _read_together(self, block: int) -> np.ndarray:
        first = block * self._some
        return self.take(np.arange(first, min(first + self._some, len(self))))

    def _take_dense(self, rows: np.ndarray) -> np.ndarray:
        raw = np.empty((len(rows), self._span), np.uint8)
        self._file.read_rows(raw, self._starts(rows))
        shape, strides = (len(rows), *self._shape), (self._span, *self._strides)
        return np.ndarray(shape, self._stored, raw.data, strides=strides)

    def _take_pieces(self, rows: np.ndarray) -> np.ndarray:
        """Read images that lie among each other: rows that follow are read together."""
        wanted, where = np.unique(rows, return_inverse=True)
        found = np.empty((len(wanted), *self._shape), self._stored.newbyteorder("="))
        length, stride = self._lead[-1]
        last = (np.diff(wanted) > 1) | (wanted[1:] % length == 0)
        ends = [0, *(np.flatnonzero(last) + 1).tolist(), len(wanted)]
        starts = self._starts(wanted).tolist()
        for begin, end in pairwise(ends):
            if begin < end:
                self._read_block(found[begin:end], starts[begin], (stride, *self._strides))
        return found[where.reshape(-1)]

    def _read_block(self, out: np.ndarray, start: int, strides: tuple[int, ...]) -> None:
        inner, outer = _block(out.shape, strides, self._stored.itemsize)
        shape = tuple(out.shape[i] if i in inner else 1 for i in range(out.ndim))
        raw = np.empty(_span(shape, strides, self._stored.itemsize), np.uint8)
        for place in np.ndindex(*[out.shape[i] for i in outer]):
            at = dict(zip(outer, place, strict=True))
            jump = sum(strides[axis] * k for axis, k in at.items())
            self._file.read_into(raw.data, start + jump)
            key = tuple(
                slice(at[i], at[i] + 1) if i in at else slice(None) for i in range(out.ndim)
            )
            out[key] = np.ndarray(shape, self._stored, raw.data, strides=strides)

    def _starts(self, rows: np.ndarray) -> np.ndarray:
        """Where these images begin in the file, in bytes."""
        starts = np.full(len(rows), self._offset, np.int64)
        rest = rows
        for length, stride in reversed(self._lead):
            rest, place = np.divmod(rest, length)
            starts += place * stride
        return starts

    # -- parts -----------------------------------------------------------------

    def picked(self, indices: np.ndarray) -> Images:
        """Return the images with these indices, in this order; nothing is read."""
        part = copy.copy(self)
        part._rows = self._rows[np.asarray(indices, np.intp)]
        part._describe()
        return part

    def with_channels(self, channels: Sequence[int]) -> Images:
        """Return the images with these channels only, in this order; nothing is read."""
        channels = list(channels)
        steps = set(np.diff(channels).tolist()) or {1}
        if len(steps) > 1 or min(steps) < 1:
            return super().with_channels(channels)
        part, stride = copy.copy(self), self._strides[2]
        part._offset = self._offset + channels[0] * stride
        part._shape = (*self._shape[:2], len(channels))
        part._strides = (*self._strides[:2], stride * steps.pop())
        part._describe()
        return part


def _strides(shape: tuple[int, ...], itemsize: int, fortran: bool) -> list[int]:
    lengths = shape if fortran else shape[::-1]
    strides = [itemsize]
    for length in lengths[:-1]:
        strides.append(strides[-1] * length)
    return strides if fortran else strides[::-1]


def _merged(places: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join (length, stride) of axes that are counted through as one."""
    merged: list[tuple[int, int]] = []
    for length, stride in places or [(1, 0)]:
        if merged and merged[-1][1] == length * stride:
            merged[-1] = (merged[-1][0] * length, stride)
        else:
            merged.append((length, stride))
    return merged


def _span(shape: Sequence[int], strides: Sequence[int], itemsize: int) -> int:
    return sum((a - 1) * b for a, b in zip(shape, strides, strict=True)) + itemsize


def _block(
    shape: Sequence[int], strides: Sequence[int], itemsize: int
) -> tuple[list[int], list[int]]:
    """Split axes into those that lie close together and those to loop over."""
    inner: list[int] = []
    outer: list[int] = []
    span = wanted = itemsize
    for axis in sorted(range(len(shape)), key=lambda i: (strides[i], i)):
        grown = span + (shape[axis] - 1) * strides[axis]
        if not outer and wanted * shape[axis] >= _DENSE * grown:
            inner.append(axis)
            span, wanted = grown, wanted * shape[axis]
        elif shape[axis] > 1:
            outer.append(axis)
    return inner, sorted(outer)


def sampled(images: Images, most: int) -> Iterator[np.ndarray]:
    """Read at most ``most`` images of one size, spread evenly, some at a time."""
    which = np.arange(0, len(images), max(1, len(images) // most))
    size = int(np.prod(images.sizes[0])) * images.channels * images.dtype.itemsize
    some = max(1, _SOME // size)
    for start in range(0, len(which), some):
        yield images.take(which[start : start + some])
