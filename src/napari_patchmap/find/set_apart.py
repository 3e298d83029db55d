"""What sets groups of patches apart from all others, in words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import columns_to_show
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.find.picture_measures import SAID
from napari_patchmap.find.search import found_column
from napari_patchmap.patches.quantity import is_quantity
from napari_patchmap.percent import percent

#: What is said: differences that are at least of middle size (Cohen 1988), so many at most,
#: of groups in which so many patches have a value.
_LEAST, _SAID, _FEWEST = 0.5, 2, 5

#: Columns with more different texts name single things rather than kinds.
_MOST_TEXTS = 200

#: Columns that are told of otherwise: the most frequent label, one size of height and width;
#: and what was measured of the map, or found in it, groups among it.
_NOT = {"label", "height", "width"}
_NOT_OF_PATCHES = ("quality: ", found_column(""))


@dataclass(frozen=True, eq=False)
class Difference:
    """How the groups differ from the others in one column.

    Parameters
    ----------
    strength : ndarray of float64, shape (groups,)
        Standardised difference, 0 where nothing can be said. Of numbers: group less the
        others, in standard deviations of all. Of shares: Cohen's h, which compares with it
        (Cohen, "Statistical power analysis", 1988, chapters 2 and 6).
    words : tuple of str
        For each group.
    """

    strength: np.ndarray
    words: tuple[str, ...]


def said_apart(differences: list[Difference], group: int) -> str:
    """Say the strongest two of what sets a group apart, "" if hardly anything does."""
    strong = [one for one in differences if abs(one.strength[group]) >= _LEAST]
    strong.sort(key=lambda one: -abs(one.strength[group]))
    return ", ".join(one.words[group] for one in strong[:_SAID])


def column_differences(table: pd.DataFrame, codes: np.ndarray, groups: int) -> list[Difference]:
    """Compare groups in all columns that can tell patches apart.

    Parameters
    ----------
    table : DataFrame, n rows
    codes : ndarray of int, shape (n,)
        Group of each row, -1 for none; these are among the others.
    groups : int
    """
    found = []
    if {"height", "width"} <= set(table.columns):
        size = np.sqrt(table[["height", "width"]].to_numpy(float).prod(axis=1))
        found.append(of_numbers("box", size, codes, groups, ("larger box", "smaller box")))
    for name in columns_to_show(table):
        values = table[name]
        if name in _NOT or str(name).startswith(_NOT_OF_PATCHES):
            continue
        if is_quantity(values):
            numbers = values.to_numpy(dtype=float, na_value=np.nan)
            found.append(of_numbers(str(name), numbers, codes, groups))
        else:
            found += _of_texts(str(name), values, codes, groups)
    return found


def picture_differences(
    measures: dict[str, np.ndarray], codes: np.ndarray, groups: int
) -> list[Difference]:
    """Compare groups in measures of the patches that they are of, (m,) each."""
    return [
        of_numbers(name, values, codes, groups, SAID.get(name))
        for name, values in measures.items()
    ]


def of_numbers(
    name: str,
    values: np.ndarray,
    codes: np.ndarray,
    groups: int,
    words: tuple[str, str] | None = None,
) -> Difference:
    """Compare groups in a number; ``words`` say more and less of it."""
    known = np.isfinite(values)
    more, less = words or (f"{name} higher", f"{name} lower")
    n, of = known.sum(), codes[known] + 1
    counts = np.bincount(of, minlength=groups + 1)[1:]
    middle = float(values[known].mean()) if n else 0.0
    sums = np.bincount(of, values[known] - middle, minlength=groups + 1)[1:]
    deviation = float(values[known].std()) if n else 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        # All sum up to nothing, so the others come to what the group lacks.
        strength = (sums / counts + sums / (n - counts)) / deviation
    sure = (counts >= _FEWEST) & (n - counts >= _FEWEST) & (deviation > 1e-9 * abs(middle))
    strength = np.where(sure, strength, 0.0)
    said = tuple(f"{more if s > 0 else less} ({s:+.1f} sd)" for s in strength)
    return Difference(strength, said)


def _of_texts(name: str, values: pd.Series, codes: np.ndarray, groups: int) -> list[Difference]:
    """Compare the shares of each text that a column has."""
    of, texts = text_codes(values)
    known = np.array([bool(text) for text in texts])[of]
    if len(texts) > _MOST_TEXTS:
        return []
    pairs = (codes[known] + 1) * len(texts) + of[known]
    counts = np.bincount(pairs, minlength=(groups + 1) * len(texts)).reshape(groups + 1, -1)
    own, rest = counts[1:], counts.sum(axis=0) - counts[1:]
    mine, others = own.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    share, elsewhere = own / np.maximum(mine, 1), rest / np.maximum(others, 1)
    sure = (mine >= _FEWEST) & (others >= _FEWEST)
    strength = np.where(
        sure, 2 * (np.arcsin(np.sqrt(share)) - np.arcsin(np.sqrt(elsewhere))), 0
    )
    best = strength.argmax(axis=1)  # that there is less of one is said by the others
    rows = np.arange(groups)
    said = tuple(
        f"{name} {texts[at]}: {percent(share[group, at])} "
        f"({percent(elsewhere[group, at])} elsewhere)"
        for group, at in enumerate(best.tolist())
    )
    return [Difference(strength[rows, best], said)]
