"""Batches in which each group of patches has as many: rare kinds are compared as often."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import TrainingError
from napari_patchmap.explore.text_codes import text_codes
from napari_patchmap.find.search import found_column
from napari_patchmap.patches import PatchSet
from napari_patchmap.runs.identity import CONTENT, identify
from napari_patchmap.runs.joining import Contents, join
from napari_patchmap.runs.run_folder import CONFIG
from napari_patchmap.runs.saved_map import read_map
from napari_patchmap.runs.saved_table import with_findings


def in_a_run(column: str) -> bool:
    """Whether this is not a column of the patches but one of a saved run, RUN:COLUMN.

    Raises
    ------
    TrainingError
        If the run has no such column.
    RunError
        If the run is damaged.
    """
    if _run_of(column) is None:
        return False
    _column_of(column)
    return True


def balance_groups(patches: PatchSet, column: str, batch_size: int) -> np.ndarray:
    """Return the group of each patch by the values of a column, (n,) intp.

    Patches without a value are a group of their own.

    Parameters
    ----------
    patches : PatchSet
    column : str
        Of their table; or a run's folder, a colon, and what was found in that run or is in
        its table, such as ``maps/first:group``. Patches that are not in that run have no value.
    batch_size : int

    Raises
    ------
    TrainingError
        If there is no such column, it is of other patches, or it has one value or more values
        than a batch has room for.
    RunError
        If the run is damaged.
    """
    codes = np.unique(text_codes(_values(patches, column))[0], return_inverse=True)[1]
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


def _values(patches: PatchSet, column: str) -> pd.Series:
    if column in patches.table:
        return patches.table[column]
    if _run_of(column) is None:
        known = ", ".join(map(str, patches.table.columns))
        raise TrainingError(
            f"{patches.name} has no column {column} by which batches could be balanced; choose "
            f"one of {known}, load it with the labels, or name a run that has it (RUN:COLUMN)."
            f"{no_run(column)}"
        )
    values, theirs = _column_of(column)
    content = theirs[CONTENT].to_numpy(np.uint64)
    joined = join(identify(patches, hurry=True), theirs, Contents.known(content))
    same = (joined.rows >= 0) & ~joined.changed
    if not same.any():
        raise TrainingError(
            f"{column} is of other patches than {patches.name}; name a run of the same."
        )
    found = np.full(len(patches), "", object)
    found[same] = values.to_numpy(object)[joined.rows[same]]
    return pd.Series(found)


def no_run(column: str) -> str:
    """Say that what is named as RUN:COLUMN is no run, "" for a name that cannot mean one."""
    folder, _, name = column.rpartition(":")
    if not folder.strip() or _run_of(column) is not None:
        return ""
    return f" There is no saved run {folder} either, of which the column {name} could be taken."


def _run_of(column: str) -> tuple[Path, str] | None:
    """Return the run's folder and the name of the column where both are named."""
    folder, _, name = column.rpartition(":")
    path = Path(folder).expanduser()
    return (path, name) if folder and (path / CONFIG).is_file() else None


def _column_of(column: str) -> tuple[pd.Series, pd.DataFrame]:
    """Return a column of a run, and which patches those of the run are."""
    named = _run_of(column)
    assert named is not None
    folder, name = named
    saved = read_map(folder)
    table = with_findings(saved.read()[1], saved.folder)
    for one in (name, found_column(name)):
        if one in table:
            return table[one], saved.read_known()
    prefix = found_column("")
    known = ", ".join(str(one).removeprefix(prefix) for one in table.columns)
    raise TrainingError(
        f"The run {folder} has no column {name}; choose one of {known}, or find it first "
        "(patchmap find groups RUN)."
    )
