"""Labels and other columns from a table, joined to the patches they belong to."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.matching import explain_mismatch, match_names
from napari_patchmap.patches.labels.meanings import CLASSES, means_id, named
from napari_patchmap.patches.labels.object_rows import JoinedRows, check_order, match_objects
from napari_patchmap.patches.labels.row_order import match_order, match_patches
from napari_patchmap.patches.labels.table_file import read_table
from napari_patchmap.patches.labels.values import (
    as_text,
    missing_word,
    numbers_if_all,
    why_text,
)
from napari_patchmap.patches.labels.well_rows import match_wells
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: A label for each of more objects than this names them; it is no class.
_FEW = 8

#: Whole numbers of more values than this are a measurement; they are no classes.
_MOST_CODES = 40

#: The column of the names and the row of each patch (-1 for none), or None for no match.
_Found = tuple[str | None, np.ndarray] | None


@dataclass(eq=False)
class LabelsFile:
    """A labels file that was read, so that it can be checked before any image is.

    ``rows`` and ``notes`` are those of :func:`read_table`.
    """

    path: Path
    rows: pd.DataFrame
    notes: list[str] = field(default_factory=list)
    _last: tuple[Sequence[str], _Found] = field(default=((), None), init=False, repr=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str], watch: Watch) -> Self:
        """Read a CSV file, see :func:`read_table`."""
        notes: list[str] = []
        return cls(Path(path), read_table(Path(path), watch, notes), notes)

    def match(self, names: Sequence[str], watch: Watch) -> _Found:
        """Match the rows to names, see :func:`match_names`; the last result is kept."""
        if not names or self._last[0] != names:
            self._last = names, match_names(self.rows, names, self.path, watch)
        return self._last[1]

    def check(self, names: Sequence[str], name: str, watch: Watch) -> None:
        """Say so, before anything is decoded, if the rows fit no images of these names.

        Raises
        ------
        PatchError
        LoadCancelled
        """
        if len(names) > 1 and self.match(names, watch) is None:
            raise PatchError(
                explain_mismatch(self.rows, names, len(names), self.path, name, watch)
            )


#: A table with a header row, or one value a patch.
Labels = str | os.PathLike[str] | LabelsFile | Sequence[Any] | np.ndarray


def join_labels(
    table: pd.DataFrame,
    labels: Labels,
    names: Sequence[str] | None,
    name: str,
    from_names: Collection[str] = (),
    watch: Watch = UNWATCHED,
) -> tuple[pd.DataFrame, list[str], str | None]:
    """Return ``table`` with the labels' columns, notes, and what the label was called.

    Parameters
    ----------
    table : DataFrame
        One row a patch.
    labels : path or sequence
        A CSV file (comma, semicolon or tab) or one label a patch.
    names : sequence of str, optional
        File name of each patch, with its folder; when None, rows are matched by
        an index column, by the slide or other file that patches come from, or by
        their order.
    name : str
        What people call the patches.
    from_names : collection of str
        Columns of ``table`` that a pattern took from the file names. The labels
        file wins over them; they are kept as, say, ``patient (file name)``.
    watch : Watch, optional

    Raises
    ------
    PatchError
        If the file cannot be read, or its rows do not fit the patches.
    LoadCancelled
    """
    if isinstance(labels, (str, os.PathLike)):
        labels = LabelsFile.read(labels, watch)
    if not isinstance(labels, LabelsFile):
        return _with_values(table, labels, name), [], ""
    joined = _joined(labels, table, names, name, watch)
    table, notes, label = _add_columns(table, labels, joined, from_names, watch)
    return table, [*labels.notes, *joined.notes, *notes], label


def _joined(
    labels: LabelsFile,
    table: pd.DataFrame,
    names: Sequence[str] | None,
    name: str,
    watch: Watch,
) -> JoinedRows:
    """Find the row of each patch, by whatever tells it."""
    rows, path = labels.rows, labels.path
    # Files are never matched by their order: it is seldom what people think it is.
    if names is not None:
        found = labels.match(names, watch)
        sources = table["source"].nunique()
        if found is None and sources == 1:
            found = match_order(rows, len(table), path)
        elif found is None and sources < len(table):  # what is named lies in several files
            found = match_patches(rows, table["source"], path, watch)
    else:
        objects = match_objects(rows, table, path, watch) if "label_id" in table else None
        if objects is not None:
            return objects
        wells = match_wells(rows, table, path) if "well" in table else None
        if wells is not None:
            return JoinedRows(*wells, [])
        found = match_patches(rows, table["source"], path, watch)
    if found is None:
        if names is None and "label_id" in table:
            raise PatchError(
                f"The labels file {path} has {len(rows):,} rows but {name} has {len(table):,} "
                "objects; add a column label_id with the number of each object."
            )
        raise PatchError(explain_mismatch(rows, names, len(table), path, name, watch))
    column, row_of = found
    if column is not None:
        return JoinedRows((column,), row_of, [])
    if "label_id" in table:
        check_order(rows, table, path)
    said = (
        f"{path.name} does not say which row is of which patch, so its rows were taken in the "
        "order of the patches."
    )
    return JoinedRows((), row_of, [said])


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
    table: pd.DataFrame,
    labels: LabelsFile,
    joined: JoinedRows,
    from_names: Collection[str],
    watch: Watch,
) -> tuple[pd.DataFrame, list[str], str | None]:
    """Bring the columns of the rows along; row -1 stands for a patch without one."""
    rows, file, row_of, keys = labels.rows, labels.path.name, joined.row_of, joined.keys
    notes: list[str] = []
    matched = int((row_of >= 0).sum())
    if matched < len(table):
        notes.append(f"{matched:,} of {len(table):,} patches have a row in {file}.")
    columns = [c for c in rows.columns if c not in keys]
    label = _label_among(columns, rows, keys if "label_id" in table else ())
    if label is None:
        notes.append(f"{file} has no column called 'label'; its columns came along.")
    elif label.lower() != "label" and len(columns) > 1:
        notes.append(f"The labels are the column {label!r} of {file}.")
    brought = {"label" if column == label else column for column in columns}
    replaced = {c: f"{c} (file name)" for c in from_names if c in brought}
    if "label" in brought and "label" in table:
        replaced.setdefault("label", "folder")
    table = table.rename(columns=replaced)
    taken = {*BOX_COLUMNS, "label", *table}  # a user's column never overwrites these
    new: dict[str, Any] = {}
    gaps: dict[str, str] = {}
    texts: dict[str, str] = {}
    for column in columns:
        if column == label:
            new["label"] = _picked(rows[column], row_of, as_text, watch)
            continue
        values = _picked(rows[column], row_of, numbers_if_all, watch)
        new[f"{column} (labels file)" if column in taken else column] = values
        if values.dtype == object:
            odd = why_text(rows[column].unique())
            if odd is not None:
                texts[column] = odd
        elif values.dtype.kind == "f":
            word = missing_word(rows[column].unique())
            if word is not None:
                gaps[column] = word
    notes += _doubts(gaps, file, "stands for a missing number", "stand for missing numbers")
    notes += _doubts(
        texts,
        file,
        "is no number, so that all of it is text",
        "are no numbers, so that all of these columns are text",
    )
    extra = pd.DataFrame(new, index=table.index)
    own = f"{label} (labels file)" if label is not None and label.lower() == "label" else label
    return pd.concat([table, extra], axis=1), notes, own


def _doubts(words: dict[str, str], file: str, one: str, many: str) -> list[str]:
    """Say what of columns that hold words among numbers, an example for each of them."""
    if not words:
        return []
    column, word = next(iter(words.items()))
    where, others = f"the column {column!r} of {file}", len(words) - 1
    if not others:
        return [f"{word!r} in {where} {one}."]
    more = f"{others:,} more column{'s'[: others > 1]}"
    return [f"Words such as {word!r} in {where}, and in {more}, {many}."]


def _label_among(columns: Sequence[str], rows: pd.DataFrame, keys: Sequence[str]) -> str | None:
    """Return the column of the labels: never one whose name, or numbers, mean an id."""
    for column in columns:
        if column.lower() == "label" and not _names_objects(rows, column, keys):
            return column
    found = named(columns, CLASSES)
    if found:
        return found[0]
    if len(columns) == 1 and not means_id(columns[0]) and _may_be_label(rows[columns[0]]):
        return columns[0]
    return None


def _names_objects(rows: pd.DataFrame, column: str, keys: Sequence[str]) -> bool:
    """Whether a column called label names each object: ``ID17`` of TrackMate, or its number."""
    return len(keys) > 0 and len(rows) > _FEW and rows[column].is_unique


def _may_be_label(cells: pd.Series) -> bool:
    """Whether a column holds words, or a few whole numbers, rather than measurements."""
    different = cells.dropna().unique()
    if numbers_if_all(different).dtype == object:
        return True
    if len(cells) > _FEW and 2 * len(different) > len(cells):
        return False
    return len(different) <= _MOST_CODES and not any("." in cell for cell in different)


def _picked(
    column: pd.Series,
    row_of: np.ndarray,
    convert: Callable[[np.ndarray, Watch], np.ndarray],
    watch: Watch,
) -> np.ndarray:
    """Convert the cells of the patches' rows; a patch without a row has a missing value."""
    watch.step(0, len(row_of))
    # Each different cell once, in the order of the file: there are often few, and going
    # to and fro in a large memory is slow.
    codes, cells = pd.factorize(column.to_numpy(dtype=object))
    codes = np.where(row_of >= 0, codes[row_of], -1)
    watch.step(0, len(row_of))
    used = np.zeros(len(cells), bool)
    used[codes[codes >= 0]] = True
    at = np.where(codes >= 0, (np.cumsum(used) - 1)[codes], -1) if len(cells) else codes
    return _with_gaps(convert(cells[used], watch), at)


def _with_gaps(values: np.ndarray, row_of: np.ndarray) -> np.ndarray:
    """Take rows of ``values``; -1 gives a missing value."""
    if not len(values):
        return np.full(len(row_of), None, object)
    taken, gaps = values[row_of], row_of < 0
    if not gaps.any():
        return taken
    if taken.dtype != object:
        taken = taken.astype(np.float64)
    taken[gaps] = None if taken.dtype == object else np.nan
    return taken
