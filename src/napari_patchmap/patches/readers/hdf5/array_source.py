"""The images of one array of an HDF5 file, with a table that says where each is."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.patches.axes import check_axes, check_extent, lead_axes, settle_axes
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.chunked import ChunkedImages
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.readers.hdf5.hdf5_axes import said_axes, said_channels
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.safe_hdf5 import check_stored, open_hdf5
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


def array_source(array: Any, path: Path, request: OpenRequest, watch: Watch) -> Source:
    """Open the images of one array, with a table of where each is and nothing else.

    Raises
    ------
    PatchError
        If it holds no pixels, or its values lie in another file.
    UnclearAxesError
        If its axes are ambiguous, or not those that were given.
    """
    check_numbers(np.dtype(array.dtype), math.prod(array.shape))
    letters, notes = said_axes(array), list[str]()
    if request.axes != "auto":
        letters = check_axes(request.axes, array.ndim, str(path))
    elif letters is None:
        letters = plain_axes(array.shape, str(path), "auto")
    else:
        letters, notes = settle_axes(letters, array.shape, volume=True)
    check_extent(array.shape, letters)
    images = _images(path, array, letters)
    source = described(images, letters, path.name, watch)
    names = said_channels(array)
    if len(names) == images.channels == len(set(names)):
        source.channel_names = tuple(names)
    source.notes = notes + source.notes
    if isinstance(images, ChunkedImages) or images.sequential:
        source.fingerprint = fingerprint(
            "hdf5", [(path.name, path)], axes=letters, array=array.name
        )
    return source


class StoredArray:
    """An array that keeps its file open for as long as it is wanted itself.

    Parameters
    ----------
    path : Path
    name : str
        Of the array in the file.
    axes : str, optional
        One letter an axis, where it is to say what is well read at once.

    Raises
    ------
    PatchError
        If its values lie in another file, or need a decoder that is not part of HDF5.
    """

    def __init__(self, path: Path, name: str, axes: str = "") -> None:
        self._file = open_hdf5(path)
        array = self._array = self._file[name]
        check_stored(array)
        self.shape, self.dtype = array.shape, np.dtype(array.dtype)
        lead = lead_axes(axes)
        # What is not in chunks is read one image at a time, or several.
        whole = tuple(1 if i in lead else n for i, n in enumerate(array.shape))
        self.chunks = array.chunks or whole
        self._lock = threading.Lock()

    def __getitem__(self, key: Any) -> np.ndarray:
        with self._lock:
            return np.asarray(self._array[key])

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            self._file.close()


def _images(path: Path, array: Any, axes: str) -> Images:
    """Return the images of an array, which may be closed afterwards; none is read yet."""
    check_stored(array)
    offset = array.id.get_offset()
    plain = array.dtype.kind in "uif" and array.chunks is None and not array.file.userblock_size
    if plain and offset is not None:  # in one piece, as in a .npy file
        return FlatImages(RandomFile(path), offset, array.dtype, array.shape, axes)
    return ChunkedImages(StoredArray(path, array.name, axes), axes, f"{array.name} in {path}")
