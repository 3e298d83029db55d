"""NumPy files, and the heads of arrays in them and in .npz files."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from napari_patchmap.errors import PatchError, SingleImageError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import check_extent, single_axes
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.random_file import RandomFile
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.flat import FlatImages
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

#: How Cellpose ends the name of the file in which it keeps all of its results.
CELLPOSE = "_seg.npy"


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open a NumPy file; its pixels are read when they are used.

    Of a file that is cut off, the patches that it holds as a whole are used.

    Raises
    ------
    PatchError
        If the file is damaged or would run code, or its axes are ambiguous.
    """
    path = Path(request.path)
    with decoding(path, "is not a complete NumPy file", "copy or save it again"):
        try:
            with path.open("rb") as stream:
                head = read_head(stream)
        except NotNumpyError:
            raise PatchError(f"{path} is not a NumPy file; copy or save it again.") from None
        file = RandomFile(path)
        if head.dtype.hasobject:
            raise refuse_objects(path, "save the patches as one plain array of numbers")
        check_numbers(head.dtype, math.prod(head.shape))
        if request.axes == "auto" and single_axes(head.shape):
            raise SingleImageError(
                f"{path} is one single image ({' x '.join(map(str, head.shape))}); give a "
                "stack of many patches, or a folder with one file a patch; or have patches cut "
                "out of it, around the objects of its label image (--objects).",
                ("objects",),
            )
        letters = plain_axes(head.shape, path.name, request.axes)
        check_extent(head.shape, letters)
        images = FlatImages(
            file, head.offset, head.dtype, head.shape, letters, fortran=head.fortran
        )
    whole = images.complete()
    if not whole.any():
        raise PatchError(
            f"{path} is not a complete NumPy file (no patch is whole); copy or save it again."
        )
    lost = np.flatnonzero(~whole).tolist()
    seen = images.picked(np.flatnonzero(whole)) if lost else images
    source = described(images, letters, path.name, watch, sample=seen)
    if lost:
        source.leave_out(dict.fromkeys(lost, "is cut off"))
        source.notes.append(
            f"{path.name} is cut off: {len(lost):,} of its {len(whole):,} patches were skipped."
        )
    if images.sequential:
        source.fingerprint = fingerprint("npy", [(path.name, path)], axes=letters)
    return source


# -- what an array is, without its values ------------------------------------------


class NotNumpyError(ValueError):
    """What is read does not begin as a NumPy array does."""


@dataclass(frozen=True)
class Head:
    """What an array is, and how many bytes after the file's beginning its values begin."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype
    offset: int

    @property
    def nbytes(self) -> int:
        """Bytes of the values."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_head(stream: IO[bytes]) -> Head:
    """Read the head; the stream then stands at the first value.

    Raises
    ------
    NotNumpyError
        If it is no array.
    ValueError, EOFError, and others that NumPy's parser raises
        If the head is damaged.
    """
    # NumPy's read_magic speaks of magic strings.
    start = stream.read(npy.MAGIC_LEN)
    if not start.startswith(npy.MAGIC_PREFIX):
        raise NotNumpyError("is not a NumPy array")
    if len(start) < npy.MAGIC_LEN:
        raise EOFError("it ends in its head")
    if start[-2] == 1:
        shape, fortran, dtype = npy.read_array_header_1_0(stream)
    elif start[-2] == 2:
        shape, fortran, dtype = npy.read_array_header_2_0(stream)
    else:
        # Version 3 is written for fields with names, which are no pixels.
        raise ValueError("it holds a table, not pixels")
    if any(length < 0 for length in shape):
        raise ValueError("an axis has a negative length")
    return Head(shape, fortran, dtype, stream.tell())


def refuse_objects(path: Path, use: str) -> PatchError:
    """Say that an array of Python objects is not loaded, and what else to save: ``use``."""
    if path.name.lower().endswith(CELLPOSE):
        return PatchError(
            f"{path} is Cellpose's file of masks, not an image; open the image it belongs to, "
            "and give this file as its objects (--objects)."
        )
    return PatchError(
        f"{path} holds Python objects, which are not loaded because they can run code; {use}."
    )
