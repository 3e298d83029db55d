"""NPZ files as MedMNIST lays them out, and with plain images and labels."""

import numpy as np
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches


def test_medmnist_splits_are_joined(tmp_path, grey):
    parts = {"train": 5, "val": 2, "test": 3}
    arrays = {f"{s}_images": grey(n, 28, 28, 3) for s, n in parts.items()}
    labels = {f"{s}_labels": grey(n, 1) % 4 for s, n in parts.items()}
    np.savez_compressed(tmp_path / "mnist.npz", **labels, **arrays)
    ps = open_patches(tmp_path / "mnist.npz")
    np.testing.assert_array_equal(ps.stack(), np.concatenate(list(arrays.values())))
    assert ps.table["split"].tolist() == ["train"] * 5 + ["val"] * 2 + ["test"] * 3
    assert ps.labels.tolist() == [str(v) for v in np.concatenate(list(labels.values()))[:, 0]]
    assert ps.is_rgb


def test_medmnist_grey_and_many_labels(tmp_path, grey):
    np.savez(
        tmp_path / "chest.npz",
        train_images=grey(4, 28, 28),
        train_labels=grey(4, 3) % 2,
        test_images=grey(2, 28, 28),
        test_labels=grey(2, 3) % 2,
    )
    ps = open_patches(tmp_path / "chest.npz")
    assert ps.channel_names == ("grey",)
    assert ps.labels is None
    assert {"label 0", "label 1", "label 2"} <= set(ps.table)
    assert len(ps) == 6


def test_plain_images_with_class_names_and_columns(tmp_path, grey):
    images = grey(4, 8, 8, 3)
    np.savez(
        tmp_path / "a.npz",
        images=images,
        labels=np.array([1, 0, 1, 2]),
        class_names=np.array(["a", "b", "c"]),
        files=np.array(["p/1.png", "p/2.png", "q/1.png", "q/2.png"]),
        area=np.array([1.5, 2.5, 3.5, 4.5]),
        x=np.arange(4),
        scale=np.array(3),
    )
    ps = open_patches(tmp_path / "a.npz")
    np.testing.assert_array_equal(ps.stack(), images)
    assert ps.labels.tolist() == ["b", "a", "b", "c"]
    assert ps.table["area"].tolist() == [1.5, 2.5, 3.5, 4.5]
    assert ps.table["files"][2] == "q/1.png"
    assert ps.table["x"].tolist() == [0, 0, 0, 0]  # where the patch lies is not overwritten
    assert ps.table["x (npz)"].tolist() == [0, 1, 2, 3]
    assert ps.notes == ["Not one value a patch, so not used: scale."]


def test_labels_of_any_kind_become_text(tmp_path, grey):
    for labels, text in (
        (np.array(["x", "", "z"]), ["x", "", "z"]),
        (np.array([1.0, 2.0, np.nan]), ["1", "2", ""]),
        (np.array([b"x", b"y", b"z"]), ["x", "y", "z"]),
        (np.array([True, False, True]), ["True", "False", "True"]),
    ):
        np.savez(tmp_path / "a.npz", images=grey(3, 8, 8), labels=labels)
        assert open_patches(tmp_path / "a.npz").labels.tolist() == text


def test_files_column_takes_a_csv(tmp_path, grey):
    np.savez(
        tmp_path / "a.npz", images=grey(3, 8, 8), files=np.array(["1.png", "2.png", "3.png"])
    )
    (tmp_path / "labels.csv").write_text("file,label\n3.png,c\n1.png,a\n")
    ps = open_patches(tmp_path / "a.npz", labels=tmp_path / "labels.csv")
    assert ps.labels.tolist() == ["a", "", "c"]


def test_a_file_that_needs_pickle_is_never_loaded(tmp_path, grey):
    labels = np.array(["a", None], dtype=object)
    np.savez(tmp_path / "a.npz", images=grey(2, 8, 8), labels=labels, allow_pickle=True)
    with pytest.raises(
        PatchError, match=r"a\.npz holds Python objects in 'labels'.*run code; save"
    ):
        open_patches(tmp_path / "a.npz")


def test_what_does_not_fit_is_one_sentence(tmp_path, grey):
    path = tmp_path / "a.npz"
    cases = [
        (
            {"images": grey(3, 8, 8), "labels": np.arange(2)},
            r"a\.npz has 2 labels for 3 images",
        ),
        (
            {
                "images": grey(2, 8, 8),
                "labels": np.array([0, 5]),
                "class_names": np.array(["a"]),
            },
            r"a\.npz has labels from 0 to 5 but 1 class_names",
        ),
        ({"a": grey(3, 8, 8), "b": grey(3, 8, 8)}, r"a\.npz does not say .*'images'"),
        ({"a": np.arange(3)}, r"a\.npz does not say which array holds the images"),
        (
            {"train_images": grey(3, 8, 8), "test_images": grey(3, 9, 9)},
            r"of .*a\.npz have different shapes",
        ),
        (
            {"train_images": grey(3, 8, 8), "train_labels": np.arange(2)},
            r"a\.npz has 2 train_labels for 3 train_images",
        ),
        (
            {
                "train_images": grey(3, 8, 8),
                "test_images": grey(3, 8, 8),
                "train_labels": np.arange(3),
            },
            r"a\.npz has 'train_labels' but no 'test_labels'",
        ),
    ]
    for arrays, message in cases:
        np.savez(path, **arrays)
        with pytest.raises(PatchError, match=message):
            open_patches(path)


def test_the_only_stack_is_taken(tmp_path, grey):
    np.savez(tmp_path / "a.npz", grey(3, 8, 8))
    assert len(open_patches(tmp_path / "a.npz")) == 3


def test_a_damaged_file(tmp_path, grey):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=grey(30, 8, 8))
    whole = path.read_bytes()
    for data in (b"", b"text, not a zip", whole[:500], whole[:200] + b"\0" * 50 + whole[250:]):
        path.write_bytes(data)
        with pytest.raises(PatchError, match=r"a\.npz is not a complete \.npz file"):
            open_patches(path)
