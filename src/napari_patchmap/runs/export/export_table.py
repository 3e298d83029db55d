"""The table of a run with all that a person found, as it is taken elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.findings import Findings
from napari_patchmap.runs.annotation_place import AnnotationPlace
from napari_patchmap.runs.export.map_parts import MapParts
from napari_patchmap.runs.finding_files import read_findings
from napari_patchmap.runs.found_files import found_columns
from napari_patchmap.runs.table import INDEX, embedding_table


def whole_table(
    parts: MapParts,
    columns: pd.DataFrame | None,
    colours: Mapping[str, Mapping[str, str]],
    selections: Mapping[str, np.ndarray] | None,
) -> tuple[pd.DataFrame, dict[str, Mapping[str, str]], str, tuple[str, ...]]:
    """Return the table of all patches, known colours, the column that is the class, and notes.

    What is None is read from the folder of the run.
    """
    table = embedding_table(parts.embedding, parts.table).assign(**{INDEX: parts.numbers})
    given, there = dict(colours), Findings(Annotations(len(table)))
    notes: tuple[str, ...] = ()
    if parts.folder is not None and (columns is None or selections is None):
        found = read_findings(AnnotationPlace(parts.folder, parts.numbers), there)
        there, notes = found.findings, (found.note,) if found.note else ()
    if selections is None:
        selections = {one.name: one.indices for one in there.selections.kept}
    if columns is None:
        columns = there.annotations.table()
        first = there.annotations.active if there.annotations.active in columns else ""
        given = {one.name: one.colours for one in there.annotations.columns} | given
    else:
        first = str(columns.columns[0]) if len(columns.columns) else ""
    if len(columns) != len(table):
        raise RunError(
            f"The columns to export have {len(columns):,} rows, but the map has "
            f"{len(table):,}; they must belong to the same patches."
        )
    for name, values in columns.items():
        if name in table:
            raise RunError(f"There are two columns {name}; rename one of them.")
        table[str(name)] = values.to_numpy()
    for name, column in found_columns(parts.found).items():
        if name not in table:
            table[name] = column
    for name, rows in selections.items():
        inside = np.zeros(len(table), bool)
        inside[rows] = True
        while name in table:
            name += " (selection)"
        table[name] = inside
    return table, given, first or next(map(str, columns.columns), ""), notes
