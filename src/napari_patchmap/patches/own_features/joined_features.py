"""Features of people's own, joined to the patches of a set, as numbers to be relied on."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Literal

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.few_names import and_more
from napari_patchmap.patches.own_features.feature_files import read_features
from napari_patchmap.patches.own_features.feature_join import rows_of_patches
from napari_patchmap.patches.own_features.feature_table import FeatureTable
from napari_patchmap.patches.own_rows import OwnRows
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: What becomes of gaps and infinite numbers: see ``feature_gaps`` of a training's settings.
Gaps = Literal["refuse", "median", "columns"]


def with_features(
    patches: PatchSet,
    path: str | os.PathLike[str],
    columns: str | None = None,
    gaps: Gaps = "refuse",
    watch: Watch = UNWATCHED,
) -> PatchSet:
    """Return patches with features of people's own, which are read and joined to them.

    Parameters
    ----------
    patches : PatchSet
    path, columns, watch
        See :func:`~napari_patchmap.patches.own_features.feature_files.read_features`.
    gaps : {"refuse", "median", "columns"}
        Of features that are no finite numbers: refuse them, take the median of the feature,
        or leave such features out.

    Raises
    ------
    PatchError
        If they cannot be read or joined, or hold gaps that are refused.
    LoadCancelled
    """
    table = read_features(path, columns, watch)
    rows, said = rows_of_patches(table, patches, watch)
    in_order = len(rows) == len(table) and np.array_equal(rows, np.arange(len(rows)))
    values = table.values if in_order else table.values[rows]
    values, names, filled = _without_gaps(table, values, gaps)
    notes = (*table.notes, *said, *filled)
    own = OwnRows(values, names, table.one_unit, str(path), table.part, notes)
    return replace(patches, own=own)


def _without_gaps(
    table: FeatureTable, values: np.ndarray, gaps: Gaps
) -> tuple[np.ndarray, tuple[str, ...], list[str]]:
    """Return finite values, the names of what is left of them, and what was done."""
    # A sum is finite where all are, which is seen in one pass.
    if np.isfinite(values.sum(axis=1, dtype=np.float64)).all():
        return values, table.names, []
    good = np.isfinite(values)
    rows, columns = np.flatnonzero(~good.all(axis=1)), np.flatnonzero(~good.all(axis=0))
    listed = and_more([table.name(int(c)) for c in columns])
    where = f"{len(rows):,} of {len(values):,} rows of {table.path}"
    if gaps == "refuse":
        raise PatchError(
            f"{where} hold features that are no finite numbers (rows {and_more(rows)}, counted "
            f"from 0; features {listed}); mend them, or choose to take the median of each "
            "feature in place of them (--feature-gaps median) or to leave these features out "
            "(--feature-gaps columns)."
        )
    whole = good.any(axis=0) if gaps == "median" else good.all(axis=0)
    if not whole.any():
        raise PatchError(f"{table.path} has no feature that is known of all patches; mend it.")
    names = tuple(name for name, kept in zip(table.names, whole, strict=False) if kept)
    left = np.where(good, values, np.nan)[:, whole]
    if gaps == "columns":
        left_out = int((~whole).sum())
        return left, names, [f"{left_out:,} features with gaps were left out: {listed}."]
    filled = np.where(np.isfinite(left), left, np.nanmedian(left, axis=0))
    empty = int((~whole).sum())
    aside = f"; {empty:,} that are known of none were left out" if empty else ""
    said = f"Gaps in {where} were filled with the median of the feature ({listed}{aside})."
    return filled.astype(np.float32), names, [said]
