"""Whether the map of a run shows a technical column in place of biology."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.background import BACKGROUND, background
from napari_patchmap.quality.batches import as_batches, batch_effect
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.runs.run import Run, metric_of


def batches_of(
    table: pd.DataFrame,
    column: str,
    patches: PatchSet | None = None,
    watch: Callable[[int, int], bool] | None = None,
) -> np.ndarray | None:
    """Return the batch of each patch by a column, or by the background of its image.

    Raises
    ------
    QualityError
        If there is no such column, or no image to look at.
    """
    if column in table:
        return as_batches(table[column])
    if column != BACKGROUND:
        names = ", ".join(map(str, table.columns))
        raise QualityError(f"There is no column {column}; choose {BACKGROUND}, {names}.")
    if patches is None or len(patches) != len(table):
        raise QualityError(
            "The background can be measured where the image of each patch is there; say where "
            "they are with --images."
        )
    values = background(patches, watch)
    return None if values is None else as_batches(pd.Series(values))


def check_batches(
    run: Run, column: str, batches: np.ndarray, labels: np.ndarray | None
) -> dict[str, Any]:
    """Say what neighbours on the map of a run, and among its features, tell of its batches.

    See :func:`napari_patchmap.quality.batches.batch_effect`.
    """
    features = run.features if run.dimensions else None
    given = FigureInput(
        run.embedding, labels, features, metric=metric_of(run.config, run.layout)
    )
    return batch_effect(given, batches, column)
