"""Which row of a labels file belongs to which image, by their names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.spelling import SPELLINGS, Cells, Keys, clean, spelled, tail
from napari_patchmap.patches.watch import Watch

#: A column of file names often says so; decides between columns that match equally well.
NAME_HINTS = ("file", "name", "image", "path")


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
    rows: pd.DataFrame,
    names: Sequence[str],
    path: Path,
    watch: Watch,
    columns: Sequence[str] | None = None,
) -> tuple[str, np.ndarray] | None:
    """Find the column that holds file names, among ``columns`` if they are given.

    With it comes the row of each patch, -1 where it has none. None if most of the patches
    have no row and most of the rows no patch: then the few that agree do so by chance.

    Raises
    ------
    PatchError
        If a row fits several images, or several unlike rows fit one image.
    LoadCancelled
    """
    best = _best_match(rows, names, watch, columns)
    if best is None or 2 * best.matched < min(len(names), len(rows)):
        return None
    _check_unambiguous(best, names, rows, path)
    return best.column, best.row_of


def images_of(
    rows: pd.DataFrame, names: Sequence[str], watch: Watch, columns: Sequence[str]
) -> tuple[str, np.ndarray] | None:
    """Find the image that each row is of, of which there may be many for one image.

    The column of the names, and for each row which of ``names`` it holds, -1 for none of
    them; None if no column names any.
    """
    best = _best_match(rows, names, watch, columns)
    if best is None:
        return None
    known = {key: i for i, key in reversed(list(enumerate(best.keys)))}
    image = np.fromiter((known.get(cell, -1) for cell in best.cells), np.int64, len(rows))
    return best.column, image


def _best_match(
    rows: pd.DataFrame,
    names: Sequence[str],
    watch: Watch,
    among: Sequence[str] | None = None,
) -> _Match | None:
    """Find the column and spelling that name the most images."""
    # Labels such as 1 and 2 may well equal the names of some images.
    columns = [
        column
        for column in (rows.columns if among is None else among)
        if column.lower() != "label"
    ]
    # Stable: among columns that match equally well, one that says so comes first.
    columns.sort(key=lambda column: not any(hint in column.lower() for hint in NAME_HINTS))
    best: _Match | None = None
    most = min(len(names), len(rows))
    for first in (True, False):
        candidates = _as_written if first else _respelled
        for cells, keys in candidates(rows, columns, list(names), watch):
            match = _match(cells, keys)
            if match.matched > (best.matched if best else 0):
                best = match
                # No other spelling names more images without naming some twice.
                if best.named == most:
                    return best
        if first and best is not None and 2 * best.matched >= most:
            if not _others_fit(best, rows, names, watch):
                return best
            columns = [best.column]
    return best


def _others_fit(best: _Match, rows: pd.DataFrame, names: Sequence[str], watch: Watch) -> bool:
    """Whether another spelling names images that have no row yet, in rows without an image."""
    others = [names[i] for i in np.flatnonzero(best.row_of < 0).tolist()]
    rest = np.ones(len(rows), bool)
    rest[best.rows] = False
    if not others or not rest.any():
        return False
    left = rows.loc[rest, [best.column]]
    candidates = _respelled(left, [best.column], others, watch)
    return any(_match(cells, keys).matched for cells, keys in candidates)


def _as_written(
    rows: pd.DataFrame, columns: Sequence[str], names: list[str], watch: Watch
) -> Iterator[tuple[Cells, Keys]]:
    """Give columns and the names as they are, which they seldom need more than."""
    keys = Keys(names, watch)
    for column in columns:
        yield Cells.of(column, rows[column].tolist(), watch), keys


def _respelled(
    rows: pd.DataFrame, columns: Sequence[str], names: list[str], watch: Watch
) -> Iterator[tuple[Cells, Keys]]:
    """Give columns and the names in one spelling after another, the likeliest first.

    Nothing is made before it is asked for, because tables may have millions of rows.
    """
    patches = spelled(clean, names, watch)
    cleaned = [
        Cells.of(column, spelled(clean, rows[column].tolist(), watch), watch)
        for column in columns
    ]
    for spelling in SPELLINGS:
        keys = Keys(spelled(spelling, patches, watch), watch)
        for cells in cleaned:
            yield cells, keys
        if spelling is SPELLINGS[0]:
            # Paths from farther up, such as /home/me/set/a/1.png for a/1.png.
            wanted = set(keys.keys)
            for cells in cleaned:
                if any("/" in cell for cell in cells.cells[:1000]):
                    tails = spelled(partial(tail, wanted), cells.cells, watch)
                    yield Cells.of(cells.column, tails, watch), keys


def _match(cells: Cells, keys: Keys) -> _Match:
    image = keys.find(cells.hashes)
    rows = np.flatnonzero(image >= 0)
    row_of = np.full(len(keys.keys), -1, np.intp)
    row_of[image[rows[::-1]]] = rows[::-1]
    named = matched = int(np.count_nonzero(row_of >= 0))
    if not keys.unique:
        first = keys.find(keys.hashes)
        row_of = np.where(first >= 0, row_of[first], -1)
        matched = int(np.count_nonzero(row_of >= 0))
    return _Match(cells.column, cells.cells, keys.keys, rows, row_of, named, matched)


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


def explain_mismatch(
    rows: pd.DataFrame,
    names: Sequence[str] | None,
    count: int,
    path: Path,
    name: str,
    watch: Watch,
) -> str:
    """Say how many patches match, with an example of each side, and the remedy."""
    if names is None:
        return (
            f"The labels file {path} has {len(rows):,} rows but {name} has {count:,} patches; "
            "give one row a patch in their order, or add a column 'index' that counts from 0, "
            "or one with the names of the files that the patches come from."
        )
    best = _best_match(rows, names, watch)
    case = ""
    if best is None:
        case = _only_case(rows, names)
        matched, patch = 0, names[0]
        cell = next((str(value) for value in rows.iloc[0] if not pd.isna(value)), "")
    else:
        wanted, matched = set(best.keys), best.matched
        patch = names[int(np.flatnonzero(best.row_of < 0)[0])]
        cell = next((cell for cell in best.cells if cell not in wanted), "")
    return (
        f"Only {matched:,} of the {count:,} images in {name} match one of the {len(rows):,} "
        f"rows of the labels file {path} (there is an image {patch!r} and a row {cell!r}"
        f"{case}); add a column with the images' file names."
    )


def _only_case(rows: pd.DataFrame, names: Sequence[str]) -> str:
    """Say so if rows would name images but for upper and lower case."""
    spell = SPELLINGS[-1]
    exact = {spell(clean(name)) for name in names}
    known = {name.casefold() for name in exact}
    for column in rows:
        cells = {spell(clean(cell)) for cell in rows[column].iloc[:1000] if clean(cell)}
        if any(cell.casefold() in known for cell in cells - exact):
            return ", and some names differ in upper and lower case letters only"
    return ""
