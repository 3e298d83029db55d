"""Zarr and OME-Zarr, formats 2 and 3, in a folder or a zip file."""

from __future__ import annotations

import itertools
import math
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.foreign import decoding
from napari_patchmap.formats import ZIPPED_ZARR
from napari_patchmap.patches.axes import (
    channel_axis,
    check_axes,
    check_extent,
    default_names,
    lead_axes,
    settle_axes,
)
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.array_columns import (
    MOST_NAMES,
    Unread,
    add_columns,
    images_key,
    is_column,
)
from napari_patchmap.patches.readers.arrays import described, plain_axes
from napari_patchmap.patches.readers.zarr.zarr_codecs import check_array
from napari_patchmap.patches.readers.zarr.zarr_images import ZarrImages
from napari_patchmap.patches.readers.zarr.zarr_names import channel_labels, letters_of, ome
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

_MARKS = ("zarr.json", ".zarray", ".zgroup")

#: How one image is opened. OME-Zarr keeps the labels of an image inside of it.
_WITH_OBJECTS = (
    "together with the label image of its cells as objects (--objects; in OME-Zarr a folder "
    "in labels/ of the image)"
)

#: Files or chunks looked at between two reports of progress.
_PART = 4096


def is_zarr(path: Path) -> bool:
    """Whether a path is a Zarr store, or a group or array in one."""
    name = path.name.lower()
    if path.is_dir():
        return name.endswith(".zarr") or any((path / mark).is_file() for mark in _MARKS)
    return name.endswith(ZIPPED_ZARR)


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is a Zarr store; of files, those that are zipped."""
    return is_zarr(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the images of a Zarr array, of a group that holds one, or of an OME-Zarr.

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
        return _read(path, request.axes, watch)


class Found(NamedTuple):
    """The array of a store that holds its images."""

    array: Any
    said: Any
    """Names of its axes as OME-Zarr gives them, or None."""
    labels: list[str]
    """Names of the channels, as far as there are any."""
    columns: dict[str, Any]
    """The arrays beside it."""


def find_array(path: Path) -> Found:
    """Find the array in a store that holds its images.

    Raises
    ------
    PatchError
        If it is no Zarr store, does not say which array that is, or names decoders
        that are not known to be safe.
    """
    found = _find(path)
    for array in (found.array, *found.columns.values()):
        check_array(array, path)
    return found


def _find(path: Path) -> Found:
    import zarr

    node = _open(path)
    if not isinstance(node, zarr.Group):
        return Found(node, None, [], {})
    group = _image_group(node, path)
    scales = ome(group.attrs).get("multiscales")
    if scales:
        array = group[scales[0]["datasets"][0]["path"]]
        return Found(array, scales[0].get("axes", "tczyx"), channel_labels(group.attrs), {})
    columns = {key: value for key, value in group.members() if isinstance(value, zarr.Array)}
    return Found(columns.pop(images_key(columns, path)), None, [], columns)


def said_letters(array: Any, said: Any) -> str | None:
    """Return one letter an axis if the store names its axes, else None."""
    names = said or getattr(array.metadata, "dimension_names", None)
    names = names or array.attrs.get("_ARRAY_DIMENSIONS")
    return letters_of(names) if names and len(names) == array.ndim else None


def _read(path: Path, axes: str, watch: Watch) -> Source:
    array, said, labels, columns = find_array(path)
    check_numbers(np.dtype(array.dtype), math.prod(array.shape))
    letters, notes, named = _letters(array, said, axes, path)
    check_extent(array.shape, letters)
    images = ZarrImages(array, letters, str(path))
    if len(images) == 1:
        height, width = images.sizes[0].tolist()
        raise PatchError(
            f"{path} is one single image ({width} x {height}), not patches; open it "
            f"{_WITH_OBJECTS}, or give a store of many patches."
        )
    files = chunk_files(path, array, watch)
    missing = missing_chunks(array, letters, set(files), watch)
    reasons = missing.reasons
    if missing.blank == len(images):
        raise PatchError(
            f"No patch of {path} is whole ({reasons[0]}); copy or save the store again."
        )
    known = array.metadata.fill_value
    left_out = reasons if known is None else {}
    good = np.setdiff1d(np.arange(len(images)), list(left_out))
    whole = np.setdiff1d(good, list(reasons))
    kept = images.picked(whole if len(whole) else good)
    # Described as if whole, so that columns with one value a patch fit.
    source = described(images, letters, path.name, watch, sample=kept)
    source.notes = notes + source.notes
    if len(labels) == images.channels == len(set(labels)) and channel_axis(letters) == "C":
        source.channel_names = tuple(labels)
    elif named and channel_axis(letters) == "C":
        # Axes that say C mean stains, three of them too.
        source.channel_names = default_names(images.channels, np.dtype(np.uint16), last=False)
    if columns:
        _add(source, columns, path, watch)
    if left_out:
        source.images = source.images.picked(good)  # type: ignore[union-attr]
        source.table = source.table.iloc[good]
        if source.names is not None:
            source.names = [source.names[i] for i in good.tolist()]
        source.skipped = [
            Skipped(f"{path.name} [{i}]", why) for i, why in sorted(left_out.items())
        ]
        source.notes.append(
            f"{len(left_out):,} of the {len(images):,} patches of {path.name} were left out "
            "because chunks of them are missing, and the store does not say what those hold."
        )
    elif reasons:
        source.notes.append(
            f"{len(reasons):,} of the {len(images):,} patches of {path.name} lack chunks, "
            f"{missing.blank:,} of them all; by the format, a chunk that is not there holds "
            f"{known} everywhere. If that surprises you, the store was not copied as a whole."
        )
    mark = sorted(files.items()) if path.is_dir() else [(path.name, path)]
    source.fingerprint = fingerprint("zarr", mark, axes=letters, array=array.path)
    return source


def _open(path: Path) -> Any:
    import zarr
    from zarr.storage import ZipStore

    if path.is_file():
        if not zipfile.is_zipfile(path):
            raise PatchError(f"{path} is not a complete zip file; copy or save it again.")
        return zarr.open(store=ZipStore(path, mode="r"), mode="r")
    if not any((path / mark).is_file() for mark in _MARKS):
        raise PatchError(
            f"{path} is not a Zarr store: it holds none of {', '.join(_MARKS)}; choose another "
            "folder, or copy it again."
        )
    return zarr.open(store=str(path), mode="r")


def _image_group(group: Any, path: Path) -> Any:
    """Follow OME-Zarr's layouts of several images down to the one there is."""
    known = ome(group.attrs)
    if "plate" in known or "well" in known:
        image = path / _first_image(group, known)
        raise PatchError(
            f"{path} is a plate or well of many images; choose one image, such as {image}, "
            f"{_WITH_OBJECTS}."
        )
    if "bioformats2raw.layout" in known:
        names = sorted(
            key for key, inner in group.groups() if "multiscales" in ome(inner.attrs)
        )
        if len(names) == 1:
            return group[names[0]]
        raise PatchError(
            f"{path} holds {len(names)} images; choose one, such as "
            f"{path / (names or ['0'])[0]}, {_WITH_OBJECTS}."
        )
    return group


