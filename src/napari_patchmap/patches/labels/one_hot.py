"""One label out of several columns of zeros and ones, each of which stands for a class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS

#: Between the columns, where several are named as one label.
AND = ", "

#: How zeros and ones are written in words.
_WORDS = {"0": False, "1": True, "false": False, "true": True, "no": False, "yes": True}

#: Columns that are offered as one label say of at least this share of the patches what it is.
_SHARE = 0.5


def named_columns_of(wanted: str, table: pd.DataFrame) -> list[str]:
    """Return the columns of a table that are named with commas between them, [] if not all are.

    Case does not matter.
    """
    by_name = {str(c).casefold(): str(c) for c in reversed(table.columns)}
    found = [by_name.get(name.strip().casefold(), "") for name in wanted.split(",")]
    return found if len(found) > 1 and all(found) else []


def joined_label(table: pd.DataFrame, columns: Sequence[str], name: str) -> np.ndarray:
    """Return the class of each row, (n,): that of the one column in which it has a one.

    What all names of the columns begin with is left out of the class, as in ``is_lymphocyte``
    and ``is_monocyte``. None where a row has zeros alone. ``name`` is what people call the
    patches.

    Raises
    ------
    PatchError
        If a column holds something else than zeros and ones, or a row has several ones.
    """
    ones = np.zeros((len(table), len(columns)), bool)
    for k, column in enumerate(columns):
        found = _flags(table[column])
        if found is None:
            raise PatchError(
                f"The column {column} of {name} holds something else than 0 and 1, so it "
                "cannot be one of the columns of a label; leave it out."
            )
        ones[:, k] = found
    several = np.flatnonzero(ones.sum(axis=1) > 1)
    if len(several):
        both = AND.join(np.array(columns, object)[ones[several[0]]])
        raise PatchError(
            f"A patch has one label, but of {name} {len(several):,} of {len(table):,} have a 1 "
            f"in several of these columns, such as patch {several[0]} in {both}; choose fewer."
        )
    label = np.full(len(table), None, object)
    rows, which = np.nonzero(ones)
    label[rows] = np.array(_classes(columns), object)[which]
    return label


def one_hot_labels(table: pd.DataFrame) -> list[str]:
    """List columns of zeros and ones that may be one label: one of them has the one."""
    flags: dict[str, np.ndarray] = {}
    for column in table.columns:
        found = None if column in (*BOX_COLUMNS, "label") else _flags(table[column])
        if found is not None and found.any() and not found.all():
            flags[str(column)] = found
    names = list(flags)
    if _exclusive([flags[name] for name in names]):
        return [AND.join(names)]
    families: dict[str, list[str]] = {}
    for name in names:
        families.setdefault(_stem(name), []).append(name)
    return [
        AND.join(family)
        for stem, family in families.items()
        if stem and _exclusive([flags[name] for name in family])
    ]


def _exclusive(flags: Sequence[np.ndarray]) -> bool:
    """Whether no row has two ones, and most have one."""
    if len(flags) < 2:
        return False
    count = np.sum(flags, axis=0)
    return bool(count.max() <= 1 and count.mean() >= _SHARE)


def _flags(column: pd.Series) -> np.ndarray | None:
    """Return which rows of a column of zeros and ones have a one; None if it is another."""
    if column.dtype.kind in "biuf":
        values = column.to_numpy()
        # Most columns of numbers tell by their beginning that they are others.
        if not all(np.isin(some, (0, 1)).all() for some in (values[:100], values)):
            return None
        return values.astype(bool)
    words = {str(word).strip().casefold() for word in column.iloc[:100]}
    if not words <= set(_WORDS):
        return None
    known = column.map(lambda word: _WORDS.get(str(word).strip().casefold()))
    return None if known.isna().any() else known.to_numpy(bool)


def _classes(columns: Sequence[str]) -> list[str]:
    """Name the classes by their columns, without the beginning that all have in common."""
    stems = {_stem(column) for column in columns}
    stem = stems.pop() if len(stems) == 1 else ""
    return [column[len(stem) :] for column in columns]


def _stem(name: str) -> str:
    """Return a name up to its last _ or the like, with that."""
    at = max(name.rfind(mark) for mark in "_-. :=/")
    return name[: at + 1] if at < len(name) - 1 else ""
