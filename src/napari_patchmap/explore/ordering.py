"""In which order patches are looked at: by a column, by distance, by any value a patch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from napari_patchmap.explore.natural_order import natural_order
from napari_patchmap.explore.text_codes import text_codes

#: Of how many numbers distances are computed at once: 64 MB as float32.
_PART = 2**24


@dataclass(frozen=True, eq=False)
class Order:
    """A value a patch, and the order that follows from it.

    Patches of equal value keep the order in which they were loaded, ascending or
    descending; those without a value come last in both.

    Parameters
    ----------
    name : str
        What the patches are sorted by, as people read it.
    values : array_like, shape (n,)
        Numbers, dates, booleans or text, one a patch. NaN, None and "" are missing.
    descending : bool
        Whether the largest comes first.
    texts : sequence of str, optional
        What is written on each picture; the values when not given.
    said : str
        How the values came about, a few words; "" if the name says it.
    """

    name: str
    values: Any
    descending: bool = False
    texts: Sequence[str] | None = None
    said: str = ""
    _series: pd.Series = field(init=False, repr=False)

    def __post_init__(self) -> None:
        values = self.values
        series = pd.Series(values if isinstance(values, pd.Series) else np.asarray(values))
        object.__setattr__(self, "_series", series)

    def __len__(self) -> int:
        return len(self._series)

    @property
    def effort(self) -> int:
        """How long sorting takes, in numbers that are sorted in the same time."""
        return len(self) * (1 if is_numeric_dtype(self._series) else 30)

    @cached_property
    def sequence(self) -> np.ndarray:
        """All patches in this order, ``(n,)`` intp; sorted once, when first asked for."""
        keys = _keys(self._series)
        if self.descending:  # whole numbers are not negated: the smallest has no opposite
            keys = ~keys if keys.dtype.kind in "iu" else -keys
        return np.argsort(keys, kind="stable")  # NaN comes last

    def arranged(self, indices: np.ndarray) -> np.ndarray:
        """Return the patches ``indices`` in this order.

        Parameters
        ----------
        indices : ndarray of intp, shape (m,)
            No patch twice.

        Returns
        -------
        ndarray of intp, shape (m,)
        """
        wanted = np.zeros(len(self), bool)
        wanted[indices] = True
        return self.sequence[wanted[self.sequence]]

    def text(self, index: int) -> str:
        """Return what is written on the picture of a patch, "" where its value is missing."""
        if self.texts is not None:
            return str(self.texts[index])
        value = self._series.iloc[index]
        if pd.isna(value):
            return ""
        if isinstance(value, float | np.floating):
            return f"{value:.3g}"
        return str(value)


def by_column(table: pd.DataFrame, column: str, descending: bool = False) -> Order:
    """Sort patches by a column of their table: numbers by size, text as people count.

    ``cell 2`` comes before ``cell 10``; large and small letters are alike.
    """
    return Order(column, table[column], descending)


def by_distance(
    points: np.ndarray, index: int, space: str, descending: bool = False, cosine: bool = False
) -> Order:
    """Sort patches by their distance to one of them.

    Parameters
    ----------
    points : ndarray of float, shape (n, d)
        Features, or places on the map.
    index : int
        The patch that distances are taken to; it comes first.
    space : str
        What ``points`` are, for people.
    cosine : bool
        Take 1 minus the cosine, 0 to 2, as features are compared; else the Euclidean
        distance, in units of ``points``. The cosine of a row of zeros is not defined:
        such patches have no distance.
    """
    distances = np.empty(len(points), np.float32)
    step = max(1, _PART // max(1, points.shape[1]))
    here = points[index].astype(np.float32)
    for start in range(0, len(points), step):
        part = np.asarray(points[start : start + step], np.float32)
        if cosine:
            lengths = np.linalg.norm(part, axis=1) * np.linalg.norm(here)
            with np.errstate(divide="ignore", invalid="ignore"):
                distances[start : start + step] = 1 - part @ here / lengths
        else:
            distances[start : start + step] = np.linalg.norm(part - here, axis=1)
    distances = np.maximum(distances, 0.0)  # rounding takes the cosine above 1; NaN stays
    distances[index] = 0.0
    kind = "cosine distance" if cosine else "distance"
    return Order("Distance", distances, descending, said=f"{kind} to patch {index:,} {space}")


def shuffled(count: int) -> np.ndarray:
    """Return all patches mixed, always in the same way: what comes first is an overview."""
    return np.random.default_rng(0).permutation(count)


def _keys(values: pd.Series) -> np.ndarray:
    """Return numbers of the same order; NaN where a value is missing."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        if values.dtype.ordered:
            return _missing_as_nan(values.cat.codes.to_numpy())
        values = values.astype(object)
    if pd.api.types.is_bool_dtype(values.dtype) and not values.isna().any():
        return values.to_numpy(np.int8)
    if pd.api.types.is_numeric_dtype(values.dtype):
        whole = pd.api.types.is_integer_dtype(values.dtype) and not values.isna().any()
        plain = values.to_numpy() if whole else values.to_numpy(float, na_value=np.nan)
        return np.asarray(plain)
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        ranks, _ = pd.factorize(values, sort=True)
        return _missing_as_nan(ranks)
    codes, names = text_codes(values)
    rank = np.empty(len(names))
    rank[natural_order(names)] = np.arange(len(names))
    rank[names.index("")] = np.nan
    return rank[codes]


def _missing_as_nan(codes: np.ndarray) -> np.ndarray:
    return np.where(codes < 0, np.nan, codes.astype(float))
