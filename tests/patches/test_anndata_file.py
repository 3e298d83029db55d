"""What is in an .h5ad file is read as it was written."""

from __future__ import annotations

import json
import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from napari_patchmap.errors import PatchError
from napari_patchmap.patches.anndata_file import anndata_file
from tests.anndata_files import write_anndata

NAMES = [f"cell {i}" for i in range(6)]
VALUES = np.arange(24, dtype=np.float32).reshape(6, 4) * (np.arange(4) != 2)


@pytest.fixture(params=[("a.h5ad", 3), ("a.zarr", 2), ("a.zarr", 3)], ids=str)
def write(request, tmp_path):
    """Writes AnnData as a file, and as stores of both formats of Zarr."""
    name, zarr_format = request.param
    return partial(write_anndata, tmp_path / name, zarr_format=zarr_format)


def test_columns_of_every_kind_are_read(write):
    kinds = pd.Categorical(["b", "a", None, "a", "b", "b"], categories=["b", "a", "unused"])
    gaps = pd.array([1, None, 3, 4, 5, 6], dtype="Int64")
    obs = {
        "kind": kinds, "day": gaps, "area": np.linspace(0, 1, 6),
        "alive": np.arange(6) % 2 == 0, "well": np.array(list("ABCDEF"), object),
        "number": pd.Categorical([7, 8, 7, 8, 7, None]),
    }  # fmt: skip
    path = write(NAMES, X=VALUES, obs=obs, index="cell_id")
    with anndata_file(path) as file:
        table, notes = file.obs()
        assert (file.names, file.index_name, file.keys) == (NAMES, "cell_id", ["X"])
    assert list(table) == list(obs)
    assert notes == []
    assert table["kind"].tolist() == ["b", "a", None, "a", "b", "b"]
    np.testing.assert_array_equal(table["day"], [1, np.nan, 3, 4, 5, 6])
    np.testing.assert_array_equal(table["number"], [7, 8, 7, 8, 7, np.nan])
    np.testing.assert_array_equal(table["area"], obs["area"])
    assert table["alive"].tolist() == [True, False] * 3
    assert table["well"].tolist() == list("ABCDEF")


@pytest.mark.parametrize(
    "made", [np.asarray, sparse.csr_matrix, sparse.csc_matrix, lambda x: x.astype(np.int16)]
)
def test_arrays_dense_and_sparse_are_the_same_numbers(write, made):
    table = pd.DataFrame({"a": VALUES[:, 1], "b": VALUES[:, 3]})
    path = write(NAMES, X=made(VALUES), obsm={"X_pca": VALUES[:, :2], "table": table})
    with anndata_file(path) as file:
        assert file.keys == ["X", "X_pca", "table"]
        assert file.shape("X") == (6, 4)
        rows = file.rows("X")
        np.testing.assert_array_equal(file.rows("obsm/X_pca"), VALUES[:, :2])
        np.testing.assert_array_equal(file.rows("table"), table)
    np.testing.assert_array_equal(rows, VALUES)
    assert rows.dtype == np.float32


def test_a_key_that_is_not_there_lists_those_that_are(write):
    path = write(NAMES, X=VALUES, obsm={"X_pca": VALUES})
    with (
        pytest.raises(PatchError, match=r"a\.\w+ has no X_umap; .* X, X_pca\.$"),
        anndata_file(path) as file,
    ):
        file.rows("X_umap")


def test_a_sparse_matrix_with_wrong_indices_is_refused(write):
    matrix = sparse.csr_matrix(VALUES)
    matrix.indices[3] = 4000
    path = write(NAMES, X=matrix)
    with (
        pytest.raises(PatchError, match="cannot be read as AnnData"),
        anndata_file(path) as file,
    ):
        file.rows("X")


def test_an_array_larger_than_memory_is_refused_before_it_is_read(write, monkeypatch):
    path = write(NAMES, X=VALUES)
    monkeypatch.setattr("napari_patchmap.patches.room.free_memory", lambda: 100)
    with pytest.raises(PatchError, match="choose fewer features"), anndata_file(path) as file:
        file.rows("X")


def test_other_files_are_said_to_be_none(tmp_path):
    h5py = pytest.importorskip("h5py")
    other = tmp_path / "other.h5ad"
    with h5py.File(other, "w") as file:
        file["x"] = np.zeros(3)
    with pytest.raises(PatchError, match="is not AnnData"), anndata_file(other):
        pass
    other.write_bytes(b"no HDF5 at all")
    with pytest.raises(PatchError, match="cannot be read as AnnData"), anndata_file(other):
        pass
    with pytest.raises(PatchError, match="no file"), anndata_file(tmp_path / "gone.h5ad"):
        pass
    old = tmp_path / "old.h5ad"
    with h5py.File(old, "w") as file:
        file["obs"] = np.zeros(3, [("index", "S4"), ("kind", "i1")])
    with pytest.raises(PatchError, match=r"before version 0\.7"), anndata_file(old):
        pass


@pytest.mark.parametrize("place", ["X", "obsm/X_pca", "obs/kind"])
def test_a_store_that_would_run_code_is_not_decoded(tmp_path, place):
    arrays = {"X": VALUES, "obsm": {"X_pca": VALUES}, "obs": {"kind": np.arange(6)}}
    path = write_anndata(tmp_path / "a.zarr", NAMES, **arrays, zarr_format=2)
    described = path / place / ".zarray"
    known = json.loads(described.read_text())
    described.write_text(json.dumps(known | {"filters": [{"id": "pickle"}]}))
    with pytest.raises(PatchError, match=r"a\.zarr.*'pickle'"), anndata_file(path) as file:
        file.rows(place)


def test_without_h5py_one_is_told_what_to_install(tmp_path, monkeypatch):
    (tmp_path / "a.h5ad").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Exception, match="pip install h5py"), anndata_file(tmp_path / "a.h5ad"):
        pass


@pytest.mark.parametrize("place", ["X", "obsm/X_pca", "obs"])
def test_what_lies_in_another_file_is_not_opened(tmp_path, place):
    h5py = pytest.importorskip("h5py")
    names = ["a", "b", "c"]
    path = write_anndata(tmp_path / "cells.h5ad", names, X=np.eye(3), obsm={"X_pca": np.eye(3)})
    other = write_anndata(
        tmp_path / "other.h5ad", names, X=np.eye(3), obsm={"X_pca": np.eye(3)}
    )
    with h5py.File(path, "a") as file:
        del file[place]
        file[place] = h5py.ExternalLink(other.name, place)
    with pytest.raises(PatchError, match="a link"), anndata_file(path) as file:
        file.rows(place)
