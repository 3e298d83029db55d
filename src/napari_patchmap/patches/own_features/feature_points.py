"""A file of features as the data itself: which points there are, and what is said of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from napari_patchmap.errors import UnusableError
from napari_patchmap.foreign import decoding
from napari_patchmap.patches.anndata_file import H5AD, anndata_file, is_anndata_store
from napari_patchmap.patches.labels.matching import NAME_HINTS
from napari_patchmap.patches.labels.meanings import means_id
from napari_patchmap.patches.labels.values import numbers_if_all
from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.own_features.feature_files import read_features
from napari_patchmap.patches.watch import Watch


@dataclass(frozen=True, eq=False)
class Points:
    """What is known of each point beside its features.

    Parameters
    ----------
    columns : DataFrame
        One row a point; texts, and numbers of other things than features.
    name : str
        The column that names each point; "" where none does.
    notes : list of str
    """

    columns: pd.DataFrame
    name: str
    notes: list[str]


def holds_rows(path: Path) -> bool:
    """Whether a file may hold rows of features; of .npy, numbers with a point on two axes."""
    if path.suffix.lower() != ".npy":
        return True
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # noqa: BLE001 - it is somebody else's to say what is wrong with it
        return False
    return getattr(array, "ndim", 0) == 2 and array.dtype.kind == "f"


def read_points(path: Path, watch: Watch) -> Points:
    """Say which points a file of features holds; of AnnData and .npy no features are read.

    Raises
    ------
    PatchError
        If it is no such file, or damaged.
    """
    ending = path.suffix.lower()
    if ending in H5AD or is_anndata_store(path):
        with anndata_file(path) as file:
            if not file.keys:
                raise UnusableError(
                    "holds no features (no X, and nothing in obsm)",
                    "choose the file that has them",
                )
            columns, notes = file.obs(watch)
            name = file.index_name or "name"
            columns = columns.drop(columns=name, errors="ignore")
            columns.insert(0, name, pd.Series(file.names, dtype=object))
        return Points(columns, name, notes)
    if ending == ".npy":
        with decoding(path, "is not a complete NumPy file", "copy or save it again"):
            count = len(np.load(path, mmap_mode="r", allow_pickle=False))
        return Points(pd.DataFrame(index=range(count)), "", [])
    table = read_features(path, watch=watch)
    texts = {tidy(str(name)): table.keys[name] for name in table.keys}
    name = next((c for c, cells in texts.items() if _names(c, cells)), "")
    others = {
        c: pd.Series(cells if c == name else numbers_if_all(cells.to_numpy(object), watch))
        for c, cells in texts.items()
    }
    return Points(pd.DataFrame(others, index=range(len(table))), name, list(table.notes))


def _names(column: str, cells: pd.Series) -> bool:
    said = means_id(column) or any(hint in column.casefold() for hint in NAME_HINTS)
    return said and bool(cells.notna().all()) and bool(cells.is_unique)
