"""File names in the spellings that people use, and how millions of them are found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Self

import numpy as np
import pandas as pd

from napari_patchmap.patches.names import composed
from napari_patchmap.patches.watch import Watch


def _stem(name: str) -> str:
    head, dot, tail = name.rpartition(".")
    # A dot that begins a name begins no ending, and one in a folder's name neither.
    return head if dot and "/" not in tail and head and head[-1] != "/" else name


def _base(name: str) -> str:
    return name.rpartition("/")[2]


#: How a labels file may name an image, the most specific first.
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda name: name,
    _stem,
    _base,
    lambda name: _stem(_base(name)),
)


def clean(name: Any) -> str:
    """Write a path as Patchmap does; what is no text is empty."""
    if not isinstance(name, str):
        return ""
    return composed(name).strip().replace("\\", "/").removeprefix("./")


def tail(wanted: set[str], cell: str) -> str:
    """Leave out leading folders until the rest is wanted."""
    rest = cell
    while rest and rest not in wanted:
        rest = rest.partition("/")[2]
    return rest or cell


class Cells(NamedTuple):
    """A column of a labels file."""

    column: str
    cells: list[str]
    hashes: np.ndarray

    @classmethod
    def of(cls, column: str, cells: list[str], watch: Watch) -> Self:
        return cls(column, cells, _hashes(cells, watch))


class Keys:
    """The images' names in one spelling, made to be found.

    By their hashes, of 64 bits, which is several times faster than by the texts
    where there are millions: two of a million differ with a chance of 1 to 10^7.
    """

    def __init__(self, keys: list[str], watch: Watch) -> None:
        self.keys = keys
        self.hashes = _hashes(keys, watch)
        index = pd.Index(self.hashes)
        self.unique = index.is_unique
        self._first = None if self.unique else np.flatnonzero(~index.duplicated())
        self._index = index if self._first is None else index[self._first]

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """Return the first image of each name, -1 where there is none or no name."""
        at = self._index.get_indexer(hashes)
        if self._first is not None:
            at = np.where(at >= 0, self._first[at], -1)
        at[hashes == hash("")] = -1
        return at


def _hashes(values: list[str], watch: Watch) -> np.ndarray:
    hashes = np.empty(len(values), np.int64)
    for part in watch.parts(len(values)):
        hashes[part] = np.fromiter(map(hash, values[part]), np.int64)
    return hashes


def spelled(spelling: Callable[[Any], str], values: list[Any], watch: Watch) -> list[str]:
    """Spell every value, with reports in between."""
    texts: list[str] = []
    for part in watch.parts(len(values)):
        texts += map(spelling, values[part])
    return texts
