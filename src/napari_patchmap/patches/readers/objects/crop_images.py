"""Squares around objects, cut out of their image when they are wanted."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from napari_patchmap.patches.images import ArrayImages, Images
from napari_patchmap.patches.readers.objects.frames import Frames
from napari_patchmap.patches.watch import Watch

#: Crops of an image that is slow to read are cut at once if they take fewer bytes than this.
_AT_ONCE = 2**30

#: Crops cut between two reports of progress.
_CHUNK = 256

#: What pixels of a crop are, beside the background (0): its object, or another one.
OWN, OTHER = 1, 2

#: Says of the pixels of a crop: background (0), the object (1) or another one (2).
Classes = Callable[[int, slice, slice], np.ndarray]


class CropImages(Images):
    """Squares cut out of frames when they are wanted.

    ``table`` has ``plane``, ``y``, ``x`` (which may be negative), ``height`` and ``width``.
    With ``classes``, by which objects are told apart, other objects are painted over; with
    ``alone`` everything but the object.
    """

    def __init__(
        self, pixels: Frames, table: pd.DataFrame, classes: Classes | None, alone: bool
    ) -> None:
        self._pixels, self._classes, self._alone = pixels, classes, alone
        self._plane = table["plane"].to_numpy(copy=True)
        self._corners = table[["y", "x"]].to_numpy(np.int64, copy=True)
        self.dtype, self.channels = pixels.dtype, pixels.channels
        self.sizes = table[["height", "width"]].to_numpy(np.int64, copy=True)

    def __getitem__(self, index: int) -> np.ndarray:
        plane, (y, x), (height, width) = (
            int(self._plane[index]),
            self._corners[index].tolist(),
            self.sizes[index].tolist(),
        )
        rows, columns = _inside(y, x, height, width, self._pixels.shapes[plane])
        crop = self._pixels.cut(plane, rows, columns)
        kinds = None if self._classes is None else self._classes(index, rows, columns)
        whole = crop.shape[:2] == (height, width)
        if whole and kinds is None:
            return crop
        colour = background_colour(crop, kinds)
        if kinds is not None:
            hidden = kinds != OWN if self._alone else kinds == OTHER
            if hidden.any():
                crop = crop.copy()
                crop[hidden] = colour
        if whole:
            return crop
        out = np.empty((height, width, self.channels), self.dtype)
        out[:] = colour
        top, left = rows.start - y, columns.start - x
        out[top : top + crop.shape[0], left : left + crop.shape[1]] = crop
        return out


def background_colour(crop: np.ndarray, kinds: np.ndarray | None) -> np.ndarray:
    """Median of the background of a crop; of its border where nothing is known of it."""
    pixels = crop[kinds == 0] if kinds is not None else crop[:0, 0]
    if not len(pixels):
        sides = (crop[0], crop[-1], crop[:, 0], crop[:, -1])
        pixels = np.concatenate(sides)
    middle = np.median(pixels, axis=0)
    return (middle if crop.dtype.kind == "f" else np.rint(middle)).astype(crop.dtype)


class LazyClasses:
    """Looks up the kinds of pixels in the label images."""

    def __init__(self, planes: Frames, table: pd.DataFrame) -> None:
        self._planes = planes
        self._plane, self._ids = table["plane"].to_numpy(), table["label_id"].to_numpy()

    def __call__(self, index: int, rows: slice, columns: slice) -> np.ndarray:
        ids = self._planes.cut(int(self._plane[index]), rows, columns)[..., 0]
        kinds = np.where(ids > 0, np.uint8(OTHER), np.uint8(0))
        kinds[ids == self._ids[index]] = OWN
        return kinds


class Snapshot:
    """Keeps the kinds of pixels, packed, so that painting later changes nothing."""

    def __init__(
        self, classes: Classes, table: pd.DataFrame, shapes: np.ndarray, watch: Watch
    ) -> None:
        self._packed = []
        boxes = table[["y", "x", "height", "width", "plane"]].to_numpy(np.int64).tolist()
        for index, (y, x, height, width, plane) in enumerate(boxes):
            rows, columns = _inside(y, x, height, width, shapes[plane])
            self._packed.append(zlib.compress(classes(index, rows, columns).tobytes(), 1))
            if index % _CHUNK == 0:
                watch.step(index, len(boxes))

    def __call__(self, index: int, rows: slice, columns: slice) -> np.ndarray:
        shape = rows.stop - rows.start, columns.stop - columns.start
        flat = np.frombuffer(zlib.decompress(self._packed[index]), np.uint8)
        return flat.reshape(shape)


def at_once(crops: Images, watch: Watch) -> Images:
    """Cut all crops now, frame after frame, unless they would fill the memory."""
    if crops.nbytes > _AT_ONCE:
        return crops
    height, width = crops.sizes[0].tolist()
    out = np.empty((len(crops), height, width, crops.channels), crops.dtype)
    for index in range(len(crops)):
        out[index] = crops[index]
        if index % _CHUNK == 0:
            watch.step(index, len(crops))
    return ArrayImages(out)


def _inside(
    y: int, x: int, height: int, width: int, shape: Sequence[int] | np.ndarray
) -> tuple[slice, slice]:
    """Return the rows and columns of a crop that lie in the image."""
    return (
        slice(max(0, y), min(int(shape[0]), y + height)),
        slice(max(0, x), min(int(shape[1]), x + width)),
    )
