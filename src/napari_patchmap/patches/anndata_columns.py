"""The columns of AnnData's tables: plain, of categories, or with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_patchmap.errors import UnusableError
from napari_patchmap.patches.anndata_nodes import Nodes

#: What helps where a kind of array is not known.
WRITE_AGAIN = "write it again with anndata 0.8 or newer"


def column_values(nodes: Nodes, column: Any, name: str) -> np.ndarray:
    """Read a column: an array, categories, or values with a mask where they are missing.

    Returns
    -------
    ndarray, shape (n,)
        Texts as objects, None where one is missing; numbers with gaps float64 with NaN.

    Raises
    ------
    UnusableError
        If it is of no known kind, or damaged.
    """
    known = column.attrs.get("categories")
    if known is not None:  # as anndata 0.7 refers to them
        return _of_codes(column[:], column_values(nodes, nodes.referred(known), name))
    if hasattr(column, "shape"):
        return _plain(nodes, column, name)
    if "codes" in column:  # the categories may have gaps themselves
        return _of_codes(column["codes"][:], column_values(nodes, column["categories"], name))
    if "mask" in column and "values" in column:
        values = _plain(nodes, column["values"], name)
        return _with_gaps(values, column["mask"][:].astype(bool))
    raise UnusableError(f"has a column {name} that is of no known kind", WRITE_AGAIN)


def _plain(nodes: Nodes, array: Any, name: str) -> np.ndarray:
    texts = nodes.texts(array)
    if texts is not None:
        return texts
    if array.dtype.kind not in "fiub":
        raise UnusableError(f"has a column {name} of the type {array.dtype}", WRITE_AGAIN)
    return np.asarray(array[:])


def _of_codes(codes: np.ndarray, categories: np.ndarray) -> np.ndarray:
    """Return the category of each code; a code below 0 is a missing one."""
    codes = codes.astype(np.int64)
    if len(codes) and codes.max() >= len(categories):
        raise UnusableError(
            "is damaged (a code has no category)", "write it again with anndata"
        )
    if not len(categories):
        return np.full(len(codes), None, object)
    return _with_gaps(categories[codes.clip(min=0)], codes < 0)


def _with_gaps(values: np.ndarray, missing: np.ndarray) -> np.ndarray:
    if not missing.any():
        return values
    values = values.astype(np.float64 if values.dtype.kind in "fiu" else object)
    values[missing] = np.nan if values.dtype.kind == "f" else None
    return values
