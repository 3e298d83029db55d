"""Features of very many patches, a part at a time, as numbers that can be relied on."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from napari_patchmap.errors import SuggestionError
from napari_patchmap.patches.watch import Watch

#: Values of features that are in memory at once.
_VALUES = 2**22

#: Patches from which the middle and the scale of the features are taken.
_SAMPLE = 20_000


def check_features(features: np.ndarray, count: int | None = None) -> None:
    """Check that there is a row of features for each patch.

    Raises
    ------
    SuggestionError
    """
    if features.ndim != 2 or not features.shape[1] or not len(features):
        raise SuggestionError(
            "This run has no features (one row of numbers a patch); train it again to get them."
        )
    if count is not None and len(features) != count:
        raise SuggestionError(
            f"There are features of {len(features):,} patches and annotations of {count:,}; "
            "open the run with the patches it was made of."
        )


def rows_of(features: np.ndarray, rows: np.ndarray | slice) -> np.ndarray:
    """Return a copy of some rows as float32.

    Raises
    ------
    SuggestionError
        If a number is not finite.
    """
    part = np.array(features[rows], np.float32, order="C")
    if not np.isfinite(part).all():
        bad = int(np.flatnonzero(~np.isfinite(part).all(axis=1))[0])
        which = (rows.start or 0) + bad if isinstance(rows, slice) else int(rows[bad])
        raise SuggestionError(
            f"The features of patch {which:,} are not finite numbers (the training may have "
            "diverged); train again with a smaller learning rate."
        )
    return part


def part_rows(features: np.ndarray) -> int:
    """Return how many patches are looked at together."""
    return max(1, _VALUES // features.shape[1])


def in_parts(
    features: np.ndarray, watch: Watch, done: int = 0, total: int = 0
) -> Iterator[tuple[slice, np.ndarray]]:
    """Go through all rows as float32; ``done`` of ``total`` steps were reported before."""
    step = part_rows(features)
    for number, start in enumerate(range(0, len(features), step)):
        watch.step(done + number, total or done + -(-len(features) // step))
        part = slice(start, min(start + step, len(features)))
        yield part, rows_of(features, part)


def spread_rows(count: int, most: int) -> np.ndarray:
    """Return at most so many row numbers, spread evenly over all."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).astype(np.intp))


def middle_and_scale(features: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the mean of each feature, and the deviation of all of them together.

    One scale for all: outputs of a network share a unit, and those that hardly vary hardly
    matter. A scale for each of them counts noise as much as what tells patches apart.
    """
    some = rows_of(features, spread_rows(len(features), _SAMPLE)).astype(np.float64)
    middle = some.mean(axis=0)
    scale = float(np.sqrt(((some - middle) ** 2).mean()))
    return middle.astype(np.float32), scale if scale > 0 else 1.0
