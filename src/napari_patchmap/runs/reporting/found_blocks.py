"""What a report says of what was found: groups, duplicates, odd patches, label mistakes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.find.groups import GROUPS
from napari_patchmap.find.search import BESIDE, INDEX, THERE, Found, Search
from napari_patchmap.find.searches import SEARCHES
from napari_patchmap.percent import percent
from napari_patchmap.quality.label_changes import other_label
from napari_patchmap.runs.found_files import list_file
from napari_patchmap.runs.identity import name_of
from napari_patchmap.runs.reporting.blocks import (
    Block,
    ColumnHead,
    Entry,
    Grid,
    Heading,
    Listed,
    Words,
)
from napari_patchmap.runs.run import Run

#: Rows of a list that are shown; all of it is a file of the run.
_MOST = 20


def found_out(run: Run) -> list[Block]:
    """Say what each search found in the patches of a run, nothing of those never asked."""
    blocks: list[Block] = []
    for search in SEARCHES:
        if (found := run.found.get(search.key)) is None:
            continue
        blocks.append(Heading(search.title))
        if stale := other_label(found.report, run.label_from):
            blocks.append(Words(stale, "warning"))
        blocks.append(Listed(found.lines))
        blocks += _SHOWN.get(search.key, _first_rows)(run, search, found)
    return blocks


def _groups(run: Run, search: Search, found: Found) -> list[Block]:
    """List each group with its size, what sets it apart, and the label that most of it has."""
    groups = found.report.get("groups", ())
    if not groups:
        return []
    labelled = any(group.get("label") for group in groups)
    heads = [ColumnHead("Group", strong=True), ColumnHead("Patches", number=True)]
    heads += [ColumnHead("Most frequent label")] if labelled else []
    rows = []
    for group in groups:
        row = [Entry(str(group["name"])), Entry(f"{group['size']:,}")]
        if labelled:
            share = percent(group["pure"]) if group.get("pure") is not None else ""
            row.append(Entry(str(group.get("label") or "–"), share))
        rows.append([*row, Entry(str(group.get("apart") or "–"))])
    return [Grid(rows, [*heads, ColumnHead("What sets it apart")])]


def _first_rows(run: Run, search: Search, found: Found) -> list[Block]:
    """Show the beginning of the list, each patch by its name."""
    listed = found.listed
    if not len(listed):
        return []
    named = [name for name in (INDEX, BESIDE) if name in listed]
    others = [name for name in listed if name not in (INDEX, BESIDE, THERE)]
    heads = [ColumnHead("Patch"), *([ColumnHead("Beside")] if BESIDE in listed else [])]
    heads += [
        ColumnHead(str(name).capitalize(), number=listed[name].dtype.kind in "iuf")
        for name in others
    ]
    who, rows = run.who, []
    for one in listed.head(_MOST).to_dict("records"):
        names = [Entry(name_of(who, int(one[name]))) for name in named]
        rows.append([*names, *(Entry(_written(one[name])) for name in others)])
    more = len(listed) - len(rows)
    rest = f"{more:,} more are in {list_file(search.key)} of the run's folder."
    return [Grid(rows, heads), *([Words(rest, "hint")] if more > 0 else [])]


def _written(value: Any) -> str:
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else ""
    if isinstance(value, (float, np.floating)):
        return "" if pd.isna(value) else f"{value:.4g}"
    return str(value)


#: Those of which more is to be said than their list.
_SHOWN: dict[str, Callable[[Run, Search, Found], list[Block]]] = {GROUPS.key: _groups}
