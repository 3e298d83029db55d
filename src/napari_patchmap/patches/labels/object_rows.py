"""Which row of a table belongs to which object of a label image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.matching import NAME_HINTS, images_of
from napari_patchmap.patches.labels.meanings import (
    FRAMES,
    FROM_ONE,
    MAYBE_IDS,
    OBJECT_IDS,
    named,
    places,
    plain,
)
from napari_patchmap.patches.labels.object_places import agreement
from napari_patchmap.patches.watch import Watch

#: Agreement of two sets of places: that of the same objects, and of any others.
_SAME, _OTHER = 0.9, 0.5


class JoinedRows(NamedTuple):
    """Rows that were joined to patches."""

    keys: tuple[str, ...]
    """Columns by which they were."""
    row_of: np.ndarray
    """The row of each patch, -1 where it has none."""
    notes: list[str]


class _Key(NamedTuple):
    """One reading of a table: which patch each row is of, -1 where of none."""

    keys: tuple[str, ...]
    patch_of: np.ndarray
    wanted: np.ndarray
    """Rows that should be of a patch here: not those of other images."""
    said: str


def match_objects(
    rows: pd.DataFrame, table: pd.DataFrame, path: Path, watch: Watch
) -> JoinedRows | None:
    """Match rows to objects by their ids, and by file and frame where there are several.

    Parameters
    ----------
    rows : DataFrame of str
    table : DataFrame
        One row a patch, with ``source``, ``frame`` and ``label_id``.
    path : Path
        The table's file.
    watch : Watch

    Returns
    -------
    JoinedRows or None
        None if no column numbers objects.

    Raises
    ------
    PatchError
        If the numbers are those of other objects, or several unlike rows are of one.
    LoadCancelled
    """
    file, image = _images(rows, table, watch)
    clear = [c for c in named(rows.columns, OBJECT_IDS) if _numbers(rows[c]) is not None]
    maybe = [*named(rows.columns, MAYBE_IDS), *named(rows.columns, ("index",))]
    for column in [*clear[:1], *(c for c in maybe if c not in clear)]:
        ids = _numbers(rows[column])
        if ids is None:
            continue
        sure = column in clear
        key = _key(rows, table, column, ids, file, image)
        if not sure and not _believable(key, table, plain(column) == "index"):
            continue
        key = _checked(key, rows, table, column, ids, file, image, path)
        return _joined(key, rows, table, column, path)
    return None


def check_order(rows: pd.DataFrame, table: pd.DataFrame, path: Path) -> None:
    """Refuse to take rows in the order of objects that lie elsewhere.

    Raises
    ------
    PatchError
    """
    found = agreement(rows, table, np.arange(len(table)))
    if found is not None and found < _OTHER:
        raise PatchError(
            f"The rows of {path} are in another order than the objects, as their places or "
            "areas say; add a column label_id with the number of each object."
        )


def _images(
    rows: pd.DataFrame, table: pd.DataFrame, watch: Watch
) -> tuple[str | None, np.ndarray | None]:
    """Return the column of the images' names, and which image each row is of."""
    _, names = pd.factorize(table["source"].to_numpy(object))
    columns = [
        c
        for c in rows.columns
        if any(hint in c.lower() for hint in NAME_HINTS) and _numbers(rows[c]) is None
    ]
    found = images_of(rows, [str(name) for name in names], watch, columns) if columns else None
    return (None, None) if found is None else found


def _numbers(cells: pd.Series) -> np.ndarray | None:
    """Read ids as whole numbers, -1 where a cell is empty; None if they are none."""
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().sum() > cells.isna().sum() or numbers.isna().all():
        return None
    values = numbers.fillna(-1).to_numpy()
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        return None
    return values.astype(np.int64) if values.dtype.kind in "uif" else None


