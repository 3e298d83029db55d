"""Zarr and OME-Zarr, formats 2 and 3, in a folder or a zip file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError, SingleImageError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.anndata_file import is_anndata, is_anndata_store
from napari_patchmap.patches.anndata_nodes import ZarrNodes
from napari_patchmap.patches.axes import (
    channel_axis,
    check_axes,
    check_extent,
    default_names,
    settle_axes,
)
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.readers.array_columns import (
    MOST_NAMES,
    Unread,
    add_columns,
    is_column,
)
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.cell_images import has_images, read_cells
from napari_patchmap.patches.readers.zarr.zarr_find import (
    WITH_OBJECTS,
    FoundArrays,
    find_array,
)
from napari_patchmap.patches.readers.zarr.zarr_images import (
    ZarrImages,
    chunk_files,
    missing_chunks,
)
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr, open_store
from napari_patchmap.patches.safe_zarr.zarr_codecs import check_array
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a Zarr store; of AnnData, whether it has images of its cells."""
    if not is_anndata_store(path):
        return is_zarr(path)
    try:
        return has_images(ZarrNodes(open_store(path), path))
    except Exception:  # noqa: BLE001 - who reads it says what is wrong
        return False


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the images of a Zarr array, of a group that holds one, of an OME-Zarr or AnnData.

    A chunk that is missing holds the fill value, as Zarr leaves such chunks out. Only where
    a store does not say which value that is are patches without all their chunks left out.

    Raises
    ------
    PatchError
        If it is no Zarr store, or does not say which array holds the images.
    UnclearAxesError
        If its axes are ambiguous, or not those that were given.
    """
    path = Path(request.path)
    with decoding(path, "is a Zarr store that cannot be read", "copy or save it again"):
        group = open_store(path)
        if not (hasattr(group, "keys") and is_anndata(group)):
            return _read(find_array(path, request.key), path, request, watch)

        def open_array(array: Any, how: OpenRequest) -> Source:
            check_array(array, path)
            return _read(FoundArrays(array), path, how, watch)

        return read_cells(ZarrNodes(group, path), path, request, open_array, watch)


def _read(found: FoundArrays, path: Path, request: OpenRequest, watch: Watch) -> Source:
    array = found.array
    check_numbers(np.dtype(array.dtype), math.prod(array.shape))
    letters, notes, named = _letters(found, request.axes, path)
    check_extent(array.shape, letters)
    images = ZarrImages(array, letters, str(path))
    count = len(images)
    if count == 1:
        height, width = images.sizes[0].tolist()
        raise SingleImageError(
            f"{path} is one single image ({width} x {height}), not patches; cut it into tiles "
            f"(--tile-size), open it {WITH_OBJECTS}, or give a store of many patches.",
            ("tiles", "objects"),
        )
    files = chunk_files(path, array, watch)
    lacking, blank = missing_chunks(array, letters, files, watch)
    if blank == count:
        raise PatchError(
            f"No patch of {path} is whole ({lacking[0]}); copy or save the store again."
        )
    whole = np.setdiff1d(np.arange(count), list(lacking))
    sample = images.picked(whole) if len(whole) else images
    source = described(images, letters, path.name, watch, sample=sample)
    source.notes = notes + source.notes
    if channel_axis(letters) == "C":
        names = found.channel_names
        if len(names) == images.channels == len(set(names)):
            source.channel_names = tuple(names)
        elif named:  # axes that say C mean stains, three of them too
            source.channel_names = default_names(
                images.channels, np.dtype(np.uint16), last=False
            )
    if found.columns:
        _add(source, found.columns, path, watch)
    known = array.metadata.fill_value
    if lacking and known is None:
        source.leave_out(lacking)
        source.notes.append(
            f"{len(lacking):,} of the {count:,} patches of {path.name} were skipped "
            "because chunks of them are missing, and the store does not say what those hold."
        )
    elif lacking:
        source.notes.append(
            f"{len(lacking):,} of the {count:,} patches of {path.name} lack chunks, "
            f"{blank:,} of them all; by the format, a chunk that is not there holds "
            f"{known} everywhere. If that surprises you, the store was not copied as a whole."
        )
    mark = sorted(files.items()) if path.is_dir() else [(path.name, path)]
    source.fingerprint = fingerprint("zarr", mark, axes=letters, array=array.path)
    return source


def _letters(found: FoundArrays, axes: str, path: Path) -> tuple[str, list[str], bool]:
    """Decide the axes; return also what to note, and whether the store named them."""
    shape = found.array.shape
    if axes != "auto":
        return check_axes(axes, len(shape), str(path)), [], False
    letters = found.letters
    if letters is None:
        return plain_axes(shape, str(path), axes), [], False
    return *settle_axes(letters, shape, volume=True), True


def _add(source: Source, columns: Mapping[str, Any], path: Path, watch: Watch) -> None:
    """Read the arrays beside the images and add them as columns."""
    arrays: dict[str, np.ndarray | Unread] = {}
    class_names = None
    for key, column in columns.items():
        watch.step(0, 0)
        size = np.dtype(column.dtype).itemsize
        if key == "class_names" and math.prod(column.shape) * size <= MOST_NAMES:
            class_names = _values(column)
        elif is_column(key, column.shape, size, len(source.table)):
            arrays[key] = _values(column)
        else:
            arrays[key] = Unread(column.shape)
    add_columns(source, arrays, class_names, str(path), "zarr")


def _values(column: Any) -> np.ndarray:
    values = np.asarray(column[...])
    # Text may be of any length.
    return values.astype(str) if values.dtype.kind in "OT" else values
