"""One field of view, or its labels, in a Zarr store: read box by box."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import words
from napari_patchmap.patches.axes import check_axes
from napari_patchmap.patches.readers.objects.frames import check_depth
from napari_patchmap.patches.readers.zarr.zarr_store import (
    chunk_files,
    find_array,
    missing_chunks,
    said_letters,
)
from napari_patchmap.patches.watch import Watch


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
            for i in range(self._array.ndim)
        ]
        try:
            return np.asarray(self._array[tuple(whole)])
        except Exception as error:  # noqa: BLE001 - codecs may raise anything
            raise PatchError(
                f"A chunk of {self._path} cannot be decoded ({words(error)}); copy or save the "
                "store again."
            ) from None


def zarr_field(path: Path, axes: str, labels: bool) -> tuple[Any, str, list[str] | None]:
    """Open an image out of which objects are cut, or their labels.

    Of an OME-Zarr the first, largest level. Axes of length 1 are left out.

    Parameters
    ----------
    path : Path
    axes : str
        One letter an axis, or ``"auto"``.
    labels : bool
        Whether these are the labels, which have no channels.

    Returns
    -------
    array : array-like
    axes : str
        ``"auto"`` if they are not known.
    channel_names : list of str, optional

    Raises
    ------
    PatchError
        If the store cannot be read, or is a volume.
    """
    found = find_array(path)
    array = found.array
    if axes == "auto":
        letters = said_letters(array, found.said)
    else:
        letters = check_axes(axes, array.ndim, path.name)
    kept = "YX" if labels else "YXCS"
    names = letters or "N" * (array.ndim - 2) + "YX"
    dropped = [i for i, n in enumerate(array.shape) if n == 1 and names[i] not in kept]
    rest = "".join(letter for i, letter in enumerate(names) if i not in dropped)
    if not labels and letters:
        check_depth(rest, path.name)
    channels = dict(zip(names, array.shape, strict=True)).get("C")
    known = found.labels if len(found.labels) == len(set(found.labels)) == channels else None
    return _Squeezed(array, dropped, path), rest if letters else "auto", known


def missing_notes(path: Path, watch: Watch) -> list[str]:
    """Say so in a sentence if planes of an image lack chunks: Zarr shows them filled.

    Raises
    ------
    LoadCancelled
    """
    found = find_array(path)
    letters = said_letters(found.array, found.said) or "N" * (found.array.ndim - 2) + "YX"
    files = set(chunk_files(path, found.array, watch))
    reasons = missing_chunks(found.array, letters, files, watch).reasons
    if not reasons:
        return []
    first = reasons[min(reasons)]
    said = (
        f"{len(reasons):,} plane(s) of {path.name} lack chunks, which by the format hold "
        f"{found.array.metadata.fill_value} everywhere ({first}); objects there may be blank."
    )
    return [said]
