"""What lies in each well of a plate: how many patches, which share of them, which mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import Colouring
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.patches.labels.meanings import named
from napari_patchmap.patches.labels.well_rows import PLATE_NAMES, WELL_NAMES
from napari_patchmap.patches.names import natural_key
from napari_patchmap.patches.wells import PLATES, row_name, well_name, well_place
from napari_patchmap.percent import rounded

#: Least share of the values of a column that have to name wells.
_MOST = 0.9


@dataclass(frozen=True, eq=False)
class Wells:
    """In which well of which plate each patch lies.

    Attributes
    ----------
    plates : tuple of str
        Names of the plates in natural order; one empty name where they have none.
    plate : ndarray of intp, shape (n,)
        Plate of each patch, -1 for a patch in no well.
    row, column : ndarray of intp, shape (n,)
        From 0; -1 for a patch in no well.
    shape : (int, int)
        Rows and columns of the smallest usual plate in which all wells lie.
    """

    plates: tuple[str, ...]
    plate: np.ndarray
    row: np.ndarray
    column: np.ndarray
    shape: tuple[int, int]

    def inside(self, plate: int, row: int = -1, column: int = -1) -> np.ndarray:
        """Return the patches of a plate, of one of its rows, columns or wells."""
        found = self.plate == plate
        if row >= 0:
            found = found & (self.row == row)
        if column >= 0:
            found = found & (self.column == column)
        return np.flatnonzero(found)

    def counted(self, plate: int, patches: np.ndarray | None = None) -> np.ndarray:
        """Count the patches, or some of them, in each well of a plate, ``(rows, columns)``."""
        rows = self.inside(plate)
        if patches is not None:
            rows = np.intersect1d(rows, patches)
        return np.bincount(self._well(rows), minlength=self._count).reshape(self.shape)

    def mean(self, plate: int, values: np.ndarray) -> np.ndarray:
        """Return the mean of values in each well of a plate, ``(rows, columns)``.

        NaN where a well has no patch with a finite value. Of yes and no it is a share.
        """
        rows = self.inside(plate)
        known = np.asarray(values, float)[rows]
        rows, known = rows[np.isfinite(known)], known[np.isfinite(known)]
        total = np.bincount(self._well(rows), known, minlength=self._count)
        count = np.bincount(self._well(rows), minlength=self._count)
        with np.errstate(invalid="ignore", divide="ignore"):
            return (total / count).reshape(self.shape)

    @property
    def _count(self) -> int:
        return self.shape[0] * self.shape[1]

    def _well(self, rows: np.ndarray) -> np.ndarray:
        return self.row[rows] * self.shape[1] + self.column[rows]


@dataclass(frozen=True, eq=False)
class WellFigure:
    """A number for each well of a plate.

    Attributes
    ----------
    title : str
        What it is: "share of lymphocyte".
    values : ndarray of float, shape (rows, columns)
        NaN in wells without it.
    counts : ndarray of int, shape (rows, columns)
        Patches in each well.
    limits : (float, float)
        Values at the two ends of the colours.
    shares : bool
        Whether the numbers are shares, 0 to 1.
    """

    title: str
    values: np.ndarray
    counts: np.ndarray
    limits: tuple[float, float]
    shares: bool = False

    def said(self, value: float) -> str:
        """Write a value in its unit."""
        return f"{100 * value:.3g} %" if self.shares else rounded(value, 4)

    def tip(self, row: int, column: int, selected: int) -> str:
        """Say in a line what a well holds."""
        count, value = int(self.counts[row, column]), float(self.values[row, column])
        name = well_name(row, column)
        if not count:
            return f"{name}: no patches"
        parts = [f"{name}: {count:,} patches"]
        if np.isfinite(value) and self.title != NUMBER:
            parts.append(f"{self.title} {self.said(value)}")
        if selected:
            parts.append(f"{selected:,} selected")
        return ", ".join(parts)


#: The figure that needs nothing but the patches.
NUMBER = "number of patches"


def wells_of(table: pd.DataFrame) -> Wells | None:
    """Find in which wells the patches of a table lie.

    Parameters
    ----------
    table : DataFrame
        One row a patch. A column called ``well`` (or ``Metadata_Well``, ``well_id``, ...)
        names wells, as ``B07``, ``b7`` or ``r02c07``; one called ``plate`` tells plates apart.

    Returns
    -------
    Wells or None
        None if no column names wells.
    """
    for name in named(table.columns, WELL_NAMES):
        of, texts = text_codes(table[name])
        places = [well_place(text) for text in texts]
        known = np.array([place is not None for place in places], bool)[of]
        given = np.array([bool(text) for text in texts], bool)[of]
        if not known.any() or known.sum() < _MOST * given.sum():
            continue
        pairs = np.array([(-1, -1) if one is None else one for one in places], np.intp)[of]
        plates, plate = _plates(table)
        rows, columns = int(pairs[:, 0].max()) + 1, int(pairs[:, 1].max()) + 1
        shape = next((one for one in PLATES if one[0] >= rows and one[1] >= columns), None)
        return Wells(
            plates,
            np.where(known, plate, -1),
            pairs[:, 0].copy(),
            pairs[:, 1].copy(),
            shape or (rows, columns),
        )
    return None


def _plates(table: pd.DataFrame) -> tuple[tuple[str, ...], np.ndarray]:
    name = next(iter(named(table.columns, PLATE_NAMES)), None)
    if name is None:
        return ("",), np.zeros(len(table), np.intp)
    of, texts = text_codes(table[name])
    order = sorted(np.unique(of).tolist(), key=lambda at: natural_key(texts[at]))
    rank = np.zeros(len(texts), np.intp)
    rank[order] = np.arange(len(order))
    return tuple(texts[at] for at in order), rank[of]


def figures_of(colouring: Colouring) -> dict[str, int | None]:
    """List what wells can be coloured by, given the colours of the map.

    Returned are titles, and the group whose share each is; None for other numbers.
    """
    listed: dict[str, int | None] = {NUMBER: None}
    if colouring.limits is not None:
        listed[f"mean of {colouring.column}"] = None
    listed |= {f"share of {name}": group for group, name in enumerate(colouring.names)}
    return listed


def usual_figure(colouring: Colouring) -> str:
    """Return what wells show unless people choose: the first group's share, or the mean."""
    listed = [*figures_of(colouring)]
    return listed[1] if len(listed) > 1 else NUMBER


