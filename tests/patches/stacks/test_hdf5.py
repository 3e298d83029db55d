"""HDF5: what is read equals what h5py wrote; nothing else is opened, no plugin is loaded."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from napari_patchmap.errors import PatchError, UnclearArrayError
from napari_patchmap.patches import open_patches, reopen


def write(path: Path, **arrays: object) -> Path:
    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            file[name] = values
    return path


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"chunks": (4, 5, 12)},
        {"compression": "gzip"},
        {"compression": "lzf", "shuffle": True, "fletcher32": True},
    ],
)
@pytest.mark.parametrize("kind", ["u1", ">u2", "f2", "<f4", "?"])
def test_pixels_are_those_of_h5py(tmp_path, kind, stored):
    rng = np.random.default_rng(3)
    images = (rng.random((11, 9, 12)) * 200).astype(kind)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("cells", data=images, **stored)
    patches = open_patches(tmp_path / "a.h5")
    expected = images.astype(np.uint8) * 255 if kind == "?" else images
    np.testing.assert_array_equal(patches.stack()[..., 0], expected)
    assert patches.images.dtype == (np.uint8 if kind == "?" else images.dtype.newbyteorder("="))
    some = [7, 0, 10, 7]
    np.testing.assert_array_equal(patches.images.take(some)[..., 0], expected[some])


def test_a_file_with_a_block_of_the_user_before_it(tmp_path, grey):
    images = grey(5, 8, 8)
    with h5py.File(tmp_path / "a.h5", "w", userblock_size=512) as file:
        file["images"] = images
    np.testing.assert_array_equal(open_patches(tmp_path / "a.h5").stack()[..., 0], images)


def test_pcam_takes_the_labels_beside(tmp_path, grey):
    images, labels = grey(6, 16, 16, 3), np.array([0, 1, 1, 0, 1, 0], np.uint8)
    name = "camelyonpatch_level_2_split_train"
    write(tmp_path / f"{name}_x.h5", x=images)
    write(tmp_path / f"{name}_y.h5", y=labels.reshape(6, 1, 1, 1))
    patches = open_patches(tmp_path / f"{name}_x.h5")
    np.testing.assert_array_equal(patches.stack(), images)
    assert patches.channel_names == ("red", "green", "blue")
    assert patches.labels.tolist() == ["0", "1", "1", "0", "1", "0"]
    assert f"The labels are those of {name}_y.h5." in patches.notes
    write(tmp_path / f"{name}_y.h5", y=labels[:4].reshape(4, 1, 1, 1))
    with pytest.raises(PatchError, match="has 4 labels for 6 images"):
        open_patches(tmp_path / f"{name}_x.h5")
    with pytest.raises(PatchError, match=r"_y\.h5 holds no images.*it has y \(4,\)"):
        open_patches(tmp_path / f"{name}_y.h5")


def test_labels_and_columns_in_the_same_group(tmp_path, grey):
    images = grey(4, 8, 8)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["set/x"], file["set/y"] = images, [1, 0, 1, 1]
        file["set/name"] = ["α", "b", "c", "d"]
        file["set/y_mean"] = [0.5, 1.5, 2.5, 3.5]
        file["other"] = [1, 2, 3, 4]
    patches = open_patches(tmp_path / "a.h5")
    assert patches.labels.tolist() == ["1", "0", "1", "1"]
    assert patches.table["name"].tolist() == ["α", "b", "c", "d"]
    assert patches.table["y_mean"].tolist() == [0.5, 1.5, 2.5, 3.5]
    assert "other" not in patches.table


def test_one_of_several_arrays_is_chosen_by_its_key(tmp_path, grey):
    one, two = grey(4, 8, 8), grey(3, 10, 10)
    path = write(tmp_path / "a.h5", **{"one": one, "deep/two": two})
    with pytest.raises(UnclearArrayError, match="does not say which array") as raised:
        open_patches(path)
    assert raised.value.keys == ("deep/two", "one")
    patches = open_patches(path, key="deep/two")
    np.testing.assert_array_equal(patches.stack()[..., 0], two)
    again = reopen(json.loads(json.dumps(patches.origin)))
    np.testing.assert_array_equal(again.stack(), patches.stack())
    with pytest.raises(UnclearArrayError, match="'three'; choose among deep/two, one"):
        open_patches(path, key="three")


def test_names_of_axes_and_channels_are_taken(tmp_path, grey):
    images = grey(2, 6, 20, 24)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        array = file.create_dataset("data", data=images)
        array.attrs["axistags"] = json.dumps({"axes": [{"key": k} for k in "ctyx"]})
        array.attrs["channel_names"] = np.array([b"DAPI", b"actin"])
    patches = open_patches(tmp_path / "a.h5")
    assert patches.channel_names == ("DAPI", "actin")
    np.testing.assert_array_equal(patches.stack(), images.transpose(1, 2, 3, 0))


def test_nothing_outside_of_the_file_is_opened(tmp_path, grey):
    secret = write(tmp_path / "secret.h5", images=grey(4, 8, 8))
    (tmp_path / "raw.bin").write_bytes(grey(4, 8, 8).tobytes())
    with h5py.File(tmp_path / "link.h5", "w") as file:
        file["images"] = h5py.ExternalLink(str(secret), "images")
        file["group"] = h5py.ExternalLink(str(secret), "/")
        file["soft"] = h5py.SoftLink("/group/images")
    with pytest.raises(PatchError, match=r"link\.h5 .*it has nothing"):
        open_patches(tmp_path / "link.h5")
    with h5py.File(tmp_path / "raw.h5", "w") as file:
        file.create_dataset(
            "images", (4, 8, 8), np.uint8, external=[(str(tmp_path / "raw.bin"), 0, 256)]
        )
    with h5py.File(tmp_path / "virtual.h5", "w") as file:
        layout = h5py.VirtualLayout((4, 8, 8), np.uint8)
        layout[:] = h5py.VirtualSource(str(secret), "images", (4, 8, 8))
        file.create_virtual_dataset("images", layout)
    for name in ("raw.h5", "virtual.h5"):
        with pytest.raises(PatchError, match=f"{name} says .* lie in other files"):
            open_patches(tmp_path / name)


def test_a_decoder_that_is_a_plugin_is_refused(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plan.set_chunk((1, 8, 8))
        # Optional, so that it can be written here, where there is no such plugin.
        plan.set_filter(32015, h5py.h5z.FLAG_OPTIONAL, (3,))
        space = h5py.h5s.create_simple((4, 8, 8))
        h5py.h5d.create(file.id, b"images", h5py.h5t.STD_U8LE, space, plan)
    with pytest.raises(PatchError, match=r"compressed by Zstandard.*h5repack"):
        open_patches(tmp_path / "a.h5")


def test_groups_that_hold_each_other_come_to_an_end(tmp_path, grey):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        group = file.create_group("group")
        group["again"] = file["/"]
        group["images"] = grey(4, 8, 8)
    assert len(open_patches(tmp_path / "a.h5")) == 4


def test_damage_is_said_in_a_sentence(tmp_path, grey):
    (tmp_path / "text.h5").write_text("no HDF5")
    with pytest.raises(PatchError, match=r"text\.h5 is not an HDF5 file"):
        open_patches(tmp_path / "text.h5")
    path = write(tmp_path / "cut.h5", images=grey(40, 32, 32))
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(PatchError, match=r"cut\.h5 is not an HDF5 file that can be read"):
        open_patches(path)
    with h5py.File(tmp_path / "bad.h5", "w") as file:
        array = file.create_dataset(
            "images", data=grey(3, 32, 32), chunks=(1, 32, 32), compression="gzip"
        )
        place = array.id.get_chunk_info(1)
    raw = bytearray((tmp_path / "bad.h5").read_bytes())
    raw[place.byte_offset : place.byte_offset + 40] = bytes(40)
    (tmp_path / "bad.h5").write_bytes(raw)
    patches = open_patches(tmp_path / "bad.h5")
    assert len(patches) == 2
    (skipped,) = patches.skipped
    assert skipped.source == "bad.h5 [1]"
    assert "chunk 1 x 0 x 0 of /images" in skipped.reason


def test_an_array_may_claim_too_much(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("images", (60_000_000, 8, 8), np.uint8, chunks=(1, 8, 8))
    with pytest.raises(PatchError, match="claims 60,000,000 patches"):
        open_patches(tmp_path / "a.h5")
