"""What programs put into tables beside one header row: more headers, units, decimal commas."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from napari_patchmap.patches.labels.values import MISSING
from napari_patchmap.patches.names import tidy

#: Rows below the header that may be headers, too; TrackMate writes three.
_MOST_HEADERS = 3

#: Rows that tell which columns are numbers.
_SAMPLE = 1_000

#: How units are written below a name.
_UNIT = re.compile(
    r"[(\[].*[)\]]|[µμu]m([²2³3]|\^[23])?|mm|nm|px|pixels?|sec|s|ms|min|h|%|a\.?u\.?",
    re.IGNORECASE,
).fullmatch

#: The name of a file, which is in no header.
_FILE = re.compile(r".*\w\.[a-z]{2,4}", re.IGNORECASE | re.DOTALL).fullmatch

#: A number with a comma for the point.
_COMMA = re.compile(r"\s*[+-]?\d+(,\d+)?(e[+-]?\d+)?\s*", re.IGNORECASE).fullmatch

#: The same number might as well have thousands set apart.
_THOUSANDS = re.compile(r"\s*[+-]?\d{1,3},\d{3}\s*").fullmatch


def with_one_header(rows: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, list[str]]:
    """Join or drop the header rows below the first one.

    CellProfiler and pandas write the object above the measurement, which become
    ``Nuclei_AreaShape_Area``; TrackMate writes longer names and units below. ``names`` is the
    first header row as it was written, with equal names left equal. What was done is said.
    """
    names = _filled([tidy(name) for name in names])
    # Names of groups of columns are written once for each column.
    grouped = len(set(names)) < len(names) == rows.shape[1]
    count = _headers_below(rows, grouped)
    if count and grouped:
        below = [_cell(cell) for cell in rows.iloc[0]]
        joined = [_joined(group, name) for group, name in zip(names, below, strict=True)]
        if len(set(joined)) == len(joined):
            units = count - 1
            rows = rows.iloc[count:].reset_index(drop=True).set_axis(joined, axis=1)
            note = f"Two header rows were joined, to names such as {joined[-1]!r}."
            return rows, [note, *_dropped(units)]
    if not count:
        return rows, []
    return rows.iloc[count:].reset_index(drop=True), _dropped(count)


def _dropped(count: int) -> list[str]:
    if not count:
        return []
    what = "1 row" if count == 1 else f"{count} rows"
    return [f"{what} below the header, without numbers, were taken for names and units."]


def _joined(group: str, name: str) -> str:
    return "_".join(part for part in (group, name) if part)


def _cell(cell: object) -> str:
    return tidy(cell) if isinstance(cell, str) else ""


def _filled(names: list[str]) -> list[str]:
    """Repeat the name of merged cells, of which a spreadsheet writes only the first."""
    blank = sum(not name for name in names)
    if not names or not names[0] or 3 * blank < len(names):
        return names
    filled: list[str] = []
    for name in names:
        filled.append(name or filled[-1])
    return filled


def _headers_below(rows: pd.DataFrame, grouped: bool) -> int:
    """Count the rows below the header that hold words where all others hold numbers."""
    head = rows.iloc[: _MOST_HEADERS + _SAMPLE]
    if len(head) < 2:
        return 0
    cells = head.map(_kind).to_numpy(object)
    count = 0
    for most in range(min(_MOST_HEADERS, len(head) - 1), 0, -1):
        body = cells[most:]
        numeric = (body == "number").any(axis=0) & (body != "word").all(axis=0)
        if all(_is_header(cells[i], head.iloc[i], numeric, grouped) for i in range(most)):
            count = most
            break
    return count


def _is_header(kinds: np.ndarray, row: pd.Series, numeric: np.ndarray, grouped: bool) -> bool:
    over = kinds[numeric]
    if not len(over) or (over == "number").any() or not (over == "word").any():
        return False
    if (kinds == "number").any() or any(_FILE(str(cell)) for cell in row):
        return False
    words = [tidy(str(cell)) for cell in row.to_numpy(object)[numeric][over == "word"]]
    if all(map(_UNIT, words)):
        return True
    # One odd word may be a slip of the pen; several in one row are names.
    return len(words) == len(over) and (len(words) > 1 or grouped)


def _kind(cell: object) -> str:
    if not isinstance(cell, str) or not cell.strip() or cell.strip().casefold() in MISSING:
        return "gap"
    try:
        float(cell.replace(",", "."))
    except ValueError:
        return "word"
    return "number"


def with_decimal_points(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Write 1.5 for 1,5 in the columns of a table whose separator is no comma.

    ``1,234`` may be a number of three decimals or a thousand: it is taken as the
    first unless other columns have points, and left alone, as text, if they do.
    """
    points = commas = False
    found, unclear = [], []
    for at, column in enumerate(rows.columns):
        cells = rows.iloc[:, at]
        some = cells.dropna().iloc[:_SAMPLE]
        if str(column).strip().casefold() == "label":
            continue
        if some.str.fullmatch(r"\s*[+-]?\d*\.\d+\s*").any():
            points = True
        if not some.str.contains(",", regex=False).any():
            continue
        different = [c for c in cells.dropna().unique() if c.strip().casefold() not in MISSING]
        if not all(map(_COMMA, different)):
            continue
        with_comma = [c for c in different if "," in c]
        if all(map(_THOUSANDS, with_comma)):
            unclear.append(at)
        else:
            commas = True
            found.append(at)
    if commas or not points:
        found += unclear
    if not found:
        return rows, []
    rows = rows.copy()
    for at in found:
        dotted = rows.iloc[:, at].str.replace(",", ".", regex=False)
        rows.isetitem(at, dotted)  # type: ignore[arg-type]
    first = str(rows.columns[found[0]]).strip()
    many = f"{len(found):,} columns, such as {first}," if len(found) > 1 else f"column {first}"
    return rows, [f"Commas in the {many} were read as decimal points."]
