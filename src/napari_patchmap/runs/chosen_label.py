"""Which column of a saved run is the label, since somebody chose another than it was made with.

The map of a run needs no labels, so that another may colour and measure it at any time. What
was chosen is a note beside the map; the table that the run was made with stays as it is.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.labels.choice import choose_label, is_annotated, put_label
from napari_patchmap.writing import write_json

#: In a run folder: the label that was chosen, and what that of the training is called.
LABEL = "label.json"


class Labelled(NamedTuple):
    """The table of a run with the label that was chosen, what that is called, and a note."""

    table: pd.DataFrame
    label_from: str
    note: str = ""


def own_label(patches: Mapping[str, Any]) -> str:
    """Return what the label is called that a run was made with, "" where nobody knows.

    ``patches`` is what ``config.json`` says of them.
    """
    named = patches.get("label_from") or patches.get("origin", {}).get("label_column")
    return str(named or "")


def chosen_label(folder: Path, own: str) -> str:
    """Return what the label of a run is called; ``own`` is that with which it was made."""
    noted = _noted(folder)
    return str(noted.get("column") or own or noted.get("before", ""))


def as_chosen(
    folder: Path, table: pd.DataFrame, own: str, name: str, numbers: np.ndarray
) -> Labelled:
    """Return a run's table with the label that was chosen for it.

    Parameters
    ----------
    folder : Path
        Of the run.
    table : DataFrame
        As it was saved.
    own : str
        What the label is called with which it was made; see :func:`own_label`.
    name : str
        What people call the patches.
    numbers : ndarray of int, shape (n,)
        Which patch of the run each row is.
    """
    noted = _noted(folder)
    own = own or noted.get("before", "")
    if not (column := noted.get("column", "")):
        return Labelled(table, own)
    if is_annotated(column):
        labels = _annotated(folder, numbers)
        if labels is not None:
            return Labelled(put_label(table, labels, own), column)
    try:
        return Labelled(*choose_label(table, column, own, name))
    except PatchError as error:
        return Labelled(table, own, f"The label that was chosen is not used: {error}")


def note_label(
    folder: Path, column: str, before: str, table: pd.DataFrame, numbers: np.ndarray
) -> None:
    """Note which column is the label of a run from now on.

    Parameters
    ----------
    folder : Path
    column : str
        What the label is called. Of one that was an annotation the labels are noted, too.
    before : str
        What that is called which it has now, if nobody chose one before.
    table : DataFrame
        With the label that was chosen.
    numbers : ndarray of int, shape (n,)
        Which patch of the run each row is.

    Raises
    ------
    OSError
    """
    noted: dict[str, Any] = {
        "column": column,
        "before": str(_noted(folder).get("before", before)),
    }
    if is_annotated(column):
        codes, classes = pd.factorize(table["label"])
        of_patch = np.full(int(numbers.max()) + 1, -1)
        of_patch[numbers] = codes
        noted |= {"classes": list(classes), "codes": of_patch.tolist()}
    write_json(folder / LABEL, noted)


def _annotated(folder: Path, numbers: np.ndarray) -> np.ndarray | None:
    """Return the labels that were noted; None where they are damaged."""
    noted = _noted(folder)
    with contextlib.suppress(LookupError, TypeError, ValueError):
        codes = np.asarray(noted["codes"], np.intp)
        classes = np.array([*map(str, noted["classes"]), None], object)
        labels: np.ndarray = classes[np.append(codes, -1)[np.minimum(numbers, len(codes))]]
        return labels
    return None


def _noted(folder: Path) -> dict[str, Any]:
    """Return what was noted; nothing where it is damaged: the label is then that of before."""
    with contextlib.suppress(OSError, ValueError):
        noted = json.loads((folder / LABEL).read_text("utf-8"))
        if isinstance(noted, dict):
            named = ("column", "before")
            return {k: str(v) if k in named else v for k, v in noted.items()}
    return {}
