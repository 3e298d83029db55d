"""Labels and other columns from a table, joined to the patches they belong to."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.matching import explain_mismatch, match_names, match_order
from napari_patchmap.patches.patchset import BOX_COLUMNS

#: A table with a header row, or one value a patch.
Labels = str | os.PathLike[str] | Sequence[Any] | np.ndarray


def join_labels(
    table: pd.DataFrame, labels: Labels, names: Sequence[str] | None, name: str
) -> tuple[pd.DataFrame, list[str]]:
    """Return ``table`` with the labels' columns, and notes for the user.

    Parameters
    ----------
    table : DataFrame
        One row a patch.
    labels : path or sequence
        A CSV file (comma, semicolon or tab) or one label a patch.
    names : sequence of str, optional
        File name of each patch, with its folder; when None, rows are matched by
        an index column or by their order.
    name : str
        What people call the patches.

    Raises
    ------
    PatchError
        If the file cannot be read, or its rows do not fit the patches.
    """
    if not isinstance(labels, (str, os.PathLike)):
        return _with_values(table, labels, name), []
    path = Path(labels)
    rows = read_table(path)
    found: tuple[str | None, np.ndarray] | None = None
    if names is not None:
        found = match_names(rows, names, path)
    # Files are never matched by their order: it is seldom what people think it is.
    if found is None and (names is None or table["source"].nunique() == 1):
        found = match_order(rows, len(table), path)
    if found is None:
        raise PatchError(explain_mismatch(rows, names, len(table), path, name))
    column, row_of = found
    return _add_columns(table, rows, row_of, column, path)


def read_table(path: Path) -> pd.DataFrame:
    """Read a CSV file with a header row, every cell as text, NaN where empty.

    Raises
    ------
    PatchError
        If the file is missing, is not such a table, or has no rows.
    """
    for encoding in ("utf-8-sig", "latin-1"):
        try:
            with path.open(encoding=encoding, newline="") as file:
                header = file.readline()
            separator = max(",;\t", key=header.count)
            rows = pd.read_csv(
                path,
                sep=separator,
                encoding=encoding,
                dtype=str,
                keep_default_na=False,
                na_values=[""],
                skipinitialspace=True,
            )
        except UnicodeDecodeError:
            continue
        except FileNotFoundError:
            raise PatchError(f"There is no labels file {path}; check the path.") from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise PatchError(
                f"The labels file {path} cannot be read ({reason}); check the path and its "
                "permissions."
            ) from None
        except ValueError as error:  # pandas' parser errors
            raise PatchError(
                f"The labels file {path} is not a CSV table ({str(error).strip()}); save it "
                "with a header row and one row an image."
            ) from None
        if rows.empty:
            raise PatchError(f"The labels file {path} has no rows below its header.")
        rows.columns = [str(column).strip() for column in rows.columns]
        return rows
    raise AssertionError("latin-1 decodes everything")


def as_text(values: Any) -> np.ndarray:
    """Return labels as text, with None where one is missing; 3.0 is written 3."""
    return np.array([_text(value) for value in np.asarray(values).tolist()], dtype=object)


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return value or None
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _with_values(table: pd.DataFrame, labels: Any, name: str) -> pd.DataFrame:
    values = np.asarray(labels)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or len(values) != len(table):
        raise PatchError(
            f"{name} has {len(table):,} patches but the labels have the shape {values.shape}; "
            "give one label a patch."
        )
    return table.assign(label=as_text(values))


def _add_columns(
    table: pd.DataFrame, rows: pd.DataFrame, row_of: np.ndarray, key: str | None, path: Path
) -> tuple[pd.DataFrame, list[str]]:
    """Bring the columns of ``rows`` along; row -1 stands for a patch without one."""
    notes = []
    matched = int((row_of >= 0).sum())
    if matched < len(table):
        notes.append(f"{matched:,} of {len(table):,} patches have a row in {path.name}.")
    columns = [c for c in rows.columns if c != key]
    label = next((c for c in columns if c.lower() == "label"), None)
    if label is None and len(columns) == 1:
        label = columns[0]
    if label is None:
        notes.append(f"{path.name} has no column called 'label'; its columns came along.")
    picked = rows.reindex(row_of)
    if label is not None and "label" in table:
        table = table.rename(columns={"label": "folder"})
    new: dict[str, Any] = {}
    for column in columns:
        if column == label:
            new["label"] = as_text(picked[column].to_numpy())
            continue
        # A user's column never overwrites where a patch lies.
        free = (
            column
            if column not in (*BOX_COLUMNS, "label", *table)
            else f"{column} (labels file)"
        )
        new[free] = _numbers_if_all(picked[column]).to_numpy()
    extra = pd.DataFrame(new, index=table.index)
    return pd.concat([table, extra], axis=1), notes


def _numbers_if_all(column: pd.Series) -> pd.Series:
    """Turn a text column into numbers when every cell is one; codes such as 007 stay text."""
    given = column.dropna().astype(str).str.strip()
    if given.empty or given.str.match(r"[+-]?0\d").any():
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    return numbers if numbers[given.index].notna().all() else column
