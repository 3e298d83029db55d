"""AnnData as anndata writes it, written by h5py or zarr: tests need not have anndata.

https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest
import zarr
from scipy import sparse


def write_anndata(
    path: Path,
    names: list[str],
    *,
    X: Any = None,
    obsm: dict[str, Any] | None = None,
    obs: dict[str, Any] | None = None,
    index: str = "_index",
    zarr_format: Literal[2, 3] = 3,
) -> Path:
    """Write a file, or a store if the name ends in ``.zarr``.

    Values of ``obs`` are arrays, texts, categories or nullable numbers.
    """
    if path.suffix == ".zarr":
        _write_all(zarr.create_group(path, zarr_format=zarr_format), names, X, obsm, obs, index)
    else:
        with pytest.importorskip("h5py").File(path, "w") as file:
            _write_all(file, names, X, obsm, obs, index)
    return path


def _write_all(root: Any, names: list[str], X: Any, obsm: Any, obs: Any, index: str) -> None:
    _say(root, "anndata", "0.1.0")
    _write_table(root, "obs", names, obs or {}, index)
    if X is not None:
        _write(root, "X", X)
    arrays = root.create_group("obsm")
    for name, values in (obsm or {}).items():
        if isinstance(values, pd.DataFrame):
            _write_table(arrays, name, names, {**values}, index)
        else:
            _write(arrays, name, values)


def _write_table(group: Any, name: str, names: list[str], columns: Any, index: str) -> None:
    table = group.create_group(name)
    _say(table, "dataframe", "0.2.0")
    table.attrs["_index"], table.attrs["column-order"] = index, [*columns]
    _write(table, index, np.array(names, object))
    for name, values in columns.items():
        _write(table, name, values)


def _write(group: Any, name: str, values: Any) -> None:
    if sparse.issparse(values):
        made = group.create_group(name)
        _say(made, f"{values.format}_matrix", "0.1.0")
        made.attrs["shape"] = values.shape
        for part in ("data", "indices", "indptr"):
            made[part] = getattr(values, part)
    elif isinstance(values, pd.Categorical):
        made = group.create_group(name)
        _say(made, "categorical", "0.2.0")
        made.attrs["ordered"] = values.ordered
        made["codes"] = np.asarray(values.codes)
        _write(made, "categories", values.categories.to_numpy())
    elif isinstance(values, pd.arrays.IntegerArray):
        made = group.create_group(name)
        _say(made, "nullable-integer", "0.1.0")
        made["values"], made["mask"] = values._data, values._mask
    elif np.asarray(values).dtype.kind in "OU":
        texts = np.array([str(one) for one in values], object)
        if isinstance(group, zarr.Group):
            made = group.create_array(name, shape=texts.shape, dtype=str)
            made[...] = texts
        else:
            string = pytest.importorskip("h5py").string_dtype()
            made = group.create_dataset(name, data=texts, dtype=string)
        _say(made, "string-array", "0.2.0")
    else:
        group[name] = np.asarray(values)
        _say(group[name], "array", "0.2.0")


def _say(what: Any, kind: str, version: str) -> None:
    what.attrs["encoding-type"], what.attrs["encoding-version"] = kind, version
