"""Files of features: .npy, CSV, Parquet, AnnData; each a :class:`FeatureTable`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.few_names import and_more
from napari_patchmap.foreign import decoding
from napari_patchmap.optional import optional
from napari_patchmap.patches.anndata_file import H5AD, anndata_file
from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.own_features.feature_columns import sort_columns
from napari_patchmap.patches.own_features.feature_table import FeatureTable
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.watch import UNWATCHED, Watch

CSV, PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")

#: Endings of files that features are read from.
ENDINGS = (".npy", *CSV, *PARQUET, *H5AD)

#: Rows of a CSV file that are read between two reports, at a hundred columns.
_CELLS = 2_000_000

#: The index of a table that pandas wrote to Parquet without a name.
_INDEX = "__index_level_0__"


def read_features(
    path: str | os.PathLike[str], columns: str | None = None, watch: Watch = UNWATCHED
) -> FeatureTable:
    """Read a file of features. What was read last is kept, for a plan asks before a run does.

    Parameters
    ----------
    path : path
        .npy (rows of numbers), .csv, .tsv, .parquet, .h5ad.
    columns : str, optional
        Of tables, the columns that are features, separated by commas; ``*`` stands for
        anything. Of .h5ad, which array: ``X`` or the key of one in obsm.
    watch : Watch, optional

    Raises
    ------
    PatchError
        If it is missing, no such file, damaged, or does not fit into the memory.
    MissingPackageError
        Without pyarrow, or h5py, for the files that need it.
    LoadCancelled
    """
    path = Path(path).expanduser()
    about = check_features_file(path)
    return _read(_Watched(watch), path, columns, about.st_mtime_ns, about.st_size)


def check_features_file(path: Path) -> os.stat_result:
    """Say what the system knows of a file of features, before anything else is read.

    Raises
    ------
    PatchError
        If it is not there, or no such file by its ending.
    """
    try:
        about = path.stat()
    except OSError as error:
        why = "" if isinstance(error, FileNotFoundError) else f" ({error.strerror})"
        raise PatchError(f"There is no file of features {path}{why}; check the path.") from None
    if not path.is_file() or not path.name.lower().endswith(ENDINGS):
        raise PatchError(
            f"{path} is no file of features; choose one that ends in {', '.join(ENDINGS)}."
        )
    return about


class _Watched:
    """Hands a watch past the cache: all watches are alike to it."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Watched)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=1)
def _read(
    watched: _Watched, path: Path, columns: str | None, changed: int, size: int
) -> FeatureTable:
    reader = next(read for ends, read in _READERS if path.name.lower().endswith(ends))
    watch, watched.watch = watched.watch, UNWATCHED
    wrong = "cannot be read as features"
    with decoding(path, wrong, "copy it again, or write it again as .npy or .csv"):
        return reader(path, columns, watch)


def _npy(path: Path, columns: str | None, watch: Watch) -> FeatureTable:
    array = np.load(path, mmap_mode="r", allow_pickle=False)
    if array.ndim != 2 or array.dtype.kind not in "fiub":
        raise UnusableError(
            f"holds no row of numbers a patch (its shape is {array.shape} of {array.dtype})",
            "save the features as an array of patches x features",
        )
    if columns is not None:
        raise UnusableError("has no names of columns", "leave the columns out")
    check_room(array.size * 4, str(path), "save fewer features")
    values = np.empty(array.shape, np.float32)
    for part in watch.parts(len(array)):
        values[part] = array[part]
    return FeatureTable(path, values, (), _nothing(len(values)), one_unit=True)


def _csv(path: Path, columns: str | None, watch: Watch) -> FeatureTable:
    try:
        return _of_csv(path, columns, watch, "utf-8-sig")
    except UnicodeDecodeError:
        return _of_csv(path, columns, watch, "latin-1")


