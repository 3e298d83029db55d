"""What a check is that takes minutes and is asked for by a button of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from napari_patchmap.errors import QualityError
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.report import Evaluation

#: Told what is known so far, if anything is, and how much of how much is done; True ends.
AskedWatch = Callable[[Evaluation | None, int, int], bool]


@dataclass(frozen=True)
class AskedCheck:
    """A question about a map, and how its answer is called, written and explained.

    Parameters
    ----------
    key : str
        Its entry in ``metrics.json``, and the key of its numbers of patches.
    question : str
        As a heading.
    name : str
        What its number of each patch is, as within a sentence.
    lines : callable
        Takes its entry; returns the answer in short lines, the most important first.
    help, reference : str
        What it means and what it takes, in plain sentences; where it is from.
    """

    key: str
    question: str
    name: str
    lines: Callable[[dict[str, Any]], list[str]]
    help: str
    reference: str


def map_width(embedding: np.ndarray) -> float:
    """Return the longer side of the box in which a map lies."""
    return float(np.ptp(embedding, axis=0).max())


def check_usable(given: FigureInput, fewest: int, doing: str) -> np.ndarray:
    """Return the features of a map that something can be done with, (n, f).

    Raises
    ------
    QualityError
        If there are none, no numbers or no differences among them, or too few patches.
    """
    if given.features is None:
        raise QualityError(f"This map has no features, which are needed to {doing}.")
    if len(given) < fewest:
        raise QualityError(
            f"{len(given):,} patches are too few to {doing}; it takes {fewest} at least."
        )
    if not (np.isfinite(given.features).all() and np.isfinite(given.embedding).all()):
        raise QualityError(
            "Some features or coordinates are not numbers; train the map again, then ask."
        )
    if not (given.features != given.features[0]).any():
        raise QualityError(
            f"All patches have the same features, so there is nothing to {doing} by."
        )
    return given.features
