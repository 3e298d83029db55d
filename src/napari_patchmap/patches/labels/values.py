"""Cells of people's tables as labels (text) and as numbers, as their programs write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: What stands for a missing number: pandas, R, Excel, Java, MATLAB, Weka, old C libraries.
MISSING = {
    "nan", "-nan", "+nan", "na", "n/a", "#n/a", "#n/a n/a", "#na", "<na>", "n.a.", "n.a",
    "null", "none", "nil", "nd", "n.d.", "missing", "-", "--", "---", ".", "?", "#div/0!",
    "#value!", "#num!", "#ref!", "#name?", "#null!", "1.#ind", "-1.#ind", "1.#qnan",
    "-1.#qnan",
}  # fmt: skip

#: Infinity where pandas does not know the word.
_INFINITE = {"∞": "inf", "+∞": "inf", "-∞": "-inf", "1.#inf": "inf", "-1.#inf": "-inf"}

#: Says whether a text begins like a code that would lose its zeros as a number.
_CODE = re.compile(r"\s*[+-]?0\d").match

#: Whole numbers beyond this lose digits as floating point numbers: ids rather than amounts.
_EXACT = 2**53

#: A number in people's eyes: also with thousands set apart, or a comma for the point.
_NUMBERISH = re.compile(
    r"\s*[+-]?(\d+(\.\d*)?|\.\d+|\d{1,3}([,'’.\u00a0\u202f ]\d{3})+([.,]\d+)?|\d+,\d+)"
    r"(e[+-]?\d+)?\s*",
    re.IGNORECASE,
).fullmatch


def as_text(values: Any, watch: Watch = UNWATCHED) -> np.ndarray:
    """Return labels as text, with None where one is missing; 3.0 is written 3.

    Letters are composed (NFC), and blanks around or doubled within a label are left
    out: neither makes another class.
    """
    known: dict[Any, str | None] = {}
    values = np.asarray(values)
    texts = np.empty(len(values), dtype=object)
    # There are few different labels: each is looked at once, however many patches have it.
    for part in watch.parts(len(values)):
        texts[part] = [
            known[value] if value in known else known.setdefault(value, _text(value))
            for value in values[part].tolist()
        ]
    return texts


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    if isinstance(value, str):
        return tidy(value) or None
    if pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def numbers_if_all(
    values: Sequence[str | float | None] | np.ndarray, watch: Watch = UNWATCHED
) -> np.ndarray:
    """Turn text into numbers when every value is one.

    None and NaN are missing values, which are kept; among numbers, words such as
    ``nan``, ``NA`` and ``#N/A`` are missing values as well. Codes such as 007, and
    ids of more digits than a number can hold, stay text (see :func:`as_text`).
    """
    text = np.asarray(values, dtype=object)
    missing = pd.isna(text)
    given = text if not missing.any() else text[~missing]
    found: list[np.ndarray] = []
    for part in watch.parts(len(given)):
        numbers = _numbers(given[part])
        if numbers is None:
            return as_text(text, watch)
        found.append(numbers)
    if not found or all(np.isnan(numbers).all() for numbers in found):
        return as_text(text, watch)
    numbers = np.concatenate(found)
    gaps = len(given) < len(text) or numbers.dtype.kind == "f"
    if gaps and any(n.dtype.kind in "iu" and (np.abs(n) > _EXACT).any() for n in found):
        return as_text(text, watch)
    if len(given) == len(text):
        return numbers
    with_gaps = np.full(len(text), np.nan)
    with_gaps[~missing] = numbers
    return with_gaps


def _numbers(cells: np.ndarray) -> np.ndarray | None:
    """Read cells that are all numbers, or words for a missing one; None if they are not."""
    if any(map(_CODE, cells.tolist())):
        return None
    try:
        numbers = np.asarray(pd.to_numeric(cells))
    except (ValueError, TypeError):
        try:
            numbers = np.asarray(pd.to_numeric(np.array([*map(_plain, cells)], object)))
        except (ValueError, TypeError):
            return None
    # Of other types are numbers of too many digits.
    return numbers if numbers.dtype.kind in "if" else None


def _plain(cell: Any) -> Any:
    """Write a cell as pandas reads it; None stands for a missing number."""
    if not isinstance(cell, str):
        return cell
    word = cell.strip()
    if word.casefold() in MISSING:
        return None
    return _INFINITE.get(word.casefold(), word.replace("\N{MINUS SIGN}", "-"))


def missing_word(cells: np.ndarray) -> str | None:
    """Return the first word among cells that stands for a missing number, None if none does."""
    words = (c.strip() for c in cells if isinstance(c, str))
    return next((word for word in words if word.casefold() in MISSING), None)


def counts_rows(column: pd.Series) -> bool:
    """Whether a column only counts its rows, from 0 or 1."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    return bool(numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())


def why_text(cells: np.ndarray) -> str | None:
    """Return the cell of a column that keeps it from being numbers; None if it is text."""
    # A look at a few says of most columns that they are text.
    for some in (cells[:200], cells):
        texts = [c for c in some if isinstance(c, str)]
        odd = [c for c in texts if not _NUMBERISH(c) and c.strip().casefold() not in MISSING]
        if 2 * len(odd) >= len(texts) or any(map(_CODE, texts)):
            return None
    if odd:
        return odd[0].strip()
    return next((c.strip() for c in texts if _numbers(np.array([c], object)) is None), None)