def _first_image(group: Any, known: Mapping[str, Any]) -> str:
    """Return the path of the first image in a plate or well; the usual one if it is silent."""
    try:
        if "plate" not in known:
            return str(known["well"]["images"][0]["path"])
        well = str(known["plate"]["wells"][0]["path"])
        return f"{well}/{_first_image(group[well], ome(group[well].attrs))}"
    except (LookupError, TypeError, AttributeError):
        return "A/1/0" if "plate" in known else "0"


def _letters(array: Any, said: Any, axes: str, path: Path) -> tuple[str, list[str], bool]:
    """Decide the axes; return also what to note, and whether the store named them."""
    if axes != "auto":
        return check_axes(axes, array.ndim, str(path)), [], False
    letters = said_letters(array, said)
    if letters is None:
        return plain_axes(array.shape, str(path), axes), [], False
    return *settle_axes(letters, array.shape, volume=True), True


def _add(source: Source, columns: Mapping[str, Any], path: Path, watch: Watch) -> None:
    """Read the arrays beside the images and add them as columns."""
    arrays: dict[str, np.ndarray | Unread] = {}
    for key, column in columns.items():
        size = np.dtype(column.dtype).itemsize
        names = key == "class_names" and math.prod(column.shape) * size <= MOST_NAMES
        if not names and not is_column(key, column.shape, size, len(source.table)):
            arrays[key] = Unread(column.shape)
            continue
        values = np.asarray(column[...])
        # Text may be of any length.
        arrays[key] = values.astype(str) if values.dtype.kind in "OT" else values
        watch.step(0, 0)
    add_columns(source, arrays, _class_names(arrays), str(path), "zarr")


def _class_names(arrays: dict[str, np.ndarray | Unread]) -> np.ndarray | None:
    names = arrays.get("class_names")
    if not isinstance(names, np.ndarray):
        return None
    del arrays["class_names"]
    return names


# -- chunks --------------------------------------------------------------------


def chunk_files(path: Path, array: Any, watch: Watch) -> dict[str, Path]:
    """List the files of an array by their names in it."""
    if path.is_file():
        with zipfile.ZipFile(path) as file:
            prefix = f"{array.path}/" if array.path else ""
            names = [name for name in file.namelist() if name.startswith(prefix)]
        return {name.removeprefix(prefix): path for name in names}
    root = path / array.path
    files: dict[str, Path] = {}
    for folder, _, names in os.walk(root):
        inside = Path(folder).relative_to(root).as_posix()
        for name in names:
            key = name if inside == "." else f"{inside}/{name}"
            files[key] = Path(folder, name)
            if len(files) % _PART == 0:
                watch.step(0, 0)
        watch.step(0, 0)
    return files


class Missing(NamedTuple):
    """Which patches of a store lack chunks."""

    reasons: dict[int, str]
    """Why each is not whole: the first chunk that it lacks."""
    blank: int
    """How many have no chunk at all."""


def missing_chunks(array: Any, axes: str, files: set[str], watch: Watch) -> Missing:
    """Say which patches lack chunks, and name the first that each lacks."""
    outer = array.shards or array.chunks
    lead = lead_axes(axes)
    counts = [array.shape[i] for i in lead]
    numbers = np.arange(math.prod(counts)).reshape(counts)
    grid = [range(math.ceil(n / c)) for n, c in zip(array.shape, outer, strict=True)]
    reasons: dict[int, str] = {}
    some = np.zeros(numbers.shape, bool)
    for done, at in enumerate(itertools.product(*grid)):
        if done % _PART == 0:
            watch.step(0, 0)
        key = array.metadata.encode_chunk_key(at)
        place = tuple(slice(at[i] * outer[i], (at[i] + 1) * outer[i]) for i in lead)
        if key in files:
            some[place] = True
            continue
        for number in np.ravel(numbers[place]).tolist():
            reasons.setdefault(number, f"its chunk {key} is missing")
    return Missing(reasons, int(np.count_nonzero(~some)))
