"""The centres of objects: tables of them, such as QuPath's measurements, or points."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.few_names import some_of
from napari_patchmap.patches.labels.matching import images_of
from napari_patchmap.patches.labels.meanings import CLASSES, named, places, plain
from napari_patchmap.patches.labels.table_file import PARQUET, read_table
from napari_patchmap.patches.labels.values import numbers_if_all
from napari_patchmap.patches.readers.objects.drawn_objects import Outline, values_table
from napari_patchmap.patches.watch import Watch

#: Ends of the names of such tables.
CENTRE_TABLES = (".csv", ".tsv", *PARQUET)

#: Names of the column that says which slide a row is of.
_IMAGES = ("image", "imagename", "slide", "slidename", "filename", "file")

_MICROMETRES = re.compile(r"(?:^|[\W_])(?:[µμ]m|um|microns?)\W*$", re.IGNORECASE).search


class Centres(NamedTuple):
    """Objects of one slide of which only the middle is known."""

    yx: np.ndarray
    """float64, ``(n, 2)``, in level-0 pixels from the slide's corner."""
    numbers: np.ndarray
    """Of each, which row of the file it is, from 1 on."""
    table: pd.DataFrame
    """The other columns, with a row an object."""
    label: str
    """The column that is the class, "" without one."""
    notes: list[str]


def read_centres(path: Path, watch: Watch) -> tuple[pd.DataFrame, list[str]]:
    """Read a table of centres as text, and what is to be said of that.

    Raises
    ------
    PatchError
        If it is no table, or none of centres.
    LoadCancelled
    """
    notes: list[str] = []
    rows = read_table(path, watch, notes)
    if places(rows.columns) is None:
        raise PatchError(
            f"{path} has no columns that say where objects lie; it needs two such as "
            "'Centroid X µm' and 'Centroid Y µm', or x and y in pixels of the slide."
        )
    return rows, notes


def centres_of(
    rows: pd.DataFrame, path: Path, slide: Path, mpp: float | None, watch: Watch
) -> Centres:
    """Return the centres of the objects of one slide.

    Parameters
    ----------
    rows : DataFrame
        Of :func:`read_centres`.
    path, slide : Path
        Files of the table and of the slide.
    mpp : float or None
        Micrometres per pixel of the slide.
    watch : Watch

    Raises
    ------
    PatchError
        If the table is of other slides, holds no numbers, or micrometres of a slide that
        does not say how large its pixels are.
    LoadCancelled
    """
    numbers = np.arange(1, len(rows) + 1)
    at = named(rows.columns, _IMAGES)
    if at:
        found = images_of(rows, [slide.name], watch, at)
        if found is None:
            others = rows[at[0]].dropna().unique()
            raise PatchError(
                f"{path} is of other slides ({at[0]}: {some_of(others)}) than {slide.name}; "
                "choose the table of this slide, or write its name into that column."
            )
        numbers = numbers[found[1] >= 0]
        rows = rows[found[1] >= 0].reset_index(drop=True)
    x_name, y_name = places(rows.columns) or ("", "")
    values = {str(c): numbers_if_all(rows[c].tolist(), watch) for c in rows.columns}
    for name in (x_name, y_name):
        if values[name].dtype.kind not in "iuf":
            raise PatchError(
                f"The column {name!r} of {path} holds more than numbers; correct it, or save "
                "the table again."
            )
    yx = np.stack([values[y_name], values[x_name]], 1).astype(np.float64)
    notes = []
    if _MICROMETRES(y_name) and _MICROMETRES(x_name):
        if mpp is None:
            raise PatchError(
                f"{path} says in micrometres where objects lie ({x_name}), but {slide} does "
                "not say how many a pixel spans; save the table in pixels, or the slide with "
                "its pixel size."
            )
        yx /= mpp
        said = f"micrometres, of which a pixel of the slide spans {mpp:.4g}"
    else:
        said = "pixels of the slide"
    notes.append(f"{x_name} and {y_name} of {path.name} were taken as {said}.")
    known = np.isfinite(yx).all(axis=1)
    if not known.any():
        raise PatchError(f"{path} says of no object where it lies ({x_name}, {y_name}).")
    if not known.all():
        notes.append(f"{(~known).sum():,} rows of {path.name} without a place were left out.")
    labels = [c for c in values if plain(c) == "label"] or named(values, CLASSES)
    table = pd.DataFrame(values).iloc[np.flatnonzero(known)].reset_index(drop=True)
    return Centres(yx[known], numbers[known], table, labels[0] if labels else "", notes)


def centres_at(points: Sequence[Outline], label: str) -> Centres:
    """Return the centres that are the points of a file; ``label`` is the column of classes."""
    table = values_table(points)
    yx = np.concatenate([point.rings[0][:, ::-1] for point in points])
    known = label if label in table else ""
    return Centres(yx, table.index.to_numpy(), table.reset_index(drop=True), known, [])
