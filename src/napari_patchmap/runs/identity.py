"""Which patch each row of a run is: by where it came from, and by what its pixels are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.content import content_of, spread_over
from napari_patchmap.patches.watch import UNWATCHED, Watch
from napari_patchmap.runs.table import INDEX
from napari_patchmap.writing import whole_file

#: Name of the file in a run folder.
PATCHES = "patches.csv"

#: Columns that say where a patch came from; those that both sides have are compared.
WHERE = ("source", "frame", "y", "x", "height", "width", "label_id")

#: What the pixels are; 0 where they were not looked at.
CONTENT = "content"

#: Bytes of pixels that are looked at when a run is made; of larger sets some patches. Fewer
#: where somebody waits for it.
_MOST_BYTES, _FEW_BYTES = 8 * 2**30, 2**29


def places_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return where each row of a patch table came from, with its content unknown."""
    known = table[[name for name in WHERE if name in table]].reset_index(drop=True)
    return known.assign(**{CONTENT: np.zeros(len(known), np.uint64)})


def identify(
    patches: PatchSet, watch: Watch = UNWATCHED, *, hurry: bool = False
) -> pd.DataFrame:
    """Note of each patch where it came from and what its pixels are.

    Columns of ``WHERE``, as far as the table has them, and ``content``. In a ``hurry``, where
    somebody waits for it, fewer patches of large sets are looked at.
    """
    known = places_of(patches.table)
    rows = np.setdiff1d(
        spread_over(patches.images, _FEW_BYTES if hurry else _MOST_BYTES), patches.missing
    )
    content = known[CONTENT].to_numpy().copy()
    content[rows] = content_of(patches.images, rows, watch)
    return known.assign(**{CONTENT: content})


def save_identity(path: Path, known: pd.DataFrame) -> None:
    """Write what :func:`identify` noted as CSV, the content in hexadecimal digits."""
    digits = [f"{one:016x}" if one else "" for one in known[CONTENT].tolist()]
    table = known.assign(**{CONTENT: digits})
    with whole_file(path) as file:
        table.to_csv(file, index_label=INDEX, errors="backslashreplace")


def read_identity(path: Path, count: int | None = None) -> pd.DataFrame | None:
    """Read what :func:`save_identity` wrote; None if missing or damaged.

    So it is, too, if it has not ``count`` rows, where that is given: it is of another run.

    Its rows may have been sorted since then: they go by their column ``index``.
    """
    try:
        texts = {"source": str, CONTENT: str}
        known = pd.read_csv(path, dtype=texts, na_values=[""], keep_default_na=False)
        digits = known[CONTENT].fillna("0").tolist()
        known[CONTENT] = np.array([int(one, 16) for one in digits], np.uint64)
        known = known.set_index(INDEX).sort_index()
        numbers = known[[name for name in WHERE[1:] if name in known]].to_numpy(float)
        rows = np.arange(len(known) if count is None else count)
        whole = np.array_equal(known.index, rows) and set(WHERE[:-1]) <= set(known)
    except Exception:  # noqa: BLE001 - a damaged file may raise anything
        return None
    return known.reset_index(drop=True) if whole and np.isfinite(numbers).all() else None


def name_of(known: pd.DataFrame, row: int) -> str:
    """Name a patch as people know it: its file, and where in it."""
    one = known.iloc[row]
    frame = f" [{int(one['frame'])}]" if one["frame"] else ""
    return f"{one['source']}{frame}" + (
        f" object {one['label_id']}" if "label_id" in one else ""
    )
