"""One field of view, or its labels, in a Zarr store or an HDF5 file: read box by box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import check_axes
from napari_patchmap.patches.readers.array_columns import images_key
from napari_patchmap.patches.readers.hdf5.array_source import StoredArray
from napari_patchmap.patches.readers.hdf5.hdf5_axes import said_axes, said_channels
from napari_patchmap.patches.readers.objects.frames import check_depth
from napari_patchmap.patches.readers.zarr.zarr_find import find_array
from napari_patchmap.patches.readers.zarr.zarr_images import chunk_files, missing_chunks
from napari_patchmap.patches.safe_hdf5 import arrays_in, open_hdf5
from napari_patchmap.patches.watch import Watch

#: Pixels, one letter an axis or "auto", and the names of channels where they are known.
FieldArray = tuple[Any, str, Sequence[str] | None]


class _Squeezed:
    """An array without some axes of length 1; nothing is read before it is indexed."""

    def __init__(self, array: Any, dropped: Sequence[int], path: Path) -> None:
        self._array, self._dropped, self._path = array, set(dropped), path
        self.shape = tuple(n for i, n in enumerate(array.shape) if i not in self._dropped)
        self.ndim, self.dtype = len(self.shape), np.dtype(array.dtype)

    def __getitem__(self, key: Any) -> np.ndarray:
        rest = iter(key if isinstance(key, tuple) else (key,))
        whole = [
            0 if i in self._dropped else next(rest, slice(None))
            for i in range(len(self._array.shape))
        ]
        try:
            return np.asarray(self._array[tuple(whole)])
        except Exception as error:  # noqa: BLE001 - codecs may raise anything
            raise PatchError(
                f"A chunk of {self._path} cannot be decoded ({words(error)}); copy or save it "
                "again."
            ) from None


def zarr_field(path: Path, axes: str, key: str | None, labels: bool) -> FieldArray:
    """Open an image out of which objects are cut, or their ``labels``, which have no channels.

    Of an OME-Zarr the first, largest level; of a group of arrays the one called ``key``. Axes
    of length 1 are left out. Returned are the array, its axes (``"auto"`` if they are not
    known) and the names of its channels.

    Raises
    ------
    PatchError
        If the store cannot be read, or is a volume.
    UnclearArrayError
        If it does not say which array holds the image.
    """
    found = find_array(path, key)
    return _field(found.array, found.letters, found.channel_names, path, axes, labels)


def hdf5_field(path: Path, axes: str, key: str | None, labels: bool) -> FieldArray:
    """Open an image in an HDF5 file, or labels, as :func:`zarr_field` does.

    Raises
    ------
    MissingPackageError
        Without h5py.
    PatchError
        If it is a volume, or its values lie in another file.
    UnclearArrayError
        If the file does not say which array holds the image.
    """
    with open_hdf5(path) as file:
        arrays = {name: one for name, one in arrays_in(file).items() if len(one.shape) > 1}
        alone = key is None and len(arrays) == 1
        array = arrays[next(iter(arrays)) if alone else images_key(arrays, path, key)]
        letters, names = said_axes(array), said_channels(array)
        stored = StoredArray(path, array.name)
    return _field(stored, letters, names, path, axes, labels)


def _field(
    array: Any, letters: str | None, said: Sequence[str], path: Path, axes: str, labels: bool
) -> FieldArray:
    """Lay out an array whose file names its axes ``letters`` and its channels ``said``."""
    count = len(array.shape)
    letters = letters if axes == "auto" else check_axes(axes, count, path.name)
    kept = "YX" if labels else "YXCS"
    names = letters or "N" * (count - 2) + "YX"
    dropped = [i for i, n in enumerate(array.shape) if n == 1 and names[i] not in kept]
    rest = "".join(letter for i, letter in enumerate(names) if i not in dropped)
    if not labels and letters:
        check_depth(rest, path.name)
    channels = dict(zip(names, array.shape, strict=True)).get("C")
    known = said if len(said) == len(set(said)) == channels else None
    return _Squeezed(array, dropped, path), rest if letters else "auto", known


def missing_notes(path: Path, key: str | None, watch: Watch) -> list[str]:
    """Say so in a sentence if planes of an image lack chunks: Zarr shows them filled.

    Raises
    ------
    LoadCancelled
    """
    found = find_array(path, key)
    letters = found.letters or "N" * (found.array.ndim - 2) + "YX"
    files = chunk_files(path, found.array, watch)
    lacking, _ = missing_chunks(found.array, letters, files, watch)
    if not lacking:
        return []
    first = lacking[min(lacking)]
    note = (
        f"{len(lacking):,} plane(s) of {path.name} lack chunks, which by the format hold "
        f"{found.array.metadata.fill_value} everywhere ({first}); objects there may be blank."
    )
    return [note]
