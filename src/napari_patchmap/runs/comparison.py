"""Saved maps of the same patches beside each other: one table and one figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import RunError
from napari_patchmap.explore.side_by_side import turned_alike
from napari_patchmap.lock import alone_in
from napari_patchmap.patches.box_table import labels_of
from napari_patchmap.patches.labels.choice import GIVEN
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.columns import figure_cells, figure_numbers, markdown, written
from napari_patchmap.runs.picture import draw_maps
from napari_patchmap.runs.saved_map import SavedMap
from napari_patchmap.runs.writable import check_folder, writing
from napari_patchmap.writing import check_not_foreign, write_whole

#: The table in the folder that is asked for, and the figure that is drawn after it.
_TABLE, _FIGURE = "comparison.csv", "comparison.png"


def table_of(maps: Sequence[SavedMap]) -> pd.DataFrame:
    """List quality and cost of some maps, one row each.

    Columns map, patches, label (what it is called with which figures of labels compare), one
    for each quality figure (see :func:`~napari_patchmap.quality.columns.figure_numbers`),
    minutes, device, folder.
    """
    return pd.DataFrame(
        {
            "map": one.title,
            "patches": one.count,
            "label": one.label_from or GIVEN,
            **figure_numbers(one.metrics),
            "minutes": one.seconds / 60,
            "device": one.device,
            "folder": str(one.folder),
        }
        for one in maps
    )


def as_lines(table: pd.DataFrame, *, every: bool = False) -> list[str]:
    """Write a table with its main figures, or every one, as lines of Markdown.

    The labels are named where they are not those of one column.
    """
    return markdown(
        {
            "map": table["map"],
            **({"label": table["label"]} if table["label"].nunique() > 1 else {}),
            **figure_cells(table, every=every),
            "minutes": written(table["minutes"], 1),
            "device": table["device"],
        }
    )


def different_labels(
    maps: Sequence[SavedMap], remedy: str = "choose one for all (--label COLUMN)"
) -> str:
    """Say that figures of labels cannot be compared where those are not the same, else "".

    ``remedy`` is what is to be done.
    """
    labels = dict.fromkeys(one.label_from or GIVEN for one in maps)
    if len(labels) < 2:
        return ""
    return (
        f"The labels of these maps are not the same column ({', '.join(labels)}), so figures "
        f"that compare them with labels are not either; {remedy}."
    )


def labels_apart(labels: Sequence[str]) -> list[str]:
    """Return what is said of each map's label: its name where those differ, else ""."""
    named = [one or GIVEN for one in labels]
    return [f"label {name}" if len({*named}) > 1 else "" for name in named]


def read_same(
    maps: Sequence[SavedMap], watch: Watch = UNWATCHED
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Read maps, ``(n, 2)``, turned like the first, and the table as the first run has it.

    Raises
    ------
    RunError
        If one is a map of other patches, or damaged.
    """
    first, table = maps[0].read()
    known, found = maps[0].read_known(), [first]
    for one in maps[1:]:
        watch.check()
        found.append(one.read_for(known))
    return turned_alike(found), table


def compare(
    maps: Sequence[SavedMap],
    out: str | Path | None = None,
    watch: Watch = UNWATCHED,
) -> pd.DataFrame:
    """Compare some maps of the same patches; ``watch`` may end it before anything is written.

    The table is that of :func:`table_of`; ``comparison.csv`` and ``comparison.png`` go into
    the folder ``out``, if there is one.

    Raises
    ------
    RunError
        If one is a map of other patches or damaged, or nothing can be written in ``out``.
    """
    found = table_of(maps)
    if out is None:
        read_same(maps)
        return found
    out = check_folder(out)  # before the maps are read
    with alone_in(out):
        check_not_foreign(out / _TABLE, list(found.columns[:2]), RunError, (_FIGURE,))
        embeddings, table = read_same(maps, watch)
        labels = labels_of(table)
        apart = labels_apart([one.label_from for one in maps])
        titles = [
            ", ".join(filter(None, [one.title, said]))
            for one, said in zip(maps, apart, strict=True)
        ]
        drawn = [
            (title, embedding, labels, one.metrics)
            for one, title, embedding in zip(maps, titles, embeddings, strict=True)
        ]
        text = found.to_csv(index=False).encode(errors="backslashreplace")
        with writing(out, "choose another folder"):
            out.mkdir(parents=True, exist_ok=True)
            write_whole(out / _TABLE, text)
            draw_maps(out / _FIGURE, drawn)
    return found
