"""Which columns of a table are features, and which say what a row is of."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from napari_patchmap.errors import PatchError
from napari_patchmap.few_names import and_more
from napari_patchmap.patches.box_table import BOX_COLUMNS
from napari_patchmap.patches.labels.matching import NAME_HINTS
from napari_patchmap.patches.labels.meanings import CLASSES, FRAMES, means_id, places, plain

#: What people number that is no feature of a cell.
_TECHNICAL = (
    "plate", "well", "slide", "patient", "donor", "batch", "site", "field", "fov", "replicate",
    "experiment", "run", "day", "cluster", "leiden", "louvain",
)  # fmt: skip


class Sorted(NamedTuple):
    """The columns of a table by what they are."""

    features: list[str]
    others: list[str]
    """Texts, names, numbers of objects, places: they say what a row is of, or tell of it."""


def sort_columns(
    columns: Sequence[str], texts: Sequence[str], wanted: Sequence[str] | None, path: Path
) -> Sorted:
    """Tell features from what else a table holds.

    Parameters
    ----------
    columns : sequence of str
        All, in their order.
    texts : sequence of str
        Those that hold no numbers.
    wanted : sequence of str, optional
        Names of features, or patterns of them such as ``emb_*``; by default all numbers that
        are no id, class or place.
    path : Path
        Of the table, for what is said.

    Raises
    ------
    PatchError
        If a wanted column is not there or holds texts, or no column is a feature.
    """
    if wanted is None:
        at = set(places(columns) or ())
        features = [c for c in columns if c not in texts and c not in at and not _told(c)]
        if not features:
            raise PatchError(
                f"{path} has no column of numbers that could be a feature (there are "
                f"{and_more(columns)}); name those that are (--feature-columns)."
            )
    else:
        features, numbers = [], [c for c in columns if c not in set(texts)]
        for one in wanted:
            found = [one] if one in columns else [c for c in numbers if fnmatchcase(c, one)]
            if not found:
                raise PatchError(
                    f"{path} has no column {one}; choose among {and_more(columns, 8)}."
                )
            features += [c for c in found if c not in features]
        odd = [c for c in features if c in texts]
        if odd:
            raise PatchError(
                f"{len(odd):,} of the columns chosen of {path} hold texts, which are no "
                f"features: {and_more(odd)}; choose others."
            )
    chosen = set(features)
    return Sorted(features, [c for c in columns if c not in chosen])


def _told(column: str) -> bool:
    """Whether a column of numbers says which one a row is, what it is, or where it lies."""
    said = plain(column)
    named = any(hint in said for hint in NAME_HINTS) and said.endswith(("number", "id", "nr"))
    return (
        means_id(column)
        or named
        or said in (*CLASSES, *FRAMES, *_TECHNICAL, "label", "index", "")
        or said.startswith("metadata")  # as CellProfiler and pycytominer call them
        or column in BOX_COLUMNS
        or column.startswith("Unnamed: ")
    )