def _key(
    rows: pd.DataFrame,
    table: pd.DataFrame,
    column: str,
    ids: np.ndarray,
    file: str | None,
    image: np.ndarray | None,
) -> _Key:
    """Read a table by the ids of one column, in the best of its frames."""
    image_of, names = pd.factorize(table["source"].to_numpy(object))
    if image is None and len(names) > 1:
        if table["label_id"].is_unique:
            image_of = np.zeros(len(table), np.int64)
        else:  # an id alone is that of an object in every image
            image = np.full(len(rows), -1)
    where = np.zeros(len(rows), np.int64) if image is None else image
    wanted = (where >= 0) & (ids != 0)  # 0 is the background
    frames = table["frame"].to_numpy(np.int64)
    readings: list[_Key] = []
    keys: tuple[str, ...]
    for frame, first in _frame_columns(rows, frames):
        if frame is None:
            if frames.max() > 0 and pd.Series(ids[wanted]).duplicated().any():
                continue
            at, keys = None, ()
        else:
            at, keys = _numbers(rows[frame]), (frame,)
            assert at is not None
            at = at - first
        patch_of = _look_up(where, at, ids, image_of, frames, table["label_id"])
        said = f"frames counted from {first}" if frame else ""
        used = (*([file] if file else []), *keys, column)
        readings.append(_Key(used, patch_of, wanted, said))
    if not readings:
        readings = [_Key((column,), np.full(len(rows), -1), wanted, "")]
    return max(readings, key=lambda one: len(np.unique(one.patch_of[one.patch_of >= 0])))


def _frame_columns(rows: pd.DataFrame, frames: np.ndarray) -> list[tuple[str | None, int]]:
    """Return the ways to tell the frame of a row: a column, and from what it counts."""
    if frames.max() == 0:
        return [(None, 0)]
    found: list[tuple[str | None, int]] = []
    for column in named(rows.columns, FRAMES):
        numbers = _numbers(rows[column])
        if numbers is None:
            continue
        one = plain(column).endswith(FROM_ONE)
        found += [(column, first) for first in ((1, 0) if one else (0, 1))]
    return [*found, (None, 0)]


def _look_up(
    image: np.ndarray,
    frame: np.ndarray | None,
    ids: np.ndarray,
    image_of: np.ndarray,
    frames: np.ndarray,
    label_ids: pd.Series,
) -> np.ndarray:
    """Find the patch of each row; without frames the first with its id."""
    known = pd.Index(label_ids.unique())
    own = [image_of, known.get_indexer(label_ids)]
    asked = [image, known.get_indexer(ids)]
    if frame is not None:
        own.append(frames)
        asked.append(frame)
    have, want = pd.MultiIndex.from_arrays(own), pd.MultiIndex.from_arrays(asked)
    first = np.flatnonzero(~have.duplicated())
    at = have[first].get_indexer(want)
    return np.where(at >= 0, first[at], -1)


def _believable(key: _Key, table: pd.DataFrame, index: bool) -> bool:
    """Whether numbers that may mean something else are those of the objects."""
    found = key.patch_of[key.patch_of >= 0]
    different = len(np.unique(found))
    if different < len(found):
        return False
    if index:  # which may as well count the patches: only if every object is there
        return different == len(table)
    return 2 * different >= min(len(table), int(key.wanted.sum())) > 0


def _checked(
    key: _Key,
    rows: pd.DataFrame,
    table: pd.DataFrame,
    column: str,
    ids: np.ndarray,
    file: str | None,
    image: np.ndarray | None,
    path: Path,
) -> _Key:
    """Compare where rows and objects lie; TrackMate paints the number of a spot plus 1.

    Raises
    ------
    PatchError
    """
    best, best_fit = key, _fit(key, rows, table)
    if best_fit is None or best_fit >= _SAME:
        return key
    for step in (1, -1):
        other = _key(rows, table, column, ids + step, file, image)
        fit = _fit(other, rows, table)
        if fit is not None and fit >= _SAME and fit > best_fit:
            return other._replace(said=f"plus {step}, as their places say")
    if best_fit < _OTHER:
        x, y = places(rows.columns) or ("", "")
        raise PatchError(
            f"The rows of {path} name objects by {column!r}, but lie elsewhere than the "
            f"objects of these numbers (columns {x!r} and {y!r}); choose the table that was "
            "made of these labels."
        )
    return best


