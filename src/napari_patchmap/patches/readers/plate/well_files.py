"""The wells and fields of one plate, told from its small files alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.plate.plate_fields import PlateField
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles
from napari_patchmap.patches.readers.zarr.zarr_find import ome
from napari_patchmap.patches.threads import Pieces, in_threads
from napari_patchmap.patches.watch import Watch
from napari_patchmap.patches.wells import well_place

#: Threads that look at wells: drives in a network answer many at a time.
_THREADS = 8


class FoundWells(NamedTuple):
    """What a plate says it holds, and what of it is there."""

    first: Multiscale
    """The first field that is there; axes, channels and levels are taken from it."""
    fields: list[PlateField]
    """Row by row."""
    skipped: list[Skipped]


def plate_node(files: StoreFiles) -> Mapping[str, Any] | None:
    """Return what a store says of itself as a plate, None if it is none.

    Raises
    ------
    UnusableError
        If its description is damaged.
    """
    node = files.node("")
    known = None if node is None else ome(node.attributes).get("plate")
    return known if isinstance(known, Mapping) else None


def read_wells(
    files: StoreFiles, known: Mapping[str, Any], name: str, watch: Watch
) -> FoundWells:
    """Look at all wells of a plate: one small file is read for each, and one for each field.

    Parameters
    ----------
    files : StoreFiles
        Of the plate.
    known : mapping
        What :func:`plate_node` found.
    name : str
        Of the plate.
    watch : Watch

    Raises
    ------
    UnusableError
        If no field is there.
    LoadCancelled
    """
    wells = wells_of(known)
    found: list[tuple[list[PlateField], list[Skipped]]] = [([], [])] * len(wells)
    first = _first_image(files, wells)
    level = first.levels[0].key.rpartition("/")[2]

    def look(part: Pieces) -> None:
        for i in part:
            found[i] = _look(files, wells[i], level, name)

    in_threads(look, len(wells), 1, watch, _THREADS)
    fields = [field for some, _ in found for field in some]
    fields.sort(key=lambda one: (one.row, one.column))
    return FoundWells(first, fields, [one for _, some in found for one in some])


def wells_of(known: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what a plate says of its wells."""
    return [one for one in known.get("wells") or () if isinstance(one, Mapping)]


def images_of(files: StoreFiles, well: str) -> list[Mapping[str, Any]]:
    """Return what a well says of its fields; nothing if it is not there."""
    node = files.node(well)
    known = None if node is None else ome(node.attributes).get("well")
    images = known.get("images") if isinstance(known, Mapping) else None
    return [one for one in images or () if isinstance(one, Mapping)]


def _first_image(files: StoreFiles, wells: Sequence[Mapping[str, Any]]) -> Multiscale:
    for well in wells:
        for image in images_of(files, str(well.get("path", ""))):
            found = files.multiscale(f"{well['path']}/{image.get('path')}")
            if found is not None:
                return found
    raise UnusableError(
        "lists no well whose images are there", "copy the whole plate, or export it again"
    )


def _look(
    files: StoreFiles, well: Mapping[str, Any], level: str, plate: str
) -> tuple[list[PlateField], list[Skipped]]:
    """Look at the fields of a well: where it lies, and the shape of each."""
    path = str(well.get("path", "")).strip("/")
    place = _place(well, path)
    if place is None:
        return [], [Skipped(path, "is a well whose row and column cannot be told")]
    try:
        images = images_of(files, path)
    except UnusableError as error:
        return [], [Skipped(path, str(error))]
    if not images:
        return [], [Skipped(path, "is listed in the plate, but its well is not there")]
    fields, skipped = [], []
    for image in images:
        key = f"{path}/{image.get('path')}"
        try:
            array = _array(files, key, level)
        except UnusableError as error:
            skipped.append(Skipped(key, str(error)))
            continue
        name, acquisition = key.rpartition("/")[2], image.get("acquisition")
        known = "" if acquisition is None else str(acquisition)
        fields.append(PlateField(files.root, key, *array, *place, name, known, plate, key))
    return fields, skipped


def _array(files: StoreFiles, key: str, level: str) -> tuple[str, tuple[int, ...], Any]:
    """Return key, shape and type of the largest level of a field.

    Raises
    ------
    UnusableError
        Why it is left out.
    """
    array_key = f"{key}/{level}"
    array = files.array(array_key)
    if array is None:  # its levels may have other names than those of the first
        own = files.multiscale(key)
        if own is not None:
            array_key, array = own.levels[0].key, files.array(own.levels[0].key)
    if array is None or array.shape is None or array.dtype is None:
        raise UnusableError("is listed in its well, but not there")
    if not files.has_chunks(array_key):
        raise UnusableError("holds no pixels: none of its chunks is there")
    return array_key, array.shape, array.dtype


def _place(well: Mapping[str, Any], path: str) -> tuple[int, int] | None:
    """Return row and column of a well: by its name, or as the plate numbers it."""
    place = well_place(path)
    if place is None:
        numbers = well.get("rowIndex"), well.get("columnIndex")
        if all(isinstance(one, int) and one >= 0 for one in numbers):
            place = int(numbers[0] or 0), int(numbers[1] or 0)
    return place
