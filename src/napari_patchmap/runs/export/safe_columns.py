"""Names and values of a table as other programs can hold them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex

from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.patches.names import printable

#: What no name of a file may hold on one system or another.
_NOT_IN_FILES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')

#: Names that mean a device on Windows, whatever their ending.
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")

#: The longest name of a file without its ending, and of a column, in letters.
_LONGEST_FILE, _LONGEST_COLUMN = 60, 200


def text_of(values: pd.Series, missing: Any = "") -> np.ndarray:
    """Return a column as text that can be encoded, ``missing`` where there is none."""
    text = values.astype(object)
    there = text.notna().to_numpy()
    out = np.full(len(text), missing, object)
    out[there] = [printable(str(value)) for value in text.to_numpy(object)[there]]
    return out


def unique_names(names: Iterable[object], without: str = "") -> list[str]:
    """Return names of columns that can be keys of a file: not empty, none there twice.

    Letters of ``without`` become ``_``; names that are too long are cut.
    """
    taken: set[str] = set()
    return [
        _free(
            re.sub(f"[{re.escape(without)}]", "_", text) if without else text,
            "column",
            _LONGEST_COLUMN,
            taken,
        )
        for text in (printable(str(name)).strip() for name in names)
    ]


def file_names(names: Iterable[str], empty: str) -> dict[str, str]:
    """Return by each name one that files and folders can have, on any system.

    No two are the same, not with other capitals either; ``empty`` is what "" is called.
    """
    taken: set[str] = set()
    out = {}
    for name in dict.fromkeys(names):
        text = _NOT_IN_FILES.sub("_", unicodedata.normalize("NFC", printable(name)))
        text = text.strip().strip(".").strip()
        text = f"_{text}" if _DEVICES.match(text) else text
        out[name] = _free(text, empty, _LONGEST_FILE, taken)
    return out


def group_colours(table: pd.DataFrame, column: str) -> dict[str, str]:
    """Return the colours ``#rrggbb`` of the groups of a column as the window shows them."""
    shown = colour_by(table, column)
    text = text_of(table[column])
    first = pd.Series(text).drop_duplicates().index.to_numpy()
    return {text[row]: to_hex(shown.colours[row]) for row in first if text[row]}


def _free(text: str, empty: str, longest: int, taken: set[str]) -> str:
    text = text[:longest].strip() or empty
    name, again = text, 2
    while name.casefold() in taken:
        name, again = f"{text} ({again})", again + 1
    taken.add(name.casefold())
    return name
