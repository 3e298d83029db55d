"""Which row of a labels file belongs to which patch: by name, by index or by order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError

#: Columns that number patches from 0, as in napari's own Points files.
_INDEX_COLUMNS = ("index", "frame", "patch")

#: A column of file names often says so; decides between columns that match equally well.
_NAME_HINTS = ("file", "name", "image", "path")


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    # A dot that begins a name begins no ending, and one in a folder's name neither.
    return head if dot and "/" not in tail and head and head[-1] != "/" else name


def _base(name: str) -> str:
    return name.rpartition("/")[2]


#: How a labels file may name an image, the most specific first.
_SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    _stem,
    _base,
    lambda name: _stem(_base(name)),
)


def _clean(names: Iterable[Any]) -> list[str]:
    return [
        name.strip().replace("\\", "/").removeprefix("./") if isinstance(name, str) else ""
        for name in names
    ]


class _Match(NamedTuple):
    """A column of a labels file against the images' names in one spelling."""

    column: str
    cells: list[str]
    keys: list[str]
    rows: np.ndarray
    """Rows whose cell names an image, in order."""
    row_of: np.ndarray
    """The first of these rows for each image, -1 where it has none."""
    named: int
    """Different names among these rows."""
    matched: int
    """Images that have a row."""


def match_names(
    rows: pd.DataFrame, names: Sequence[str], path: Path
) -> tuple[str, np.ndarray] | None:
    """Find the column that holds file names.

    Returns
    -------
    (column, row) or None
        The row of each patch, -1 where it has none. None if most of the patches
        have no row and most of the rows no patch: then the few that agree do so
        by chance.

    Raises
    ------
    PatchError
        If a row fits several images, or several unlike rows fit one image.
    """
    best = _best_match(rows, names)
    if best is None or 2 * best.matched < min(len(names), len(rows)):
        return None
    _check_unambiguous(best, names, rows, path)
    return best.column, best.row_of


def _best_match(rows: pd.DataFrame, names: Sequence[str]) -> _Match | None:
    """Find the column and spelling that name the most images."""
    # Labels such as 1 and 2 may well equal the names of some images.
    columns = [column for column in rows.columns if column.lower() != "label"]
    # Stable: among columns that match equally well, one that says so comes first.
    columns.sort(key=lambda column: not any(hint in column.lower() for hint in _NAME_HINTS))
    best: _Match | None = None
    for column, cells, keys in _candidates(rows, columns, list(names)):
        match = _match(column, cells, keys)
        if match.matched > (best.matched if best else 0):
            best = match
            if best.matched == len(names):
                break
    return best


def _candidates(
    rows: pd.DataFrame, columns: Sequence[str], names: list[str]
) -> Iterator[tuple[str, list[str], list[str]]]:
    """Give columns and the names in one spelling after another, the likeliest first.

    Plain lists: many times faster here than text columns of pandas. Nothing is
    made before it is asked for, because tables may have millions of rows.
    """
    raw = {column: rows[column].tolist() for column in columns}
    for column in columns:
        yield column, raw[column], names
    patches = _clean(names)
    cells = {column: _clean(raw[column]) for column in columns}
    for spelling in _SPELLINGS:
        keys = [spelling(name) for name in patches]
        for column in columns:
            yield column, cells[column], keys
        if spelling is _SPELLINGS[0]:
            # Paths from farther up, such as /home/me/set/a/1.png for a/1.png.
            wanted = set(keys)
            for column in columns:
                if any("/" in cell for cell in cells[column][:1000]):
                    yield column, [_tail(cell, wanted) for cell in cells[column]], keys


def _tail(cell: str, wanted: set[str]) -> str:
    """Leave out leading folders until the rest is wanted."""
    rest = cell
    while rest and rest not in wanted:
        rest = rest.partition("/")[2]
    return rest or cell


def _match(column: str, cells: list[str], keys: list[str]) -> _Match:
    count = len(keys)
    # The first image of each name; the table, which may be the larger, is only gone through.
    image_of = dict(zip(reversed(keys), range(count - 1, -1, -1), strict=True))
    unique = len(image_of) == count
    image_of.pop("", None)
    image = np.fromiter(map(image_of.get, cells, repeat(-1)), np.intp, len(cells))
    rows = np.flatnonzero(image >= 0)
    row_of = np.full(count, -1, np.intp)
    row_of[image[rows[::-1]]] = rows[::-1]
    named = matched = int(np.count_nonzero(row_of >= 0))
    if not unique:
        first = np.fromiter(map(image_of.get, keys, repeat(-1)), np.intp, count)
        row_of = np.where(first >= 0, row_of[first], -1)
        matched = int(np.count_nonzero(row_of >= 0))
    return _Match(column, cells, keys, rows, row_of, named, matched)


def _check_unambiguous(
    best: _Match, names: Sequence[str], rows: pd.DataFrame, path: Path
) -> None:
    if best.matched > best.named:
        seen: dict[str, str] = {}
        for key, patch, row in zip(best.keys, names, best.row_of, strict=True):
            if row >= 0 and key in seen:
                raise PatchError(
                    f"The labels file {path} names {key!r}, but there are several such images "
                    f"({seen[key]} and {patch}); write the name with its folder."
                )
            seen[key] = patch
    if len(best.rows) > best.named:
        cells = pd.Series([best.cells[row] for row in best.rows], dtype=object)
        again = cells.duplicated(keep=False).to_numpy()
        several = rows.iloc[best.rows[again]]
        unlike = several.assign(**{best.column: cells[again].to_numpy()}).drop_duplicates()
        unlike = unlike[unlike[best.column].duplicated()]
        if len(unlike):
            name = unlike[best.column].iloc[0]
            raise PatchError(
                f"The labels file {path} has different rows for {name!r}; keep one."
            )


def match_order(
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


def explain_mismatch(
    rows: pd.DataFrame, names: Sequence[str] | None, count: int, path: Path, name: str
) -> str:
    """Say how many patches match, with an example of each side, and the remedy."""
    if names is None:
        return (
            f"The labels file {path} has {len(rows):,} rows but {name} has {count:,} patches; "
            "give one row a patch in their order, or add a column 'index' that counts from 0."
        )
    best = _best_match(rows, names)
    if best is None:
        matched, patch = 0, names[0]
        cell = next((str(value) for value in rows.iloc[0] if not pd.isna(value)), "")
    else:
        wanted, matched = set(best.keys), best.matched
        patch = names[int(np.flatnonzero(best.row_of < 0)[0])]
        cell = next((cell for cell in best.cells if cell not in wanted), "")
    return (
        f"Only {matched:,} of the {count:,} images in {name} match one of the {len(rows):,} "
        f"rows of the labels file {path} (there is an image {patch!r} and a row {cell!r}); add "
        "a column with the images' file names."
    )
