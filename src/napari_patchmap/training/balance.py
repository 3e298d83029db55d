"""Batches in which each group of patches has as many: rare kinds are compared as often."""

from __future__ import annotations

import numpy as np

from napari_patchmap.errors import TrainingError
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.patches import PatchSet


def balance_groups(patches: PatchSet, column: str, batch_size: int) -> np.ndarray:
    """Return the group of each patch by the values of a column, (n,) intp.

    Patches without a value are a group of their own.

    Raises
    ------
    TrainingError
        If there is no such column, or it has one value or more values than a batch has room
        for.
    """
    if column not in patches.table:
        known = ", ".join(map(str, patches.table.columns))
        raise TrainingError(
            f"{patches.name} has no column {column} by which batches could be balanced; choose "
            f"one of {known}, or load it with the labels."
        )
    codes = np.unique(text_codes(patches.table[column])[0], return_inverse=True)[1]
    groups = int(codes.max()) + 1
    if groups < 2:
        raise TrainingError(
            f"All patches have the same {column}, so batches cannot be balanced by it; choose "
            "another column."
        )
    if groups > batch_size:
        raise TrainingError(
            f"{column} has {groups:,} different values and a batch {batch_size:,} patches, "
            "which cannot be of all of them; choose a column with fewer, or a larger batch."
        )
    return codes.astype(np.intp)
