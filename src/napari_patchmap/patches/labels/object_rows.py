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


class _Reading(NamedTuple):
    """One reading of a table: which patch each row is of, -1 where of none."""

    keys: tuple[str, ...]
    """Columns of file and frame, where they count, and last that of the numbers."""
    patch_of: np.ndarray
    wanted: np.ndarray
    """Rows that should be of a patch here: not those of other images."""
    aside: str = ""

    @property
    def column(self) -> str:
        """The one that numbers objects."""
        return self.keys[-1]


def match_objects(
    rows: pd.DataFrame, table: pd.DataFrame, path: Path, watch: Watch
) -> JoinedRows | None:
    """Match rows to objects by their ids, and by file and frame where there are several.

    ``table`` has one row a patch, with ``source``, ``frame`` and ``label_id``; ``path`` is the
    file of ``rows``. None if no column numbers objects.

    Raises
    ------
    PatchError
        If the numbers are those of other objects, or several unlike rows are of one.
    LoadCancelled
    """
    objects = _Objects(rows, table, path, watch)
    clear = objects.numbered_by(OBJECT_IDS)
    maybe = [c for c in objects.numbered_by((*MAYBE_IDS, "index")) if c not in clear]
    for column in [*clear[:1], *maybe]:
        reading = objects.read(column)
        if column in clear or objects.believes(reading):
            return objects.joined(objects.checked(reading))
    return None


def check_order(rows: pd.DataFrame, table: pd.DataFrame, path: Path) -> None:
    """Raise a :class:`PatchError` where rows lie elsewhere than objects in their order."""
    found = agreement(rows, table, ordered=True)
    if found is not None and found < _OTHER:
        raise PatchError(
            f"The rows of {path} are in another order than the objects, as their places or "
            "areas say; add a column label_id with the number of each object."
        )


def _numbers(cells: pd.Series) -> np.ndarray | None:
    """Read ids as whole numbers, -1 where a cell is empty; None if they are none."""
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().sum() > cells.isna().sum() or numbers.isna().all():
        return None
    values = numbers.fillna(-1).to_numpy()
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        return None
    return values.astype(np.int64) if values.dtype.kind in "uif" else None


