"""How a page is shared between a map and what names its colours, in points (1/72 inch)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from napari_patchmap.runs.drawing.paper import shown

#: Lines of text stand this far apart, in letter sizes; the room for a dot and its name.
LINE, DOT = 1.45, 1.15

#: Share of the page's width that a legend beside a map may take.
_LEGEND_SHARE = 0.42


@dataclass(frozen=True)
class Column:
    """A column of a legend: its lines, and where it begins to the right of the first."""

    lines: tuple[int, ...]
    left: float


@dataclass(frozen=True)
class Layout:
    """Where things stand on a page; left and top of the map and of the legend."""

    height: float
    map: tuple[float, float, float, float]
    """Left, top, width, height."""
    legend: tuple[float, float]
    columns: tuple[Column, ...] = ()
    lines: int = 0
    """Lines of the legend that fit."""


def columns_of(widths: Sequence[float], count: int, size: float) -> tuple[list[Column], float]:
    """Put lines into columns, one below the other; return them, and their width."""
    columns, left, each = [], 0.0, math.ceil(len(widths) / count)
    for start in range(0, len(widths), each):
        lines = tuple(range(start, min(start + each, len(widths))))
        columns.append(Column(lines, left))
        left += DOT * size + max(widths[i] for i in lines) + size
    return columns, left - size


def lay_out(
    widths: Sequence[float], size: float, aspect: float, page: tuple[float, float | None],
    top: float, margin: float, *, one_column: bool = False,
) -> Layout:  # fmt: skip
    """Find the layout in which the map is largest.

    Parameters
    ----------
    widths : sequence of float
        Of the lines of the legend; empty without one.
    size : float
        Of the letters.
    aspect : float
        Height of the map by its width.
    page : (width, height)
        Height None: as it is needed.
    top : float
        Where what is above the map ends.
    margin : float
    one_column : bool
        The lines are the room of one thing, which cannot be parted.
    """
    most = 1 if one_column else len(widths)
    for lines in range(len(widths), -1, -1):
        found = _layouts(widths[:lines], size, aspect, page, top, margin, most)
        if found:
            return max(found, key=lambda one: one.map[2] * one.map[3] / one.height)
    raise AssertionError("a map without a legend has a layout")


def _layouts(
    widths: Sequence[float], size: float, aspect: float, page: tuple[float, float | None],
    top: float, margin: float, most_columns: int,
) -> list[Layout]:  # fmt: skip
    """Return the layouts there are for a legend of these lines, in at most so many columns."""
    width, fixed = page[0] - 2 * margin, page[1]
    most = math.inf if fixed is None else max(fixed - top - margin, size)
    line, gap, found = LINE * size, 1.5 * size, []

    def mapped(room: float, high: float) -> tuple[float, float]:
        across = min(room, min(high, page[0]) / aspect)  # no higher than the page is wide
        return across, across * aspect

    if not widths:
        across, down = mapped(width, most)
        left = margin + (width - across) / 2
        height = fixed if fixed is not None else top + down + margin
        return [Layout(height, (left, top, across, down), (0, 0))]
    for count in range(1, min(len(widths), most_columns) + 1):
        columns, wide = columns_of(widths, count, size)
        high = max(len(column.lines) for column in columns) * line
        if wide > width and count > 1:
            break
        if wide <= _LEGEND_SHARE * width and high <= most:  # to the right
            across, down = mapped(width - wide - gap, most)
            tall = max(down, high) if fixed is None else most
            left = margin + (width - across - gap - wide) / 2
            box = (left, top + (tall - down) / 2, across, down)
            place = (left + across + gap, top + (tall - high) / 2)
            height = fixed if fixed is not None else top + tall + margin
            found.append(Layout(height, box, place, tuple(columns), len(widths)))
        if high + gap <= 0.6 * most:  # below
            across, down = mapped(width, most - high - gap)
            left = margin + (width - across) / 2
            end = top + down + gap
            height = fixed if fixed is not None else end + high + margin
            place = (margin + (width - wide) / 2, end)
            box = (left, top, across, down)
            found.append(Layout(height, box, place, tuple(columns), len(widths)))
    return found


def wrapped(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Break a text into lines that are not wider than the page."""
    lines: list[str] = []
    for given in text.split("\n"):
        line = ""
        for word in shown(given, 400).split(" "):
            longer = f"{line} {word}" if line else word
            if measure(longer) <= width or not longer.strip():
                line = longer
            else:
                lines += [line] if line.strip() else []
                line = shortened(word, width, measure)
        lines.append(line)
    return lines


def shortened(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Return a text, or as much of its beginning as is not wider than that."""
    if measure(text) <= width:
        return text
    low, high = 1, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (
            (middle, high) if measure(text[:middle] + "…") <= width else (low, middle - 1)
        )
    return text[:low] + "…"
