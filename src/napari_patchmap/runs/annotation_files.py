"""Annotations on disk, in a place for them.

``annotations.csv`` has the column ``index`` (the patch of the run) and one column of class
names an annotation, for patches that have any; ``annotations.json`` says which classes there
are, their colours and keys.
"""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotations import FIRST, Annotations
from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.foreign import words
from napari_patchmap.runs.annotation_place import (
    ANNOTATIONS,
    CLASSES,
    AnnotationPlace,
    prepared,
)
from napari_patchmap.runs.identity import (
    PATCHES,
    read_identity,
)
from napari_patchmap.runs.table import INDEX
from napari_patchmap.writing import whole_file, write_json

#: Rows that are written in one go, in which no other thread runs: the window goes on.
_AT_A_TIME = 4_000


@dataclass(frozen=True, eq=False)
class FoundAnnotations:
    """Annotations as they were read, and those of patches that are not there today.

    Parameters
    ----------
    annotations : Annotations
    others : DataFrame
        Names by number, one column an annotation; they are written back.
    """

    annotations: Annotations
    others: pd.DataFrame


def save_annotations(
    place: AnnotationPlace, annotations: Annotations, others: pd.DataFrame
) -> None:
    """Write annotations, each file whole or not at all.

    Raises
    ------
    AnnotationError
        If they cannot be written there.
    """
    named = np.zeros(annotations.count, bool)
    for one in annotations.columns:
        named |= one.codes >= 0
    rows = np.flatnonzero(named)
    table = annotations.table(rows).set_axis(place.numbers[rows], axis=0)
    kept = others[[name for name in others if name in table]]
    if len(kept):
        table = pd.concat([table, kept]).sort_index().fillna("")
    classes = {
        "active": annotations.active,
        "columns": [
            {
                "name": one.name,
                "classes": [
                    {"name": c.name, "colour": c.colour, "key": c.key} for c in one.classes
                ],
                "unseen": as_ranges(np.sort(place.numbers[one.unseen])),
            }
            for one in annotations.columns
        ],
    }
    with prepared(place):
        with whole_file(place.folder / ANNOTATIONS) as file:
            table.to_csv(
                file, index_label=INDEX, errors="backslashreplace", chunksize=_AT_A_TIME
            )
        write_json(place.folder / CLASSES, classes)


def annotated_in(folder: Path, numbers: np.ndarray) -> Annotations:
    """Return what people called patches of a saved run, which are these of its numbers.

    Raises
    ------
    AnnotationError
        If a file there is damaged or is not ours.
    """
    place = AnnotationPlace(folder, numbers)
    return read_annotations(place).annotations if place.annotated else Annotations(len(numbers))


def read_annotations(place: AnnotationPlace) -> FoundAnnotations:
    """Read the annotations of a place.

    Raises
    ------
    AnnotationError
        If a file there is damaged or is not ours.
    """
    count = len(place.numbers)
    active, described, unseen = _described(place.folder / CLASSES)
    names = _names(place.folder / ANNOTATIONS)
    rows = pd.Index(place.numbers).get_indexer(names.index)
    _check_of_run(place, names.index)
    here, annotations = rows >= 0, Annotations(count)
    try:
        for column in dict.fromkeys([*described, *map(str, names.columns)]):
            annotations = annotations.with_column(column)
            one = annotations.now
            for known in described.get(column, []):
                one = one.with_class(**known)
            if column in names:
                codes, values = pd.factorize(names[column].to_numpy()[here])
                one = one.with_classes(str(value) for value in values)
                to = np.array([one.at(str(value)) for value in values], np.int16)
                one = one.take(rows[here], to[codes] if len(to) else codes.astype(np.int16))
            known = pd.Index(place.numbers).get_indexer(unseen.get(column, []))
            annotations = annotations.put(one.marked(known[known >= 0], True))
    except AnnotationError as error:
        raise _damaged(place.folder / ANNOTATIONS, error) from None
    if active in annotations.by_name:
        annotations = annotations.worked_on(active)
    return FoundAnnotations(annotations, names[~here])


def _check_of_run(place: AnnotationPlace, numbers: pd.Index) -> None:
    """Say so if patches are annotated that the run of this folder never had."""
    last = int(numbers.max()) if len(numbers) else -1
    if place.known is not None or last <= int(place.numbers.max()):
        return
    known = read_identity(place.folder / PATCHES)  # some of its rows may have gone
    if known is not None and last >= len(known):
        raise AnnotationError(
            f"{place.folder / ANNOTATIONS} is of another run: it names patch {last:,}, but "
            f"this run has {len(known):,}. Move it away to annotate here; Import in the tab "
            "Annotate takes classes from such files."
        )


def _names(path: Path) -> pd.DataFrame:
    """Read the class names by number, "" where there is none."""
    if not path.exists():
        return pd.DataFrame(index=pd.Index([], dtype=np.int64))
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")
        table.index = pd.Index(table.pop(INDEX).astype(np.int64))
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        raise _damaged(path, error) from None
    if not table.index.is_unique or (table.index < 0).any():
        raise _damaged(path, "it names a patch twice, or none")
    return table


def _described(
    path: Path,
) -> tuple[str, dict[str, list[dict[str, str]]], dict[str, np.ndarray]]:
    """Read which column is worked on, which classes each has, and which patches unseen."""
    if not path.exists():
        return FIRST, {}, {}
    try:
        saved = json.loads(path.read_text("utf-8"))
        columns = {str(one["name"]): one for one in saved["columns"]}
        classes = {
            name: [
                {"name": str(c["name"]), "colour": _colour(c["colour"]), "key": str(c["key"])}
                for c in one["classes"]
            ]
            for name, one in columns.items()
        }
        return str(saved["active"]), classes, {n: _unseen(one) for n, one in columns.items()}
    except Exception as error:  # noqa: BLE001 - a damaged file may raise anything
        raise _damaged(path, error) from None


def _unseen(column: dict[str, Any]) -> np.ndarray:
    """Read which patches nobody looked at; where that is not said, or wrongly, none."""
    with contextlib.suppress(ValueError):
        return from_ranges(column.get("unseen", ""))
    return np.empty(0, np.intp)


def _colour(text: Any) -> str:
    value = str(text)
    if len(value) != 7 or value[0] != "#":
        raise ValueError(f"{value!r} is no colour")
    int(value[1:], 16)
    return value.lower()


def _damaged(path: Path, error: object) -> AnnotationError:
    why = words(error) if isinstance(error, Exception) else str(error)
    return AnnotationError(
        f"{path} cannot be read ({why}); restore it or move it away. It is left as it is."
    )
