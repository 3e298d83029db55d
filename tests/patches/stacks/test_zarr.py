"""Zarr and OME-Zarr stores, of both formats, whole and damaged."""

import shutil

import numpy as np
import pytest
import zarr

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches import open_patches, reopen


@pytest.fixture
def store(tmp_path):
    return tmp_path / "set.zarr"


def fill(path, pixels, chunks, fmt=3, **options):
    """Write an array with the chunks given."""
    made = zarr.create_array(
        path, shape=pixels.shape, dtype=pixels.dtype, chunks=chunks, zarr_format=fmt, **options
    )
    made[...] = pixels
    return made


def write_ome(path, pixels, axes, *, fmt=3, names=None, chunks=None):
    """Write an OME-Zarr image (0.5 in format 3, 0.4 in format 2) with one smaller level."""
    group = zarr.create_group(path, zarr_format=fmt)
    kinds = {"t": "time", "c": "channel"}
    known = [{"name": a, "type": kinds.get(a, "space")} for a in axes]
    scales = [{"axes": known, "datasets": [{"path": "0"}, {"path": "1"}], "version": "0.4"}]
    said = {"multiscales": scales}
    if names:
        said["omero"] = {"channels": [{"label": name} for name in names]}
    group.attrs.update({"ome": {"version": "0.5", **said}} if fmt == 3 else said)
    for level, part in enumerate((pixels, pixels[..., ::2, ::2])):
        array = group.create_array(
            str(level), shape=part.shape, dtype=part.dtype, chunks=chunks or part.shape
        )
        array[...] = part


@pytest.mark.parametrize("fmt", [2, 3])
@pytest.mark.parametrize("dtype", ["uint8", ">u2", "float32", "bool"])
def test_plain_arrays(store, rng, fmt, dtype):
    for shape, chunks in (
        ((20, 12, 14), (3, 12, 14)),
        ((20, 12, 14, 3), (7, 6, 14, 3)),
        ((20, 2, 12, 14), (1, 1, 12, 14)),
    ):
        pixels = rng.integers(0, 2, shape).astype(dtype)
        pixels[:, 0] = 1
        fill(store, pixels, chunks, fmt, overwrite=True)
        ps = open_patches(store)
        wanted = pixels if shape[-1] == 3 else pixels[..., None]
        if shape[1] == 2:
            wanted = pixels.transpose(0, 2, 3, 1)
        if dtype == "bool":
            wanted = wanted * np.uint8(255)
        some = rng.integers(0, 20, 60)
        np.testing.assert_array_equal(ps.take(some), wanted[some])
        assert ps.dtype.isnative
        assert ps.table["source"].unique().tolist() == ["set.zarr"]
    assert len(reopen(ps.origin)) == 20


def test_shards_and_names_of_axes(store, grey):
    pixels = grey(3, 40, 8, 9)
    names = ["channel", "cell", "y", "x"]
    fill(store, pixels, (1, 5, 8, 9), shards=(3, 20, 8, 9), dimension_names=names)
    ps = open_patches(store)
    np.testing.assert_array_equal(ps.take(range(40)), pixels.transpose(1, 2, 3, 0))
    assert ps.channel_names == ("channel 0", "channel 1", "channel 2")
    fill(store, pixels, (1, 5, 8, 9), 2, overwrite=True).attrs["_ARRAY_DIMENSIONS"] = names
    np.testing.assert_array_equal(open_patches(store)[7], pixels[:, 7].transpose(1, 2, 0))
    ps = open_patches(store, axes="TCYX")
    assert (len(ps), ps.channels) == (3, 40)


@pytest.mark.parametrize("fmt", [2, 3])
def test_a_group_with_labels_and_columns(store, grey, fmt):
    group = zarr.create_group(store, zarr_format=fmt)
    pixels = grey(6, 8, 8, 3)
    values = {
        "images": pixels,
        "labels": np.array([1, 0, 1, 1, 0, 0]),
        "area": np.arange(6) / 2,
        "x": np.arange(6),
        "weights": np.arange(5),
    }
    for key, array in values.items():
        made = group.create_array(key, shape=array.shape, dtype=array.dtype)
        made[...] = array
    ps = open_patches(store)
    np.testing.assert_array_equal(ps.take(range(6)), pixels)
    assert ps.labels.tolist() == ["1", "0", "1", "1", "0", "0"]
    assert ps.table["area"].tolist() == [0, 0.5, 1, 1.5, 2, 2.5]
    assert ps.table["x (zarr)"].tolist() == list(range(6))
    assert ps.notes == ["Not one value a patch, so not used: weights."]
    assert len(open_patches(store / "images")) == 6


