"""The embedding as a table in napari's own Points layout."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words
from napari_patchmap.patches.labels.values import numbers_if_all
from napari_patchmap.patches.patchset import BOX_COLUMNS
from napari_patchmap.writing import whole_file

#: napari takes every column that starts like this for a coordinate.
_AXIS = "axis-"

#: Columns that are text even when they look like numbers.
_TEXT = ("source", "label")

#: Columns that Patchmap itself writes as numbers.
_NUMBERS = ("index", *(name for name in BOX_COLUMNS if name not in _TEXT))


def embedding_table(
    embedding: np.ndarray, table: pd.DataFrame, rows: np.ndarray | None = None
) -> pd.DataFrame:
    """Join coordinates and patch table as napari writes Points layers.

    Columns ``index``, ``axis-0`` (y), ``axis-1`` (x), then the table's. True and
    False become 1 and 0, and a user's column called ``axis-...`` is renamed, for
    napari would read it as a coordinate. With ``rows`` only these are taken; ``index`` still
    counts in the whole set.
    """
    if len(embedding) != len(table):
        raise RunError(
            f"The map has {len(embedding)} points but the table has {len(table)} rows; "
            "they must belong to the same patches."
        )
    columns: dict[str, object] = {"index": np.arange(len(embedding))}
    for axis in range(embedding.shape[1]):
        columns[f"{_AXIS}{axis}"] = embedding[:, axis]
    for name in table.columns:
        values = table[name]
        columns[_safe(name)] = values.astype(int) if values.dtype == bool else values
    frame = pd.DataFrame({k: np.asarray(v) for k, v in columns.items()})
    return frame if rows is None else frame.iloc[rows].reset_index(drop=True)


def save_embedding_csv(
    path: str | Path,
    embedding: np.ndarray,
    table: pd.DataFrame,
    rows: np.ndarray | None = None,
) -> Path:
    """Write a map, or some rows of it, as CSV that napari opens by drag and drop.

    Raises
    ------
    RunError
        If the file cannot be written.
    """
    path = Path(path)
    try:
        # A name may hold bytes that are no text; they must not cost anybody the map.
        frame = embedding_table(embedding, table, rows)
        with whole_file(path) as file:
            frame.to_csv(file, index=False, errors="backslashreplace")
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}); choose another place."
        ) from None
    return path


def text_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are text, whatever they look like in a file."""
    return [_safe(name) for name in table.columns if not is_numeric_dtype(table[name])]


def read_embedding_csv(
    path: str | Path, text: Sequence[str] | None = None
) -> tuple[np.ndarray, pd.DataFrame]:
    """Read what :func:`save_embedding_csv` wrote.

    Parameters
    ----------
    path : path
    text : sequence of str, optional
        Columns that are text, see :func:`text_columns`. When None, numbers are told
        from codes such as 007 as in any table.

    Returns
    -------
    embedding : ndarray of float32, shape (n, d)
    table : DataFrame

    Raises
    ------
    RunError
        If the file is not such a table.
    """
    path = Path(path)
    try:
        # Only an empty cell is missing: "NA" and "None" may be labels.
        whole = partial(pd.read_csv, path, na_values=[""], keep_default_na=False)
        read = cast(Callable[..., pd.DataFrame], whole)
        frame = read(dtype=dict.fromkeys((*_TEXT, *(text or ())), str))
        if text is None:
            unsure = [str(name) for name in frame.columns if _may_be_codes(name, frame[name])]
            cells = read(usecols=unsure, dtype=object) if unsure else frame[[]]
            for name in unsure:
                frame[name] = numbers_if_all(cells[name].to_numpy(object))
        axes = _axes(frame)
        embedding = frame[axes].to_numpy(np.float32)
    except Exception as error:  # a damaged file may raise anything
        raise RunError(
            f"{path} cannot be read as a map ({words(error)}); restore it or train again."
        ) from error
    if len(axes) < 2:
        raise RunError(f"{path} is not a map: it has no columns axis-0 and axis-1.")
    return embedding, frame.drop(columns=[*axes, "index"], errors="ignore")


def _axes(frame: pd.DataFrame) -> list[str]:
    """Return the columns of coordinates, axis-2 before axis-10."""
    found = [str(name) for name in frame.columns if str(name).startswith(_AXIS)]
    return sorted(found, key=lambda name: (len(name), name))


def _safe(name: object) -> str:
    """Return the name of a column in the file, where napari takes it for nothing else."""
    name = str(name)
    return f"column {name}" if name.startswith(_AXIS) or name == "index" else name


def _may_be_codes(name: str, values: pd.Series) -> bool:
    """Whether numbers of a column may have been written with zeros before them."""
    if name in (*_TEXT, *_NUMBERS) or name.startswith(_AXIS):
        return False
    if not is_numeric_dtype(values):
        # Of numbers that are too long pandas makes text, in which gaps are no gaps.
        return bool((values == "").any())
    known = values[np.isfinite(values)]
    return bool((known == known.round()).all())
