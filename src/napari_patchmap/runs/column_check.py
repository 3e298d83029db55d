"""How well a column of a table is predicted from a run's map, and from its features."""

from __future__ import annotations

from typing import Any

import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.quality.figure import FigureInput, GrowingWatch
from napari_patchmap.quality.prediction import PredictionConfig, predict
from napari_patchmap.runs.run import Run, metric_of


def check_columns(table: pd.DataFrame, config: PredictionConfig) -> None:
    """Raise a QualityError if a table does not have the columns that are named."""
    for name in filter(None, (config.column, config.apart)):
        if name not in table:
            names = ", ".join(map(str, table.columns))
            raise QualityError(f"There is no column {name}; choose one of {names}.")


def predict_column(
    run: Run,
    table: pd.DataFrame,
    config: PredictionConfig,
    watch: GrowingWatch | None = None,
) -> dict[str, Any]:
    """Say how well a column is predicted.

    See :func:`napari_patchmap.quality.prediction.predict`.

    Parameters
    ----------
    run : Run
    table : DataFrame
        Row i is the run's patch i.
    config : PredictionConfig
        Names the columns.
    watch : callable, optional

    Raises
    ------
    QualityError
        If the table has no such column, or nothing can be predicted from it.
    """
    check_columns(table, config)
    given = FigureInput(
        run.embedding,
        None,
        run.features if run.dimensions else None,
        metric=metric_of(run.config, run.layout),
    )
    apart = table[config.apart] if config.apart else None
    return predict(given, table[config.column], apart, config, watch)
