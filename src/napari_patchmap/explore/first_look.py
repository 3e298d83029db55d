"""What all who show a patch set ask of it at first, found out once, by whoever waits for it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

from napari_patchmap.explore.colouring import Colouring, colour_by, columns_to_show
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.labels.choice import label_columns


@dataclass(frozen=True, eq=False)
class FirstLook:
    """What needs a look at all rows of a table: of a million that takes a second.

    Attributes
    ----------
    columns : tuple of str
        Columns that can tell patches apart.
    colouring : Colouring
        By label, or one colour where there are no labels.
    labels : tuple of str
        What may be the label, the one that is it first.
    """

    columns: tuple[str, ...]
    colouring: Colouring
    labels: tuple[str, ...] = ()


def look_at_first(patches: PatchSet) -> FirstLook:
    """Return what a window shows of patches at first; a worker asks before the window does."""
    if patches not in _looked:
        column = "label" if patches.labels is not None else ""
        columns = tuple(columns_to_show(patches.table))
        patches.label_counts()
        labels = tuple(label_columns(patches.table, patches.label_from))
        _looked[patches] = FirstLook(columns, colour_by(patches.table, column), labels)
    return _looked[patches]


_looked: weakref.WeakKeyDictionary[PatchSet, FirstLook] = weakref.WeakKeyDictionary()
