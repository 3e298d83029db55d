"""The embedding as a table in napari's own Points layout."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from napari_patchmap.errors import RunError
from napari_patchmap.foreign import words
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.values import numbers_if_all
from napari_patchmap.runs.writable import writing
from napari_patchmap.writing import whole_file

#: napari takes every column that starts like this for a coordinate.
_AXIS = "axis-"

#: Column that says which patch of the whole set a row is.
INDEX = "index"

#: Columns that tell, without it, whether rows are still in their order.
_WHERE = ("source", "frame", "y", "x")

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
    frame = embedding_table(embedding, table, rows)
    with writing(path):
        write_embedding(path, frame)
    return Path(path)


def write_embedding(path: str | Path, frame: pd.DataFrame) -> None:
    """Write an :func:`embedding_table`, for who has a sentence of their own for an OSError."""
    with whole_file(path) as file:
        # A name may hold bytes that are no text; they must not cost anybody the map.
        frame.to_csv(file, index=False, errors="backslashreplace")


def text_columns(table: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are text, whatever they look like in a file."""
    return [_safe(name) for name in table.columns if not is_numeric_dtype(table[name])]


@dataclass(frozen=True)
class MapRows:
    """The map and the table of a run, in the order in which it keeps its patches."""

    index: np.ndarray
    """Which patch of the run each row is."""
    embedding: np.ndarray
    """float32, shape (n, d)."""
    table: pd.DataFrame
    notes: tuple[str, ...] = ()
    """What is missing, in a sentence."""


def read_map_rows(
    path: str | Path,
    count: int,
    known: pd.DataFrame | None = None,
    text: Sequence[str] | None = None,
) -> MapRows:
    """Read the ``embedding.csv`` of a run, whatever order somebody saved its rows in.

    Of the ``count`` patches of the run, ``known`` says which each is, to tell whether rows
    without the column ``index`` lie in order; ``text`` which columns are text, see
    :func:`text_columns`. When None, numbers are told from codes such as 007 as in any table.

    Raises
    ------
    RunError
        If the file is no such table, or it cannot be told which patch a row is.
    """
    path = Path(path)
    embedding, frame = _read(path, text)
    rest = frame.drop(columns=INDEX, errors="ignore")
    notes = []
    if INDEX in frame:
        index = _checked_index(frame[INDEX], count, path)
    else:
        index, sure = _by_order(rest, count, known, path)
        if not sure:
            notes.append(
                f"{path} has lost its column {INDEX}; its rows were taken in their order."
            )
    order = np.argsort(index, kind="stable")
    index, lost = index[order], count - len(index)
    embedding = embedding[order]
    if not np.isfinite(embedding).all():
        row = int(index[~np.isfinite(embedding).all(axis=1)][0])
        raise RunError(
            f"{path} has no position for patch {row} (column {INDEX}); restore the file."
        )
    if lost:
        patches = "their patches are" if lost > 1 else "its patch is"
        notes.append(
            f"{path} has lost {lost:,} of {count:,} rows; {patches} skipped, but the quality "
            "figures are those of the whole map."
        )
    return MapRows(index, embedding, rest.iloc[order].reset_index(drop=True), tuple(notes))


def _checked_index(column: pd.Series, count: int, path: Path) -> np.ndarray:
    """Return which patches the rows say they are; refuse what is no patch, or there twice."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(float)
    wrong = ~((numbers >= 0) & (numbers < count) & (numbers == np.floor(numbers)))
    if not len(numbers):
        raise RunError(f"{path} has no rows left; restore the file.")
    if wrong.any():
        raise RunError(
            f"{path} has a row whose {INDEX} is {str(column[wrong].iloc[0])!r}, and the run "
            f"has the patches 0 to {count - 1}; restore the file, or remove that row."
        )
    index = numbers.astype(np.intp)
    twice = pd.Series(index).duplicated()
    if twice.any():
        raise RunError(
            f"{path} has the patch {int(index[twice][0])} twice (column {INDEX}); restore the "
            "file, or remove one of these rows."
        )
    return index


def _by_order(
    table: pd.DataFrame, count: int, known: pd.DataFrame | None, path: Path
) -> tuple[np.ndarray, bool]:
    """Take rows as they come if nothing speaks against it; say if anything speaks for it."""
    where = [] if known is None else [name for name in _WHERE if name in table]
    same = len(table) == count
    if same and known is not None:
        now, before = (one[where].astype(str).reset_index(drop=True) for one in (table, known))
        same = now.equals(before)
    if not same:
        raise RunError(
            f"{path} has lost its column {INDEX}, which says which patch a row is, and its "
            f"{len(table):,} rows are not those of the {count:,} patches in their order; "
            "restore the file."
        )
    return np.arange(count), "source" in where


def _read(path: Path, text: Sequence[str] | None) -> tuple[np.ndarray, pd.DataFrame]:
    """Read the coordinates in the file, and the other columns."""
    try:
        dialect = _dialect(path)
        read = partial(_read_csv, path, **dialect)
        frame = read(dtype=dict.fromkeys((*_TEXT, *(text or ())), str))
        if text is None:
            unsure = [str(name) for name in frame.columns if _may_be_codes(name, frame[name])]
            cells = read(usecols=unsure, dtype=object) if unsure else frame[[]]
            for name in unsure:
                values = cells[name]
                if dialect["decimal"] == ",":
                    values = values.str.replace(",", ".", regex=False)
                frame[name] = numbers_if_all(values.to_numpy(object))
        axes = _axes(frame)
        embedding = frame[axes].to_numpy(np.float32)
    except Exception as error:  # a damaged file may raise anything
        raise RunError(
            f"{path} cannot be read as a map ({words(error)}); restore it or train again."
        ) from error
    if len(axes) < 2:
        raise RunError(f"{path} is not a map: it has no columns axis-0 and axis-1.")
    return embedding, frame.drop(columns=axes)


def _read_csv(path: Path, **options: Any) -> pd.DataFrame:
    # Only an empty cell is missing: "NA" and "None" may be labels.
    return pd.read_csv(path, na_values=[""], keep_default_na=False, **options)


def _dialect(path: Path) -> dict[str, Any]:
    """Say how a table is written: spreadsheets of many countries write 1,5;2,5."""
    with path.open("rb") as file:
        head = file.readline(65_536)
    sep = max((",", ";", "\t"), key=lambda one: head.count(one.encode()))
    encoding = "utf-8-sig" if _is_utf8(path) else "latin-1"
    decimal = "."
    if sep != ",":
        few = pd.read_csv(path, sep=sep, encoding=encoding, dtype=str, nrows=100)
        axes = few[[name for name in few.columns if str(name).startswith(_AXIS)]]
        decimal = "," if "," in "".join(axes.fillna("").to_numpy().ravel()) else "."
    return {"sep": sep, "encoding": encoding, "decimal": decimal}


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        try:
            for part in iter(lambda: file.read(2**20), b""):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


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
