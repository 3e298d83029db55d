"""Labels and other columns from a table, joined to the patches they belong to."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.matching import explain_mismatch, match_names
from napari_patchmap.patches.labels.row_order import match_order, match_patches
from napari_patchmap.patches.labels.table_file import read_table
from napari_patchmap.patches.patchset import BOX_COLUMNS
from napari_patchmap.patches.watch import Watch

#: Says whether a text begins like a code that would lose its zeros as a number.
_CODE = re.compile(r"\s*[+-]?0\d").match

#: The column of the names and the row of each patch (-1 for none), or None for no match.
_Found = tuple[str | None, np.ndarray] | None


@dataclass(eq=False)
class LabelsFile:
    """A labels file that was read, so that it can be checked before any image is.

    Parameters
    ----------
    path : Path
    rows : DataFrame
        See :func:`read_table`.
    """

    path: Path
    rows: pd.DataFrame
    _last: tuple[Sequence[str], _Found] = field(default=((), None), init=False, repr=False)

    @classmethod
    def read(cls, path: str | os.PathLike[str], watch: Watch) -> Self:
        """Read a CSV file (comma, semicolon or tab).

        Raises
        ------
        PatchError
            If it is not such a table.
        LoadCancelled
        """
        return cls(Path(path), read_table(Path(path), watch))

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
    watch: Watch | None = None,
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
    watch = watch or Watch()
    if isinstance(labels, (str, os.PathLike)):
        labels = LabelsFile.read(labels, watch)
    if not isinstance(labels, LabelsFile):
        return _with_values(table, labels, name), []
    rows, path = labels.rows, labels.path
    # Files are never matched by their order: it is seldom what people think it is.
    if names is not None:
        found = labels.match(names, watch)
        if found is None and table["source"].nunique() == 1:
            found = match_order(rows, len(table), path)
    else:
        found = match_patches(rows, table["source"], path, watch)
    if found is None:
        raise PatchError(explain_mismatch(rows, names, len(table), path, name, watch))
    column, row_of = found
    return _add_columns(table, rows, row_of, column, path, from_names, watch)


def as_text(values: Any, watch: Watch | None = None) -> np.ndarray:
    """Return labels as text, with None where one is missing; 3.0 is written 3."""
    known: dict[Any, str | None] = {}
    values = np.asarray(values)
    texts = np.empty(len(values), dtype=object)
    # There are few different labels: each is looked at once, however many patches have it.
    for part in (watch or Watch()).parts(len(values)):
        texts[part] = [
            known[value] if value in known else known.setdefault(value, _text(value))
            for value in values[part].tolist()
        ]
    return texts


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
    table: pd.DataFrame,
    rows: pd.DataFrame,
    row_of: np.ndarray,
    key: str | None,
    path: Path,
    from_names: Collection[str],
    watch: Watch,
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
    brought = {"label" if column == label else column for column in columns}
    replaced = {c: f"{c} (file name)" for c in from_names if c in brought}
    if "label" in brought and "label" in table:
        replaced.setdefault("label", "folder")
    table = table.rename(columns=replaced)
    new: dict[str, Any] = {}
    for column in columns:
        if column == label:
            new["label"] = _picked(rows[column], row_of, as_text, watch)
            continue
        # A user's column never overwrites where a patch lies.
        free = (
            column
            if column not in (*BOX_COLUMNS, "label", *table)
            else f"{column} (labels file)"
        )
        new[free] = _picked(rows[column], row_of, numbers_if_all, watch)
    extra = pd.DataFrame(new, index=table.index)
    return pd.concat([table, extra], axis=1), notes


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


def numbers_if_all(
    values: Sequence[str | float | None] | np.ndarray, watch: Watch | None = None
) -> np.ndarray:
    """Turn text into numbers when every value is one; codes such as 007 stay text.

    None and NaN are missing values, which are kept.
    """
    text = np.asarray(values, dtype=object)
    missing = pd.isna(text)
    given = text if not missing.any() else text[~missing]
    found = []
    for part in (watch or Watch()).parts(len(given)):
        if any(map(_CODE, given[part].tolist())):
            return text
        try:
            found.append(pd.to_numeric(given[part]))
        except (ValueError, TypeError):
            return text
    if not found:
        return text
    numbers = np.concatenate(found)
    if len(given) == len(text):
        return numbers
    with_gaps = np.full(len(text), np.nan)
    with_gaps[~missing] = numbers
    return with_gaps
