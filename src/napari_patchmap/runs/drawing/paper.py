"""The page that figures are drawn on: its look, its letters, and how it is saved."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from napari_patchmap.errors import RunError
from napari_patchmap.runs.drawing.figure_config import Look
from napari_patchmap.runs.writable import check_file, writing
from napari_patchmap.writing import write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Endings that a figure can have, with what matplotlib calls them.
ENDINGS = {".png": "png", ".svg": "svg", ".pdf": "pdf"}

#: Fonts with the letters that the first does not have; of these, what is installed.
_FONTS = ("DejaVu Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", "Hiragino Sans", "Yu Gothic",
          "Microsoft YaHei", "Malgun Gothic", "Arial Unicode MS", "Noto Emoji",
          "Segoe UI Emoji", "Symbola")  # fmt: skip

#: A page is drawn in the memory: pixels it may have.
_MOST_PIXELS = 200_000_000

MM = 1 / 25.4

#: How letters are written is a setting of the whole process: one page is drawn at a time.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Inks:
    """The colours of a page apart from those of the points."""

    page: str
    letters: str
    lines: str


INKS: dict[Look, Inks] = {
    "light": Inks("#FFFFFF", "#1A1A1A", "#8C8C8C"),
    "dark": Inks("#000000", "#EDEDED", "#8C8C8C"),
}


def check_figure_file(
    path: str | os.PathLike[str], endings: Collection[str] = tuple(ENDINGS)
) -> Path:
    """Return the path of a figure that can be written, with one of these endings.

    Raises
    ------
    RunError
        If its ending is none of a figure, or nothing can be written there.
    """
    if Path(path).suffix.lower() not in endings:
        raise RunError(
            f"{path} has no ending of a figure; name it with one of {', '.join(endings)}."
        )
    return check_file(path)


def new_page(width: float, height: float, dpi: int, look: Look) -> Figure:
    """Return an empty page; width and height in millimetres.

    Raises
    ------
    RunError
        If it has more pixels than can be drawn.
    """
    from matplotlib.figure import Figure

    pixels = width * MM * dpi * height * MM * dpi
    if pixels > _MOST_PIXELS:
        raise RunError(
            f"A figure of {width:g} x {height:g} mm at {dpi} dots per inch has "
            f"{pixels / 1e6:,.0f} million pixels; choose a smaller size or resolution, of at "
            f"most {_MOST_PIXELS / 1e6:,.0f} million."
        )
    return Figure(figsize=(width * MM, height * MM), dpi=dpi, facecolor=INKS[look].page)


def save_page(figure: Figure, path: str | os.PathLike[str], *, tight: bool = False) -> Path:
    """Write a page as its file's ending says, whole or not at all.

    Text stays text in SVG and PDF, and what is between two $ in a name is no mathematics.
    The same page gives the same bytes.

    Parameters
    ----------
    figure : Figure
    path : path
    tight : bool
        Cut the page around what is drawn on it, so that nothing is cut off.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    kind = ENDINGS.get(Path(path).suffix.lower(), "png")
    write_whole(path, drawn_page(figure, kind, tight=tight))
    return Path(path)


def drawn_page(figure: Figure, kind: str = "png", *, tight: bool = False) -> bytes:
    """Return what :func:`save_page` writes, of a ``kind`` that matplotlib knows."""
    from matplotlib import rc_context

    as_written(figure)
    same: dict[str, Any] = {"pdf": {"CreationDate": None}, "svg": {"Date": None}}.get(kind, {})
    settings = {"svg.fonttype": "none", "pdf.fonttype": 42, "svg.hashsalt": "patchmap"}
    drawn = BytesIO()
    with _ONE_AT_A_TIME, warnings.catch_warnings(), rc_context(settings):
        # A letter that no font here has is drawn as a box.
        warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
        figure.savefig(
            drawn,
            format=kind,
            facecolor=figure.get_facecolor(),
            metadata=same or None,
            bbox_inches="tight" if tight else None,
        )
    return drawn.getvalue()


def save_figure(figure: Figure, path: str | os.PathLike[str]) -> Path:
    """Write a page: :func:`save_page`, of which errors are sentences (RunError)."""
    with writing(path):
        return save_page(figure, path)


def as_written(figure: Figure) -> None:
    """Let all text of a page be drawn letter by letter, in fonts that have the letters."""
    from matplotlib.text import Text

    family = fonts()
    for text in figure.findobj(Text):
        text.set_parse_math(False)
        text.set_usetex(False)
        text.set_fontfamily(family)


def fonts() -> list[str]:
    """Return the fonts of a page that are installed, the first of them always."""
    from matplotlib import font_manager

    installed = {font.name for font in font_manager.fontManager.ttflist}
    return [name for name in _FONTS if name in installed]


def shown(name: object, most: int = 60) -> str:
    """Return a name in letters that can be drawn, on one line, and not too long."""
    text = str(name).encode(errors="backslashreplace").decode()
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= most else f"{text[: most - 1]}…"
