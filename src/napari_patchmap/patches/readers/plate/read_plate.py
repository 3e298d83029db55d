"""Which wells and fields a plate has, or all plates of a folder, without reading a pixel."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.formats import ZIPPED_ZARR
from napari_patchmap.patches.axes import (
    check_axes,
    check_extent,
    extents,
    lead_axes,
    settle_axes,
)
from napari_patchmap.patches.names import natural_key
from napari_patchmap.patches.numbers import check_numbers
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.plate.plate_fields import Plate, PlateField
from napari_patchmap.patches.readers.plate.well_files import FoundWells, plate_node, read_wells
from napari_patchmap.patches.readers.zarr.ngff import Multiscale, StoreFiles
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr
from napari_patchmap.patches.watch import LoadCancelled, Watch

#: How deep folders of plates may lie in a folder, and entries of each that are looked at.
_DEPTH, _LOOKS = 2, 2000


class _Found(NamedTuple):
    """One plate: where it lies below what was opened, and its wells."""

    place: str
    name: str
    wells: FoundWells


def is_plate(path: Path) -> bool:
    """Whether a path is an OME-Zarr plate, zipped or not, or a folder of plates.

    No pixel is read; of a folder of stores, the first one tells. The first folder in it is
    looked into only if there is nothing else in it.
    """
    if not is_zarr(path):
        stores, folders, others = _entries(path)
        first = [] if others else folders[:1]
        found = stores or [one for folder in first for one in plates_at(folder, 0)]
        if not found:
            return False
        path = found[0]
    try:
        return plate_node(StoreFiles(path)) is not None
    except (UnusableError, OSError):
        return False


def plates_at(path: Path, depth: int = _DEPTH) -> list[Path]:
    """Return the plate that a path is, or the stores in a folder, in natural order."""
    if is_zarr(path):
        return [path]
    stores, folders, _ = _entries(path)
    deeper = folders if depth else []
    return stores + [one for folder in deeper for one in plates_at(folder, depth - 1)]


def _entries(folder: Path) -> tuple[list[Path], list[Path], bool]:
    """Return the stores and the other folders in a folder, and whether it holds other files.

    Hidden ones are left out.
    """
    stores, folders, others = list[Path](), list[Path](), False
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(_LOOKS), entries, strict=False):
                name = entry.name.lower()
                if name.startswith("."):
                    continue
                if name.endswith((".zarr", *ZIPPED_ZARR)):
                    stores.append(Path(entry.path))
                elif entry.is_dir():
                    folders.append(Path(entry.path))
                else:
                    others = True
    except OSError:
        return [], [], False
    for some in (stores, folders):
        some.sort(key=lambda path: natural_key(path.name))
    return stores, folders, others


def read_plate(path: Path, axes: str, watch: Watch) -> Plate:
    """Read which fields a plate has, or all plates of a folder, and the size of each.

    What the axes and channels are is taken from the first field that is there; plates that
    have others are left out.

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
    plates, skipped = [], list[Skipped]()
    trouble: PatchError | None = None
    for one in plates_at(path):
        place = "" if one == path else one.relative_to(path).as_posix()
        try:
            with decoding(one, "is a plate that cannot be read", "copy or export it again"):
                plates.append(_read(one, place, watch))
        except LoadCancelled:
            raise
        except PatchError as error:
            trouble = trouble or error
            skipped.append(Skipped(place, _words(one, error)))
    if not plates:
        raise trouble or UnusableError("holds no plate").of(path)
    with decoding(path, "is a plate that cannot be read", "copy or export it again"):
        return _joined(path, plates, axes, skipped)


def _read(path: Path, place: str, watch: Watch) -> _Found:
    files = StoreFiles(path)
    known = plate_node(files)
    if known is None:
        raise UnusableError("is no OME-Zarr plate", "choose the folder that holds its rows")
    name = str(known.get("name") or _stem(path.name))
    return _Found(place, name, read_wells(files, known, name, watch))


def _stem(name: str) -> str:
    for ending in (*ZIPPED_ZARR, ".zarr", ".ome"):
        name = name[: -len(ending)] if name.lower().endswith(ending) else name
    return name


def _words(path: Path, error: PatchError) -> str:
    return str(error).removeprefix(f"{path} ").removesuffix(".")


def _joined(path: Path, plates: list[_Found], axes: str, skipped: list[Skipped]) -> Plate:
    """Make one set of the fields of all plates."""
    first = plates[0].wells.first
    letters = letters_of_fields(first, axes)
    names = Counter(one.name for one in plates)
    fields: list[PlateField] = []
    for place, name, wells in plates:
        before = f"{place}/" if place else ""
        skipped += [Skipped(before + one.source, one.reason) for one in wells.skipped]
        unlike = _unlike(wells.first, first)
        if unlike:
            skipped.append(Skipped(place, unlike))
            continue
        called = name if names[name] == 1 else _stem(place)
        fields += [one._replace(plate=called, source=before + one.key) for one in wells.fields]
    kept, others = alike(fields, letters)
    skipped += others
    if not kept:
        why = f" ({skipped[0].source}: {skipped[0].reason})" if skipped else ""
        raise UnusableError(f"holds no field that can be used{why}", "copy or export it again")
    return Plate(path, kept, letters, first.channel_names, skipped)


def _unlike(one: Multiscale, first: Multiscale) -> str:
    """Say why a plate makes no set with the first one; "" if it does."""
    for what, own, others in (
        ("axes", one.letters, first.letters),
        ("channels", ", ".join(one.channel_names), ", ".join(first.channel_names)),
    ):
        if own and others and own != others:
            return f"has the {what} {own}, the first plate {others}"
    return ""


def letters_of_fields(first: Multiscale, axes: str) -> str:
    """Decide what the axes of the fields are."""
    shape = first.levels[0].shape
    if axes != "auto":
        return check_axes(axes, len(shape))
    if any(shape[i] > 1 for i in lead_axes(first.letters)):
        return settle_axes(first.letters, shape, volume=True)[0]
    return first.letters  # however many channels there are: fields are named apart from them


def alike(fields: Sequence[PlateField], letters: str) -> tuple[list[PlateField], list[Skipped]]:
    """Keep the fields that make one set, the kind that most are of."""
    kinds: list[tuple[str, int]] = []
    for field in fields:
        fits = len(field.shape) == len(letters)
        channels = extents(field.shape, letters)[3] if fits else 0
        kinds.append((str(field.dtype), channels))
    most = Counter(kind for kind in kinds if kind[1]).most_common(1)
    if not most:
        return [], [Skipped(one.source, f"has not the axes {letters}") for one in fields]
    wanted, kept, skipped = most[0][0], [], []
    for field, kind in zip(fields, kinds, strict=True):
        if kind != wanted:
            have, need = (f"{number} channel(s) of {dtype}" for dtype, number in (kind, wanted))
            skipped.append(Skipped(field.source, f"has {have}, most others {need}"))
            continue
        try:
            check_numbers(field.dtype, int(np.prod(field.shape)))
            check_extent(field.shape, letters)
        except UnusableError as error:
            skipped.append(Skipped(field.source, str(error)))
            continue
        kept.append(field)
    return kept, skipped
