"""What figures are drawn of: a map with its colours, and its images where they are needed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.explore.colouring import Colouring, colour_by
from napari_patchmap.explore.condition_columns import ConditionColumns
from napari_patchmap.patches import LoadCancelled, PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.looks import LOOKS, Looks
from napari_patchmap.runs.reopening import reopen_patches
from napari_patchmap.runs.run import Run
from napari_patchmap.runs.saved_map import read_map
from napari_patchmap.runs.saved_table import with_findings


@dataclass(frozen=True, eq=False)
class Drawable:
    """The patches that are drawn.

    Parameters
    ----------
    embedding : ndarray, shape (n, d)
        Their places, finite; oriented as in napari.
    colouring : Colouring
        Of the n patches.
    rows : ndarray of int, shape (n,)
        Which patch of the patch set each is.
    open_patches : callable
        Returns the whole patch set; may raise a PatchError.
    open_run : callable
        Returns the run they belong to; may raise a RunError.
    open_looks : callable
        Returns the looks at the map while it learned, None where there are none.
    open_table : callable
        Returns the table of the n patches, with what was found of them.
    watch : Watch
        Asked before each picture of a patch.
    """

    embedding: np.ndarray
    colouring: Colouring
    rows: np.ndarray
    open_patches: Callable[[], PatchSet]
    open_run: Callable[[], Run]
    open_looks: Callable[[], Looks | None] = lambda: None
    open_table: Callable[[], pd.DataFrame] = pd.DataFrame
    watch: Watch = UNWATCHED

    def pictured(self) -> tuple[PatchSet, np.ndarray]:
        """Return the patch set, and which of the n patches have an image, (n,) of bool.

        Raises
        ------
        RunError
            If none of them has.
        """
        patches = self.open_patches()
        there = ~np.isin(self.rows, patches.missing)
        if not there.any():
            raise RunError(
                f"The images of these patches of {patches.name} are not there any more; say "
                "where they are now (--images PATH)."
            )
        return patches, there

    def numbered(self, numbers: tuple[float, ...]) -> np.ndarray:
        """Return which of the n patches have these numbers in the patch set.

        Raises
        ------
        RunError
            If one of them is not here.
        """
        wanted = np.array(numbers, np.int64)
        found = pd.Index(self.rows).get_indexer(wanted)
        if (found < 0).any():
            raise RunError(
                f"There is no patch {wanted[found < 0][0]} on this map; their numbers are from "
                f"{self.rows.min()} to {self.rows.max()}."
            )
        return np.asarray(found)


def drawable_of(
    folder: str | os.PathLike[str],
    column: str | None,
    images: str | os.PathLike[str] | None = None,
    watch: Watch = UNWATCHED,
) -> Drawable:
    """Return what is drawn of a saved run, coloured by a column of its table.

    Network and images are opened where a figure needs them. ``images`` says where those are
    now, if they were moved.

    Raises
    ------
    RunError
        If the run is damaged, or has no such column.
    """
    saved = read_map(Path(folder))
    embedding, table = saved.read()
    table = with_findings(table, saved.folder)

    @cache
    def opened() -> Run:
        return Run.load(saved.folder)

    def patches() -> PatchSet:
        try:
            return reopen_patches(opened(), where=images, watch=watch)
        except LoadCancelled:
            raise
        except PatchError as error:
            raise RunError(f"{str(error).removesuffix('.')} (--images PATH).") from None

    colouring = chosen_colouring(table, column)
    return Drawable(
        embedding, colouring, np.arange(len(embedding)), patches, opened,
        lambda: Looks.load(saved.folder / LOOKS, saved.count), lambda: table, watch,
    )  # fmt: skip


def chosen_colouring(table: pd.DataFrame, column: str | None) -> Colouring:
    """Colour patches by a column of their table; by their label where None is named.

    Raises
    ------
    RunError
        If there is no such column.
    """
    if column is None:
        column = "label" if "label" in table and table["label"].notna().any() else ""
    elif column == "none" and column not in table:
        column = ""
    elif column not in table:
        columns = ConditionColumns(table)
        near = columns.near(column)
        there = f"did you mean {near}?" if near else f"there are {', '.join(columns.names)}."
        raise RunError(f"There is no column {column[:40]!r}; {there}")
    return colour_by(table, column)
