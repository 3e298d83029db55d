"""Folders become classes and splits; which of them is the label is said and can be changed."""

import json
import os
import unicodedata

import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import bundled_cells, open_patches, reopen
from napari_patchmap.patches.labels.choice import label_columns, with_label
from napari_patchmap.patches.readers.folder.folder_labels import folder_columns

TWO = ("lymph", "mono")


def columns(*folders):
    names = [f"{folder}/{i}.png" if folder else f"{i}.png" for i, folder in enumerate(folders)]
    return folder_columns(names)


def each(*splits):
    return [f"{split}/{kind}" for split in splits for kind in TWO]


@pytest.mark.parametrize(
    ("folders", "split"),
    [
        (each("train", "test"), "split"),
        (each("TRAIN", "TEST", "TEST_SIMPLE"), "split"),
        (each("Training Set", "val-1", "testset"), "split"),
        (each("fold_0", "fold_1", "fold 2"), "fold"),
        (each("cv1", "cv2"), "fold"),
        ([*each("train"), "test", "test"], "split"),  # a flat test beside classes
        ([*each("train", "test"), ""], "split"),  # a picture beside them
        ([*each("train", "test", "extra")], "split"),
        ([*each("set/train", "set/test"), "set"], "split"),
        (each("train"), "split"),
    ],
)
def test_class_and_split_are_columns(folders, split):
    found, note = columns(*folders)
    bare = [folder.removeprefix("set").strip("/").split("/") for folder in folders]
    assert found["label"] == [p[1] if len(p) > 1 else None for p in bare]
    assert found[split] == [p[0] or None for p in bare]
    assert "labels are the folders lymph, mono" in note
    assert f"'{split}'" in note


def test_splits_within_classes_and_within_splits():
    found, _ = columns("lymph/train", "lymph/test", "mono/train", "mono/test")
    assert found["label"] == ["lymph", "lymph", "mono", "mono"]
    assert found["split"] == ["train", "test"] * 2
    found, _ = columns("fold0/train/a", "fold0/test/b", "fold1/train/a", "fold1/test/b")
    assert found["label"] == ["a", "b"] * 2
    assert found["split"] == ["train", "test"] * 2
    assert found["fold"] == ["fold0", "fold0", "fold1", "fold1"]


def test_words_of_splits_may_be_classes():
    assert columns("bus", "car", "train") == ({"label": ["bus", "car", "train"]}, "")
    assert columns("test_positive", "test_negative")[0] == {
        "label": ["test_positive", "test_negative"]
    }
    found, note = columns("train", "test")
    assert found == {"split": ["train", "test"]}
    assert "taken for splits, not for labels" in note


def test_deeper_folders_are_columns_too():
    found, note = columns("p1/lymph", "p1/mono", "p2/lymph", "p2/mono")
    assert found["label"] == ["p1", "p1", "p2", "p2"]
    assert found["folder 2"] == [*TWO, *TWO]
    assert "'folder 2'" in note
    assert columns("a", "b", "") == ({"label": ["a", "b", None]}, "")
    assert columns("", "") == ({}, "")


@pytest.fixture
def splits(write, folder, grey):
    for name in ("train/lymph/1", "train/mono/2", "test/lymph/3"):
        write(f"{name}.png", grey(8, 8))
    return folder


def test_any_column_can_be_made_the_label(splits, tmp_path):
    (tmp_path / "t.csv").write_text("file,label,patient\n1.png,x,7\n2.png,y,7\n3.png,z,8\n")
    ps = open_patches(splits)
    assert label_columns(ps.table, ps.label_from) == ["folder", "split"]
    for wanted in ("split", "SPLIT "):
        ps = open_patches(splits, label_column=wanted)
        assert ps.labels.tolist() == ["test", "train", "train"]
        assert ps.table["folder"].tolist() == ["lymph", "lymph", "mono"]
        assert "split" not in ps.table
    again = reopen(json.loads(json.dumps(ps.origin)))
    assert again.table.equals(ps.table)
    back = with_label(ps, "folder")
    assert back.labels.tolist() == ["lymph", "lymph", "mono"]
    assert sorted(back.table.columns) == sorted(open_patches(splits).table.columns)
    assert reopen(back.origin).labels.tolist() == back.labels.tolist()
    ps = open_patches(splits, labels=tmp_path / "t.csv", label_column="patient")
    assert ps.labels.tolist() == ["8", "7", "7"]
    assert ps.table["label (labels file)"].tolist() == ["z", "x", "y"]
    assert ps.table["folder"].tolist() == ["lymph", "lymph", "mono"]
    assert open_patches(splits, label_column="source").labels.tolist() == [
        "test/lymph/3.png", "train/lymph/1.png", "train/mono/2.png",
    ]  # fmt: skip
    with pytest.raises(
        PatchError, match=r"set has no column 'cell' to be .* folder, split, or "
    ):
        open_patches(splits, label_column="cell")


def test_the_finer_labels_of_the_bundled_cells_can_be_chosen():
    ps = with_label(bundled_cells(), "fine")
    assert set(ps.labels) > {"band neutrophil"} or len(set(ps.labels)) > 8
    assert reopen(ps.origin).labels.tolist() == ps.labels.tolist()


def test_names_compare_in_one_form(folder, write, grey, tmp_path):
    path = write("x.png", grey(8, 8))
    for i, form in enumerate(("NFC", "NFD", "NFD", "NFC")):
        kind = unicodedata.normalize(form, "Zellkörper") + " " * (i == 3)
        to = folder / kind / unicodedata.normalize("NFD", f"Präparat{i}.png")
        to.parent.mkdir(exist_ok=True)
        to.write_bytes(path.read_bytes())
    os.remove(path)
    rows = [f"Präparat{i}.png,{'ab'[i % 2]},{i}" for i in range(4)]
    (tmp_path / "t.csv").write_text("\n".join(["file,label,nr", *rows]), encoding="utf-8")
    assert open_patches(folder).label_counts().to_dict() == {"Zellkörper": 4}
    ps = open_patches(folder, labels=tmp_path / "t.csv", pattern="Präparat{number}")
    assert ps.table["nr"].tolist() == ps.table["number"].tolist()
    assert ps.labels.tolist() == ["ab"[i % 2] for i in ps.table["nr"]]


def test_labels_that_differ_in_case_are_said_and_not_merged(folder, write, grey):
    for name in ("Lymph/1.png", "lymph/2.png", "mono/3.png"):
        write(name, grey(8, 8))
    ps = open_patches(folder)
    assert sorted(ps.labels) == ["Lymph", "lymph", "mono"]
    assert any("'Lymph' and 'lymph' differ only in upper and lower" in n for n in ps.notes)
