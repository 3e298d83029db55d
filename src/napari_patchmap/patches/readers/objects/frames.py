"""Planes out of which boxes are cut: of an array, or of one file each."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches.axes import (
    arrange,
    channel_axis,
    check_axes,
    extents,
    lead_axes,
    looks_like_channels,
)
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import as_pixels, pixel_type

#: Decoded planes that are kept, and the largest of them in bytes.
_KEPT, _LARGEST = 4, 2**29


class Frames(ABC):
    """Planes of one pixel type and channel count.

    Safe to be read from several threads at once.

    Attributes
    ----------
    shapes : list of (height, width)
        Of each plane in pixels.
    dtype : numpy.dtype
        In the machine's own byte order.
    channels : int
    slow : bool
        Whether pixels have to be fetched or decoded.
    """

    shapes: list[tuple[int, int]]
    dtype: np.dtype
    channels: int
    slow: bool

    def __len__(self) -> int:
        return len(self.shapes)

    @abstractmethod
    def cut(self, frame: int, rows: slice, columns: slice) -> np.ndarray:
        """Return a box of a plane as ``(height, width, channel)``."""

    def plane(self, frame: int) -> np.ndarray:
        """Return the first channel of a whole plane, ``(height, width)``."""
        return self.cut(frame, slice(None), slice(None))[..., 0]


class ArrayFrames(Frames):
    """Planes of a NumPy, Dask or Zarr array.

    One letter an axis: Y, X, C or S (channels), any other numbers planes. Of the channels the
    first ``channels`` are kept.
    """

    def __init__(self, array: Any, axes: str, name: str, channels: int | None = None) -> None:
        if np.dtype(array.dtype).kind not in "buif":
            raise PatchError(
                f"{name} holds values of type {array.dtype}, not pixels; choose an image of "
                "whole or floating-point numbers."
            )
        self._array, self._axes = array, axes
        self._letter = channel_axis(axes)
        self._lead = [axes[place] for place in lead_axes(axes)]
        self._lengths = [array.shape[place] for place in lead_axes(axes)]
        count, height, width, known = extents(array.shape, axes)
        self.channels, self.shapes = channels or known, [(height, width)] * count
        self.dtype = pixel_type(array.dtype)
        # A Labels layer's own array may be anything that NumPy can index.
        self.slow = not isinstance(array, np.ndarray)
        self._whole = height * width * self.channels * self.dtype.itemsize <= _LARGEST
        self._planes: Latest[np.ndarray] = Latest(_KEPT)

    def cut(self, frame: int, rows: slice, columns: slice) -> np.ndarray:
        """Return a box of a plane as ``(height, width, channel)``."""
        if self.slow and self._whole:
            every = slice(None)
            plane = self._planes.get(frame, lambda: self._read(frame, every, every))
            return plane[rows, columns]
        return self._read(frame, rows, columns)

    def _read(self, frame: int, rows: slice, columns: slice) -> np.ndarray:
        at = np.unravel_index(frame, self._lengths) if self._lead else ()
        where: dict[str, Any] = {"Y": rows, "X": columns}
        where |= dict(zip(self._lead, map(int, at), strict=True))
        if self._letter:
            where[self._letter] = slice(0, self.channels)
        box = np.asarray(self._array[tuple(where[letter] for letter in self._axes)])
        left = "".join(letter for letter in self._axes if letter not in self._lead)
        return as_pixels(arrange(box, left)[0]).astype(self.dtype, copy=False)


class FileFrames(Frames):
    """Planes each decoded from a file of its own when a box of it is wanted.

    ``read`` returns plane ``i`` as ``(height, width, channel)``.
    """

    def __init__(
        self,
        read: Callable[[int], np.ndarray],
        shapes: Sequence[tuple[int, int]],
        dtype: np.dtype,
        channels: int,
    ) -> None:
        self.shapes, self.dtype, self.channels = list(shapes), dtype, channels
        self.slow = True
        self._read, self._planes = read, Latest[np.ndarray](_KEPT)

    def cut(self, frame: int, rows: slice, columns: slice) -> np.ndarray:
        """Return a box of a plane as ``(height, width, channel)``."""
        return self._planes.get(frame, lambda: self._read(frame))[rows, columns]


def match_axes(
    image: Any, labels: Any, axes: str, rgb: bool | None, name: str, labels_name: str
) -> str:
    """Say what the axes of an image are, given labels ``(T,) Y, X`` of the same place.

    Raises
    ------
    UnclearAxesError
        If they are given and cannot be.
    PatchError
        If the shapes do not match.
    """
    shape, wanted = tuple(image.shape), tuple(labels.shape)
    if axes != "auto":
        letters = check_axes(axes, len(shape), name)
        check_depth(letters, name)
        if extents(shape, letters)[:3] == (math.prod(wanted[:-2]), *wanted[-2:]):
            return letters
        raise PatchError(_explain_shapes(shape, wanted, name, labels_name))
    letters = "YX" if len(wanted) == 2 else "TYX"
    if rgb and shape[:-1] == wanted:
        return letters + "S"
    if not rgb and shape == wanted:
        return letters
    # Axes of length 1 are in nobody's way.
    for axis in range(len(shape)):
        others = shape[:axis] + shape[axis + 1 :]
        if others != wanted or (rgb and axis < len(shape) - 1):
            continue
        if shape[axis] == 1 or looks_like_channels(shape[axis], wanted[-2:]):
            last = axis == len(shape) - 1 and rgb is None and shape[axis] in (3, 4)
            return letters[:axis] + ("S" if last else "C") + letters[axis:]
    raise PatchError(_explain_shapes(shape, wanted, name, labels_name))


def check_depth(axes: str, name: str) -> None:
    """Say so if an image is a volume.

    Raises
    ------
    UnclearAxesError
        Because saying that its planes are frames helps.
    """
    if "Z" in axes:
        raise UnclearAxesError(
            f"{name} is a 3-D volume (axes {axes}), and objects are cut out of planes; save "
            f"one plane or a projection, or set axes to {axes.replace('Z', 'T')} to take every "
            "plane alone.",
            [axes.replace("Z", "T")],
        )


def _explain_shapes(
    shape: tuple[int, ...], wanted: tuple[int, ...], name: str, labels_name: str
) -> str:
    have, need = " x ".join(map(str, shape)), " x ".join(map(str, wanted))
    return (
        f"The labels {labels_name} ({need}) do not match the image {name} ({have}); choose "
        "labels that were made from this image, of the same height and width."
    )
