"""Which row of a labels file belongs to which patch of a slide or a stack."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.matching import NAME_HINTS, match_names
from napari_patchmap.patches.labels.values import counts_rows
from napari_patchmap.patches.watch import LoadCancelled, Watch

#: Columns that number patches from 0, as in napari's own Points files.
_INDEX_COLUMNS = ("index", "frame", "patch")

#: What else a column of the names of slides and stacks may be called.
_SOURCE_HINTS = ("slide", "stack", "source", "scan")


def match_patches(
    rows: pd.DataFrame, sources: pd.Series, path: Path, watch: Watch
) -> tuple[str | None, np.ndarray] | None:
    """Match rows to patches that come from slides, stacks or other files of many.

    By a column that numbers the patches; by the file of each patch (``sources``), all patches
    of which get its row; or by their order. The column, if there is one, and the row of each
    patch are returned as by :func:`match_names`.

    Raises
    ------
    PatchError
        If a row fits several files, several unlike rows fit one file, or the
        numbers go beyond the patches.
    LoadCancelled
    """
    count = len(sources)
    index = _index_column(rows)
    # A column that only counts the rows may count slides as well as patches.
    counted = index is not None and len(rows) < count and counts_rows(rows[index])
    if index is not None and not counted:
        return match_order(rows, count, path)
    try:
        found = _match_sources(rows, sources, path, watch)
    except LoadCancelled:
        raise
    except PatchError:
        if not counted and len(rows) != count:
            raise
        found = None  # a row for each patch, with its slide beside it
    return found or match_order(rows, count, path)


def _match_sources(
    rows: pd.DataFrame, sources: pd.Series, path: Path, watch: Watch
) -> tuple[str, np.ndarray] | None:
    source_of, names = pd.factorize(sources.to_numpy(object))
    # Numbers equal the names of files such as 1.svs by chance, unless the header says so.
    columns = [
        column
        for column in rows.columns
        if any(hint in column.lower() for hint in (*NAME_HINTS, *_SOURCE_HINTS))
        or pd.to_numeric(rows[column].iloc[:1000], errors="coerce").isna().any()
    ]
    found = match_names(rows, names.tolist(), path, watch, columns)
    return None if found is None else (found[0], found[1][source_of])


def match_order(
    rows: pd.DataFrame, count: int, path: Path
) -> tuple[str | None, np.ndarray] | None:
    """Match rows by an index column or by their order; None if neither fits.

    Raises
    ------
    PatchError
        If the index goes beyond the patches.
    """
    column = _index_column(rows)
    if column is not None:
        index = pd.to_numeric(rows[column])
        if index.min() < 0 or index.max() >= count:
            raise PatchError(
                f"The labels file {path} numbers patches from {index.min():g} to "
                f"{index.max():g} in its column {column!r}, but there are {count:,}; count "
                "from 0."
            )
        row_of = np.full(count, -1, np.intp)
        row_of[index.to_numpy().astype(np.intp)] = np.arange(len(rows))
        return column, row_of
    return (None, np.arange(count)) if len(rows) == count else None


def _index_column(rows: pd.DataFrame) -> str | None:
    """Return the column that numbers patches, if there is one: different whole numbers."""
    column = next((c for c in rows.columns if c.lower() in _INDEX_COLUMNS), None)
    if column is None:
        return None
    index = pd.to_numeric(rows[column], errors="coerce")
    whole = index.notna().all() and (index == index.round()).all() and index.is_unique
    return column if whole else None
