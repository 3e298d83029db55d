"""What a report is made of, whatever it is written as; all text is text and no markup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from napari_patchmap.runs.drawing.figure_config import FigureConfig

#: The pictures of a report: as wide as its text.
REPORT_PICTURE = FigureConfig(width=180, font_size=9, dpi=200)


@dataclass(frozen=True)
class Heading:
    """What the blocks below it are about."""

    text: str


@dataclass(frozen=True)
class Words:
    """A paragraph: plain, a hint that is read when wanted, or a warning."""

    text: str
    tone: Literal["plain", "hint", "warning"] = "plain"


@dataclass(frozen=True)
class Listed:
    """Lines below one another."""

    lines: Sequence[str]


@dataclass(frozen=True)
class Drawn:
    """A picture, as PNG, and what it shows."""

    png: bytes
    caption: str


@dataclass(frozen=True)
class ColumnHead:
    """What a column of a table is called, and whether it has numbers, or what is looked for."""

    text: str
    number: bool = False
    strong: bool = False


@dataclass(frozen=True)
class Entry:
    """What stands in a table, and a note on it in smaller letters."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Grid:
    """A table; without heads where its first column says what the second is."""

    rows: Sequence[Sequence[Entry]]
    heads: Sequence[ColumnHead] = ()


@dataclass(frozen=True, eq=False)
class Matrix:
    """Shares of each row, as numbers on a colour that is the deeper the more it is.

    Parameters
    ----------
    names : sequence of str
        Of the rows, and of the columns.
    shares : ndarray, shape (c, c)
        From 0 to 1.
    """

    names: Sequence[str]
    shares: np.ndarray


@dataclass(frozen=True, eq=False)
class Aside:
    """Blocks that few people look for."""

    title: str
    blocks: Sequence[Block]


Block = Heading | Words | Listed | Drawn | Grid | Matrix | Aside


@dataclass(frozen=True, eq=False)
class Report:
    """A report: its name, a line below it, and its blocks from above to below."""

    name: str
    subtitle: str
    blocks: Sequence[Block]