def well_figure(
    wells: Wells, plate: int, title: str, colouring: Colouring, table: pd.DataFrame
) -> WellFigure:
    """Count one of :func:`figures_of` in the wells of a plate.

    Parameters
    ----------
    wells : Wells
    plate : int
        Which of its plates.
    title : str
        One of those that are listed; the number of patches if it is another.
    colouring : Colouring
        Of the same patches.
    table : DataFrame
        Theirs, with the column of the colouring.
    """
    counts = wells.counted(plate)
    group = figures_of(colouring).get(title)
    if group is not None:
        values = wells.mean(plate, colouring.codes == group)
        return WellFigure(title, values, counts, (0.0, _top(values)), shares=True)
    if title == f"mean of {colouring.column}" and colouring.limits is not None:
        numbers = table[colouring.column].to_numpy(dtype=float, na_value=np.nan)
        values = wells.mean(plate, numbers)
        known = values[np.isfinite(values)]
        limits = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
        return WellFigure(title, values, counts, limits)
    values = np.where(counts > 0, counts, np.nan)
    return WellFigure(NUMBER, values, counts, (0.0, _top(values)))


def head_names(shape: tuple[int, int]) -> tuple[list[str], list[str]]:
    """Return the names of rows and columns of a plate."""
    return [row_name(row) for row in range(shape[0])], [str(n + 1) for n in range(shape[1])]


def _top(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.max()) if len(known) else 0.0
