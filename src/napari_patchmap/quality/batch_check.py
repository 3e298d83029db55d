"""Does a map show biology or the batch? Asked of a technical column."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.asked import AskedCheck, AskedMap
from napari_patchmap.quality.background import BACKGROUND
from napari_patchmap.quality.batches import ASKED, as_batches, batch_effect, batch_lines
from napari_patchmap.quality.figure import capitalised
from napari_patchmap.quality.measured_columns import (
    MEASURED,
    check_measurable,
    measured_column,
    measured_columns,
)
from napari_patchmap.quality.report import Evaluation
from napari_patchmap.settings import Config, setting


@dataclass(frozen=True)
class BatchConfig(Config):
    """Which column is asked for."""

    column: str = setting(
        BACKGROUND,
        "What may differ for technical reasons: slide, patient, plate, day. The background "
        "colour is measured on the images themselves and, where each patch is a file of its "
        "own, so are the size of the file and its date.",
        label="Technical column",
        offered=True,
    )


def batches_of(
    table: pd.DataFrame,
    column: str,
    patches: PatchSet | None = None,
    watch: Watch = UNWATCHED,
) -> np.ndarray:
    """Return the batch of each patch by a column, or by what is measured on its image or file.

    Raises
    ------
    QualityError
        If there is no such column, or no image to look at.
    LoadCancelled
        If ``watch`` wants to stop.
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


def _check(asked: AskedMap, config: BatchConfig) -> None:
    """Check that the column is there or can be measured, images among it."""
    if config.column in asked.table:
        return
    if config.column in MEASURED:
        check_measurable(config.column, asked.origin, asked.called)
        if asked.images() is not None:
            return
    batches_of(asked.table, config.column)  # says what is missing


def _answer(asked: AskedMap, config: BatchConfig, watch: Watch) -> Evaluation:
    patches = None if config.column in asked.table else asked.images()
    batches = batches_of(asked.table, config.column, patches, watch)
    return Evaluation({BATCH.key: batch_effect(asked.figures(), batches, config.column)}, {})


def _offers(asked: AskedMap) -> dict[str, list[str]]:
    patches = asked.images()
    measured = [] if patches is None else measured_columns(patches)
    return {"column": [*measured, *(name for name in asked.columns if name != "label")]}


BATCH = AskedCheck(
    key="batch",
    question="Biology, or the batch?",
    config=BatchConfig,
    check=_check,
    answer=_answer,
    offers=_offers,
    lines=batch_lines,
    of_labels=lambda entry: True,
    help=f"How well the {ASKED} nearest neighbours of a patch tell a technical column, on the "
    "map and among the features, against chance; where labels are known, whether neighbours "
    "share the label or the batch more often.",
    reference="the robustness index of de Jong et al. 2025",
)
