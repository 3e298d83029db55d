"""All that a person calls the patches: one or more columns, and the one that is worked on.

They are values: a change gives another one, so that each step can be undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.given_names import comparable, proper_name

#: What an annotation is called until somebody says otherwise.
FIRST = "annotation"


@dataclass(frozen=True, eq=False)
class Annotations:
    """All annotation columns of a patch set, and the one that is worked on.

    Parameters
    ----------
    count : int
        Patches of the set.
    columns : tuple of Annotation
        In the order in which they were made.
    active : str
        Name of the one that keys and clicks change.
    """

    count: int
    columns: tuple[Annotation, ...] = ()
    active: str = FIRST
    by_name: Mapping[str, Annotation] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {one.name: one for one in self.columns})

    @property
    def now(self) -> Annotation:
        """The column that is worked on; an empty one before there is any."""
        empty = np.full(self.count, -1, np.int16)
        return self.by_name.get(self.active) or Annotation(self.active, empty)

    @property
    def names(self) -> dict[str, np.ndarray]:
        """Class of every patch by name, (n,), in each column that has classes."""
        return {one.name: one.names for one in self.columns if one.classes}

    @property
    def empty(self) -> bool:
        """Whether there is nothing that would be worth keeping."""
        return not any(one.classes for one in self.columns)

    def put(self, column: Annotation) -> Annotations:
        """Change the column of this name, or add it, and work on it."""
        if column is self.by_name.get(column.name) and self.active == column.name:
            return self
        columns = [column if one.name == column.name else one for one in self.columns]
        if column.name not in self.by_name:
            columns.append(column)
        return replace(self, columns=tuple(columns), active=column.name)

    def worked_on(self, name: str) -> Annotations:
        """Work on another column."""
        return self if name == self.active else replace(self, active=name)

    def with_column(self, name: str, table: Iterable[str] = ()) -> Annotations:
        """Add an empty column and work on it; ``table`` are columns that exist besides.

        Raises
        ------
        AnnotationError
            If the name is empty, too long, taken, or means something else in a run.
        """
        name = self._free(name, table)
        return self.put(Annotation(name, np.full(self.count, -1, np.int16)))

    def renamed(self, name: str, table: Iterable[str] = ()) -> Annotations:
        """Give the column that is worked on another name; errors as above."""
        if name == self.active:
            return self
        name = self._free(name, table, but=self.active)
        columns = [
            replace(one, name=name) if one.name == self.active else one for one in self.columns
        ]
        return replace(self, columns=tuple(columns), active=name)

    def without(self, name: str) -> Annotations:
        """Take a column away, and work on the first of the others."""
        columns = tuple(one for one in self.columns if one.name != name)
        return replace(self, columns=columns, active=columns[0].name if columns else FIRST)

    def picked(self, rows: np.ndarray) -> Annotations:
        """Return what these patches are called, in this order."""
        columns = [
            replace(one, codes=one.codes[rows], unseen=one.unseen[rows]) for one in self.columns
        ]
        return replace(self, count=len(rows), columns=tuple(columns))

    def of(self, index: int) -> list[str]:
        """Return what a patch is called, in each column in which it has a class."""
        given = ((one, int(one.codes[index])) for one in self.columns)
        return [f"{one.classes[at].name} ({one.name})" for one, at in given if at >= 0]

    def table(self, rows: np.ndarray | None = None) -> pd.DataFrame:
        """Return the names, of all patches or of ``rows``: one column an annotation, text."""
        columns = {one.name: one.names_of(rows) for one in self.columns if one.classes}
        return pd.DataFrame(columns, index=range(self.count) if rows is None else rows)

    def _free(self, name: str, table: Iterable[str], but: str = "") -> str:
        name = proper_name(name, "annotation")
        same = comparable(name)
        others = [*table, *(one.name for one in self.columns if one.name != but)]
        if any(comparable(other) == same for other in others):
            raise AnnotationError(
                f"There is a column {name} already; choose another name for the annotation."
            )
        return name
