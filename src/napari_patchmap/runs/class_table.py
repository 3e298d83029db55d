"""Classes that a person has in a table, as those of the patches here."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import AnnotationError, PatchError
from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.join import join_labels
from napari_patchmap.patches.labels.table_file import read_table
from napari_patchmap.patches.labels.values import as_text
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.identity import CONTENT, PATCHES, read_identity
from napari_patchmap.runs.joining import Contents, join
from napari_patchmap.runs.table import INDEX


@dataclass(frozen=True, eq=False)
class ClassTable:
    """Class of each patch as a table has it.

    Parameters
    ----------
    column : str
        What its column was called.
    names : ndarray of object, shape (n,)
        "" where there is none.
    notes : tuple of str
        How its rows were joined, in sentences.
    """

    column: str
    names: np.ndarray
    notes: tuple[str, ...] = ()


def read_classes(
    path: str | os.PathLike[str],
    patches: PatchSet,
    known: pd.DataFrame,
    wanted: str = "",
    watch: Watch = UNWATCHED,
) -> ClassTable:
    """Read which class each patch has in a table (CSV).

    Rows are joined as labels are: by the name of the file, by the number of the patch or of
    the object; those of another run, beside its ``patches.csv``, by what the pixels are.

    Parameters
    ----------
    path : path
    patches : PatchSet
    known : DataFrame
        Which patch each is; see :func:`napari_patchmap.runs.identity.identify`.
    wanted : str
        The column of the classes, where the table has several.
    watch : Watch, optional
        May end it while the table is read and joined.

    Raises
    ------
    PatchError
        If the table cannot be read, or its rows are not of these patches.
    AnnotationError
        If it has no column of classes.
    """
    path = Path(path)
    joined = _of_another_run(path, known, watch)
    if joined is None:
        joined = _as_labels(path, patches, watch)
    table, notes = joined
    own = [name for name in table.columns if name not in (*BOX_COLUMNS, "label_id", INDEX)]
    column = wanted if wanted in own else "label" if "label" in own else ""
    if not column and len(own) == 1:
        column = own[0]
    if not column:
        there = ", ".join(map(repr, own[:5])) or "none but those that say which patch a row is"
        raise AnnotationError(
            f"{path} does not say which of its columns are the classes ({there}); call that "
            "column 'class'."
        )
    texts = as_text(table[column].to_numpy(object), watch)
    names = np.array([text or "" for text in texts], object)
    if not (names != "").any():
        raise AnnotationError(
            f"None of the {len(names):,} patches has a class in {path}; choose another file."
        )
    return ClassTable(column, names, tuple(notes))


def with_names(annotation: Annotation, names: np.ndarray) -> tuple[Annotation, int, int]:
    """Give patches without a class those of ``names``, ``(n,)``, "" for none.

    Returns
    -------
    Annotation
    int
        Patches that have a class now and had none.
    int
        Patches that have another class than ``names`` say; they keep it.

    Raises
    ------
    AnnotationError
        If a name cannot be that of a class.
    """
    codes, values = pd.factorize(names)
    wider = annotation.with_classes(str(value) for value in values)
    at = np.array([wider.at(str(value)) if str(value).strip() else -1 for value in values])
    wanted = at[codes].astype(np.int16)
    before = annotation.codes >= 0
    free = np.flatnonzero(~before & (wanted >= 0))
    differ = int((before & (wanted >= 0) & (wanted != annotation.codes)).sum())
    return wider.take(free, wanted[free]), len(free), differ


def _as_labels(path: Path, patches: PatchSet, watch: Watch) -> tuple[pd.DataFrame, list[str]]:
    columns = [name for name in (*BOX_COLUMNS, "label_id") if name in patches.table]
    places = patches.table[columns].reset_index(drop=True)
    sources = places["source"].astype(str)
    names = sources.tolist() if sources.is_unique else None
    try:
        table, notes, _ = join_labels(places, path, names, patches.name, (), watch)
    except PatchError:
        if names is None or INDEX not in read_table(path, watch):
            raise
        table, notes, _ = join_labels(places, path, None, patches.name, (), watch)
    return table, notes


def _of_another_run(
    path: Path, known: pd.DataFrame, watch: Watch
) -> tuple[pd.DataFrame, list[str]] | None:
    """Join the annotations of another run by what its ``patches.csv`` says of its patches."""
    beside = path.with_name(PATCHES)
    if not beside.exists():
        return None
    rows = read_table(path, watch)
    theirs = read_identity(beside)
    if INDEX not in rows or theirs is None:
        return None
    index = pd.to_numeric(rows[INDEX], errors="coerce").fillna(-1).astype(np.int64)
    if not index.is_unique or index.min() < 0 or index.max() >= len(theirs):
        raise PatchError(
            f"{path} has patches that are not in the {PATCHES} beside it; restore both files."
        )
    found = join(known, theirs, Contents.known(theirs[CONTENT].to_numpy(np.uint64)))
    there = np.where(found.changed, -1, found.rows)
    row_of = pd.Index(index).get_indexer(pd.Index(there))
    if not (row_of >= 0).any():
        raise PatchError(f"{path} is of other patches: none of these is among them.")
    table = rows.drop(columns=INDEX).iloc[row_of].reset_index(drop=True)
    return table.mask(pd.Series(row_of < 0)), []
