"""HDF5 files: arrays of images with columns beside them, or cells as scPortrait keeps them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import PatchmapError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.anndata_file import H5AD, is_anndata
from napari_patchmap.patches.anndata_nodes import Hdf5Nodes
from napari_patchmap.patches.readers.array_columns import (
    MOST_NAMES,
    Unread,
    add_columns,
    images_key,
    is_column,
)
from napari_patchmap.patches.readers.cell_images import has_images, read_cells
from napari_patchmap.patches.readers.hdf5.array_source import array_source
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.safe_hdf5 import arrays_in, open_hdf5, values_of
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

_WRONG, _REMEDY = "is not an HDF5 file that can be read", "copy or save it again"

#: Where images are called x, their labels are y, in the same file or in one beside it.
_X, _Y = ("x", "X"), ("y", "Y")


class _Shaped(NamedTuple):
    """The shape of an array without axes of length 1 at its end."""

    shape: tuple[int, ...]


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a file may hold images: of AnnData, whether it has some of its cells."""
    if not path.name.lower().endswith(H5AD):
        return path.is_file()
    try:
        with open_hdf5(path) as file:
            return has_images(Hdf5Nodes(file))
    except (PatchmapError, OSError):  # who reads it says what is wrong
        return False


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the images of an HDF5 file; pixels are read when they are used.

    Images are the array ``request.key``, ``images``, or the only one with three axes or more;
    arrays in the same group with one value a patch become columns. Where the images are
    ``x``, the labels are ``y``, in the same file or, as PCam has it, in ``NAME_y.h5`` beside
    ``NAME_x.h5``. Of AnnData, see :func:`read_cells`.

    Raises
    ------
    MissingPackageError
        Without h5py.
    PatchError
        If the file is damaged, leads to other files, needs a decoder that is not part of
        HDF5, or its arrays do not fit.
    UnclearArrayError
        If it does not say which array holds the images.
    """
    path = Path(request.path)
    with decoding(path, _WRONG, _REMEDY), open_hdf5(path) as file:
        return _read(file, path, request, watch)


def _read(file: Any, path: Path, request: OpenRequest, watch: Watch) -> Source:
    if is_anndata(file):
        return read_cells(
            Hdf5Nodes(file), path, request,
            lambda array, how: array_source(array, path, how, watch), watch,
        )  # fmt: skip
    arrays = arrays_in(file)
    shapes = {key: _Shaped(_plain(array.shape)) for key, array in arrays.items()}
    key = images_key(shapes, path, request.key)
    source = array_source(arrays.pop(key), path, request, watch)
    group, _, name = key.rpartition("/")
    inside = f"{group}/" if group else ""
    beside = {
        other.removeprefix(inside): array
        for other, array in arrays.items()
        if other.startswith(inside) and "/" not in other.removeprefix(inside)
    }
    if name in _X:
        for label in _Y:
            if label in beside:
                beside["label"] = beside.pop(label)
    columns = _columns(beside, len(source.table), watch)
    class_names = columns.pop("class_names", None)
    if "label" not in columns and "labels" not in columns:
        columns |= _labels_beside(path, source)
    known = None if class_names is None or isinstance(class_names, Unread) else class_names
    add_columns(source, columns, known, str(path), "hdf5")
    return source


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Leave out axes of length 1 behind the first, where there is nothing else behind it."""
    return shape[:1] if math.prod(shape[1:]) == 1 else shape


def _columns(
    arrays: dict[str, Any], count: int, watch: Watch
) -> dict[str, np.ndarray | Unread]:
    """Read the arrays that may be columns; the others are kept by their shape alone."""
    found: dict[str, np.ndarray | Unread] = {}
    for key, array in arrays.items():
        watch.step(0, 0)
        shape, size = _plain(array.shape), array.dtype.itemsize
        names = (
            key == "class_names" and array.ndim == 1 and math.prod(shape) * size < MOST_NAMES
        )
        readable = array.dtype.kind in "buifSO"
        if readable and (names or is_column(key, shape, size, count)):
            found[key] = values_of(array).reshape(shape)
        else:
            found[key] = Unread(shape)
    return found


def _labels_beside(path: Path, source: Source) -> dict[str, np.ndarray | Unread]:
    """Read the labels of ``NAME_x.h5`` from ``NAME_y.h5``, if there is such a file."""
    before, mark = path.stem[:-1], path.stem[-1:]
    if mark not in _X or before[-1:] not in ("", "_", "-"):
        return {}
    labels = path.with_name(before + _Y[_X.index(mark)] + path.suffix)
    if not labels.is_file():
        source.notes.append(
            f"There is no {labels.name} beside {path.name}, which would hold its labels."
        )
        return {}
    with decoding(labels, _WRONG, _REMEDY), open_hdf5(labels) as file:
        arrays = arrays_in(file)
        found = next((key for key in (*_Y, *arrays) if key in arrays), None)
        if found is None or len(shape := _plain(arrays[found].shape)) != 1:
            return {}
        source.notes.append(f"The labels are those of {labels.name}.")
        return {"label": values_of(arrays[found]).reshape(shape)}
