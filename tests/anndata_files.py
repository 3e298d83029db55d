"""AnnData as anndata writes it, written by h5py: tests need not have anndata.

https://anndata.readthedocs.io/en/stable/fileformat-prose.html
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse


def write_anndata(
    path: Path,
    names: list[str],
    *,
    X: Any = None,
    obsm: dict[str, Any] | None = None,
    obs: dict[str, Any] | None = None,
    index: str = "_index",
) -> Path:
    """Write a file; values of ``obs`` are arrays, texts, categories or nullable numbers."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(path, "w") as file:
        _say(file, "anndata", "0.1.0")
        table = file.create_group("obs")
        _say(table, "dataframe", "0.2.0")
        table.attrs["_index"] = index
        table.attrs["column-order"] = np.array([*(obs or {})], h5py.string_dtype())
        _write(table, index, np.array(names, object))
        for name, values in (obs or {}).items():
            _write(table, name, values)
        if X is not None:
            _write(file, "X", X)
        arrays = file.create_group("obsm")
        for name, values in (obsm or {}).items():
            _write(arrays, name, values)
    return path


def _write(group: Any, name: str, values: Any) -> None:
    h5py = pytest.importorskip("h5py")
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
        made["codes"] = values.codes
        _write(made, "categories", values.categories.to_numpy())
    elif isinstance(values, pd.arrays.IntegerArray):
        made = group.create_group(name)
        _say(made, "nullable-integer", "0.1.0")
        made["values"], made["mask"] = values._data, values._mask
    elif np.asarray(values).dtype == object:
        made = group.create_dataset(name, data=values, dtype=h5py.string_dtype())
        _say(made, "string-array", "0.2.0")
    else:
        made = group.create_dataset(name, data=values)
        _say(made, "array", "0.2.0")


def _say(what: Any, kind: str, version: str) -> None:
    what.attrs["encoding-type"], what.attrs["encoding-version"] = kind, version
