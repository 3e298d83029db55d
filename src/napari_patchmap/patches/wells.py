"""Wells of a plate: which row and column a name such as ``B07`` means."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Rows and columns of the plates that are sold: 6 to 1536 wells.
PLATES = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))

#: ``B07``, ``b7``, ``B/7``, ``B-07``; and as some microscopes write it, ``r02c07``.
_LETTERS = re.compile(r"([A-Za-z]{1,2})[ _/-]?0*([1-9]\d?)").fullmatch
_NUMBERS = re.compile(r"r0*([1-9]\d?)[ _/-]?c0*([1-9]\d?)", re.IGNORECASE).fullmatch


def well_place(name: object) -> tuple[int, int] | None:
    """Return row and column, both from 0, of the well with a name; None if it names none.

    Examples
    --------
    >>> well_place("B07"), well_place("r02c07"), well_place("AF48"), well_place("lymphocyte")
    ((1, 6), (1, 6), (31, 47), None)
    """
    text = str(name).strip()
    if found := _NUMBERS(text):
        return int(found[1]) - 1, int(found[2]) - 1
    found = _LETTERS(text)
    if found is None:
        return None
    row = 0
    for letter in found[1].upper():
        row = 26 * row + ord(letter) - ord("A") + 1
    return row - 1, int(found[2]) - 1


def wells_in(names: Iterable[str]) -> list[str] | None:
    """Return the wells that names of files are, such as ``plate/B07.ome.tif``.

    None unless all are wells, written with capitals, of several rows: ``c1.tif`` may be a cell.

    Examples
    --------
    >>> wells_in(["A1.tif", "B10.tif"]), wells_in(["c1.tif", "c2.tif"])
    (['A01', 'B10'], None)
    """
    stems = [name.rpartition("/")[2].split(".")[0] for name in names]
    places = [well_place(stem) if stem[:1].isupper() else None for stem in stems]
    known = [place for place in places if place is not None]
    if len(known) < len(stems) or len({row for row, _ in known}) < 2:
        return None
    most = PLATES[-1]
    if any(row >= most[0] or column >= most[1] for row, column in known):
        return None
    return [well_name(row, column) for row, column in known]


def row_name(row: int) -> str:
    """Return the letters of a row, from 0: A to Z, then AA."""
    return chr(ord("A") + row) if row < 26 else row_name(row // 26 - 1) + row_name(row % 26)


def well_name(row: int, column: int) -> str:
    """Return the name of a well by its row and column, both from 0: ``B07``."""
    return f"{row_name(row)}{column + 1:02d}"
