"""The columns of a table as conditions see them: numbers, text, or yes and no."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_bool_dtype, is_numeric_dtype

from napari_patchmap.explore.condition_words import named

Sort = Literal["number", "text", "yes/no"]

#: What Python's objects in a column may be all alike.
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")


@dataclass(frozen=True, eq=False)
class Operand:
    """One side of a comparison: a column, or a value where ``column`` is None.

    Attributes
    ----------
    sort : str
        ``number``, ``text`` or ``yes/no``.
    values : ndarray of shape (n,), or a single value
        Text is "" where it is missing; numbers are NaN.
    missing : ndarray of bool, shape (n,)
        Where a column has no value; empty for a value.
    said : str
        As it was typed.
    """

    sort: Sort
    values: object
    column: str | None = None
    missing: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    said: str = ""


def sort_of(column: pd.Series) -> Sort:
    """Say what a column holds."""
    if is_bool_dtype(column):
        return "yes/no"
    if is_numeric_dtype(column):
        return "number"
    if column.dtype == object:
        held = infer_dtype(column, skipna=True)
        if held in _NUMBERS:
            return "number"
        if held == "boolean":
            return "yes/no"
    return "text"


class ConditionColumns:
    """The columns of a table, each read once.

    Parameters
    ----------
    table : DataFrame
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.count = len(table)
        self._table = table
        self._known: dict[str, Operand] = {}
        self._place: dict[str, int] = {}
        for place, name in enumerate(table.columns):
            self._place.setdefault(str(name), place)

    @property
    def names(self) -> list[str]:
        """Names of the columns, in their order."""
        return list(self._place)

    def __contains__(self, name: str) -> bool:
        return name in self._place

    def series(self, name: str) -> pd.Series:
        """Return a column as it is in the table."""
        return self._table.iloc[:, self._place[name]]

    def read(self, name: str) -> Operand:
        """Return a column to compare."""
        if name not in self._known:
            self._known[name] = _operand(name, self.series(name))
        return self._known[name]

    def near(self, name: str) -> str:
        """Return the column that may be meant, as it is typed, "" if none comes near."""
        lower = {one.lower(): one for one in reversed(self.names)}
        close = get_close_matches(name.lower()[:200], lower, n=1, cutoff=0.6)
        starts = [one for one in lower if one.startswith(name.lower())]
        return named(lower[(close or starts)[0]]) if close or starts else ""


def _operand(name: str, column: pd.Series) -> Operand:
    """Read a column: what is compared, and where it has no value."""
    sort = sort_of(column)
    if sort == "text":
        values = _text(column)
        return Operand(sort, values, name, values == "", named(name))
    missing = column.isna().to_numpy(bool)
    if sort == "yes/no":
        values = column.astype(object).where(~missing, False).to_numpy().astype(bool)
    elif isinstance(column.dtype, np.dtype) and column.dtype != object:
        values = column.to_numpy()
    else:
        values = pd.to_numeric(column).to_numpy(float, na_value=np.nan)
    return Operand(sort, values, name, missing, named(name))


def _text(column: pd.Series) -> np.ndarray:
    """Return a column as text, "" where it is missing."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = np.array([*column.cat.categories.astype(str), ""], object)
        return names[column.cat.codes.to_numpy()]  # -1, the last, is missing
    values = column.astype(object).where(column.notna(), "").to_numpy(object)
    if infer_dtype(values, skipna=False) != "string":
        values = np.array([str(value) for value in values], object)
    return values
