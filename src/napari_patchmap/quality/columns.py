"""Quality figures of several maps as columns of a table, and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.quality.asked import AskedCheck
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.figure import QualityFigure
from napari_patchmap.quality.figures import FIGURES

#: Added to the key of a figure: the column of its standard deviation.
SPREAD = "_sd"


def column_of(figure: QualityFigure | AskedCheck) -> str:
    """Name the column of a figure's numbers of patches, as people read it."""
    return f"quality: {figure.name}"


def column_keys() -> list[str]:
    """Return the keys of all numbers that patches have of their own."""
    return [f.key for f in FIGURES if f.each is not None] + [
        check.key for check in CHECKS if check.name
    ]


def named_columns(columns: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the numbers of patches, by key, by the names of their columns."""
    known: list[QualityFigure | AskedCheck] = [*FIGURES, *CHECKS]
    return {column_of(one): columns[one.key] for one in known if one.key in columns}


def figure_numbers(metrics: dict[str, Any]) -> dict[str, float]:
    """Return each figure's number as tables have it, by its key.

    In percent where it is written so; NaN where :func:`napari_patchmap.quality.evaluate`
    did not find it.
    """
    return {figure.key: figure.scale.factor * figure.of(metrics) for figure in FIGURES}


def figure_cells(table: pd.DataFrame, *, every: bool = False) -> dict[str, list[str]]:
    """Write the main figures of a table, or all, with deviations if it has them, by heading."""
    return {
        f"{f.column}{f.scale.unit}": written(
            table[f.key], f.scale.exact, table.get(f"{f.key}{SPREAD}")
        )
        for f in FIGURES
        if every or f.headline
    }


def written(
    numbers: Iterable[float], decimals: int, spread: Iterable[float] | None = None
) -> list[str]:
    """Write numbers, and their deviations where there are some; "" for NaN."""
    texts = ["" if np.isnan(number) else f"{number:.{decimals}f}" for number in numbers]
    if spread is None:
        return texts
    return [
        text if np.isnan(deviation) or not text else f"{text} ± {deviation:.{decimals}f}"
        for text, deviation in zip(texts, spread, strict=True)
    ]


def markdown(columns: dict[str, Iterable[Any]]) -> list[str]:
    """Write columns, by their headings, as lines of Markdown."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    lines = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return [lines[0], "|---" * len(columns) + "|", *lines[1:]]
