"""The images of one array of an HDF5 file, with a table that says where each is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.patches.axes import check_axes, check_extent, settle_axes
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.chunked import ChunkedImages
from napari_patchmap.patches.readers.hdf5.hdf5_axes import said_axes, said_channels
from napari_patchmap.patches.readers.hdf5.hdf5_images import hdf5_images
from napari_patchmap.patches.request import OpenRequest
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
    images = hdf5_images(path, array, letters)
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
