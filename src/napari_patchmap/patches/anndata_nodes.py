"""The two stores in which AnnData lies, HDF5 and Zarr, asked in one way.

Groups and arrays of both have ``attrs``; groups are indexed by names, arrays by places.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np

from napari_patchmap.optional import optional
from napari_patchmap.patches import safe_hdf5
from napari_patchmap.patches.safe_zarr.zarr_codecs import check_array

#: Kinds of types by which NumPy keeps text.
_TEXT = "OTU"


class Nodes(Protocol):
    """What differs between the stores."""

    root: Any
    """The group that is AnnData."""

    def member(self, place: str) -> Any | None:
        """Return the group or array at a place, None if there is nothing."""

    def check(self, place: str) -> None:
        """Refuse a group whose values lie in other files, or are decoded by running code.

        Raises
        ------
        PatchError
        """

    def referred(self, known: Any) -> Any:
        """Return the array that an attribute refers to."""

    def texts(self, array: Any) -> np.ndarray | None:
        """Read an array of text as one of ``str`` objects; None if it is none."""


class Hdf5Nodes:
    """AnnData in an HDF5 file that is open; see :class:`Nodes`."""

    def __init__(self, file: Any) -> None:
        self.root = file

    def member(self, place: str) -> Any | None:
        """Return what lies at a place; links are refused."""
        return safe_hdf5.member(self.root, place)

    def check(self, place: str) -> None:
        """Refuse what lies in another file."""
        safe_hdf5.check_inside(self.root, place)

    def referred(self, known: Any) -> Any:
        """Follow a reference of HDF5."""
        return self.root[known]

    def texts(self, array: Any) -> np.ndarray | None:
        """Read text; None if it is none."""
        if optional("h5py").check_string_dtype(array.dtype) is None:
            return None
        return np.asarray(array.asstr(errors="replace")[...], object)


class ZarrNodes:
    """AnnData in a Zarr store; see :class:`Nodes`.

    Parameters
    ----------
    root : zarr.Group
    path : Path
        Of the store.
    """

    def __init__(self, root: Any, path: Path) -> None:
        self.root, self.path = root, path

    def member(self, place: str) -> Any | None:
        """Return what lies at a place."""
        found = self.root
        for part in filter(None, place.split("/")):
            if not hasattr(found, "keys") or part not in found:
                return None
            found = found[part]
        return found

    def check(self, place: str) -> None:
        """Refuse decoders that are not known."""
        waiting: list[Any] = [self.member(place)]
        while waiting:
            one = waiting.pop()
            if hasattr(one, "keys"):
                waiting += [inner for _, inner in one.members()]
            elif one is not None:
                check_array(one, self.path)

    def referred(self, known: Any) -> Any:
        """Return what lies at a place of the store."""
        return self.root[str(known)]

    def texts(self, array: Any) -> np.ndarray | None:
        """Read text; None if it is none."""
        if np.dtype(array.dtype).kind not in _TEXT:
            return None
        return np.array([str(one) for one in np.ravel(array[...])], object)
