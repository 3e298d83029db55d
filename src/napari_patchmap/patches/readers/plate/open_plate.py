"""A plate as one set of patches, each a whole field of view."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.patches.axes import default_names
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.cache.fingerprint import fingerprint
from napari_patchmap.patches.patchset import Skipped
from napari_patchmap.patches.readers.plate.plate_fields import Plate, well_columns
from napari_patchmap.patches.readers.plate.plate_images import FieldImages, KnownArray
from napari_patchmap.patches.readers.plate.read_plate import is_plate, read_plate
from napari_patchmap.patches.readers.zarr.zip_files import split_zip
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.source import Source
from napari_patchmap.patches.watch import Watch

#: Fields of a longer side than this show many cells: it is said how to cut them.
_MANY_CELLS = 512


#: Fields whose pixels are looked at when a plate is opened, for its brightness.
FEW_FIELDS = 24

#: So many of a list are named in a sentence.
_NAMED = 3


def recognises(path: Path, chosen: bool) -> bool:
    """Whether a path is an OME-Zarr plate, or a folder of them."""
    return is_plate(path)


def read(request: OpenRequest, watch: Watch) -> Source:
    """Open the fields of a plate, or of several, each a patch; no pixel is read yet.

    Raises
    ------
    PatchError
        If none of its fields can be used, or they are volumes.
    LoadCancelled
    """
    plate = read_plate(Path(request.path), request.axes, watch)
    images = field_images(plate)
    table = box_table(plate.sources[images.array_of].tolist(), images.frame_of, images.sizes)
    table = with_wells(table, plate, images.array_of)
    notes = plate_notes(plate)
    longest = int(images.sizes.max())
    if longest > _MANY_CELLS:
        height, width = images.sizes[0].tolist()
        notes.append(
            f"Each field became one patch, the first of {width} x {height} pixels; to map "
            "cells, cut the fields by their labels (--objects) or into tiles (--tile-size)."
        )
    return Source(
        images, table, channel_names_of(plate), notes=notes, skipped=list(plate.skipped),
        fingerprint=fingerprint("plate", plate_files(plate), axes=plate.letters),
        few_sources=FEW_FIELDS,
    )  # fmt: skip


def field_images(plate: Plate) -> FieldImages:
    """Return the images of all fields."""
    arrays = [KnownArray(one.root / one.array, one.shape, one.dtype) for one in plate.fields]
    return FieldImages(arrays, plate.letters)


def channel_names_of(plate: Plate) -> tuple[str, ...]:
    """Return the names of the channels, numbered where the plate names none."""
    images = field_images(plate)
    if len(plate.channel_names) == images.channels:
        return plate.channel_names
    return default_names(images.channels, images.dtype, plate.letters[-1] == "S")


def with_wells(table: pd.DataFrame, plate: Plate, field_of: np.ndarray) -> pd.DataFrame:
    """Add the columns plate, row, column, well and field; ``field_of`` is that of each row."""
    columns = pd.DataFrame(well_columns(plate.fields)).iloc[field_of]
    return pd.concat([table, columns.reset_index(drop=True)], axis=1)


def plate_notes(plate: Plate, whole: bool = False) -> list[str]:
    """Say what a plate has and what is missing; ``whole`` that all of it was read."""
    wells = {(one.root, one.row, one.column) for one in plate.fields}
    names = plate.names
    what = f"Plate {names[0]}" if len(names) == 1 else f"{len(names)} plates ({_few(names)})"
    notes = [f"{what}: {len(plate.fields):,} fields in {len(wells):,} wells."]
    sizes = {plate.size(one) for one in plate.fields}
    if len(sizes) > 1:
        (low, high) = min(sizes), max(sizes)
        notes.append(
            f"The fields are of {len(sizes)} sizes, {low[1]} x {low[0]} to {high[1]} x "
            f"{high[0]} pixels."
        )
    if len(plate.fields) > FEW_FIELDS and not whole:
        notes.append(
            f"How bright the plate is was measured on {FEW_FIELDS} of its fields; no other was "
            "read yet."
        )
    if plate.skipped:
        notes.append(f"Left out: {_listed(plate.skipped)}.")
    return notes


def plate_files(plate: Plate) -> list[tuple[str, str]]:
    """List what changes when fields of a plate do: their descriptions and folders.

    Chunks are too many to be looked at one by one.
    """
    files = list[tuple[str, str]]()
    zips = dict[Path, str]()
    for field in plate.fields:
        if field.root not in zips:
            zips[field.root] = "zip" if split_zip(field.root) else ""
            files += [(field.plate, str(field.root))] if zips[field.root] else []
        if zips[field.root]:
            continue  # one file, that changes whatever in it does
        folder = os.path.join(field.root, field.array)
        files.append((field.source, folder))
        files += [(f"{field.source}/{n}", f"{folder}/{n}") for n in (".zarray", "zarr.json")]
    return files


def _listed(skipped: list[Skipped]) -> str:
    """Say what was left out, by the reason."""
    by_reason = dict[str, list[str]]()
    for one in skipped:
        by_reason.setdefault(one.reason, []).append(one.source)
    said = [f"{_few(sources)} ({reason})" for reason, sources in by_reason.items()]
    return _few(said, "; ")


def _few(names: Sequence[str], between: str = ", ") -> str:
    more = [f"and {len(names) - _NAMED:,} more"] if len(names) > _NAMED else []
    return between.join([*names[:_NAMED], *more])
