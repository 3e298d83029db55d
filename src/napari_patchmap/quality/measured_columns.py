"""Technical columns that nobody has to note: they are measured on images and their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import QualityError
from napari_patchmap.kind import Kind
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.quality.background import BACKGROUND, background

#: Their names where columns are listed.
FILE_SIZE, FILE_DATE = "file size", "file date"

#: Files between two looks whether to go on.
_AT_ONCE = 256


def measured_columns(patches: PatchSet) -> list[str]:
    """Return the technical columns that can be measured of these patches."""
    return [name for name in MEASURED if name == BACKGROUND or _own_files(patches.origin)]


def check_measurable(name: str, origin: Mapping[str, Any], called: str) -> None:
    """Check that a column can be measured of patches that come from ``origin``.

    Raises
    ------
    QualityError
        If it is one of their files, and not each is a file of its own.
    """
    if name in (FILE_SIZE, FILE_DATE) and not _own_files(origin):
        raise QualityError(
            f"The patches of {called} are not a file each, so their files tell nothing apart; "
            "choose another column."
        )


def _own_files(origin: Mapping[str, Any]) -> bool:
    """Whether each patch is a file of its own, in a folder that is known."""
    return origin.get("kind") == Kind.FOLDER and bool(origin.get("path"))


def file_size(patches: PatchSet, watch: Watch = UNWATCHED) -> np.ndarray:
    """Return the size of each patch's file in KB of 1,000 bytes, (n,).

    It shows how images were compressed, and how sharp or noisy they are.

    Returns
    -------
    ndarray of float64
        NaN where a file is not there.

    Raises
    ------
    LoadCancelled
        If ``watch`` wants to stop.
    """
    return np.array(_of_files(patches, lambda it: it.st_size / 1000, watch), np.float64)


def file_date(patches: PatchSet, watch: Watch = UNWATCHED) -> np.ndarray:
    """Return the day on which each patch's file was last written, such as 2021-03-05, (n,).

    Here local time counts; None stands for a file that is not there. See :func:`file_size`.
    """
    found = _of_files(
        patches, lambda status: f"{datetime.fromtimestamp(status.st_mtime):%Y-%m-%d}", watch
    )
    return np.array(found, object)


def _of_files(
    patches: PatchSet,
    value: Callable[[os.stat_result], float | str],
    watch: Watch,
) -> list[float | str | None]:
    folder = Path(str(patches.origin["path"]))
    found: list[float | str | None] = []
    for done, source in enumerate(patches.table["source"]):
        if done % _AT_ONCE == 0:
            watch.step(done, len(patches))
        try:
            found.append(value((folder / str(source)).stat()))
        except (OSError, ValueError):  # moved, or with a name that cannot be shown as it is
            found.append(None)
    return found


#: How each is measured.
MEASURED = {BACKGROUND: background, FILE_SIZE: file_size, FILE_DATE: file_date}


def measured_column(name: str, patches: PatchSet, watch: Watch = UNWATCHED) -> pd.Series:
    """Measure a technical column.

    Raises
    ------
    QualityError
        If it cannot be measured of these patches.
    LoadCancelled
        If ``watch`` wants to stop.
    """
    check_measurable(name, patches.origin, patches.name)
    return pd.Series(MEASURED[name](patches, watch))