def _fit(key: _Key, rows: pd.DataFrame, table: pd.DataFrame) -> float | None:
    at = np.flatnonzero(key.patch_of >= 0)
    patches = table.iloc[key.patch_of[at]].reset_index(drop=True)
    return agreement(rows.iloc[at].reset_index(drop=True), patches, None)


def _joined(
    key: _Key, rows: pd.DataFrame, table: pd.DataFrame, column: str, path: Path
) -> JoinedRows:
    at = np.flatnonzero(key.patch_of >= 0)
    _check_alone(key, rows, at, table, path)
    row_of = np.full(len(table), -1, np.intp)
    row_of[key.patch_of[at[::-1]]] = at[::-1]
    if len(set(key.keys) & set(named(rows.columns, FRAMES))) == 0 and table["frame"].max() > 0:
        row_of = _for_all_frames(row_of, table)
    matched = int((row_of >= 0).sum())
    wanted = int(key.wanted.sum())
    if 2 * matched < min(len(table), wanted) or not matched:
        raise PatchError(_explain(key, rows, table, column, matched, path))
    by = ", ".join(repr(name) for name in key.keys)
    notes = [f"The rows of {path.name} were joined by {by}{_aside(key)}."]
    other = int((key.wanted & (key.patch_of < 0)).sum())
    if other:
        lost = rows[column][key.wanted & (key.patch_of < 0)]
        rest = "rows name objects that are" if other > 1 else "row names an object that is"
        notes.append(
            f"{other:,} {rest} not among the patches (such as {lost.iloc[0]}), in {path.name}; "
            "passed over."
        )
    return JoinedRows(key.keys, row_of, notes)


def _aside(key: _Key) -> str:
    return f" ({key.said})" if key.said else ""


def _for_all_frames(row_of: np.ndarray, table: pd.DataFrame) -> np.ndarray:
    """Give the row of an object that is followed through time to all its frames."""
    group = table.groupby(["source", "label_id"], sort=False).ngroup().to_numpy()
    rows = np.full(group.max() + 1, -1, np.intp)
    rows[group[row_of >= 0]] = row_of[row_of >= 0]
    return rows[group]


def _check_alone(
    key: _Key, rows: pd.DataFrame, at: np.ndarray, table: pd.DataFrame, path: Path
) -> None:
    """Refuse a table with several unlike rows for one object."""
    again = pd.Series(key.patch_of[at]).duplicated(keep=False).to_numpy()
    if not again.any():
        return
    several = rows.iloc[at[again]].assign(**{key.keys[-1]: key.patch_of[at[again]]})
    unlike = several.drop_duplicates()
    unlike = unlike[unlike[key.keys[-1]].duplicated()]
    if not len(unlike):
        return
    patch = table.iloc[int(unlike[key.keys[-1]].iloc[0])]
    count = unlike[key.keys[-1]].nunique()
    more = f" and {count - 1:,} other objects" if count > 1 else ""
    missing = "" if table["frame"].max() == 0 else " (or add a column frame)"
    raise PatchError(
        f"The labels file {path} has different rows for the object {patch['label_id']} of "
        f"{patch['source']}{more}; keep one{missing}."
    )


def _explain(
    key: _Key, rows: pd.DataFrame, table: pd.DataFrame, column: str, matched: int, path: Path
) -> str:
    lost: Sequence[object] = rows[column][key.patch_of < 0].dropna().tolist()
    example = f" (such as {lost[0]}, where the patches have {table['label_id'].iloc[0]})"
    several = table["source"].nunique() > 1 and not key.wanted.any()
    remedy = (
        "add a column with the names of the images' files"
        if several
        else "choose the table that was made of these labels"
    )
    return (
        f"Only {matched:,} of the {len(table):,} objects have one of the {len(rows):,} rows of "
        f"{path}, which number objects in the column {column!r}{example if lost else ''}; "
        f"{remedy}."
    )
