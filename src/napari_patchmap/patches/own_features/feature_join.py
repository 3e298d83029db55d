"""Which row of a file of features is of which patch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from napari_patchmap.errors import PatchError
from napari_patchmap.few_names import some_of
from napari_patchmap.kind import Kind
from napari_patchmap.patches.labels.matching import explain_mismatch, match_names
from napari_patchmap.patches.labels.object_rows import match_objects
from napari_patchmap.patches.labels.row_order import match_patches
from napari_patchmap.patches.own_features.feature_table import FeatureTable
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.patches.watch import Watch


def rows_of_patches(
    table: FeatureTable, patches: PatchSet, watch: Watch
) -> tuple[np.ndarray, list[str]]:
    """Find the row of each patch, by the rules by which tables of labels are joined.

    By the names of files, the numbers of objects, a column that numbers patches; by their
    order only where nothing else tells, and there are as many rows as patches. Of points
    that are the file itself, the rows are the points.

    Returns
    -------
    rows : ndarray of int, shape (n,)
    notes : list of str
        By what they were joined, where that may be wrong, in sentences.

    Raises
    ------
    PatchError
        If the numbers differ, or a patch has no row, or several have one.
    LoadCancelled
    """
    if is_file_of(table, patches):
        return patches.table["frame"].to_numpy(np.intp), []
    with _of_features():
        column, rows, notes = _matched(table, patches, watch)
    _check_whole(table, patches, rows)
    if column is None:
        name = table.path.name
        said = f"{name} does not say which row is of which patch; its rows were taken in the"
        notes = [f"{said} order of the patches."]
    elif len(table) > len(rows):
        unused, name = len(table) - len(rows), table.path.name
        notes = [*notes, f"{unused:,} of {len(table):,} rows of {name} are of no patch."]
    return rows, notes


def is_file_of(table: FeatureTable, patches: PatchSet) -> bool:
    """Whether the patches are points without pictures: the rows of this very file."""
    origin = patches.origin
    return origin.get("kind") == Kind.POINTS and str(origin.get("path")) == str(table.path)


def _matched(
    table: FeatureTable, patches: PatchSet, watch: Watch
) -> tuple[str | None, np.ndarray, list[str]]:
    keys, count, path = table.keys, len(patches), table.path
    if not len(keys.columns):
        if len(table) != count:
            raise PatchError(
                f"{path} has {len(table):,} rows of features but {patches.name} has {count:,} "
                "patches; give one row a patch in their order, or a table with the names of "
                "the images' files."
            )
        return None, np.arange(count), []
    own = patches.table
    if "label_id" in own:
        objects = match_objects(keys, own, path, watch)
        if objects is not None:
            return objects.keys[-1], objects.row_of, objects.notes
    names = _names(patches)
    if names is not None:
        found = match_names(keys, names, path, watch)
        if found is not None:
            return found[0], found[1], [_by(found[0], path.name)]
        if own["source"].nunique() > 1:
            raise PatchError(explain_mismatch(keys, names, count, path, patches.name, watch))
    found_row = match_patches(keys, own["source"], path, watch)
    if found_row is None:
        raise PatchError(explain_mismatch(keys, None, count, path, patches.name, watch))
    column, rows = found_row
    return column, rows, [] if column is None else [_by(column, path.name)]


def _names(patches: PatchSet) -> list[str] | None:
    """Return a name for each patch by which tables may call it; None without such names."""
    own = patches.table
    for column in ("source", "name"):
        if column in own and own[column].is_unique:
            return [str(name) for name in own[column]]
    return None


def _check_whole(table: FeatureTable, patches: PatchSet, rows: np.ndarray) -> None:
    """Refuse features of some of the patches only, or one row for several."""
    lost = np.flatnonzero(rows < 0)
    if len(lost):
        shown = some_of([_said(patches, i) for i in lost[:4].tolist()])
        raise PatchError(
            f"{len(lost):,} of the {len(patches):,} patches of {patches.name} have no row in "
            f"{table.path} ({shown}); add them, or leave these patches out."
        )
    shared = len(rows) - len(np.unique(rows))
    if shared:
        raise PatchError(
            f"{shared:,} patches of {patches.name} have the same row of {table.path} as "
            "others; give a row for each, with a column index that counts the patches from 0."
        )


def _said(patches: PatchSet, row: int) -> str:
    own = patches.table.iloc[row]
    number = f" [{own['frame']}]" if not patches.table["source"].is_unique else ""
    return f"{own['source']}{number}"


def _by(column: str, name: str) -> str:
    return f"The rows of {name} were joined by {column!r}."


@contextmanager
def _of_features() -> Iterator[None]:
    """Let the sentences of the matching, which is that of labels files, speak of features."""
    try:
        yield
    except PatchError as error:
        raise type(error)(str(error).replace("labels file", "features file")) from None
