"""The embedding as a table in napari's own Points layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words

#: napari takes every column that starts like this for a coordinate.
_AXIS = "axis-"

#: Columns that are text even when they look like numbers.
_TEXT = ("source", "label")


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
        safe = str(name)
        if safe.startswith(_AXIS) or safe == "index":
            safe = f"column {safe}"
        columns[safe] = values.astype(int) if values.dtype == bool else values
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
        frame.to_csv(path, index=False, errors="backslashreplace")
    except OSError as error:
        raise RunError(
            f"{path} cannot be written ({error.strerror or error}); choose another place."
        ) from None
    return path


def read_embedding_csv(path: str | Path) -> tuple[np.ndarray, pd.DataFrame]:
    """Read what :func:`save_embedding_csv` wrote.

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
        frame = pd.read_csv(
            path,
            dtype=dict.fromkeys(_TEXT, str),
            # Only an empty cell is missing: "NA" and "None" may be labels.
            na_values=[""],
            keep_default_na=False,
        )
        axes = sorted(name for name in frame.columns if str(name).startswith(_AXIS))
        embedding = frame[axes].to_numpy(np.float32)
    except Exception as error:  # a damaged file may raise anything
        raise RunError(
            f"{path} cannot be read as a map ({words(error)}); restore it or train again."
        ) from error
    if len(axes) < 2:
        raise RunError(f"{path} is not a map: it has no columns axis-0 and axis-1.")
    return embedding, frame.drop(columns=[*axes, "index"], errors="ignore")
