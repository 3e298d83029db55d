"""Whether the map of a run shows a technical column in place of biology."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.patches import PatchSet
from napari_patchmap.quality.batches import as_batches, batch_effect
from napari_patchmap.quality.figure import FigureInput, MeasureWatch, capitalised
from napari_patchmap.runs.measured_columns import MEASURED, measured_column
from napari_patchmap.runs.run import Run, metric_of


def batches_of(
    table: pd.DataFrame,
    column: str,
    patches: PatchSet | None = None,
    watch: MeasureWatch | None = None,
) -> np.ndarray:
    """Return the batch of each patch by a column, or by what is measured on its image or file.

    Raises
    ------
    QualityError
        If there is no such column, or no image to look at.
    Ended
        If ``watch`` says so.
    """
    if column in table:
        return as_batches(table[column])
    if column not in MEASURED:
        names = ", ".join(map(str, [*MEASURED, *table.columns]))
        raise QualityError(f"There is no column {column}; choose {names}.")
    if patches is None or len(patches) != len(table):
        raise QualityError(
            f"{capitalised(column)} can be measured where the image of each patch is there; "
            "say where they are with --images."
        )
    return as_batches(measured_column(column, patches, watch))


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
