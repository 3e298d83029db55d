"""AnnData as it lies in an .h5ad file or a Zarr store: each part read when it is asked for.

Read by h5py or zarr as the format is documented
(https://anndata.readthedocs.io/en/stable/fileformat-prose.html), without anndata: nothing but
what is asked for is read, nothing that a file brings along is run, and no other file is
opened (:mod:`~napari_patchmap.patches.safe_hdf5`, :mod:`~napari_patchmap.patches.safe_zarr`).
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
from napari_patchmap.patches.anndata_columns import WRITE_AGAIN, column_values
from napari_patchmap.patches.anndata_nodes import Hdf5Nodes, Nodes, ZarrNodes
from napari_patchmap.patches.names import tidy
from napari_patchmap.patches.room import check_room
from napari_patchmap.patches.safe_zarr.open_zarr import is_zarr, open_store
from napari_patchmap.patches.watch import UNWATCHED, Watch

#: Endings of AnnData in HDF5; the second is scPortrait's, with images among its arrays.
H5AD = (".h5ad", ".h5sc")

#: Values that are read between two reports.
_VALUES = 2**22


@contextmanager
def anndata_file(path: str | os.PathLike[str]) -> Iterator[AnnDataFile]:
    """Open a file or a Zarr store; what goes wrong within is a sentence with its name.

    Raises
    ------
    PatchError
        If it cannot be opened, is not AnnData, or what is read of it is damaged.
    MissingPackageError
        Without h5py, of a file.

    Examples
    --------
    >>> with anndata_file("cells.h5ad") as file:
    ...     file.names[:2], file.keys, file.rows("X_pca").shape
    (['cell 1', 'cell 2'], ['X', 'X_pca'], (100, 50))
    """
    path = Path(path)
    wrong, remedy = "cannot be read as AnnData", "copy it again, or write it again with anndata"
    if is_zarr(path):
        with decoding(path, wrong, remedy):
            yield AnnDataFile(path, ZarrNodes(open_store(path), path))
        return
    make = optional("h5py").File
    if not path.is_file():
        raise PatchError(f"There is no file {path}; check the path.")
    with decoding(path, wrong, remedy), make(path, "r") as file:
        yield AnnDataFile(path, Hdf5Nodes(file))


def is_anndata(group: Any) -> bool:
    """Whether a group of an HDF5 file or a Zarr store is laid out as AnnData."""
    said = _word(group.attrs.get("encoding-type", ""))
    return said == "anndata" or ("obs" in group and "obsm" in group)


def is_anndata_store(path: Path) -> bool:
    """Whether a path is a Zarr store that holds AnnData; no array of it is read."""
    try:
        if not is_zarr(path):
            return False
        group = open_store(path)
        return hasattr(group, "keys") and is_anndata(group)
    except Exception:  # noqa: BLE001 - whoever reads it says what is wrong with it
        return False


class AnnDataFile:
    """What is in AnnData that is open; see :func:`anndata_file`.

    Parameters
    ----------
    path : Path
    nodes : Nodes
        Of the store it lies in.

    Attributes
    ----------
    names : list of str
        Of the observations (the index of ``obs``).
    keys : list of str
        Of what has a row an observation: ``X``, if it is there, and all of ``obsm``.
    """

    def __init__(self, path: Path, nodes: Nodes) -> None:
        self.path, self.nodes = path, nodes
        nodes.check("obs")
        obs = nodes.member("obs")
        if obs is None:
            raise UnusableError("is not AnnData (it has no obs)", "choose a file of AnnData")
        if "_index" not in obs.attrs:
            raise UnusableError("is AnnData as it was written before version 0.7", WRITE_AGAIN)
        self._obs = obs
        self._index = _word(obs.attrs["_index"])
        self.names = [str(name) for name in self._column(self._index)]
        matrix = nodes.member("X")
        shape = () if matrix is None else _shape(matrix)
        self.keys = ["X"] if shape and shape[-1] else []
        self.keys += sorted(nodes.member("obsm") or ())

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
        """Return ``X`` or what obsm calls ``key``: an array, or a group of parts.

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
        self.nodes.check(place)
        return self.nodes.member(place)

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
            columns = [column_values(self.nodes, there[name], name) for name in names]
            return _numbers(np.column_stack(columns), key)
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
            raise UnusableError(f"holds an array of the kind {kind}", WRITE_AGAIN)
        parts = (group["data"][:], group["indices"][:], group["indptr"][:])
        watch.step(0, 0)
        matrix = makes[kind](parts, shape=shape)
        matrix.check_format(full_check=True)
        return matrix.astype(np.float32).toarray()

    def _column(self, name: str) -> np.ndarray:
        values = column_values(self.nodes, self._obs[name], name)
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


def _numbers(values: np.ndarray, key: str) -> np.ndarray:
    if values.dtype.kind not in "fiub":
        raise UnusableError(f"holds texts in {key}", "choose another array of it")
    return values.astype(np.float32)


def _word(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
