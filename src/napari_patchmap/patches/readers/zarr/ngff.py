"""What OME-Zarr says of its images, read from its small JSON files alone.

Opening a group or an array through Zarr takes some milliseconds, and a plate has thousands of
them; a file of JSON takes a fraction of one.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.readers.zarr.zarr_find import channel_labels, letters_of, ome
from napari_patchmap.patches.safe_zarr.zip_files import ZippedStore, zipped

#: Micrometres in one unit of OME-Zarr's lengths.
_MICROMETRES = {
    "angstrom": 1e-4, "nanometer": 1e-3, "micrometer": 1.0, "millimeter": 1e3,
    "centimeter": 1e4, "meter": 1e6,
}  # fmt: skip

#: A file that describes a group or an array is small; no larger one is read.
_LARGEST = 2**24


class Node(NamedTuple):
    """A group or an array of a store."""

    attributes: Mapping[str, Any]
    shape: tuple[int, ...] | None = None
    """Of an array."""
    dtype: np.dtype | None = None


class ZarrLevel(NamedTuple):
    """One copy of an image: its array in the store, and how large a pixel is."""

    key: str
    shape: tuple[int, ...]
    scale: tuple[float, ...]
    """Of each axis, in its unit; 1 where nothing is said."""


class Multiscale(NamedTuple):
    """An OME-Zarr image: its copies from the largest on, all of the same axes."""

    letters: str
    levels: tuple[ZarrLevel, ...]
    dtype: np.dtype
    channel_names: tuple[str, ...]
    mpp: float | None
    """Micrometres per pixel of the largest, where height and width agree."""


class StoreFiles:
    """The JSON files of a store, or of a group in it, in a folder or a zip file.

    Raises
    ------
    UnusableError
        If it is a damaged zip file; when a file is read that is no JSON.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._zip: ZippedStore | None = None
        self._before = ""
        found = zipped(root)
        if found is not None:
            self._zip, self._before = found

    def node(self, key: str) -> Node | None:
        """Return the group or array at a key, None if there is none."""
        known = self._json(f"{key}/zarr.json")
        if known is not None:
            array = known.get("node_type") == "array"
            return _node(known if array else {}, known.get("attributes"), "data_type")
        array = self._json(f"{key}/.zarray")
        attributes = self._json(f"{key}/.zattrs")
        if array is None and attributes is None and self._json(f"{key}/.zgroup") is None:
            return None
        return _node(array or {}, attributes, "dtype")

    def array(self, key: str) -> Node | None:
        """Return the array at a key without its attributes, None if there is none."""
        for name, kind in ((".zarray", "dtype"), ("zarr.json", "data_type")):
            known = self._json(f"{key}/{name}")
            if known is not None and "shape" in known:
                return _node(known, None, kind)
        return None

    def has_chunks(self, key: str) -> bool:
        """Whether an array has any chunk at all; no chunk is read."""
        if self._zip is not None:
            return self._zip.has_chunks(self._inside(key))
        try:
            return any(
                not one.name.startswith(".z") and one.name != "zarr.json"
                for one in (self.root / key).iterdir()
            )
        except OSError:
            return False

    def folders(self, key: str) -> list[str]:
        """Return the names of what lies in a group; nothing if it is not there."""
        if self._zip is not None:
            return self._zip.folders(self._inside(key))
        folder = self.root / key
        return sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []

    def multiscale(self, key: str) -> Multiscale | None:
        """Return the image in the group at a key; None if that holds none.

        Raises
        ------
        UnusableError
            If what it says of itself makes no image.
        """
        group = self.node(key)
        scales = None if group is None else ome(group.attributes).get("multiscales")
        if group is None or not scales:
            return None
        try:
            return self._multiscale(key, scales[0], channel_labels(group.attributes))
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise UnusableError(
                f"describes its image in a way that OME-Zarr does not know ({error!r})",
                "export it again",
            ) from None

    def _multiscale(
        self, key: str, scale: Mapping[str, Any], channels: list[str]
    ) -> Multiscale:
        levels: list[ZarrLevel] = []
        dtype = None
        for one in scale["datasets"]:
            array = self.node(f"{key}/{one['path']}".lstrip("/"))
            if array is None or array.shape is None or array.dtype is None:
                if not levels:
                    raise UnusableError(
                        f"lacks its largest level, {one['path']}", "copy or export it again"
                    )
                continue  # a smaller copy may be missing
            if levels and len(array.shape) != len(levels[0].shape):
                continue
            dtype = dtype or array.dtype
            steps = _scale(one, len(array.shape))
            levels.append(ZarrLevel(f"{key}/{one['path']}".lstrip("/"), array.shape, steps))
        ndim = len(levels[0].shape)
        axes = scale.get("axes", "tczyx"[-ndim:])
        letters = letters_of(axes) if len(axes) == ndim else None
        if letters is None or dtype is None:
            raise UnusableError("does not say which of its axes are height and width")
        names = channels if len(channels) == len(set(channels)) else []
        return Multiscale(
            letters, tuple(levels), dtype, tuple(names), _mpp(axes, letters, levels[0].scale)
        )

    def _json(self, key: str) -> Any:
        key = key.lstrip("/")
        if ".." in key.split("/"):
            return None  # a store says where its own parts lie, not those of others
        if self._zip is None:
            data = _small(self.root / key)
        else:
            data = self._zip.read(self._inside(key), _LARGEST)
        if data is None:
            return None
        try:
            found = json.loads(data)
        except ValueError:
            raise UnusableError(
                f"cannot be read: {key} is no whole JSON", "copy it again"
            ) from None
        return found if isinstance(found, Mapping) else None

    def _inside(self, key: str) -> str:
        """Return the key in the zip file."""
        return f"{self._before}/{key}".strip("/")


def _small(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _node(array: Mapping[str, Any], attributes: Any, kind: str) -> Node:
    known = attributes if isinstance(attributes, Mapping) else {}
    if not array:
        return Node(known)
    try:
        shape = tuple(int(length) for length in array["shape"])
        return Node(known, shape, np.dtype(array[kind]))
    except (TypeError, ValueError, LookupError):
        raise UnusableError(
            f"holds values of type {array.get(kind)!r}, not pixels", "export it again"
        ) from None


def _scale(dataset: Mapping[str, Any], ndim: int) -> tuple[float, ...]:
    """Return how large a pixel is along each axis; 1 where nothing sensible is said."""
    for one in dataset.get("coordinateTransformations") or ():
        if isinstance(one, Mapping) and one.get("type") == "scale":
            steps = one.get("scale") or ()
            if len(steps) == ndim and all(0 < float(step) < math.inf for step in steps):
                return tuple(float(step) for step in steps)
    return (1.0,) * ndim


def _mpp(axes: Any, letters: str, scale: tuple[float, ...]) -> float | None:
    """Return micrometres per pixel if height and width say so, and agree to 2 %."""
    found = []
    for letter in "YX":
        axis = axes[letters.index(letter)]
        unit = axis.get("unit") if isinstance(axis, Mapping) else None
        if unit not in _MICROMETRES:
            return None
        found.append(scale[letters.index(letter)] * _MICROMETRES[unit])
    return found[0] if abs(found[0] / found[1] - 1) < 0.02 else None