def _of_csv(path: Path, columns: str | None, watch: Watch, encoding: str) -> FeatureTable:
    with path.open(encoding=encoding) as file:
        header = file.readline()
    separator = max(",;\t", key=header.count)
    how: dict[str, Any] = {
        "sep": separator, "encoding": encoding, "skipinitialspace": True,
        "decimal": "," if separator == ";" else ".",
    }  # fmt: skip
    first = pd.read_csv(path, nrows=1000, **how)
    names = [str(name) for name in first.columns]
    chosen = sort_columns(names, _texts(first), _listed(columns), path)
    size = max(1, _CELLS // max(1, len(names)))
    # What says which patch a row is of is kept as it is written: 007 is no 7.
    kinds: dict[str, Any] = {
        name: (str if name in chosen.others else np.float32) for name in names
    }
    parts: list[pd.DataFrame] = []
    done = 0
    try:
        with pd.read_csv(path, chunksize=size, dtype=kinds, **how) as reader:
            for part in reader:
                watch.step(done, 0)
                parts.append(part)
                done += len(part)
    except ValueError:  # words among numbers, further down
        table = pd.read_csv(path, low_memory=False, **how)
        chosen = sort_columns(names, _texts(table), _listed(columns), path)
        parts = [table]
    table = pd.concat(parts, ignore_index=True)
    return _of_table(path, table, chosen.features, chosen.others)


def _parquet(path: Path, columns: str | None, watch: Watch) -> FeatureTable:
    parquet = optional("pyarrow.parquet", "pyarrow")
    file = parquet.ParquetFile(path)
    about = file.schema_arrow
    numbers = optional("pyarrow").types
    texts = [
        one.name
        for one in about
        if not (numbers.is_floating(one.type) or numbers.is_integer(one.type))
    ]
    chosen = sort_columns(about.names, texts, _listed(columns), path)
    rows = file.metadata.num_rows
    check_room(rows * len(about.names) * 8, str(path), "choose fewer columns of it")
    watch.step(0, 0)
    table = parquet.read_table(path).to_pandas(ignore_metadata=True)
    return _of_table(path, table, chosen.features, chosen.others)


def _of_table(
    path: Path, table: pd.DataFrame, features: Sequence[str], others: Sequence[str]
) -> FeatureTable:
    if not len(table):
        raise UnusableError("has no rows", "choose another file")
    values = np.empty((len(table), len(features)), np.float32)
    for place, name in enumerate(features):
        values[:, place] = table[name].to_numpy(np.float32, na_value=np.nan)
    keys = pd.DataFrame(
        {tidy(name) or "row": _text(table[name]) for name in others if name != _INDEX}
    )
    if _INDEX in others:
        keys.insert(0, "index", _text(table[_INDEX]), allow_duplicates=True)
    notes = []
    if others:
        notes.append(
            f"{len(features):,} columns of {path.name} are features, and not: "
            f"{and_more(others)}."
        )
    return FeatureTable(path, values, tuple(map(str, features)), keys, False, "", notes)


def _h5ad(path: Path, columns: str | None, watch: Watch) -> FeatureTable:
    with anndata_file(path) as file:
        key = _key(columns, file.keys)
        values = file.rows(key, watch)
        keys = pd.DataFrame({file.index_name or "name": file.names}, dtype=object)
        obs, notes = file.obs(watch)
    for name in obs:
        keys[str(name)] = _text(obs[name])
    return FeatureTable(path, values, (), keys, key != "X", key, notes)


def _key(columns: str | None, keys: Sequence[str]) -> str:
    """Choose the array of AnnData: what was said, or X, or what obsm has alone."""
    if columns:
        return columns.strip().removeprefix("obsm/")
    if "X" in keys or len(keys) == 1:
        return "X" if "X" in keys else keys[0]
    if not keys:
        raise UnusableError("has neither X nor any obsm", "choose a file with features")
    raise UnusableError(
        f"has several arrays and no X ({', '.join(keys)})",
        "say which holds the features (--feature-columns)",
    )


#: By the ending of a file.
_READERS: tuple[tuple[tuple[str, ...], Callable[..., FeatureTable]], ...] = (
    ((".npy",), _npy),
    (CSV, _csv),
    (PARQUET, _parquet),
    (H5AD, _h5ad),
)


def _listed(columns: str | None) -> list[str] | None:
    return [one.strip() for one in columns.split(",") if one.strip()] if columns else None


def _texts(table: pd.DataFrame) -> list[str]:
    kinds = table.dtypes
    return [
        str(name)
        for name, kind in kinds.items()
        if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind)
    ]


def _text(values: pd.Series) -> pd.Series:
    """Return cells as a table of texts has them: NaN where empty, 3.0 as 3."""
    if values.dtype.kind == "f" and (values.dropna() % 1 == 0).all():
        values = values.astype("Int64")
    return values.astype(object).where(values.notna(), np.nan).map(str, na_action="ignore")


def _nothing(rows: int) -> pd.DataFrame:
    return pd.DataFrame(index=range(rows))
