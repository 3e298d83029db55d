"""Which wells and fields an OME-Zarr plate has, told without reading a pixel."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.axes import (
    check_axes,
    check_extent,
    extents,
    lead_axes,
    settle_axes,
)
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles
from napari_patchmap.patches.readers.zarr.zarr_find import ome
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch
from napari_patchmap.patches.wells import row_name, well_name, well_place

#: Threads that look at wells: drives in a network answer many at a time.
_THREADS = 8


class PlateField(NamedTuple):
    """One field of view: its image in the plate, and the well it lies in."""

    key: str
    """Of its image, such as ``B/7/0``."""
    array: str
    """Of the largest level of it, such as ``B/7/0/0``."""
    shape: tuple[int, ...]
    dtype: np.dtype
    row: int
    column: int
    name: str
    acquisition: str


@dataclass(frozen=True)
class Plate:
    """An OME-Zarr plate.

    Attributes
    ----------
    root : Path
    name : str
    fields : list of PlateField
        Of one pixel type, number of axes and of channels; sizes may differ.
    letters : str
        One a axis of each field.
    channel_names : tuple of str
        As far as the plate names them.
    skipped : list of Skipped
        Wells and fields that are not there or are of another kind.
    """

    root: Path
    name: str
    fields: list[PlateField]
    letters: str
    channel_names: tuple[str, ...]
    skipped: list[Skipped]

    def frames(self, field: PlateField) -> int:
        """Return how many images a field holds: more than one in a time series."""
        return extents(field.shape, self.letters)[0]

    def size(self, field: PlateField) -> tuple[int, int]:
        """Return height and width of a field in pixels."""
        return extents(field.shape, self.letters)[1:3]


def is_plate(path: Path) -> bool:
    """Whether a path is an OME-Zarr plate; no pixel is read."""
    if not path.is_dir():
        return False
    try:
        node = StoreFiles(path).node("")
    except UnusableError:
        return False
    return node is not None and isinstance(ome(node.attributes).get("plate"), Mapping)


def read_plate(path: Path, axes: str, watch: Watch) -> Plate:
    """Read which fields a plate has, and of which size and type each is.

    One small file is read for the plate, one for each well, and one for each field; what the
    axes and channels are is taken from the first field that is there.

    Parameters
    ----------
    path : Path
    axes : str
        One letter an axis of a field, or ``"auto"``.
    watch : Watch

    Raises
    ------
    PatchError
        If it is no plate, or none of its fields can be used.
    LoadCancelled
    """
    with decoding(path, "is a plate that cannot be read", "copy or export it again"):
        return _read(path, axes, watch)


def _read(path: Path, axes: str, watch: Watch) -> Plate:
    files = StoreFiles(path)
    node = files.node("")
    known = ome(node.attributes).get("plate") if node is not None else None
    if not isinstance(known, Mapping):
        raise UnusableError("is no OME-Zarr plate", "choose the folder that holds its rows")
    wells = [one for one in known.get("wells") or () if isinstance(one, Mapping)]
    found: list[tuple[list[PlateField], list[Skipped]]] = [([], [])] * len(wells)
    first = _first_image(files, wells)
    level = first.levels[0].key.rpartition("/")[2]

    def look(part: Pieces) -> None:
        for i in part:
            found[i] = _look(files, wells[i], level)

    in_threads(look, len(wells), 1, watch, _THREADS)
    fields = sorted(
        (field for some, _ in found for field in some), key=lambda one: (one.row, one.column)
    )
    skipped = [one for _, some in found for one in some]
    letters = _letters(first, axes)
    kept, unlike = _alike(fields, letters)
    skipped += unlike
    if not kept:
        why = f" ({skipped[0].source}: {skipped[0].reason})" if skipped else ""
        raise UnusableError(f"holds no field that can be used{why}", "copy or export it again")
    name = str(known.get("name") or path.name.removesuffix(".zarr").removesuffix(".ome"))
    return Plate(path, name, kept, letters, first.channel_names, skipped)


def _first_image(files: StoreFiles, wells: Sequence[Mapping[str, Any]]) -> Multiscale:
    """Return what the first field that is there says of its axes, channels and levels."""
    for well in wells:
        for image in _images(files, str(well.get("path", ""))):
            found = files.multiscale(f"{well['path']}/{image.get('path')}")
            if found is not None:
                return found
    raise UnusableError(
        "lists no well whose images are there", "copy the whole plate, or export it again"
    )


def _images(files: StoreFiles, well: str) -> list[Mapping[str, Any]]:
    node = files.node(well)
    known = None if node is None else ome(node.attributes).get("well")
    images = known.get("images") if isinstance(known, Mapping) else None
    return [one for one in images or () if isinstance(one, Mapping)]


def _look(
    files: StoreFiles, well: Mapping[str, Any], level: str
) -> tuple[list[PlateField], list[Skipped]]:
    """Look at the fields of a well: where it lies, and the shape of each."""
    path = str(well.get("path", "")).strip("/")
    place = _place(well, path)
    if place is None:
        return [], [Skipped(path, "is a well whose row and column cannot be told")]
    try:
        images = _images(files, path)
    except UnusableError as error:
        return [], [Skipped(path, str(error))]
    if not images:
        return [], [Skipped(path, "is listed in the plate, but its well is not there")]
    fields, skipped = [], []
    for image in images:
        key = f"{path}/{image.get('path')}"
        try:
            field = _field(files, key, level, place, image)
        except UnusableError as error:
            skipped.append(Skipped(key, str(error)))
            continue
        if isinstance(field, str):
            skipped.append(Skipped(key, field))
        else:
            fields.append(field)
    return fields, skipped


def _field(
    files: StoreFiles,
    key: str,
    level: str,
    place: tuple[int, int],
    image: Mapping[str, Any],
) -> PlateField | str:
    """Return a field, or why it is left out."""
    array_key = f"{key}/{level}"
    array = files.array(array_key)
    if array is None:  # its levels may have other names than those of the first
        own = files.multiscale(key)
        if own is None:
            return "is listed in its well, but not there"
        array_key, array = own.levels[0].key, files.array(own.levels[0].key)
    if array is None or array.shape is None or array.dtype is None:
        return "is listed in its well, but not there"
    if not files.has_chunks(array_key):
        return "holds no pixels: none of its chunks is there"
    name, acquisition = key.rpartition("/")[2], image.get("acquisition")
    known = "" if acquisition is None else str(acquisition)
    return PlateField(key, array_key, array.shape, array.dtype, *place, name, known)


def _place(well: Mapping[str, Any], path: str) -> tuple[int, int] | None:
    """Return row and column of a well: by its name, or as the plate numbers it."""
    place = well_place(path)
    if place is None:
        numbers = well.get("rowIndex"), well.get("columnIndex")
        if all(isinstance(one, int) and one >= 0 for one in numbers):
            place = int(numbers[0] or 0), int(numbers[1] or 0)
    return place


def _letters(first: Multiscale, axes: str) -> str:
    """Decide what the axes of the fields are."""
    shape = first.levels[0].shape
    if axes != "auto":
        return check_axes(axes, len(shape))
    if any(shape[i] > 1 for i in lead_axes(first.letters)):
        return settle_axes(first.letters, shape, volume=True)[0]
    return first.letters  # however many channels there are: fields are named apart from them


def _alike(
    fields: Sequence[PlateField], letters: str
) -> tuple[list[PlateField], list[Skipped]]:
    """Keep the fields that make one set, the kind that most are of."""
    kinds: list[tuple[str, int]] = []
    for field in fields:
        fits = len(field.shape) == len(letters)
        channels = extents(field.shape, letters)[3] if fits else 0
        kinds.append((str(field.dtype), channels))
    most = Counter(kind for kind in kinds if kind[1]).most_common(1)
    if not most:
        return [], [Skipped(one.key, f"has not the axes {letters}") for one in fields]
    wanted, kept, skipped = most[0][0], [], []
    for field, kind in zip(fields, kinds, strict=True):
        if kind != wanted:
            have, need = (f"{number} channel(s) of {dtype}" for dtype, number in (kind, wanted))
            skipped.append(Skipped(field.key, f"has {have}, most others {need}"))
            continue
        try:
            check_numbers(field.dtype, int(np.prod(field.shape)))
            check_extent(field.shape, letters)
        except UnusableError as error:
            skipped.append(Skipped(field.key, str(error)))
            continue
        kept.append(field)
    return kept, skipped


def well_columns(fields: Sequence[PlateField], plate: str) -> dict[str, Any]:
    """Return the columns that say where fields lie, one value a field.

    ``field`` is a number where all fields are numbered; ``acquisition`` is there only where
    several are told apart.
    """
    numbered = all(one.name.isdigit() for one in fields)
    columns: dict[str, Any] = {
        "plate": [plate] * len(fields),
        "row": [row_name(one.row) for one in fields],
        "column": [one.column + 1 for one in fields],
        "well": [well_name(one.row, one.column) for one in fields],
        "field": [int(one.name) if numbered else one.name for one in fields],
    }
    if len({one.acquisition for one in fields}) > 1:
        columns["acquisition"] = [one.acquisition for one in fields]
    return columns


def labels_named(plate: Plate, objects: Path) -> str:
    """Return which labels of the fields are meant by a path.

    Parameters
    ----------
    plate : Plate
    objects : Path
        The plate itself, whose fields have one group of labels each, or the labels of any
        field in it, ``PLATE/B/7/0/labels/nuclei``.

    Raises
    ------
    PatchError
        If that tells no labels, with those that there are.
    """
    known = field_labels(plate)
    inside = objects != plate.root and objects.is_relative_to(plate.root)
    if inside and (not known or objects.name in known):
        return objects.name
    if objects == plate.root and len(known) == 1:
        return known[0]
    example = plate.root / plate.fields[0].key / "labels"
    if not known:
        raise PatchError(
            f"The first field of {plate.root} has no labels ({example} names none); cut the "
            "plate into tiles, or segment it first."
        )
    raise PatchError(
        f"{objects} does not say which labels of the fields of {plate.root} are meant; name "
        f"those of any field, such as {example / known[0]} (there are {', '.join(known)})."
    )


def field_labels(plate: Plate) -> list[str]:
    """Return the names of the labels that the first field with labels has."""
    return _labels_at(StoreFiles(plate.root), [field.key for field in plate.fields])


def labels_in(path: Path) -> list[str]:
    """Return the names of the labels of a plate by a look at some of its fields.

    Empty if there are none, or it is no plate.
    """
    if not is_plate(path):
        return []
    files = StoreFiles(path)
    node = files.node("")
    wells = [] if node is None else ome(node.attributes)["plate"].get("wells") or []
    keys = [
        f"{well}/{image.get('path')}"
        for well in (str(one.get("path", "")).strip("/") for one in wells[:_THREADS])
        for image in _images(files, well)
    ]
    return _labels_at(files, keys)


def _labels_at(files: StoreFiles, keys: Sequence[str]) -> list[str]:
    for key in keys[:_THREADS]:
        node = files.node(f"{key}/labels")
        names = None if node is None else ome(node.attributes).get("labels")
        if isinstance(names, Sequence) and not isinstance(names, str) and names:
            return [str(name) for name in names]
        folder = files.root / key / "labels"  # some programs list none
        inside = sorted(one.name for one in folder.iterdir()) if folder.is_dir() else []
        there = [n for n in inside if files.multiscale(f"{key}/labels/{n}") is not None]
        if there:
            return there
    return []
