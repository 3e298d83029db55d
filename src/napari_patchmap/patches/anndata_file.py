"""AnnData as it lies in an .h5ad file: names, table and arrays, each read when it is asked for.

Read by h5py as the format is documented
(https://anndata.readthedocs.io/en/stable/fileformat-prose.html), without anndata: nothing but
what is asked for is read, nothing that a file brings along is run, and no other file is
opened (:mod:`~napari_patchmap.patches.safe_hdf5`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.few_names import some_of
from napari_patchmap.foreign import decoding
from napari_patchmap.optional import optional
from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.safe_hdf5 import check_inside, member
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Endings of AnnData in HDF5; the second is scPortrait's, with images among its arrays.
H5AD = (".h5ad", ".h5sc")

#: Values that are read between two reports.
_VALUES = 2**22

_ELSE = "write it again with anndata 0.8 or newer"


@contextmanager
def anndata_file(path: str | os.PathLike[str]) -> Iterator[AnnDataFile]:
    """Open a file to be read; what goes wrong within is a sentence with its name.

    Raises
    ------
    PatchError
        If it cannot be opened, is not AnnData, or what is read of it is damaged.
    MissingPackageError
        Without h5py.

    Examples
    --------
    >>> with anndata_file("cells.h5ad") as file:
    ...     file.names[:2], file.keys, file.rows("X_pca").shape
    (['cell 1', 'cell 2'], ['X', 'X_pca'], (100, 50))
    """
    make = optional("h5py").File
    if not Path(path).is_file():
        raise PatchError(f"There is no file {path}; check the path.")
    wrong, remedy = "cannot be read as AnnData", "copy it again, or write it again with anndata"
    with decoding(path, wrong, remedy), make(path, "r") as file:
        yield AnnDataFile(Path(path), file)


class AnnDataFile:
    """What is in an AnnData file that is open; see :func:`anndata_file`.

    Parameters
    ----------
    path : Path
    file : h5py.File

    Attributes
    ----------
    names : list of str
        Of the observations (the index of ``obs``).
    keys : list of str
        Of what has a row an observation: ``X``, if it is there, and all of ``obsm``.
    """

    def __init__(self, path: Path, file: Any) -> None:
        self.path, self.file = path, file
        check_inside(file, "obs")
        obs = member(file, "obs")
        if obs is None:
            raise UnusableError("is not AnnData (it has no obs)", "choose an .h5ad file")
        if "_index" not in obs.attrs:
            raise UnusableError("is AnnData as it was written before version 0.7", _ELSE)
        self._obs = obs
        self._index = _word(obs.attrs["_index"])
        self.names = [str(name) for name in self._column(self._index)]
        matrix = member(file, "X")
        shape = () if matrix is None else _shape(matrix)
        self.keys = ["X"] if shape and shape[-1] else []
        self.keys += sorted(member(file, "obsm") or ())

    def __len__(self) -> int:
        return len(self.names)

    @property
    def index_name(self) -> str:
        """What the names of the observations are called; "" where nobody named them."""
        return "" if self._index in ("_index", "index") else self._index

    @property
    def columns(self) -> list[str]:
        """Names of the columns of obs, in their order."""
        order = [_word(name) for name in np.atleast_1d(self._obs.attrs.get("column-order", ()))]
        return [name for name in order if name in self._obs]

    def obs(self, watch: Watch = UNWATCHED) -> tuple[pd.DataFrame, list[str]]:
        """Read the table of the observations.

        Returns
        -------
        table : DataFrame
            A row an observation, in the order of :attr:`names`. Categories are texts, None
            where one is missing; numbers with gaps are float64 with NaN.
        notes : list of str
            What was left out, in sentences.
        """
        columns: dict[str, pd.Series] = {}
        odd: list[str] = []
        for number, name in enumerate(self.columns):
            watch.step(number, len(self.columns))
            try:
                values = self._column(name)
            except UnusableError:
                odd.append(name)
                continue
            kept = object if values.dtype == object else None  # so that None stays None
            columns[tidy(name)] = pd.Series(values, dtype=kept)
        said = (
            f"Columns of {self.path.name} that are no plain values were left out: "
            f"{some_of(odd)}."
        )
        return pd.DataFrame(columns, index=range(len(self))), [said] if odd else []

    def shape(self, key: str) -> tuple[int, ...]:
        """Return the shape of ``X`` or of what obsm calls ``key``; nothing is read.

        Raises
        ------
        UnusableError
            If it is not there, with the keys that are, or has not a row an observation.
        """
        shape = _shape(self.at(key))
        if shape[:1] != (len(self),):
            raise UnusableError(
                f"is damaged (obs has {len(self):,} rows and {key} the shape {shape})",
                "write it again with anndata",
            )
        return shape

    def at(self, key: str) -> Any:
        """Return ``X`` or what obsm calls ``key``: an h5py Dataset, or a Group of parts.

        Raises
        ------
        UnusableError
            If it is not there, with the keys that are.
        PatchError
            If any of it lies in another file.
        """
        key = key.removeprefix("obsm/")
        if key not in self.keys:
            listed = ", ".join(self.keys) or "neither X nor any obsm"
            raise UnusableError(f"has no {key}", f"choose among what it has: {listed}")
        place = key if key == "X" else f"obsm/{key}"
        check_inside(self.file, place)
        return member(self.file, place)

    def rows(self, key: str, watch: Watch = UNWATCHED) -> np.ndarray:
        """Read ``X`` or what obsm calls ``key`` as a row of numbers an observation.

        Sparse matrices become dense, tables the numbers of their columns.

        Returns
        -------
        ndarray of float32, shape (n, d)

        Raises
        ------
        UnusableError
            If it is no such array.
        PatchError
            If the memory does not take it.
        """
        shape, there = self.shape(key), self.at(key)
        kind = _word(there.attrs.get("encoding-type", "array"))
        if len(shape) != 2:
            raise UnusableError(
                f"holds no row of numbers an observation in {key}, whose shape is {shape}",
                f"choose another among {', '.join(self.keys)}",
            )
        check_room(
            shape[0] * shape[1] * 4,
            f"{key} of {self.path} ({shape[0]:,} x {shape[1]:,} numbers)",
            "choose fewer features, such as principal components that are kept as obsm/X_pca",
        )
        if kind == "dataframe":
            names = [_word(name) for name in np.atleast_1d(there.attrs["column-order"])]
            return _numbers(
                np.column_stack([_values(there[name], name) for name in names]), key
            )
        if hasattr(there, "keys"):
            return self._dense(there, shape, kind, watch)
        if there.dtype.kind not in "fiub":
            raise UnusableError(f"holds no numbers in {key}", "choose another array of it")
        found = np.empty(shape, np.float32)
        for part in watch.parts(shape[0], max(1, _VALUES // max(1, shape[1]))):
            found[part] = there[part]
        return found

    def _dense(self, group: Any, shape: tuple[int, ...], kind: str, watch: Watch) -> np.ndarray:
        """Read a sparse matrix; its indices are checked before memory is written by them."""
        nbytes = sum(group[part].size * 8 for part in ("data", "indices"))
        check_room(nbytes, f"The sparse X of {self.path}", "choose another of its arrays")
        makes = {"csc_matrix": sparse.csc_matrix, "csr_matrix": sparse.csr_matrix}
        if kind not in makes:
            raise UnusableError(f"holds an array of the kind {kind}", _ELSE)
        parts = (group["data"][:], group["indices"][:], group["indptr"][:])
        watch.step(0, 0)
        matrix = makes[kind](parts, shape=shape)
        matrix.check_format(full_check=True)
        return matrix.astype(np.float32).toarray()

    def _column(self, name: str) -> np.ndarray:
        column = self._obs[name]
        known = column.attrs.get("categories")
        if known is not None:  # as anndata 0.7 refers to them
            categories = _plain(self._obs.file[known], name)
            return _of_codes(column[:], categories)
        values = _values(column, name)
        if len(values.shape) != 1:
            raise UnusableError(f"has a column {name} that is no single value an observation")
        return values


def _shape(there: Any) -> tuple[int, ...]:
    """Return the shape of an array, a sparse matrix or a table."""
    if hasattr(there, "shape"):
        return tuple(map(int, there.shape or ()))  # nothing at all has none
    if "shape" in there.attrs:
        return tuple(map(int, there.attrs["shape"]))
    if "_index" in there.attrs:
        index = there[_word(there.attrs["_index"])]
        return int(index.shape[0]), len(np.atleast_1d(there.attrs["column-order"]))
    return ()


def _values(column: Any, name: str) -> np.ndarray:
    """Read a column: an array, categories, or values with a mask where they are missing."""
    if hasattr(column, "shape"):
        return _plain(column, name)
    if "codes" in column:
        return _of_codes(column["codes"][:], _plain(column["categories"], name))
    if "mask" in column and "values" in column:
        return _with_gaps(_plain(column["values"], name), column["mask"][:].astype(bool))
    raise UnusableError(f"has a column {name} that is of no known kind", _ELSE)


def _plain(dataset: Any, name: str) -> np.ndarray:
    if hasattr(dataset, "keys"):  # categories that may be missing themselves
        return _values(dataset, name)
    string = optional("h5py").check_string_dtype(dataset.dtype)
    if string is not None:
        return np.asarray(dataset.asstr(errors="replace")[:], object)
    if dataset.dtype.kind not in "fiub":
        raise UnusableError(f"has a column {name} of the type {dataset.dtype}", _ELSE)
    return np.asarray(dataset[:])


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


def _numbers(values: np.ndarray, key: str) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        raise UnusableError(f"holds texts in {key}", "choose another array of it")
    return values.astype(np.float32)


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
