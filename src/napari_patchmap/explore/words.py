"""What is said of patches: captions, tooltips and counts, the same everywhere."""

from __future__ import annotations

import html
from datetime import date, datetime, timedelta
from pathlib import PurePath

import numpy as np
import pandas as pd

from napari_patchmap.explore.colouring import Colouring

#: Groups that are counted one by one; the rest is one number.
_MOST_GROUPS = 6


def caption(table: pd.DataFrame, index: int) -> list[str]:
    """Say what one patch is, in a line or two: its label, then where it is from."""
    row = table.iloc[index]
    lines = []
    if "label" in table and pd.notna(row["label"]) and str(row["label"]):
        lines.append(str(row["label"]))
    source = str(row["source"])
    return [*lines, f"{PurePath(source).name or source} · {index:,}"]


def say_day(when: datetime, today: date | None = None) -> str:
    """Say a time as people do: ``today 14:05``, ``yesterday 14:05``, ``2026-11-19 14:05``."""
    today = today or date.today()
    days = {today: "today", today - timedelta(days=1): "yesterday"}
    return f"{days.get(when.date(), f'{when:%Y-%m-%d}')} {when:%H:%M}"


def details(table: pd.DataFrame, index: int) -> str:
    """List everything the table says of one patch, as a small HTML table."""
    row = table.iloc[index]
    lines = [("patch", f"{index:,}")]
    lines += [(str(k), str(v)) for k, v in row.items() if pd.notna(v) and str(v) != ""]
    cells = "".join(
        f"<tr><td><b>{html.escape(k)}</b>&nbsp;&nbsp;</td><td>{html.escape(v)}</td></tr>"
        for k, v in lines
    )
    return f"<table>{cells}</table>"


def said_counts(total: np.ndarray, chosen: np.ndarray | None = None) -> list[str]:
    """Say how many patches there are of each class, or of those how many are chosen.

    Examples
    --------
    >>> said_counts(np.array([412, 3]), np.array([47, 0]))
    ['47 of 412', '0 of 3']
    """
    if chosen is None:
        return [f"{count:,}" for count in total.tolist()]
    both = zip(chosen.tolist(), total.tolist(), strict=True)
    return [f"{some:,} of {count:,}" for some, count in both]


def breakdown(colouring: Colouring, indices: np.ndarray) -> str:
    """Say how many of the patches are in each group, the most frequent first, as HTML."""
    if not colouring.names or len(indices) == 0:
        return ""
    counts = colouring.counts(indices)
    present = [int(g) for g in np.argsort(-counts, kind="stable") if counts[g]]
    parts = []
    for group in present[:_MOST_GROUPS]:
        red, green, blue = (int(255 * c) for c in colouring.palette[group, :3])
        swatch = f'<span style="color:rgb({red},{green},{blue})">■</span>'
        parts.append(
            f"{swatch}&nbsp;{html.escape(colouring.names[group])}&nbsp;{counts[group]:,}"
        )
    if len(present) > _MOST_GROUPS:
        parts.append(f"{len(present) - _MOST_GROUPS} more")
    return "&nbsp; ".join(parts)
