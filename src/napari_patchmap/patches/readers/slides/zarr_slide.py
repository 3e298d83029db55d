"""Slides in OME-Zarr: one image with its smaller copies, in a folder or a zip file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.axes import (
    RGB,
    arrange,
    channel_axis,
    default_names,
    extents,
    lead_axes,
)
from napari_patchmap.patches.latest import Latest
from napari_patchmap.patches.numbers import as_pixels, check_numbers, pixel_type
from napari_patchmap.patches.readers.slides.levels import whole_ratio
from napari_patchmap.patches.readers.slides.metadata import objective
from napari_patchmap.patches.readers.slides.pyramid import Level, Pyramid
from napari_patchmap.patches.readers.slides.stored_blocks import Blocks
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles
from napari_patchmap.patches.readers.zarr.zarr_find import ome
from napari_patchmap.patches.safe_zarr.open_zarr import open_store
from napari_patchmap.patches.safe_zarr.zarr_codecs import check_array
from napari_patchmap.patches.safe_zarr.zip_files import split_zip

#: Channels that are the colours of a bright-field slide, in small letters.
_COLOURS = (("red", "green", "blue"), ("r", "g", "b"))


class ZarrSlide(Pyramid):
    """An OME-Zarr image, whose chunks are decoded when they are wanted.

    Opening it reads what it says of itself, and no array.

    Parameters
    ----------
    path : path
        Of a folder or zip file; a field of a plate is one, too.
    image : Multiscale, optional
        Where its levels lie, if the store does not say so itself.

    Raises
    ------
    UnusableError
        If it is no OME-Zarr image, holds several, or is a volume or a time series.
    """

    def __init__(self, path: str | os.PathLike[str], image: Multiscale | None = None) -> None:
        self.path = Path(path)
        self._store = StoreFiles(self.path)
        image = image or _image(self._store)
        self._letters = image.letters
        shape = image.levels[0].shape
        check_numbers(image.dtype, int(np.prod(shape)))
        for at in lead_axes(image.letters):
            if shape[at] > 1:
                raise UnusableError(
                    f"holds {shape[at]} images along {image.letters[at]}, so it is a stack and "
                    "not a slide",
                    "open it without settings for tiles, or save one of its planes",
                )
        sizes = [extents(level.shape, image.letters)[1:3] for level in image.levels]
        order = sorted(range(len(sizes)), key=lambda i: -sizes[i][0] * sizes[i][1])
        height, width = sizes[order[0]]
        self._keys = [image.levels[i].key for i in order]
        self.levels = [
            Level(h, w, whole_ratio(height / h, width / w))
            for h, w in (sizes[i] for i in order)
        ]
        self.dtype, self.channels = pixel_type(image.dtype), extents(shape, image.letters)[3]
        self.channel_names = _names(image, self.channels, self.dtype)
        self.mpp = image.mpp
        self.magnification = None if image.mpp is None else objective(image.mpp)
        self.derived = image.mpp is not None
        self._blocks: Latest[Blocks] = Latest(len(self.levels))

    @property
    def files(self) -> list[tuple[str, Path]]:
        """What changes when the slide does, by names in it; the file itself if it is zipped."""
        zipped = split_zip(self.path)
        if zipped is not None:
            return [(zipped[0].name, zipped[0])]
        names = ("", ".zarray", "zarr.json")
        return [
            (f"{key}/{name}", self.path / key / name) for key in self._keys for name in names
        ]

    def block(self, level: int) -> tuple[int, int]:
        """Return height and width of the blocks in which a level is stored."""
        return self._stored(level).side

    def _fill(self, level: int, y: int, x: int, out: np.ndarray) -> None:
        self._stored(level).read(y, x, out)

    def _stored(self, level: int) -> Blocks:
        return self._blocks.get(level, lambda: self._opened(level))

    def _box(self, array: Any, y: int, x: int, height: int, width: int) -> np.ndarray:
        """Decode a box of all channels, ``(height, width, channel)``; less at the border."""
        where: dict[str, Any] = {"Y": slice(y, y + height), "X": slice(x, x + width)}
        channel = channel_axis(self._letters)
        if channel is not None:
            where[channel] = slice(None)
        kept = "".join(letter for letter in self._letters if letter in where)
        box = np.asarray(array[tuple(where.get(letter, 0) for letter in self._letters)])
        return np.ascontiguousarray(arrange(as_pixels(box), kept)[0], self.dtype)

    def _opened(self, level: int) -> Blocks:
        store, key = open_store(self.path), self._keys[level]
        array = store[key] if key else store  # the store is the array
        check_array(array, self.path)
        size = self.levels[level]
        if extents(array.shape, self._letters)[1:3] != (size.height, size.width):
            raise UnusableError("was changed after it was opened", "load it again")
        tall, wide = (array.chunks[self._letters.index(letter)] for letter in "YX")
        return Blocks(
            (tall, wide),
            lambda row, column: self._box(array, row * tall, column * wide, tall, wide),
        )


def holds_image(path: Path) -> bool:
    """Whether a Zarr store holds an OME-Zarr image that could be cut into tiles."""
    try:
        _image(StoreFiles(path))
    except (UnusableError, OSError):
        return False
    return True


def holds_levels(path: Path) -> bool:
    """Whether a Zarr store holds an OME-Zarr image with smaller copies of itself."""
    try:
        return len(_image(StoreFiles(path)).levels) > 1
    except (UnusableError, OSError):
        return False


def _image(files: StoreFiles) -> Multiscale:
    """Return what the one image of a store says of itself."""
    image = files.multiscale("")
    if image is not None:
        return image
    root = files.node("")
    if root is None or "bioformats2raw.layout" not in ome(root.attributes):
        raise UnusableError(
            "is a Zarr store without an OME-Zarr image, out of which tiles could be cut",
            "choose an OME-Zarr image, or leave out the settings for tiles",
        )
    image, other = files.multiscale("0"), files.multiscale("1")
    if image is None or other is not None:
        raise UnusableError(
            "holds several images", f"choose one of them, such as {files.root / '0'}"
        )
    return image


def _names(image: Multiscale, channels: int, dtype: np.dtype) -> tuple[str, ...]:
    """Name the channels; three of 8 bits without names of their own are colours."""
    named = len(image.channel_names) == channels
    coloured = dtype == np.uint8 or image.letters[-1] == "S"
    if channels == 3 and (_plain(image.channel_names) in _COLOURS if named else coloured):
        return RGB
    return image.channel_names if named else default_names(channels, np.dtype("u2"), False)


def _plain(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.casefold() for name in names)
