"""Which column of a table is the label: chosen by people, whatever was found first."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS, labels_of
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.patchset import PatchSet

#: What labels are called, once another column took their place, if nobody named them.
GIVEN = "given label"


def choose_label(
    table: pd.DataFrame, column: str, label_from: str, name: str
) -> tuple[pd.DataFrame, str]:
    """Make another column of a table the label; return the table and the label's own name.

    Case does not matter in ``column``. ``label_from`` is the own name of what is the label
    now, by which it is kept as a column; ``name`` is what people call the patches.

    Raises
    ------
    PatchError
        If there is no such column.
    """
    before = label_from or GIVEN
    wanted = column.strip().casefold()
    if "label" in table and wanted in ("label", before.casefold()):
        return table, label_from
    by_name = {str(c).casefold(): str(c) for c in reversed(table.columns)}
    found = column if column in table else by_name.get(wanted)
    if found is None:
        listed = ", ".join(label_columns(table, label_from)) or "no other column"
        raise PatchError(
            f"{name} has no column {column!r} to be the label; choose among {listed}."
        )
    labels = as_text(table[found].to_numpy(object))
    rest = table if found in BOX_COLUMNS else table.drop(columns=found)
    if "label" in rest:
        kept = before if before not in rest else f"{before} (label)"
        rest = rest.rename(columns={"label": kept})
    at = sum(c in BOX_COLUMNS for c in rest.columns)
    rest = rest.copy()
    rest.insert(at, "label", pd.Series(labels, index=rest.index, dtype=object))
    return rest, found


def with_label(patches: PatchSet, column: str) -> PatchSet:
    """Return a patch set with another column as its label; a saved run opens it so again.

    Raises
    ------
    PatchError
        If there is no such column.
    """
    table, label_from = choose_label(patches.table, column, patches.label_from, patches.name)
    origin = {**patches.origin, "label_column": label_from or GIVEN}
    return replace(patches, table=table, label_from=label_from, origin=origin)


def label_columns(table: pd.DataFrame, label_from: str) -> list[str]:
    """List the columns that may be the label, by their own names, the label first."""
    own = [label_from or GIVEN] if "label" in table else []
    return own + [str(c) for c in table.columns if c not in (*BOX_COLUMNS, "label")]


def case_notes(table: pd.DataFrame) -> list[str]:
    """Say so if labels differ only in the case of their letters: they are not merged."""
    labels = labels_of(table)
    if labels is None:
        return []
    groups: dict[str, list[str]] = {}
    for label in pd.unique(pd.Series(labels, dtype=object)).tolist():
        groups.setdefault(label.casefold(), []).append(label)
    alike = [sorted(group) for group in groups.values() if len(group) > 1]
    if not alike:
        return []
    listed = " and ".join(repr(label) for label in alike[0][:3])
    more = f", and {len(alike) - 1:,} more," if len(alike) > 1 else ""
    said = (
        f"The labels {listed}{more} differ only in upper and lower case letters; they stay "
        "labels of their own."
    )
    return [said]