class _Objects:
    """The rows of a table, and the objects of one or more images that they may be of."""

    def __init__(
        self, rows: pd.DataFrame, table: pd.DataFrame, path: Path, watch: Watch
    ) -> None:
        self.rows, self.table, self.path = rows, table, path
        self.frames = table["frame"].to_numpy(np.int64)
        self.image_of, names = pd.factorize(table["source"].to_numpy(object))
        #: The column of the images' names, and which image each row is of, if it says so.
        self.file: str | None = None
        self.image: np.ndarray | None = None
        columns = [
            c
            for c in rows.columns
            if any(hint in c.lower() for hint in NAME_HINTS) and _numbers(rows[c]) is None
        ]
        found = images_of(rows, list(map(str, names)), watch, columns) if columns else None
        if found is not None:
            self.file, self.image = found
        elif len(names) > 1:
            if table["label_id"].is_unique:
                self.image_of = np.zeros(len(table), np.int64)
            else:  # an id alone is that of an object in every image
                self.image = np.full(len(rows), -1)

    def numbered_by(self, names: Sequence[str]) -> list[str]:
        """Return the columns of whole numbers that are called like this."""
        return [
            c for c in named(self.rows.columns, names) if _numbers(self.rows[c]) is not None
        ]

    def read(self, column: str, plus: int = 0) -> _Reading:
        """Read the table by the ids of one column, in the best of its frames."""
        ids = _numbers(self.rows[column])
        assert ids is not None
        ids = ids + plus
        where = np.zeros(len(self.rows), np.int64) if self.image is None else self.image
        wanted = (where >= 0) & (ids != 0)  # 0 is the background
        best = _Reading((column,), np.full(len(self.rows), -1), wanted)
        most = -1
        for frame, first in self._frame_columns():
            at: np.ndarray | None = None
            if frame is not None:
                at = _numbers(self.rows[frame])
                assert at is not None
                at = at - first
            elif self.frames.max() > 0 and pd.Series(ids[wanted]).duplicated().any():
                continue
            patch_of = self._look_up(where, at, ids)
            found = len(np.unique(patch_of[patch_of >= 0]))
            if found > most:
                keys = tuple(key for key in (self.file, frame, column) if key is not None)
                aside = "" if frame is None else f"frames counted from {first}"
                most, best = found, _Reading(keys, patch_of, wanted, aside)
        return best

    def _frame_columns(self) -> list[tuple[str | None, int]]:
        """Return the ways to tell the frame of a row: a column, and from what it counts."""
        found: list[tuple[str | None, int]] = []
        for column in self.numbered_by(FRAMES) if self.frames.max() > 0 else ():
            one = plain(column).endswith(FROM_ONE)
            found += [(column, first) for first in ((1, 0) if one else (0, 1))]
        return [*found, (None, 0)]

    def _look_up(
        self, image: np.ndarray, frame: np.ndarray | None, ids: np.ndarray
    ) -> np.ndarray:
        """Find the patch of each row; without frames the first with its id."""
        known = pd.Index(self.table["label_id"].unique())
        own = [self.image_of, known.get_indexer(self.table["label_id"])]
        asked = [image, known.get_indexer(ids)]
        if frame is not None:
            own.append(self.frames)
            asked.append(frame)
        have, want = pd.MultiIndex.from_arrays(own), pd.MultiIndex.from_arrays(asked)
        first = np.flatnonzero(~have.duplicated())
        at = have[first].get_indexer(want)
        return np.where(at >= 0, first[at], -1)

    def believes(self, reading: _Reading) -> bool:
        """Whether numbers that may mean something else are those of the objects."""
        found = reading.patch_of[reading.patch_of >= 0]
        different, count = len(np.unique(found)), len(self.table)
        if different < len(found):
            return False
        if plain(reading.column) == "index":
            # Which may as well count the patches: only if every object is there.
            return different == count
        return 2 * different >= min(count, int(reading.wanted.sum())) > 0

    def checked(self, reading: _Reading) -> _Reading:
        """Compare where rows and objects lie; TrackMate paints the number of a spot plus 1.

        Raises
        ------
        PatchError
        """
        best = self._fit(reading)
        if best is None or best >= _SAME:
            return reading
        for step in (1, -1):
            other = self.read(reading.column, step)
            fit = self._fit(other)
            if fit is not None and fit >= _SAME:
                return other._replace(aside=f"plus {step}, as their places say")
        if best < _OTHER:
            x, y = places(self.rows.columns) or ("", "")
            raise PatchError(
                f"The rows of {self.path} name objects by {reading.column!r}, but lie "
                f"elsewhere than the objects of these numbers (columns {x!r} and {y!r}); "
                "choose the table that was made of these labels."
            )
        return reading

    def _fit(self, reading: _Reading) -> float | None:
        at = np.flatnonzero(reading.patch_of >= 0)
        patches = self.table.iloc[reading.patch_of[at]].reset_index(drop=True)
        return agreement(self.rows.iloc[at].reset_index(drop=True), patches, ordered=False)

    def joined(self, reading: _Reading) -> JoinedRows:
        """Give each patch its row.

        Raises
        ------
        PatchError
            If several unlike rows are of one, or most have none.
        """
        at = np.flatnonzero(reading.patch_of >= 0)
        self._check_alone(reading, at)
        row_of = np.full(len(self.table), -1, np.intp)
        row_of[reading.patch_of[at[::-1]]] = at[::-1]
        if (
            not set(reading.keys) & set(named(self.rows.columns, FRAMES))
            and self.frames.max() > 0
        ):
            row_of = self._for_all_frames(row_of)
        matched, wanted = int((row_of >= 0).sum()), int(reading.wanted.sum())
        if 2 * matched < min(len(self.table), wanted) or not matched:
            raise PatchError(self._explain(reading, matched))
        by = ", ".join(repr(name) for name in reading.keys)
        aside = f" ({reading.aside})" if reading.aside else ""
        notes = [f"The rows of {self.path.name} were joined by {by}{aside}."]
        lost = self.rows[reading.column][reading.wanted & (reading.patch_of < 0)]
        if len(lost):
            rest = (
                "rows name objects that are" if len(lost) > 1 else "row names an object that is"
            )
            notes.append(
                f"{len(lost):,} {rest} not among the patches (such as {lost.iloc[0]}), in "
                f"{self.path.name}; passed over."
            )
        return JoinedRows(reading.keys, row_of, notes)

    def _for_all_frames(self, row_of: np.ndarray) -> np.ndarray:
        """Give the row of an object that is followed through time to all its frames."""
        group = self.table.groupby(["source", "label_id"], sort=False).ngroup().to_numpy()
        rows = np.full(group.max() + 1, -1, np.intp)
        rows[group[row_of >= 0]] = row_of[row_of >= 0]
        return rows[group]

    def _check_alone(self, reading: _Reading, at: np.ndarray) -> None:
        """Refuse a table with several unlike rows for one object."""
        column, patch_of = reading.column, reading.patch_of[at]
        again = pd.Series(patch_of).duplicated(keep=False).to_numpy()
        unlike = self.rows.iloc[at[again]].assign(**{column: patch_of[again]}).drop_duplicates()
        unlike = unlike[unlike[column].duplicated()]
        if not len(unlike):
            return
        patch, count = self.table.iloc[int(unlike[column].iloc[0])], unlike[column].nunique()
        more = f" and {count - 1:,} other objects" if count > 1 else ""
        missing = "" if self.frames.max() == 0 else " (or add a column frame)"
        raise PatchError(
            f"The labels file {self.path} has different rows for the object "
            f"{patch['label_id']} of {patch['source']}{more}; keep one{missing}."
        )

    def _explain(self, reading: _Reading, matched: int) -> str:
        rows, table = self.rows, self.table
        lost = rows[reading.column][reading.patch_of < 0].dropna().tolist()
        example = f" (such as {lost[0]}, where the patches have {table['label_id'].iloc[0]})"
        several = table["source"].nunique() > 1 and not reading.wanted.any()
        remedy = (
            "add a column with the names of the images' files"
            if several
            else "choose the table that was made of these labels"
        )
        return (
            f"Only {matched:,} of the {len(table):,} objects have one of the {len(rows):,} "
            f"rows of {self.path}, which number objects in the column {reading.column!r}"
            f"{example if lost else ''}; {remedy}."
        )
