"""What a report says of what was found out when somebody asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from napari_patchmap.quality.asked import LABEL_FROM, AskedCheck
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.baselines import BASELINES
from napari_patchmap.quality.batch_check import BATCH
from napari_patchmap.quality.before_after import before_after_lines
from napari_patchmap.quality.curve_words import LABEL_CURVE, curve_said
from napari_patchmap.quality.label_changes import other_label
from napari_patchmap.quality.prediction_words import (
    PREDICTION,
    WAYS,
    prediction_basis,
    prediction_said,
    prediction_table,
)
from napari_patchmap.runs.drawing.curve_page import draw_curves
from napari_patchmap.runs.drawing.paper import drawn_page
from napari_patchmap.runs.reporting.blocks import (
    REPORT_PICTURE,
    Block,
    ColumnHead,
    Drawn,
    Entry,
    Grid,
    Heading,
    Listed,
    Words,
)


def checked(metrics: dict[str, Any]) -> list[Block]:
    """Say what a run's metrics hold of it."""
    blocks: list[Block] = []
    for check in CHECKS:
        if found := check.known(metrics):
            said = _SAID.get(check.key)
            told = _plainly(check, found) if said is None else said(found, metrics)
            if told and (stale := other_label(found, metrics.get(LABEL_FROM, ""))):
                told[1:1] = [Words(stale, "warning")]
            blocks += told
    return blocks


def _plainly(check: AskedCheck, found: dict[str, Any]) -> list[Block]:
    return [
        Heading(check.question),
        Listed(check.lines(found)),
        Words(f"{check.help} ({check.reference})", "hint"),
    ]


def _prediction(found: dict[str, Any], _: dict[str, Any]) -> list[Block]:
    table = prediction_table(found)
    heads = [ColumnHead(name, number=place > 0) for place, name in enumerate(table)]
    rows = [[Entry(cell) for cell in row] for row in zip(*table.values(), strict=True)]
    return [
        Heading(f"How well is {found['column']} predicted?"),
        Words(prediction_said(found)),
        Words(f"{prediction_basis(found)}:"),
        Grid(rows, heads),
        Words(" ".join([WAYS, *found["left_out"]]), "hint"),
    ]


def _curve(found: dict[str, Any], _: dict[str, Any]) -> list[Block]:
    heads = [
        ColumnHead("Classifier of the features"),
        *(ColumnHead(f"{size:,}", number=True) for size in found["sizes"]),
    ]
    rows = [
        [
            Entry(name),
            *(
                Entry(f"{100 * mean:.0f}", f"{100 * low:.0f}-{100 * high:.0f}")
                for mean, low, high in zip(
                    curve["mean"], curve["low"], curve["high"], strict=True
                )
            ),
        ]
        for name, curve in found["curves"].items()
    ]
    said = (
        "Balanced accuracy in percent by labels of each class, and where 95 % of "
        f"{found['repeats']} draws lie; {found['test_n']:,} patches were tested:"
    )
    return [
        Heading("How many labels are enough?"),
        Words(curve_said(found)),
        Drawn(
            drawn_page(draw_curves(found, REPORT_PICTURE)),
            "Balanced accuracy against the labels of each class; the bands hold 95 % of the "
            "draws.",
        ),
        Words(said),
        Grid(rows, heads),
    ]


def _batch(found: dict[str, Any], metrics: dict[str, Any]) -> list[Block]:
    first, *others = BATCH.lines(found)
    evened = metrics.get("evened")
    then: list[Block] = []
    if evened:
        then = [Words("This map was evened out:"), Listed(before_after_lines(evened))]
    return [
        Heading("Does the map show biology or the batch?"),
        Words(first, "warning"),
        Listed(others),
        *then,
    ]


#: Those that take more than lines, or stand elsewhere.
_SAID: dict[str, Callable[[dict[str, Any], dict[str, Any]], list[Block]]] = {
    PREDICTION.key: _prediction,
    LABEL_CURVE.key: _curve,
    BATCH.key: _batch,
    BASELINES.key: lambda found, metrics: [],  # beside the figures
}
