"""scPortrait's images of cells: written as its write_h5sc does, read with names and columns."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest
import zarr

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import Kind, open_patches
from napari_patchmap.patches.recognise import recognise
from tests.anndata_files import write_anndata

NAMES = ["seg_nucleus", "seg_cytosol", "DAPI", "actin"]
KINDS = ["mask", "mask", "image_channel", "image_channel"]
CELLS = [f"cell {i}" for i in (7, 3, 9, 4, 1)]


def write_h5sc(
    path: Path, *, said: str = "attrs", cells: list[str] = CELLS, **obs: object
) -> np.ndarray:
    """Write five cells as scPortrait 1.8 does; names of channels stand where ``said`` says."""
    images = np.random.default_rng(1).random((5, 4, 12, 14)).astype(np.float16)
    images[:, :2] = images[:, :2] > 0.5
    write_anndata(path, cells, obs={"scportrait_cell_id": np.array([7, 3, 9, 4, 1]), **obs})
    with h5py.File(path, "a") as file:
        array = file.create_dataset(
            "obsm/single_cell_images", data=images, chunks=(1, 1, 12, 14), compression="gzip"
        )
        array.attrs["encoding-type"], array.attrs["encoding-version"] = "array", "0.2.0"
        if said == "attrs":
            array.attrs["n_masks"] = 2
            array.attrs["channel_names"] = np.array([name.encode() for name in NAMES])
            array.attrs["channel_mapping"] = np.array([kind.encode() for kind in KINDS])
        elif said == "uns":
            file["uns/single_cell_images/channel_names"] = NAMES
            file["uns/single_cell_images/channel_mapping"] = KINDS
        elif said == "var":
            file["var/channels"] = NAMES
            file["var/channel_mapping/codes"] = np.array([1, 1, 0, 0], np.int8)
            file["var/channel_mapping/categories"] = ["image_channel", "mask"]
    return images


@pytest.mark.parametrize("said", ["attrs", "uns", "var"])
def test_channels_come_with_their_names_and_without_the_masks(tmp_path, said):
    images = write_h5sc(tmp_path / "cells.h5sc", said=said)
    patches = open_patches(tmp_path / "cells.h5sc")
    assert patches.channel_names == ("DAPI", "actin")
    np.testing.assert_array_equal(patches.stack(), images[:, 2:].transpose(0, 2, 3, 1))
    (note,) = (note for note in patches.notes if "masks" in note)
    assert "left out (seg_nucleus, seg_cytosol)" in note
    named = open_patches(tmp_path / "cells.h5sc", channels=["actin", "seg_nucleus"])
    np.testing.assert_array_equal(named.stack(), images[:, [3, 0]].transpose(0, 2, 3, 1))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_cells_of_a_store_are_those_of_a_file(tmp_path, zarr_format):
    images = write_h5sc(tmp_path / "cells.h5ad", kind=np.array(list("abcde"), object))
    expected = open_patches(tmp_path / "cells.h5ad")
    store = write_anndata(
        tmp_path / "cells.zarr", CELLS, zarr_format=zarr_format,
        obs={"scportrait_cell_id": np.array([7, 3, 9, 4, 1]), "kind": np.array(list("abcde"))},
        obsm={"single_cell_images": images},
    )  # fmt: skip
    array = zarr.open_group(store, mode="a")["obsm/single_cell_images"]
    array.attrs.update({"channel_names": NAMES, "channel_mapping": KINDS})
    assert recognise(store) is Kind.STACK
    found = open_patches(store)
    assert (found.channel_names, found.notes) == (expected.channel_names, expected.notes)
    np.testing.assert_array_equal(found.stack(), expected.stack())
    pd.testing.assert_frame_equal(
        found.table.drop(columns="source"), expected.table.drop(columns="source")
    )
    named = open_patches(store, channels=["actin", "seg_nucleus"])
    np.testing.assert_array_equal(named.stack(), images[:, [3, 0]].transpose(0, 2, 3, 1))


def test_without_names_nothing_is_left_out(tmp_path):
    write_h5sc(tmp_path / "cells.h5ad", said="nowhere")
    assert open_patches(tmp_path / "cells.h5ad").channel_names == tuple(
        f"channel {i}" for i in range(4)
    )


def test_the_table_is_obs(tmp_path):
    write_h5sc(
        tmp_path / "cells.h5sc",
        label=pd.Categorical(["B", "T", "B", None, "T"], categories=["B", "T"]),
        area=np.array([1.5, 2.5, 3.5, 4.5, 5.5]),
        x=np.arange(5),
    )
    patches = open_patches(tmp_path / "cells.h5sc")
    assert patches.labels.tolist() == ["B", "T", "B", "", "T"]
    assert patches.table["scportrait_cell_id"].tolist() == [7, 3, 9, 4, 1]
    assert patches.table["area"].tolist() == [1.5, 2.5, 3.5, 4.5, 5.5]
    assert patches.table["x (obs)"].tolist() == [0, 1, 2, 3, 4]


def test_a_column_of_obs_that_names_classes_is_the_label(tmp_path):
    kinds = ["B", "T", "B", "T", "T"]
    write_h5sc(tmp_path / "cells.h5sc", cell_type=pd.Categorical(kinds))
    patches = open_patches(tmp_path / "cells.h5sc")
    assert (patches.labels.tolist(), patches.label_from) == (kinds, "cell_type")
    write_h5sc(tmp_path / "none.h5sc", cell_type=pd.Categorical([None] * 5, categories=["B"]))
    assert open_patches(tmp_path / "none.h5sc").labels is None


def test_a_table_is_joined_by_the_names_of_cells(tmp_path):
    write_h5sc(tmp_path / "cells.h5sc")
    (tmp_path / "t.csv").write_text("cell,label\ncell 1,a\ncell 3,b\ncell 7,c\n")
    patches = open_patches(tmp_path / "cells.h5sc", labels=tmp_path / "t.csv")
    assert patches.labels.tolist() == ["c", "b", "", "", "a"]


def test_files_of_a_folder_are_one_set_joined_by_cell_or_by_file(tmp_path):
    others = [name.replace("cell", "other") for name in CELLS]
    images = [
        write_h5sc(tmp_path / "w1.h5sc", batch=["x"] * 5),
        write_h5sc(tmp_path / "w2.h5sc", cells=others, batch=["y"] * 5),
    ]
    assert recognise(tmp_path) is Kind.STACK
    table = tmp_path / "t.csv"
    table.write_text("cell,label\ncell 1,a\nother 3,b\n")
    patches = open_patches(tmp_path, labels=table)
    seen = np.concatenate(images)[:, 2:].transpose(0, 2, 3, 1)
    np.testing.assert_array_equal(patches.stack(), seen)
    assert patches.channel_names == ("DAPI", "actin")
    assert patches.table["batch"].tolist() == ["x"] * 5 + ["y"] * 5
    assert patches.labels.tolist() == ["", "", "", "", "a", "", "b", "", "", ""]
    table.write_text("file,label\nw1.h5sc,drug\nw2.h5sc,none\n")
    by_file = open_patches(tmp_path, labels=table)
    assert by_file.labels.tolist() == ["drug"] * 5 + ["none"] * 5
    alike = tmp_path / "alike"  # cells of the same names
    alike.mkdir()
    for name in ("w1", "w2"):
        write_h5sc(alike / f"{name}.h5sc")
    assert open_patches(alike, labels=table).labels.tolist() == by_file.labels.tolist()
    table.write_text("cell,label\ncell 1,a\ncell 3,b\n")
    with pytest.raises(PatchError, match=r"'cell 3', but there are several .* with its folder"):
        open_patches(alike, labels=table)
    table.write_text("cell,label\nw1.h5sc/cell 1,a\nw2.h5sc/cell 1,b\n")
    labels = open_patches(alike, labels=table).labels.tolist()
    assert labels == [""] * 4 + ["a"] + [""] * 4 + ["b"]


def test_what_is_no_image_of_cells(tmp_path):
    numbers, two = np.ones((5, 3), np.float32), np.ones((5, 2), np.float32)
    path = write_anndata(tmp_path / "a.h5ad", CELLS, X=numbers, obsm={"X_pca": two})
    assert recognise(path) is not Kind.STACK
    path = path.rename(tmp_path / "a.h5")
    with pytest.raises(PatchError, match=r"a\.h5 is AnnData without images .*X, X_pca"):
        open_patches(path)
    with h5py.File(path, "a") as file:
        file["obsm/single_cell_images"] = np.zeros((4, 2, 9, 9), np.uint8)
    with pytest.raises(PatchError, match="5 rows in obs and 4 images"):
        open_patches(path)


def test_a_table_elsewhere_is_not_read(tmp_path):
    write_h5sc(tmp_path / "other.h5sc")
    write_h5sc(tmp_path / "cells.h5sc")
    with h5py.File(tmp_path / "cells.h5sc", "a") as file:
        del file["obs/scportrait_cell_id"]
        file["obs/scportrait_cell_id"] = h5py.ExternalLink(
            str(tmp_path / "other.h5sc"), "obs/scportrait_cell_id"
        )
    with pytest.raises(PatchError, match="a link in place of obs/scportrait_cell_id"):
        open_patches(tmp_path / "cells.h5sc")
