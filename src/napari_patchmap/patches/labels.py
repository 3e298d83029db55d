"""Labels and other columns from a table, joined to the patches they belong to."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.patchset import BOX_COLUMNS

#: A table with a header row, or one value a patch.
Labels = str | os.PathLike[str] | Sequence[Any] | np.ndarray

#: Columns that number patches from 0, as in napari's own Points files.
_INDEX_COLUMNS = ("index", "frame", "patch")

#: A column of file names often says so; decides between columns that match equally well.
_NAME_HINTS = ("file", "name", "image", "path")


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
        found = _match_names(rows, names, path)
    if found is None:
        found = _match_order(rows, len(table), path)
    if found is None:
        raise PatchError(_explain_mismatch(rows, names, len(table), path, name))
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
    column = pd.Series(np.asarray(values).tolist(), dtype=object)
    return np.array([None if pd.isna(v) or v == "" else _text(v) for v in column], dtype=object)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
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


# -- finding the row of each patch -------------------------------------------


def _stem(name: str) -> str:
    base = name.rpartition("/")
    return base[0] + base[1] + os.path.splitext(base[2])[0]


def _base(name: str) -> str:
    return name.rpartition("/")[2]


#: How a labels file may name an image, the most specific first.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    _stem,
    _base,
    lambda name: _stem(_base(name)),
)


def _clean(names: Sequence[Any] | pd.Series) -> pd.Series:
    text = pd.Series(names, dtype=object).fillna("").astype(str)
    return text.str.strip().str.replace("\\", "/").str.removeprefix("./")


def _match_names(
    rows: pd.DataFrame, names: Sequence[str], path: Path
) -> tuple[str, np.ndarray] | None:
    """Find the column that holds file names; return it and the row of each patch, or None."""
    patches = _clean(names)
    best: tuple[tuple[int, bool], str, Callable[[str], str]] | None = None
    # Labels such as 1 and 2 may well equal the names of some images.
    columns = [column for column in rows.columns if column.lower() != "label"]
    for spelling in _SPELLINGS:
        keys = pd.Index(patches.map(spelling))
        for column in columns:
            matched = int(keys.isin(_clean(rows[column])).sum())
            score = (matched, any(hint in column.lower() for hint in _NAME_HINTS))
            if matched and (best is None or score > best[0]):
                best = (score, column, spelling)
    if best is None:
        return None
    _, column, spelling = best
    keys, cells = patches.map(spelling), _clean(rows[column])
    used = keys.isin(cells)
    twice = keys[used & keys.duplicated(keep=False)]
    if len(twice):
        where = patches[twice.index[:2]].tolist()
        raise PatchError(
            f"The labels file {path} names {twice.iloc[0]!r}, but there are several such "
            f"images ({where[0]} and {where[1]}); write the name with its folder."
        )
    content = rows.assign(**{column: cells}).drop_duplicates()
    again = content[content[column].isin(keys) & content[column].duplicated(keep=False)]
    if len(again):
        raise PatchError(
            f"The labels file {path} has different rows for {again[column].iloc[0]!r}; "
            "keep one."
        )
    row_of = pd.Series(content.index, index=content[column])
    row_of = row_of[~row_of.index.duplicated()]
    return column, row_of.reindex(keys).fillna(-1).astype(np.intp).to_numpy()


def _match_order(
    rows: pd.DataFrame, count: int, path: Path
) -> tuple[str | None, np.ndarray] | None:
    """Match rows by an index column or by their order; None if neither fits."""
    column = next((c for c in rows.columns if c.lower() in _INDEX_COLUMNS), None)
    if column is not None:
        index = pd.to_numeric(rows[column], errors="coerce")
        if index.notna().all() and (index == index.round()).all() and index.is_unique:
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


def _explain_mismatch(
    rows: pd.DataFrame, names: Sequence[str] | None, count: int, path: Path, name: str
) -> str:
    if names is None:
        return (
            f"The labels file {path} has {len(rows):,} rows but {name} has {count:,} patches; "
            "give one row a patch in their order, or add a column 'index' that counts from 0."
        )
    cell = next((str(value) for value in rows.iloc[0] if not pd.isna(value)), "")
    return (
        f"0 of the {count:,} images in {name} match a row of the labels file {path} (an image "
        f"is called {names[0]!r}, the first row begins with {cell!r}); add a column with the "
        "images' file names."
    )


# -- adding the columns ------------------------------------------------------


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
