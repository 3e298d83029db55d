"""What is the label: a column that people choose, several, or a part of the files' names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.box_table import BOX_COLUMNS, labels_of
from napari_patchmap.patches.labels.one_hot import (
    AND,
    joined_label,
    named_columns_of,
    one_hot_labels,
)
from napari_patchmap.patches.labels.patterns import columns_from_pattern
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.patchset import PatchSet

#: What labels are called, once another column took their place, if nobody named them.
GIVEN = "given label"

#: What people called the patches: class names, (n,), "" for none, by the names of annotations.
Annotated = Mapping[str, np.ndarray]
_NOBODY: Annotated = MappingProxyType({})

#: Ends the own name of a label that was an annotation, which goes on changing: as it was then.
_AS_IT_WAS = re.compile(r" \(annotated, [0-9a-f]{6}\)")

#: Text in a name that is no column, but a pattern of the names of files.
_PATTERN = ("{label}", "(?P<label>")


def choose_label(
    table: pd.DataFrame,
    column: str,
    label_from: str,
    name: str,
    annotated: Annotated = _NOBODY,
) -> tuple[pd.DataFrame, str]:
    """Make another column of a table the label; return the table and the label's own name.

    ``label_from`` is the own name of what is the label now, by which it is kept as a column;
    ``name`` is what people call the patches.

    Parameters
    ----------
    table : DataFrame
    column : str
        One of its columns; an annotation; several columns of zeros and ones, with commas
        between them, of which the one with the one is the label; or a pattern that takes
        ``{label}`` out of the column ``source``, see
        :func:`~napari_patchmap.patches.labels.patterns.columns_from_pattern`. Case does not
        matter in columns.
    label_from, name : str
    annotated : mapping of str to ndarray
        What people called the patches. Labels stay as it is now when more is annotated; the
        own name of such a label changes with what it says.

    Raises
    ------
    PatchError
        If there is no such column, it has no values, or columns or pattern make no label.
    """
    before = label_from or GIVEN
    wanted = column.strip().casefold()
    if "label" in table and wanted in ("label", before.casefold()):
        return table, label_from
    by_name = {str(c).casefold(): str(c) for c in reversed(table.columns)}
    found = column if column in table else by_name.get(wanted)
    if found is not None:
        rest = table if found in BOX_COLUMNS else table.drop(columns=found)
        labels = as_text(table[found].to_numpy(object))
    elif called := next((one for one in annotated if one.casefold() == wanted), None):
        found, labels = _annotated_label(called, annotated[called], name)
        if found == label_from:
            return table, label_from
        rest = table
    else:
        found, labels = _made_label(table, column, label_from, name, annotated)
        rest = table
    if all(label is None for label in labels):
        raise PatchError(
            f"The column {found} of {name} has no value for any patch, so it cannot be the "
            "label; choose another."
        )
    return put_label(rest, labels, label_from), found


def put_label(table: pd.DataFrame, labels: np.ndarray, label_from: str) -> pd.DataFrame:
    """Return a table with labels (n,), None for none; those before are a column of their own.

    ``label_from`` is what those are called. If they were an annotation they go.
    """
    if "label" in table and is_annotated(label_from):
        table = table.drop(columns="label")
    elif "label" in table:
        kept = label_from or GIVEN
        kept = kept if kept not in table else f"{kept} (label)"
        table = table.rename(columns={"label": kept})
    at = sum(c in BOX_COLUMNS for c in table.columns)
    table = table.copy()
    table.insert(at, "label", pd.Series(labels, index=table.index, dtype=object))
    return table


def is_annotated(label_from: str) -> bool:
    """Whether a label is an annotation as it was once, by the label's own name."""
    return bool(_AS_IT_WAS.search(label_from))


def _annotated_label(
    called: str, names: np.ndarray, patches_name: str
) -> tuple[str, np.ndarray]:
    """Return the own name of a label that is an annotation, and the labels."""
    if not any(names):
        raise PatchError(
            f"No patch of {patches_name} has a class of the annotation {called} yet; annotate "
            "some, or choose another label."
        )
    said = hashlib.sha256("\n".join(names.tolist()).encode()).hexdigest()[:6]
    return f"{called} (annotated, {said})", np.array([one or None for one in names], object)


def _made_label(
    table: pd.DataFrame, wanted: str, label_from: str, name: str, annotated: Annotated
) -> tuple[str, np.ndarray]:
    """Return a label that is no column yet, and what it is called."""
    if columns := named_columns_of(wanted, table):
        return AND.join(columns), joined_label(table, columns, name)
    if any(text in wanted for text in _PATTERN):
        sources = table["source"].astype(str).tolist()
        return wanted, columns_from_pattern(sources, wanted, name)[0]["label"]
    listed = ", ".join([*label_columns(table, label_from), *annotated]) or "no other column"
    raise PatchError(
        f"{name} has no column {wanted!r} to be the label; choose among {listed}, or say how "
        "it stands in the names of the files, as {label}_{}."
    )


def with_label(patches: PatchSet, column: str, annotated: Annotated = _NOBODY) -> PatchSet:
    """Return a patch set with another column as its label; a saved run opens it so again.

    Raises
    ------
    PatchError
        If there is no such column.
    """
    table, label_from = choose_label(
        patches.table, column, patches.label_from, patches.name, annotated
    )
    origin = patches.origin
    if not is_annotated(label_from):  # which no file has that is opened
        origin = {**origin, "label_column": label_from or GIVEN}
    made = replace(patches, table=table, label_from=label_from, origin=origin)
    if "eyes" in vars(patches):  # found out by reading images, which are the same
        made.eyes = patches.eyes
    return made


def label_columns(table: pd.DataFrame, label_from: str) -> list[str]:
    """List what may be the label, by its own name: the label, columns, and several as one."""
    own = [label_from or GIVEN] if "label" in table else []
    own += [str(c) for c in table.columns if c not in (*BOX_COLUMNS, "label")]
    return own + [name for name in one_hot_labels(table) if name not in own]


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
