"""Which patches a condition on their table is true of: ``area > 300 and slide == 'B3'``.

A condition is read by a parser of its own, word by word, and runs no code::

    condition   one ("and" | "or" one)...
    one         "not" one | "(" condition ")" | a column of yes and no
                | "in" the 'name' of a selection that is kept
                | side operator side ... | side ["not"] "in" "(" value, ... ")"
                | side ["not"] ("contains" | "starts with" | "ends with") text
                | column "is" ["not"] "missing"
    side        column | `column` | number | 'text' | true | false
    operator    ==  !=  <  <=  >  >=

``and`` binds tighter than ``or``. What is missing is neither equal to anything nor smaller
or larger; so ``!=`` and ``not`` are true of it, as in pandas. ``contains``, ``starts with`` and
``ends with`` ignore upper and lower case.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from napari_patchmap.explore.condition_columns import ConditionColumns, Operand
from napari_patchmap.explore.condition_sides import (
    COMPARISONS,
    PARTS,
    alike,
    compared,
    with_part,
)
from napari_patchmap.explore.condition_words import (
    DEEPEST,
    RESERVED,
    ConditionError,
    ConditionWord,
    quoted,
    short,
    words_of,
)
from napari_patchmap.few_names import some_of


def rows_where(
    table: pd.DataFrame, text: str, kept: Mapping[str, np.ndarray] | None = None
) -> np.ndarray:
    """Return the rows of a table of which a condition is true.

    Parameters
    ----------
    table : DataFrame, n rows
    text : str
        Such as ``area > 300 and slide == 'B3'``, ``label in ('a', 'b')``, ``not (x < 5)``,
        ``name contains 'tumour'``, ``label is missing``, ```odd name`  <= 2``,
        ``not in 'mitoses'``.
    kept : dict of str to ndarray of int, optional
        Rows of the selections that are kept, by name.

    Returns
    -------
    ndarray of intp, shape (m,)
        Positions of the rows, from 0, ascending.

    Raises
    ------
    ConditionError
        If it cannot be followed: what is wrong, and what to write.
    """
    reader = _Reader(ConditionColumns(table), words_of(text), kept or {})
    return np.flatnonzero(reader.whole())


class _Reader:
    """Reads the words of a condition from left to right; masks are bool, shape (n,)."""

    def __init__(
        self,
        columns: ConditionColumns,
        words: list[ConditionWord],
        kept: Mapping[str, np.ndarray],
    ) -> None:
        self._columns, self._words, self._kept = columns, words, kept
        self._at = self._depth = 0

    @property
    def _word(self) -> ConditionWord:
        return self._words[self._at]

    def _take(self, *keys: str) -> ConditionWord | None:
        """Go on after the word if it is one of these."""
        word = self._word
        if word.key not in keys:
            return None
        self._at += 1
        return word

    def whole(self) -> np.ndarray:
        if self._word.kind == "end":
            raise ConditionError("The condition is empty; write one such as area > 300.")
        mask = self._any()
        word = self._word
        if word.key in (")", "]"):
            raise word.error(
                f"The bracket {word.said!r} (letter {word.start + 1}) was not opened; "
                "remove it."
            )
        if word.kind != "end":
            self._check_closed(word)
            raise word.error(
                f"{short(word.said)} (letter {word.start + 1}) does not go on from what is "
                "before it; join conditions with and, or, and not."
            )
        return mask

    def _any(self) -> np.ndarray:
        mask = self._all()
        while self._take("or"):
            mask = mask | self._all()
        return mask

    def _all(self) -> np.ndarray:
        mask = self._one()
        while self._take("and"):
            mask = mask & self._one()
        return mask

    def _one(self) -> np.ndarray:
        turned = False
        while self._take("not"):
            turned = not turned
        if bracket := self._take("("):
            self._depth += 1
            if self._depth > DEEPEST:
                raise bracket.error(
                    f"More than {DEEPEST} brackets within each other; write a simpler one."
                )
            mask = self._any()
            self._close(bracket)
            self._depth -= 1
        elif self._take("in"):
            mask = self._in_kept()
        else:
            mask = self._comparison()
        return ~mask if turned else mask

    def _in_kept(self) -> np.ndarray:
        word, mask = self._word, np.zeros(self._columns.count, bool)
        if word.kind in ("text", "word", "column") and word.value in self._kept:
            self._at += 1
            mask[self._kept[word.value]] = True
            return mask
        self._check_closed(word)
        there = [short(quoted(name)) for name in list(self._kept)[:8]]
        raise word.error(
            f"There is no selection {short(word.said) or 'named'} to look in; after in write "
            + (f"the name of one: {', '.join(there)}." if there else "one that was kept.")
        )

    def _close(self, bracket: ConditionWord) -> None:
        if not self._take(")" if bracket.said == "(" else "]"):
            self._check_closed(self._word)
            raise bracket.error(
                f"The bracket {bracket.said!r} (letter {bracket.start + 1}) is not closed; "
                f"close it before {short(self._word.said) or 'the end'}."
            )

    def _comparison(self) -> np.ndarray:
        first = self._word
        left = self._side("")
        if self._take("is"):
            return self._missing(first, left)
        turned = bool(self._take("not"))
        if self._take("in"):
            mask = self._among(left)
        elif how := self._take(*PARTS):
            mask = self._part(first, left, how)
        elif turned:
            raise self._word.error(
                f"After {left.said} not, write in, contains, starts with or ends with."
            )
        elif self._word.key in COMPARISONS:
            return self._chain(first, left)
        elif left.sort == "yes/no" and left.column is not None:
            mask = np.asarray(left.values)
        else:
            self._check_closed(self._word)
            raise first.error(
                f"{left.said} is compared with nothing; write an operator after it "
                f"({', '.join(COMPARISONS)}, in, contains, is missing)."
            )
        return ~mask if turned else mask

    def _chain(self, first: ConditionWord, left: Operand) -> np.ndarray:
        """Compare two sides, or three as in ``100 < area <= 300``."""
        mask = np.ones(self._columns.count, bool)
        while sign := self._take(*COMPARISONS):
            where = self._word
            right = self._side(f"{left.said} {sign.said}", after=left)
            mask &= compared(left, sign.key, right, first, where)
            left, first = right, where
        return mask

    def _missing(self, first: ConditionWord, left: Operand) -> np.ndarray:
        turned = bool(self._take("not"))
        if not self._take("missing"):
            raise self._word.error(
                f"After {left.said} is, write missing or not missing; for a value write ==."
            )
        if left.column is None:
            raise first.error(f"{left.said} is a value and never missing; name a column.")
        return ~left.missing if turned else left.missing

    def _among(self, left: Operand) -> np.ndarray:
        bracket = self._take("(", "[")
        if bracket is None or left.column is None:
            raise self._word.error(
                "in needs a column before it and a list in brackets after it, such as "
                "label in ('a', 'b')."
            )
        values = []
        while not self._take(")", "]"):
            where = self._word
            one = self._value(f"{left.said} in")
            if one is None:
                self._close(bracket)
                break
            values.append(alike(one, left, where).values)
            if not self._take(","):
                self._close(bracket)
                break
        return np.asarray(pd.Series(left.values).isin(values)) & ~left.missing

    def _part(self, first: ConditionWord, left: Operand, how: ConditionWord) -> np.ndarray:
        if how.key != "contains" and not self._take("with"):
            raise self._word.error(f"Write {how.key} with and the text in quotes.")
        if left.column is None or left.sort != "text":
            raise first.error(
                f"{left.said} is no text column, which {how.key} looks into; compare it by =="
                " or <."
            )
        where = self._word
        right = self._value(f"{left.said} {how.key}")
        if right is None or right.sort != "text":
            raise where.error(
                f"After {left.said} {how.key} comes text in quotes, such as 'tumour'."
            )
        return with_part(left, how.key, str(right.values))

    def _value(self, before: str) -> Operand | None:
        """Take a number, a text, true or false; None where another word stands."""
        word = self._word
        self._check_closed(word)
        if word.kind == "text":
            value: Operand = Operand("text", word.value, said=short(word.said))
        elif word.kind == "number":
            whole = len(word.said) < 18 and word.said.lstrip("+-").isdigit()
            number = int(word.said) if whole else float(word.said)
            value = Operand("number", number, said=short(word.said))
        elif word.key in ("true", "false") and word.said not in self._columns:
            value = Operand("yes/no", word.key == "true", said=word.said)
        elif word.key == "missing" and word.said not in self._columns:
            raise word.error(
                f"{before} {word.said} is never true; write is missing, or is not missing."
            )
        elif word.kind in ("word", "column") and word.value not in self._columns:
            raise word.error(
                f"{short(word.said)} after {before} is no value; put text in quotes: "
                f"{short(quoted(word.value))}."
            )
        else:
            return None
        self._at += 1
        return value

    def _side(self, before: str, after: Operand | None = None) -> Operand:
        """Take a column or a value; ``before`` is what was said before it."""
        word = self._word
        name = word.kind == "column" or (word.kind == "word" and word.key not in RESERVED)
        if name and word.value in self._columns:
            self._at += 1
            return self._columns.read(word.value)
        if name and after is None:
            near = self._columns.near(word.value)
            raise word.error(
                f"There is no column {short(repr(word.value))}; "
                + (f"did you mean {near!r}?" if near else self._there())
            )
        if word.kind == "end" or word.key in RESERVED[:5]:
            place = "at the end" if word.kind == "end" else f"before {word.said!r}"
            raise word.error(
                f"Something is missing {place}{f' after {before}' if before else ''}; write a "
                "column or a value there."
            )
        value = self._value(before)
        if value is None:
            raise word.error(
                f"{short(word.said)!r} (letter {word.start + 1}) stands where a column or a "
                "value is expected; write one there."
            )
        return value

    def _there(self) -> str:
        return f"there are {some_of([*map(short, self._columns.names)], 8)}."

    @staticmethod
    def _check_closed(word: ConditionWord) -> None:
        if word.kind == "open":
            raise word.error(
                f"The quote {word.said[0]} (letter {word.start + 1}) is not closed; write "
                "another after the text."
            )
