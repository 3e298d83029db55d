"""Which row of a labels file belongs to which patch: by name, by index or by order."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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


def _clean(names: Iterable[Any]) -> list[str]:
    return [
        name.strip().replace("\\", "/").removeprefix("./") if isinstance(name, str) else ""
        for name in names
    ]


class _Best(NamedTuple):
    """The column of a labels file that names the most images."""

    matched: int
    column: str
    cells: list[str]
    keys: list[str]


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
    best = _best_column(rows, names)
    if best is None or 2 * best.matched < min(len(names), len(rows)):
        return None
    _check_unambiguous(best, _clean(names), rows, path)
    row_of: dict[str, int] = {}
    for row, cell in enumerate(best.cells):
        row_of.setdefault(cell, row)
    return best.column, np.array([row_of.get(key, -1) for key in best.keys], np.intp)


def _best_column(rows: pd.DataFrame, names: Sequence[str]) -> _Best | None:
    # Plain lists and sets: many times faster here than text columns of pandas.
    patches = _clean(names)
    # Labels such as 1 and 2 may well equal the names of some images.
    columns = [column for column in rows.columns if column.lower() != "label"]
    cells = {column: _clean(rows[column].tolist()) for column in columns}
    known = {column: set(cells[column]) - {""} for column in columns}
    best, best_score = None, (0, True)
    for spelling in _SPELLINGS:
        keys = [spelling(name) for name in patches]
        for column in columns:
            matched = sum(map(known[column].__contains__, keys))
            score = (matched, any(hint in column.lower() for hint in _NAME_HINTS))
            if score > best_score:
                best, best_score = _Best(matched, column, cells[column], keys), score
        if best is not None and best.matched == len(patches):
            break
    return best


def _check_unambiguous(best: _Best, patches: list[str], rows: pd.DataFrame, path: Path) -> None:
    known = set(best.cells)
    twice = {key for key, n in Counter(best.keys).items() if n > 1 and key in known}
    if twice:
        name = next(key for key in best.keys if key in twice)
        where = [patch for key, patch in zip(best.keys, patches, strict=True) if key == name]
        raise PatchError(
            f"The labels file {path} names {name!r}, but there are several such images "
            f"({where[0]} and {where[1]}); write the name with its folder."
        )
    wanted = set(best.keys)
    again = {cell for cell, n in Counter(best.cells).items() if n > 1 and cell in wanted}
    if again:
        cells = pd.Series(best.cells, index=rows.index)
        unlike = rows.assign(**{best.column: cells})[cells.isin(again)].drop_duplicates()
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
    best = _best_column(rows, names)
    if best is None:
        matched, patch = 0, names[0]
        cell = next((str(value) for value in rows.iloc[0] if not pd.isna(value)), "")
    else:
        known, wanted, matched = set(best.cells), set(best.keys), best.matched
        patch = next(n for n, key in zip(names, best.keys, strict=True) if key not in known)
        cell = next((cell for cell in best.cells if cell not in wanted), "")
    return (
        f"Only {matched:,} of the {count:,} images in {name} match one of the {len(rows):,} "
        f"rows of the labels file {path} (there is an image {patch!r} and a row {cell!r}); add "
        "a column with the images' file names."
    )
