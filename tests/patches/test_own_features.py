"""Features of people's own: read from every kind of file, and joined to the right patches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import MissingPackageError, PatchError
from napari_patchmap.patches import PatchSet, from_array, open_patches
from napari_patchmap.patches.own_features import feature_files
from napari_patchmap.patches.own_features.feature_files import read_features
from napari_patchmap.patches.own_features.joined_features import with_features
from tests.anndata_files import write_anndata

COUNT, WIDTH = 12, 4
VALUES = np.random.default_rng(3).normal(size=(COUNT, WIDTH)).astype(np.float32)
NAMES = [f"cell {i}.png" for i in range(COUNT)]
#: In which rows of a table they are written.
ORDER = np.random.default_rng(4).permutation(COUNT)


def patches_named(folder: Path) -> PatchSet:
    from PIL import Image

    folder.mkdir()
    for i, name in enumerate(NAMES):
        Image.fromarray(np.full((8, 8), 10 * i, np.uint8)).save(folder / name)
    return open_patches(folder)


def table(**more: object) -> pd.DataFrame:
    columns = {f"f{k}": VALUES[ORDER, k] for k in range(WIDTH)}
    return pd.DataFrame({"file": np.array(NAMES)[ORDER], **more, **columns})


def of_patches(patches: PatchSet) -> np.ndarray:
    """Return the features that each patch should have: those of its name."""
    return VALUES[[NAMES.index(name) for name in patches.table["source"]]]


def write_csv(path: Path) -> Path:
    table().to_csv(path, index=False)
    return path


def write_excel_csv(path: Path) -> Path:
    table().to_csv(path, index=False, sep=";", decimal=",")
    return path


def write_parquet(path: Path) -> Path:
    pytest.importorskip("pyarrow")
    table().set_index("file").to_parquet(path)
    return path


def write_h5ad(path: Path) -> Path:
    stems = [NAMES[i].removesuffix(".png") for i in ORDER]
    return write_anndata(path, stems, X=VALUES[ORDER], obsm={"X_pca": VALUES[ORDER, :2]})


@pytest.mark.parametrize(
    ("name", "write"),
    [("f.csv", write_csv), ("g.csv", write_excel_csv), ("f.parquet", write_parquet),
     ("f.h5ad", write_h5ad)],
)  # fmt: skip
def test_rows_go_to_the_patches_of_their_names(tmp_path, name, write):
    patches = patches_named(tmp_path / "cells")
    joined = with_features(patches, write(tmp_path / name))
    np.testing.assert_allclose(joined.own.values, of_patches(patches), rtol=1e-6)
    assert any("joined by" in note for note in joined.own.notes)
    some = joined.picked(np.array([5, 2]))
    np.testing.assert_array_equal(some.own.values, joined.own.values[[5, 2]])


def test_an_array_of_obsm_is_taken_by_its_key(tmp_path):
    patches = patches_named(tmp_path / "cells")
    joined = with_features(patches, write_h5ad(tmp_path / "f.h5ad"), "obsm/X_pca")
    np.testing.assert_array_equal(joined.own.values, of_patches(patches)[:, :2])
    assert (joined.own.part, joined.own.one_unit) == ("X_pca", True)
    assert not read_features(tmp_path / "f.h5ad").one_unit


def test_an_array_alone_goes_by_order_which_is_said_or_refused(tmp_path):
    patches = from_array(np.zeros((COUNT, 8, 8), np.uint8), name="stack")
    np.save(tmp_path / "f.npy", VALUES.astype(np.float64))
    joined = with_features(patches, tmp_path / "f.npy")
    np.testing.assert_array_equal(joined.own.values, VALUES)
    assert "in the order of the patches" in joined.own.notes[0]
    np.save(tmp_path / "short.npy", VALUES[:7])
    with pytest.raises(PatchError, match=r"short\.npy has 7 rows .* stack has 12 patches"):
        with_features(patches, tmp_path / "short.npy")


def test_a_column_index_counts_the_patches_of_a_stack(tmp_path):
    patches = from_array(np.zeros((COUNT, 8, 8), np.uint8), name="stack")
    rows = table(index=ORDER).drop(columns="file")
    rows.to_csv(tmp_path / "f.csv", index=False)
    joined = with_features(patches, tmp_path / "f.csv")
    np.testing.assert_allclose(joined.own.values, VALUES, rtol=1e-6)


def test_objects_are_joined_by_their_numbers(tmp_path):
    patches = from_array(np.zeros((COUNT, 8, 8), np.uint8), name="objects")
    patches.table["label_id"] = np.arange(COUNT) + 100
    rows = table(ObjectNumber=ORDER + 100).drop(columns="file")
    rows.to_csv(tmp_path / "f.csv", index=False)
    joined = with_features(patches, tmp_path / "f.csv")
    np.testing.assert_allclose(joined.own.values, VALUES, rtol=1e-6)


def test_names_that_do_not_match_are_counted_with_examples(tmp_path):
    patches = patches_named(tmp_path / "cells")
    rows = table()
    rows.assign(file="other " + rows["file"]).to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(PatchError, match=r"Only 0 of the 12 images .* features file .*f\.csv"):
        with_features(patches, tmp_path / "f.csv")
    rows[rows["file"] != NAMES[3]].to_csv(tmp_path / "part.csv", index=False)
    with pytest.raises(PatchError, match=r"1 of the 12 patches .*part\.csv \(cell 3\.png\)"):
        with_features(patches, tmp_path / "part.csv")


def test_one_row_for_several_patches_is_refused(tmp_path):
    patches = from_array(np.zeros((COUNT, 8, 8), np.uint8), name="slides")
    patches.table["source"] = ["a.tif", "b.tif"] * 6
    pd.DataFrame({"slide": ["a.tif", "b.tif"], "f": [1.0, 2.0]}).to_csv(tmp_path / "f.csv")
    with pytest.raises(PatchError, match="10 patches of slides have the same row"):
        with_features(patches, tmp_path / "f.csv")


def test_ids_classes_and_places_are_no_features_unless_they_are_chosen(tmp_path):
    more = {"ObjectNumber": np.arange(COUNT), "class": "a", "Location_Center_X": 1.0,
            "Location_Center_Y": 2.0, "ImageNumber": 7}  # fmt: skip
    table(**more).to_csv(tmp_path / "f.csv", index=False)
    found = read_features(tmp_path / "f.csv")
    assert found.names == ("f0", "f1", "f2", "f3")
    assert any("ObjectNumber" in note for note in found.notes)
    assert read_features(tmp_path / "f.csv", "f3, f0").names == ("f3", "f0")
    assert read_features(tmp_path / "f.csv", "f*").names == found.names
    assert read_features(tmp_path / "f.csv", "Location_Center_X").names == (
        "Location_Center_X",
    )


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("f0,class", "hold texts, which are no features: class"),
        ("nothing*", "no column nothing"),
    ],
)
def test_columns_that_cannot_be_features_are_named(tmp_path, columns, said):
    table(**{"class": "a"}).to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(PatchError, match=said):
        read_features(tmp_path / "f.csv", columns)


def test_gaps_are_refused_filled_or_left_out(tmp_path):
    patches = patches_named(tmp_path / "cells")
    rows = table()
    rows.loc[[2, 6], "f1"] = [np.nan, np.inf]
    rows.to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(PatchError, match=r"2 of 12 rows .* features f1\); mend them, or"):
        with_features(patches, tmp_path / "f.csv")
    known = rows["f1"][np.isfinite(rows["f1"])]
    filled = with_features(patches, tmp_path / "f.csv", gaps="median").own
    gone = [list(patches.table["source"]).index(rows["file"][row]) for row in (2, 6)]
    np.testing.assert_allclose(filled.values[gone, 1], np.median(known), rtol=1e-6)
    left = with_features(patches, tmp_path / "f.csv", gaps="columns").own
    assert left.names == ("f0", "f2", "f3")
    np.testing.assert_allclose(left.values, of_patches(patches)[:, [0, 2, 3]], rtol=1e-6)


def test_what_is_no_file_of_features_is_said(tmp_path, monkeypatch):
    with pytest.raises(PatchError, match=r"no file of features .*gone\.npy"):
        read_features(tmp_path / "gone.npy")
    (tmp_path / "f.xlsx").write_bytes(b"PK")
    with pytest.raises(PatchError, match=r"f\.xlsx is no file of features; choose .*\.npy"):
        read_features(tmp_path / "f.xlsx")
    np.save(tmp_path / "o.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(PatchError, match=r"o\.npy cannot be read as features"):
        read_features(tmp_path / "o.npy")
    np.save(tmp_path / "images.npy", np.zeros((4, 8, 8)))
    with pytest.raises(PatchError, match=r"images\.npy holds no row of numbers a patch"):
        read_features(tmp_path / "images.npy")
    write_anndata(tmp_path / "table.h5ad", ["a", "b"], obs={"cell_type": np.arange(2)})
    with pytest.raises(PatchError, match=r"table\.h5ad holds no features \(no X"):
        open_patches(tmp_path / "table.h5ad")
    monkeypatch.setattr(feature_files, "optional", _gone)
    (tmp_path / "f.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingPackageError, match="pip install pyarrow"):
        read_features(tmp_path / "f.parquet")


def _gone(name: str, package: str = "", extra: str = "") -> object:
    from napari_patchmap.optional import _Missing

    return _Missing(package or name, extra)


def test_a_file_that_was_written_again_is_read_again(tmp_path):
    np.save(tmp_path / "f.npy", VALUES)
    assert len(read_features(tmp_path / "f.npy")) == COUNT
    np.save(tmp_path / "f.npy", VALUES[:5])
    assert len(read_features(tmp_path / "f.npy")) == 5


def test_a_file_of_features_opens_as_points_without_pictures(tmp_path):
    kinds = pd.Categorical(["b", "a", None] * 4)
    path = write_anndata(
        tmp_path / "f.h5ad",
        [f"AAAC-{i}" for i in range(COUNT)],
        X=VALUES,
        obs={"cell_type": kinds, "x": np.arange(COUNT) * 1.5},
    )
    points = open_patches(path)
    assert not points.pictured
    assert points.table["label"].tolist() == ["b", "a", None] * 4
    assert points.label_from == "cell_type"
    assert points.table["name"].tolist()[:2] == ["AAAC-0", "AAAC-1"]
    np.testing.assert_array_equal(points.table["x (features file)"], np.arange(COUNT) * 1.5)
    assert len(np.unique(points.thumbnail(3))) == 1
    picked = with_features(points.picked(np.array([7, 1])), path)
    np.testing.assert_array_equal(picked.own.values, VALUES[[7, 1]])
    other = pd.DataFrame(
        {"cell": [f"AAAC-{i}" for i in range(COUNT)][::-1], "age": range(COUNT)}
    )
    other.to_csv(tmp_path / "more.csv", index=False)
    again = open_patches(path, labels=tmp_path / "more.csv")
    assert again.table["age"].tolist() == list(range(COUNT))[::-1]


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_anndata_in_a_store_is_read_as_anndata_in_a_file(tmp_path, zarr_format):
    known = {"obs": {"kind": np.array(list("ab"), object)}, "obsm": {"X_pca": np.eye(2)}}
    names = ["cell 1", "cell 2"]
    file = write_anndata(tmp_path / "f.h5ad", names, X=np.eye(2) * 3, **known)
    store = write_anndata(
        tmp_path / "f.zarr", names, X=np.eye(2) * 3, **known, zarr_format=zarr_format
    )
    for columns in (None, "X_pca"):
        one, two = (read_features(path, columns) for path in (file, store))
        np.testing.assert_array_equal(one.values, two.values)
        pd.testing.assert_frame_equal(one.keys, two.keys)
        assert one.one_unit == two.one_unit
    points = open_patches(store)
    assert (points.origin["kind"], points.table["name"].tolist()) == ("points", names)
    assert points.table["kind"].tolist() == ["a", "b"]


def test_points_of_a_table_keep_what_is_no_feature_as_columns(tmp_path):
    table(**{"class": ["a", "b"] * 6, "plate": "007"}).to_csv(tmp_path / "f.csv", index=False)
    points = open_patches(tmp_path / "f.csv")
    assert points.table["file"].tolist() == [NAMES[i] for i in ORDER]
    assert points.table["label"].tolist() == ["a", "b"] * 6
    assert points.table["plate"].tolist() == ["007"] * COUNT
    assert "f0" not in points.table
