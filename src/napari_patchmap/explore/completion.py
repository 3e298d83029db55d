"""What can be typed next in a condition: columns, operators, values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from napari_patchmap.explore.condition_columns import ConditionColumns, sort_of
from napari_patchmap.explore.condition_sides import COMPARISONS
from napari_patchmap.explore.condition_words import (
    RESERVED,
    ConditionError,
    ConditionWord,
    named,
    quoted,
    words_of,
)

#: Most that are offered at once.
MOST_OFFERED = 50

#: Rows that are looked at where nearly all values differ.
_SOME = 20_000

_TEXT = ("==", "!=", "in", "not in", "contains", "starts with", "ends with")
_MISSING = ("is missing", "is not missing")
_OPERATORS = {
    "text": (*_TEXT, *_MISSING),
    "number": (*COMPARISONS, "in", *_MISSING),
    "yes/no": ("and", "or", "==", *_MISSING),
}


@dataclass(frozen=True)
class Completion:
    """One thing that can be typed.

    Attributes
    ----------
    text : str
        What to put in place of the letters from ``start`` to the cursor.
    start : int
    kind : str
        ``column``, ``operator``, ``value`` or ``word``.
    """

    text: str
    start: int
    kind: str


def complete(
    text: str, cursor: int, table: pd.DataFrame, kept: Iterable[str] = ()
) -> list[Completion]:
    """Return what can stand at a place of a condition, the likeliest first.

    Parameters
    ----------
    text : str
        The condition as far as it is typed.
    cursor : int
        Letters before the cursor; what is after it does not count.
    table : DataFrame
    kept : iterable of str
        Names of the selections that are kept.

    Returns
    -------
    list of Completion
        At most :data:`MOST_OFFERED`. What begins as what is typed comes before what only has
        that in it; upper and lower case are the same. Values come by how frequent they are.
    """
    columns = ConditionColumns(table)
    try:
        words = words_of(text[:cursor])[:-1]
    except ConditionError:
        return []
    typed, start = "", cursor
    if words and (words[-1].kind == "open" or _is_touched(words[-1], cursor)):
        last = words.pop()
        typed, start = last.said.lstrip("\"'`"), last.start
        if last.said.startswith("`"):
            return _fitting(typed, start, [(named(one), "column") for one in columns.names])
    if _asks_for_kept(words):
        return _fitting(typed, start, [(quoted(one), "value") for one in kept])
    offered = _following(words, columns)
    if kept and ("not", "word") in offered:
        offered.append(("in", "operator"))
    return _fitting(typed, start, offered)


def _is_touched(word: ConditionWord, cursor: int) -> bool:
    """Whether the cursor still is at a word that may go on."""
    return word.kind in ("word", "number") and word.end == cursor


def _asks_for_kept(words: list[ConditionWord]) -> bool:
    """Whether the name of a selection comes next: after an ``in`` that follows no column."""
    keys = [word.key for word in words]
    while keys[-2:-1] == ["not"]:
        del keys[-2]
    return keys[-1:] == ["in"] and (len(keys) == 1 or keys[-2] in ("and", "or", "("))


def _following(words: list[ConditionWord], columns: ConditionColumns) -> list[tuple[str, str]]:
    """Return all that can stand after some words, with what each is."""
    keys = [word.key for word in words]
    last = keys[-1] if keys else ""
    column, since = _last_column(words, columns)
    if not words or (last in ("and", "or", "(") and "in" not in keys[-2:-1]):
        return _columns(columns)
    if keys[-2:] == ["is", "not"]:
        return [("missing", "operator")]
    if last == "not" and since != len(words) - 2:
        return _columns(columns)
    after = keys[since + 1 :] if column else []
    listing = "in" in after and not {")", "]"} & set(after)
    if (
        last in COMPARISONS
        or last in ("with", "contains")
        or (listing and last in ("(", "[", ","))
    ):
        return _values(column, columns) if column else []
    if last == "not":
        return [(one, "operator") for one in ("in", "contains", "starts with", "ends with")]
    if last == "in":
        return [("(", "operator")]
    if last in ("starts", "ends"):
        return [("with", "operator")]
    if last == "is":
        return [("missing", "operator"), ("not missing", "operator")]
    if listing:
        return [(",", "word"), (")", "word")]
    if (
        column
        and since == len(words) - 1
        and not set(keys[since - 1 : since]) & set(COMPARISONS)
    ):
        return [(one, "operator") for one in _OPERATORS[sort_of(columns.series(column))]]
    opened = sum((key == "(") - (key == ")") for key in keys)
    return [(one, "word") for one in ("and", "or", *([")"] if opened > 0 else []))]


def _last_column(
    words: list[ConditionWord], columns: ConditionColumns
) -> tuple[str | None, int]:
    """Return the column that was named last, and which word that is."""
    for place in range(len(words) - 1, -1, -1):
        word = words[place]
        plain = word.kind == "word" and word.key not in RESERVED
        if (plain or word.kind == "column") and word.value in columns:
            return word.value, place
    return None, -2


def _columns(columns: ConditionColumns) -> list[tuple[str, str]]:
    return [*((named(one), "column") for one in columns.names), ("not", "word")]


def _values(column: str, columns: ConditionColumns) -> list[tuple[str, str]]:
    """Return the values of a column that can be written down."""
    sort = sort_of(columns.series(column))
    if sort == "yes/no":
        return [("true", "value"), ("false", "value")]
    if sort == "number":
        return []
    values = pd.Series(columns.read(column).values)
    if values[:_SOME].nunique() > _SOME // 10:  # each patch has its own: names of files
        values = values[:_SOME]
    return [(quoted(str(one)), "value") for one in values.value_counts().index if one != ""]


def _fitting(typed: str, start: int, offered: list[tuple[str, str]]) -> list[Completion]:
    """Return what of all that is offered fits what is typed."""
    low = typed.casefold()
    begin: list[Completion] = []
    within: list[Completion] = []
    for text, kind in offered:
        plain = text.lstrip("'`").casefold()
        if plain.startswith(low):
            begin.append(Completion(text, start, kind))
        elif low in plain:
            within.append(Completion(text, start, kind))
    return [*begin, *within][:MOST_OFFERED]