@pytest.mark.parametrize("fmt", [2, 3])
def test_ome_zarr_names_its_channels(store, grey, fmt):
    pixels = grey(7, 2, 1, 16, 18, dtype="uint16")
    write_ome(store, pixels, "tczyx", fmt=fmt, names=["DAPI", "GFP"], chunks=(1, 1, 1, 16, 18))
    ps = open_patches(store)
    np.testing.assert_array_equal(ps.take(range(7)), pixels[:, :, 0].transpose(0, 2, 3, 1))
    assert ps.channel_names == ("DAPI", "GFP")
    ps = open_patches(store, channels=["gfp"])
    np.testing.assert_array_equal(ps[3][..., 0], pixels[3, 1, 0])
    assert ps.common_size == (16, 18)
    np.testing.assert_array_equal(
        open_patches(store / "0", axes="TCZYX")[6][..., 0], pixels[6, 0, 0]
    )


def test_a_volume_and_too_many_axes_are_asked_about(store, grey):
    write_ome(store, grey(9, 16, 16), "zyx")
    with pytest.raises(
        UnclearAxesError, match=r"set\.zarr is a 3-D volume of 9 planes .*set axes to NYX to"
    ):
        open_patches(store)
    assert len(open_patches(store, axes="NYX")) == 9
    shutil.rmtree(store)
    write_ome(store, grey(2, 9, 16, 16), "tzyx")
    with pytest.raises(UnclearAxesError, match=r"T \(2\) and Z \(9\); set axes to TZYX to"):
        open_patches(store)
    assert len(open_patches(store, axes="TZYX")) == 18
    fill(store, grey(20, 60, 61, 62), (1, 60, 61, 62), overwrite=True)
    with pytest.raises(
        UnclearAxesError, match=r"not clear which axis of .*set\.zarr \(20 x 60"
    ):
        open_patches(store)


@pytest.mark.parametrize(("fmt", "key"), [(2, "1.0.0"), (3, "c/1/0/0")])
def test_a_missing_chunk_costs_its_patches_only(store, grey, fmt, key):
    pixels = grey(22, 8, 9)
    fill(store, pixels, (5, 8, 9), fmt)
    (store / key).unlink()
    ps = open_patches(store)
    kept = [*range(5), *range(10, 22)]
    assert ps.table["frame"].tolist() == kept
    np.testing.assert_array_equal(ps.take(range(17))[..., 0], pixels[kept])
    assert [s.source for s in ps.skipped] == [f"set.zarr [{i}]" for i in range(5, 10)]
    assert ps.skipped[0].reason == f"its chunk {key} is missing"
    assert ps.notes[0].startswith(
        "5 of the 22 patches of set.zarr were left out because chunks"
    )
    for chunk in list(store.rglob("*")):
        if chunk.is_file() and not chunk.name.endswith(("zarr.json", ".zarray", ".zattrs")):
            chunk.unlink()
    with pytest.raises(PatchError, match=r"No patch of .*set\.zarr is whole \(its chunk"):
        open_patches(store)


@pytest.mark.parametrize(("fmt", "key"), [(2, "3.0.1"), (3, "c/3/0/1")])
def test_a_damaged_chunk_costs_its_patches_only(store, grey, fmt, key):
    pixels = grey(22, 8, 10)
    fill(store, pixels, (5, 8, 5), fmt)
    data = (store / key).read_bytes()
    (store / key).write_bytes(data[: len(data) // 3])
    ps = open_patches(store)
    kept = [*range(15), 20, 21]
    assert ps.table["frame"].tolist() == kept
    np.testing.assert_array_equal(ps.take(range(17))[..., 0], pixels[kept])
    assert ps.skipped[0].reason.startswith(f"The chunk {key} of {store} cannot be decoded (")


def test_a_zipped_store(tmp_path, grey):
    pixels = grey(12, 8, 9)
    with zarr.storage.ZipStore(tmp_path / "set.zarr.zip", mode="w") as zipped:
        fill(zipped, pixels, (5, 8, 9))
    ps = open_patches(tmp_path / "set.zarr.zip")
    np.testing.assert_array_equal(ps.take(range(12))[..., 0], pixels)
    (tmp_path / "set.zarr.zip").write_bytes(b"PK")
    with pytest.raises(PatchError, match=r"set\.zarr\.zip is not a complete zip file"):
        open_patches(tmp_path / "set.zarr.zip")


def test_what_is_no_set_of_patches_is_one_sentence(store, grey):
    store.mkdir()
    with pytest.raises(
        PatchError, match=r"set\.zarr is not a Zarr store: it holds none of zarr"
    ):
        open_patches(store)
    (store / "zarr.json").write_text('{"zarr_format": 3, "node')
    with pytest.raises(PatchError, match=r"set\.zarr is a Zarr store that cannot be read"):
        open_patches(store)
    shutil.rmtree(store)
    group = zarr.create_group(store)
    with pytest.raises(PatchError, match=r"does not say which array .*\(it has nothing\)"):
        open_patches(store)
    group.attrs["ome"] = {"version": "0.5", "plate": {}}
    with pytest.raises(PatchError, match=r"is a plate or well .*set\.zarr/A/1/0\.$"):
        open_patches(store)
    shutil.rmtree(store)
    write_ome(store, grey(1, 1, 1, 16, 18), "tczyx")
    with pytest.raises(PatchError, match=r"set\.zarr is one single image \(18 x 16\)"):
        open_patches(store)
