"""The map and the table of a saved run, as they are read by whoever looks at a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.patches.labels.choice import choose_label
from napari_patchmap.runs.annotation_files import annotated_in
from napari_patchmap.runs.chosen_label import as_chosen, note_label, own_label
from napari_patchmap.runs.found_files import found_columns, read_found
from napari_patchmap.runs.identity import PATCHES, read_identity
from napari_patchmap.runs.run_folder import reading
from napari_patchmap.runs.table import MapRows, read_map_rows


@dataclass(frozen=True)
class SavedTable:
    """The map and the table of a saved run."""

    rows: MapRows
    """With the label that was chosen."""
    known: pd.DataFrame | None
    """Which patch each of all rows is, where that was noted."""
    label_from: str
    """What the label is called."""
    own_label: str
    """What the label is called that the run was made with."""


def read_saved_table(folder: Path, patches: Mapping[str, Any], name: str) -> SavedTable:
    """Read the map and the table of a run.

    Parameters
    ----------
    folder : Path
    patches : mapping
        What ``config.json`` says of its patches.
    name : str
        What people call them.

    Raises
    ------
    RunError
        If a file is missing or damaged.
    """
    count = int(patches["count"])
    known = read_identity(folder / PATCHES, count)
    rows = read_map_rows(folder / "embedding.csv", count, known, patches.get("text"))
    own = own_label(patches)
    table, label_from, note = as_chosen(folder, rows.table, own, name, rows.index)
    notes = (*rows.notes, *([note] if note else ()))
    return SavedTable(replace(rows, table=table, notes=notes), known, label_from, own)


def with_findings(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Return the table of a run with what people and searches found, of other names."""
    count = len(table)
    more = annotated_in(folder, np.arange(count)).names
    more |= found_columns(read_found(folder, count, None))
    return table.assign(**{name: one for name, one in more.items() if name not in table})


def set_label(folder: str | Path, column: str) -> str:
    """Make another column the label of a saved run, and keep that with it.

    Parameters
    ----------
    folder : path
    column : str
        See :func:`napari_patchmap.patches.labels.choice.choose_label`.

    Returns
    -------
    str
        What the label is called.

    Raises
    ------
    PatchError
        If there is no such column, or it makes no label.
    RunError
        If the folder is not a run, its map is damaged, or it cannot be written.
    """
    with reading(folder) as (folder, saved):
        name = str(saved["name"])
        read = read_saved_table(folder, saved["patches"], name)
    rows = read.rows
    annotated = {} if column in rows.table else annotated_in(folder, rows.index).names
    table, now = choose_label(rows.table, column, read.label_from, name, annotated)
    try:
        note_label(folder, now, read.label_from, table, rows.index)
    except OSError as error:
        raise RunError(
            f"The label {now} cannot be noted in {folder} ({error.strerror or error}); make "
            "the folder writable, or a copy of it."
        ) from None
    return now
