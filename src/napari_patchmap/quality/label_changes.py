"""What of a map's figures still holds when another column has become the label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from napari_patchmap.patches.labels.choice import GIVEN
from napari_patchmap.quality.asked import LABEL_FROM
from napari_patchmap.quality.asked_checks import CHECKS
from napari_patchmap.quality.figures import FIGURES
from napari_patchmap.quality.report import LABEL_NOTES

#: Figures that compare the map with labels.
OF_LABELS = tuple(figure.key for figure in FIGURES if figure.needs_labels)


def of_label(
    metrics: dict[str, Any], columns: Mapping[str, np.ndarray], now: str, before: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Leave out the figures of another label, and note whose label the answers are of.

    Parameters
    ----------
    metrics : dict
        See :func:`napari_patchmap.quality.evaluate`; of which label they are says
        ``label_from``, and where nothing does, ``before``.
    columns : mapping of str to ndarray
        Numbers of patches, by the keys of the figures.
    now, before : str
        What the label is called, and what it was called; "" where nobody knows.

    Returns
    -------
    metrics, columns : dict
        Without figures of another label. Answers to questions stay, and say what label they
        are of.
    """
    then = str(metrics.get(LABEL_FROM, before))
    if same_label(then, now):
        return metrics, dict(columns)
    gone = {*OF_LABELS, "labelled", LABEL_NOTES}
    if LABEL_NOTES not in metrics:  # of an older version: what its notes are of is not known
        gone |= {"notes", *(figure.key for figure in FIGURES)}
    kept = {key: value for key, value in metrics.items() if key not in gone}
    told = set(metrics.get(LABEL_NOTES, ()))
    kept["notes"] = [note for note in kept.get("notes", ()) if note not in told]
    for check in CHECKS:
        entry = metrics.get(check.key)
        if isinstance(entry, dict) and check.of_labels(entry):
            kept[check.key] = {LABEL_FROM: then, **entry}
    kept[LABEL_FROM] = now
    return kept, {key: values for key, values in columns.items() if key not in OF_LABELS}


def lacks_labels(metrics: Mapping[str, Any]) -> bool:
    """Whether figures of another label were left out of metrics, and none of this one known."""
    return LABEL_FROM in metrics and not set(OF_LABELS) <= set(metrics)


def other_label(entry: Mapping[str, Any], now: str) -> str:
    """Say that an answer is of another label than the patches have, "" if it is not."""
    then = str(entry.get(LABEL_FROM, now))
    if same_label(then, now):
        return ""
    return (
        f"This is of the label {then or GIVEN}; the label is {now or GIVEN} now: ask again to "
        "know it of that."
    )


def same_label(one: str, other: str) -> bool:
    """Whether two names are of the same label; one that nobody named has one, too."""
    return (one or GIVEN) == (other or GIVEN)
