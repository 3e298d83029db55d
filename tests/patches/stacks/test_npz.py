"""NPZ files as MedMNIST lays them out, and with plain images and labels."""

import io
import zipfile

import numpy as np
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.npz.npz_member import Member
from napari_patchmap.patches.watch import Watch


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
        ({"a": np.arange(3)}, r"a\.npz holds no images: .*\(it has a \(3,\)\)"),
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


def test_splits_of_different_compression(tmp_path, grey, monkeypatch):
    arrays = {
        "train_images": grey(30, 12, 14, 3),
        "test_images": grey(20, 12, 14, 3),
        "train_labels": np.arange(30),
        "test_labels": np.arange(20),
    }
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "w") as file:
        for key, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array)
            how = zipfile.ZIP_STORED if key.startswith("train") else zipfile.ZIP_DEFLATED
            file.writestr(f"{key}.npy", stream.getvalue(), how)
    both = np.concatenate([arrays["train_images"], arrays["test_images"]])
    for small in (10**9, 100):  # kept in memory, or unpacked when wanted
        monkeypatch.setattr("napari_patchmap.patches.readers.npz.npz_member._SMALL", small)
        ps = open_patches(path)
        some = np.random.default_rng(0).integers(0, 50, 99)
        np.testing.assert_array_equal(ps.take(some), both[some])
        np.testing.assert_array_equal(ps[49], both[49])
        assert ps.table["split"].tolist() == ["train"] * 30 + ["test"] * 20
        assert ps.labels.tolist() == [str(i) for i in [*range(30), *range(20)]]


def test_large_compressed_images_are_unpacked_once_and_damage_is_told(
    tmp_path, rng, monkeypatch
):
    monkeypatch.setattr("napari_patchmap.patches.readers.npz.npz_member._SMALL", 100)
    path, pixels = tmp_path / "a.npz", rng.integers(0, 99, (900, 3, 32, 32)).astype(">u2")
    np.savez_compressed(path, images=pixels)
    ps = open_patches(path)
    np.testing.assert_array_equal(
        ps.take([899, 0, 7]), pixels[[899, 0, 7]].transpose(0, 2, 3, 1)
    )
    whole = path.read_bytes()
    middle = len(whole) // 2
    path.write_bytes(whole[:middle] + b"\xff" * 400 + whole[middle + 400 :])
    ps = open_patches(path)
    assert 0 < len(ps) < 900
    np.testing.assert_array_equal(ps[0], pixels[0].transpose(1, 2, 0))
    assert len(ps) + len(ps.skipped) == 900
    assert ps.skipped[-1].reason.startswith(f"{path} is damaged in 'images' from image")


def test_locked_and_odd_zip_files(tmp_path, grey):
    path = tmp_path / "a.npz"
    np.savez(path, images=grey(30, 8, 8))
    data = bytearray(path.read_bytes())
    for sign, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.find(sign) + at] |= 1  # says that it needs a password
    path.write_bytes(data)
    with pytest.raises(PatchError, match=r"a\.npz is not a complete \.npz file \(.*encrypted"):
        open_patches(path)


def test_unpacking_is_counted_in_images(tmp_path, grey):
    np.savez_compressed(tmp_path / "a.npz", images=grey(40, 160, 160))
    seen = []
    open_patches(tmp_path / "a.npz", watch=Watch(lambda *step: seen.append(step)))
    unpacked = [done for done, total in seen if total == 40]
    assert len(unpacked) >= 3
    assert all(total in (0, 40) for _, total in seen)
    assert max(unpacked) <= 40


def write_bomb(path, shape, dtype="|u1", **arrays):
    """Write arrays, and beside them one of zeros that unpacks to much more than it takes."""
    head = repr({"descr": dtype, "fortran_order": False, "shape": shape}).encode()
    head += b" " * (-(len(head) + 11) % 64) + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for key, array in arrays.items():
            stream = io.BytesIO()
            np.save(stream, array)
            file.writestr(f"{key}.npy", stream.getvalue())
        with file.open("bomb.npy", "w") as member:
            member.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)
            for _ in range(int(np.prod(shape)) * np.dtype(dtype).itemsize // 2**20):
                member.write(bytes(2**20))


def test_what_is_no_column_is_not_unpacked(tmp_path, grey, monkeypatch):
    path, read = tmp_path / "a.npz", []
    real = Member.read

    def note(self, watch):
        read.append(self.key)
        return real(self, watch)

    monkeypatch.setattr(Member, "read", note)
    # Some values; as many as patches, but each very wide; many values a patch.
    for shape, dtype in (((2**24,), "|u1"), ((24,), "<U1048576"), ((24, 2**20), "|u1")):
        images = grey(24, 8, 8)
        write_bomb(path, shape, dtype, images=images, labels=np.arange(24))
        ps = open_patches(path)
        assert ps.notes == ["Not one value a patch, so not used: bomb."]
        assert "bomb" not in ps.table
        np.testing.assert_array_equal(ps.stack(), images[..., None])
        write_bomb(path, shape, dtype, train_images=images, test_images=images)
        assert open_patches(path).notes == ["Not one value a patch, so not used: bomb."]
    assert "bomb" not in read


def test_columns_count_patches_along_whichever_axes(tmp_path, grey):
    images, labels = grey(3, 4, 8, 9), np.arange(12)
    np.savez(tmp_path / "a.npz", images=images, labels=labels, area=labels / 2)
    ps = open_patches(tmp_path / "a.npz", axes="TZYX")
    assert ps.labels.tolist() == list(map(str, labels))
    assert ps.table["area"].tolist() == (labels / 2).tolist()


def test_images_that_unpack_to_more_than_the_memory_are_refused(tmp_path, monkeypatch, grey):
    path = tmp_path / "a.npz"
    monkeypatch.setattr("napari_patchmap.patches.room.free_memory", lambda: 10_000)
    np.savez_compressed(path, images=grey(99, 16, 16))
    with pytest.raises(PatchError, match=r"'images' in .*a\.npz takes 0\.0 GB when it is read"):
        open_patches(path)


def test_the_lengths_of_columns_are_told_without_reading_them(tmp_path, grey):
    np.savez(tmp_path / "a.npz", images=grey(3, 8, 8), labels=np.zeros((2, 1)))
    with pytest.raises(PatchError, match="has 2 labels for 3 images"):
        open_patches(tmp_path / "a.npz")
    parts = {f"{s}_images": grey(3, 8, 8) for s in ("train", "test")}
    np.savez(tmp_path / "a.npz", **parts, train_extra=np.zeros(3), test_extra=np.float64(1))
    with pytest.raises(PatchError, match="has 0 test_extra for 3 test_images"):
        open_patches(tmp_path / "a.npz")
