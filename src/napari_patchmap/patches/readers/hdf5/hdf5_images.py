"""Images in an array of an HDF5 file, read when they are wanted."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.patches.axes import lead_axes
from napari_patchmap.patches.images import Images
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.chunked import ChunkedImages
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.safe_hdf5 import check_stored, open_hdf5


class _Stored:
    """An array that keeps its file open for as long as it is wanted itself."""

    def __init__(self, path: Path, name: str, axes: str) -> None:
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


def hdf5_images(path: Path, array: Any, axes: str) -> Images:
    """Return the images of an array of a file, none of which is read yet.

    Parameters
    ----------
    path : Path
    array : h5py.Dataset
        It may be closed afterwards.
    axes : str
        One letter an axis.

    Raises
    ------
    PatchError
        If its values lie in another file, or need a decoder that is not part of HDF5.
    """
    check_stored(array)
    offset = array.id.get_offset()
    plain = array.dtype.kind in "uif" and array.chunks is None and not array.file.userblock_size
    if plain and offset is not None:  # in one piece, as in a .npy file
        return FlatImages(RandomFile(path), offset, array.dtype, array.shape, axes)
    return ChunkedImages(_Stored(path, array.name, axes), axes, f"{array.name} in {path}")
