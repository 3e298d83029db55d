"""Selections with names on disk, in ``selections.json`` beside the annotations."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.explore.named_selections import SELECTIONS, NamedSelection, NamedSelections
from napari_patchmap.runs.annotation_place import AnnotationPlace, prepared
from napari_patchmap.writing import write_json


@dataclass(frozen=True, eq=False)
class FoundSelections:
    """Selections as they were read.

    Parameters
    ----------
    selections : NamedSelections
        Of the patches that are here.
    others : dict of int to ndarray
        Of each, by its key, the numbers of patches that are not here today; they are
        written back.
    note : str
        What is wrong with the file, "" if nothing is.
    """

    selections: NamedSelections
    others: Mapping[int, np.ndarray]
    note: str = ""


def read_selections(place: AnnotationPlace) -> FoundSelections:
    """Read the selections of a place; of a file that cannot be read, say so and take none."""
    path = place.folder / SELECTIONS
    try:
        numbers = _read(path)
    except AnnotationError as error:
        return FoundSelections(NamedSelections(), {}, str(error))
    index, kept, others = pd.Index(place.numbers), [], {}
    for name, of in numbers.items():
        rows = index.get_indexer(of)
        # One of whose patches none is here today is listed all the same.
        kept.append(NamedSelection(name, np.sort(rows[rows >= 0])))
        others[kept[-1].key] = of[rows < 0]
    return FoundSelections(NamedSelections(tuple(kept)), others)


def save_selections(
    place: AnnotationPlace, selections: NamedSelections, others: Mapping[int, np.ndarray]
) -> None:
    """Write selections, as a whole file or none; one that cannot be read is put aside.

    Raises
    ------
    AnnotationError
        If they cannot be written there.
    """
    path, none = place.folder / SELECTIONS, np.empty(0, np.int64)
    numbers = {
        one.name: np.union1d(place.numbers[one.indices], others.get(one.key, none))
        for one in selections.kept
    }
    with prepared(place):
        try:
            _read(path)
        except AnnotationError:
            os.replace(path, _aside(path))
        write_json(path, {"selections": {name: as_ranges(of) for name, of in numbers.items()}})


def _read(path: Path) -> dict[str, np.ndarray]:
    """Read the numbers of each selection; none where there is no file."""
    try:
        saved = json.loads(path.read_text("utf-8"))["selections"]
        return {str(name): from_ranges(ranges) for name, ranges in saved.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        why = getattr(error, "strerror", None) or "it is damaged"
        raise AnnotationError(
            f"{path} cannot be read ({why}); its selections are not shown. When others are "
            f"kept, it stays there as {_aside(path).name}: restore it, or remove it."
        ) from None


def _aside(path: Path) -> Path:
    """Return a name for a file that is put aside."""
    kept, again = path.with_name(f"{path.stem} (not read){path.suffix}"), 2
    while os.path.lexists(kept):
        kept, again = path.with_name(f"{path.stem} (not read {again}){path.suffix}"), again + 1
    return kept
