"""Comparing the sides of a condition: the rows it is true of, or why it cannot be done."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from napari_patchmap.explore.condition_columns import Operand
from napari_patchmap.explore.condition_words import ConditionWord, quoted, short

#: Operators, in words that are offered.
COMPARISONS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

#: Likewise, of text and a part of it.
PARTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda text, part: part in text,
    "starts": str.startswith,
    "ends": str.endswith,
}

#: What a column of each sort is compared with, in words.
_WITH = {"number": "a number", "text": "text in quotes", "yes/no": "true or false"}


def compared(
    left: Operand, sign: str, right: Operand, at: ConditionWord, where: ConditionWord
) -> np.ndarray:
    """Return the rows of which a comparison is true, as a mask, shape (n,).

    Parameters
    ----------
    left, right : Operand
        At least one is a column.
    sign : str
        One of ``COMPARISONS``.
    at, where : ConditionWord
        Where the two sides stand.

    Raises
    ------
    ConditionError
        If the two cannot be compared.
    """
    if left.column is None and right.column is None:
        raise at.error(
            f"{left.said} {sign} {right.said} is the same for all patches; compare a column."
        )
    left, right = alike(left, right, where), alike(right, left, at)
    mask = np.asarray(COMPARISONS[sign](left.values, right.values), bool)
    for side in (left, right):
        if side.column is not None:
            mask = mask | side.missing if sign == "!=" else mask & ~side.missing
    return mask


def with_part(column: Operand, how: str, part: str) -> np.ndarray:
    """Return the rows of which the text has a part, one of ``PARTS``, as a mask."""
    test, part = PARTS[how], part.casefold()
    values = np.asarray(column.values, object)
    found = (test(value.casefold(), part) for value in values)
    return np.fromiter(found, bool, len(values)) & ~column.missing


def alike(side: Operand, other: Operand, at: ConditionWord) -> Operand:
    """Return a side as what the other one is, or say why they cannot be compared."""
    if side.sort == other.sort:
        return side
    if {side.sort, other.sort} == {"number", "yes/no"} and None in (side.column, other.column):
        return side  # as numbers, 1 for yes: so they come back from a file
    column, value = (side, other) if side.column is not None else (other, side)
    if value.column is not None:
        raise at.error(
            f"{column.said} is a {column.sort} column and {value.said} a {value.sort} column; "
            "compare columns of one sort."
        )
    plain = value.said.strip("'\"")
    such = f", such as {short(quoted(plain))}" if column.sort == "text" else ""
    raise at.error(
        f"{column.said} is a {column.sort} column; compare it with {_WITH[column.sort]}{such}."
    )
