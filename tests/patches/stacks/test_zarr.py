"""Zarr and OME-Zarr stores, of both formats, whole and damaged."""

import json
import pickle
import re
import shutil
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr
from numcodecs import pickles
from numcodecs.abc import Codec
from zarr.abc.codec import BytesBytesCodec
from zarr.registry import get_codec_class, register_codec

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches import open_patches, reopen
from napari_patchmap.patches.tile_config import TileConfig
from tests.patches.stacks.zarr_stores import fill, write_ome


@pytest.fixture
def store(tmp_path):
    return tmp_path / "set.zarr"


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
@pytest.mark.parametrize("value", [0, 7])
def test_a_chunk_that_is_not_there_holds_the_fill_value(store, grey, fmt, key, value):
    pixels = grey(22, 8, 9)
    fill(store, pixels, (5, 8, 9), fmt, fill_value=value)
    (store / key).unlink()
    pixels[5:10] = value
    ps = open_patches(store)
    np.testing.assert_array_equal(ps.take(range(22))[..., 0], pixels)
    assert ps.skipped == []
    (said,) = ps.notes
    assert said == (
        "5 of the 22 patches of set.zarr lack chunks, 5 of them all; by the format, a chunk "
        f"that is not there holds {value} everywhere. If that surprises you, the store was not "
        "copied as a whole."
    )
    for chunk in list(store.rglob("*")):
        if chunk.is_file() and not chunk.name.endswith(("zarr.json", ".zarray", ".zattrs")):
            chunk.unlink()
    with pytest.raises(PatchError, match=r"No patch of .*set\.zarr is whole \(its chunk"):
        open_patches(store)


@pytest.mark.parametrize("fmt", [2, 3])
def test_an_empty_channel_costs_no_patch(store, grey, fmt):
    """Zarr writes no chunks of an unstained channel, nor of one that is masked."""
    pixels = grey(12, 2, 8, 9)
    pixels[::2, 1] = 0
    fill(store, pixels, (1, 1, 8, 9), fmt, shards=(4, 2, 8, 9) if fmt == 3 else None)
    ps = open_patches(store)
    np.testing.assert_array_equal(ps.take(range(12)), pixels.transpose(0, 2, 3, 1))
    if fmt == 2:
        assert ps.notes[0].startswith("6 of the 12 patches of set.zarr lack chunks, 0 of them")


def test_chunks_of_which_nobody_knows_what_they_held(store, grey):
    """Format 2 allows a store not to say what lies in chunks that are not there."""
    pixels = grey(22, 8, 9)
    fill(store, pixels, (5, 8, 9), 2)
    meta = json.loads((store / ".zarray").read_text())
    (store / ".zarray").write_text(json.dumps(meta | {"fill_value": None}))
    (store / "1.0.0").unlink()
    ps = open_patches(store)
    kept = [*range(5), *range(10, 22)]
    assert ps.table["frame"].tolist() == kept
    np.testing.assert_array_equal(ps.take(range(17))[..., 0], pixels[kept])
    assert [s.source for s in ps.skipped] == [f"set.zarr [{i}]" for i in range(5, 10)]
    assert ps.skipped[0].reason == "its chunk 1.0.0 is missing"
    assert ps.notes[0].startswith("5 of the 22 patches of set.zarr were skipped because chunk")


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
    group.attrs["encoding-type"] = "anndata"
    with pytest.raises(PatchError, match=r"set\.zarr is not AnnData \(it has no obs"):
        open_patches(store)
    del group.attrs["encoding-type"]
    group.attrs["ome"] = {"version": "0.5", "plate": {}}
    with pytest.raises(PatchError, match=r"set\.zarr lists no well whose images are there"):
        open_patches(store)
    shutil.rmtree(store)
    write_ome(store, grey(1, 1, 1, 16, 18), "tczyx")
    with pytest.raises(PatchError, match=r"set\.zarr is one single image \(18 x 16\)"):
        open_patches(store)


class _Spy(Codec):
    """Leaves a file where it is unpickled, or decodes anything."""

    codec_id = "spy"
    mark = Path()

    def __reduce__(self):
        return Path.touch, (self.mark,)

    def encode(self, buf):
        return buf

    def decode(self, buf, out=None):
        self.mark.touch()
        return buf


def _edit(path, change):
    """Change the metadata of an array, whichever format it has."""
    file = next(path / name for name in (".zarray", "zarr.json") if (path / name).exists())
    known = json.loads(file.read_text())
    change(known)
    file.write_text(json.dumps(known))


@pytest.mark.parametrize("evil", ["spy", "pickle"])
@pytest.mark.parametrize("where", ["compressor", "filter", "inner filter", "column", "zip"])
def test_a_store_cannot_name_a_decoder_that_runs_code(
    tmp_path, store, grey, where, evil, monkeypatch
):
    numcodecs.register_codec(_Spy)
    # As all versions of numcodecs before 0.16.6 did.
    monkeypatch.setattr(pickles, "ALLOW_UNSAFE_PICKLE_DECODE", True, raising=False)
    mark = tmp_path / "was run"
    monkeypatch.setattr(_Spy, "mark", mark)
    if where == "column":
        group = zarr.create_group(store, zarr_format=2)
        group.create_array("images", data=grey(6, 8, 8, 3))
        group.create_array("labels", data=np.arange(6), chunks=(6,))
        array, chunk = store / "labels", store / "labels" / "0"
    else:
        fill(store, grey(24, 8, 8, 3), (24, 8, 8, 3), 2)
        array, chunk = store, store / "0.0.0.0"
    named, plain = {"id": evil}, {"id": "shuffle", "elementsize": 1}
    codecs = {
        "filter": (None, [named]),
        "inner filter": (None, [named, plain]),
    }.get(where, (named, None))
    _edit(array, lambda known: known.update(compressor=codecs[0], filters=codecs[1]))
    chunk.write_bytes(pickle.dumps(_Spy()))
    path = store
    if where == "zip":
        path = Path(shutil.make_archive(str(tmp_path / "set.zarr"), "zip", store))
    # Zarr itself knows no pixels beside a pickle.
    said = "'spy' to decode it" if evil == "spy" else "'pickle'"
    with pytest.raises(PatchError, match=said):
        open_patches(path)
    with pytest.raises(PatchError, match=said):
        open_patches(path, objects=path)
    assert not mark.exists()


class _Unknown(BytesBytesCodec):
    is_fixed_size = True

    @classmethod
    def from_dict(cls, data):
        return cls()

    def to_dict(self):
        return {"name": "unknown"}

    def compute_encoded_size(self, input_byte_length, chunk_spec):
        return input_byte_length

    async def _decode_single(self, chunk_bytes, chunk_spec):
        raise AssertionError("was decoded")


def test_decoders_inside_of_shards_are_looked_at(store, grey, monkeypatch):
    get_codec_class("zstd")  # the registry is filled when it is first asked
    register_codec("unknown", _Unknown)
    fill(store, grey(8, 4, 4), (2, 4, 4), shards=(8, 4, 4))

    def change(known):
        known["codecs"][0]["configuration"]["codecs"].append({"name": "unknown"})

    _edit(store, change)
    with pytest.raises(PatchError, match="names 'unknown' to decode it"):
        open_patches(store)


@pytest.mark.parametrize("fmt", [2, 3])
def test_usual_decoders_are_allowed(store, grey, fmt):
    pixels = grey(6, 8, 8)
    if fmt == 3:
        some = [zarr.codecs.BloscCodec(), zarr.codecs.GzipCodec(), zarr.codecs.ZstdCodec()]
        some.append([zarr.codecs.ZstdCodec(), zarr.codecs.Crc32cCodec()])
        options = [{"compressors": one} for one in some]
        options.append({"filters": zarr.codecs.TransposeCodec(order=(2, 1, 0))})
    else:
        some = [numcodecs.Zlib(), numcodecs.LZMA(), numcodecs.BZ2(), numcodecs.LZ4()]
        options = [{"compressors": one} for one in [*some, numcodecs.Blosc(), None]]
        options.append({"filters": [numcodecs.Delta(dtype="u1"), numcodecs.Shuffle(1)]})
    for chosen in options:
        fill(store, pixels, (2, 8, 8), fmt, overwrite=True, **chosen)
        np.testing.assert_array_equal(open_patches(store).take(range(6))[..., 0], pixels)


def test_chunks_that_would_fill_the_memory_are_refused(store):
    zarr.create_array(store, shape=(8, 2**20, 2**20), chunks=(8, 2**18, 2**18), dtype="u1")
    with pytest.raises(PatchError, match=r"has chunks of 512.0 GB.*smaller chunks"):
        open_patches(store)


@pytest.mark.parametrize("fmt", [2, 3])
def test_the_way_that_a_plate_names_leads_to_patches(store, grey, fmt):
    """Follow the sentence: from the plate to an image of it, and to its objects."""

    def say(group, **what):
        group.attrs.update({"ome": {"version": "0.5", **what}} if fmt == 3 else what)

    plate = zarr.create_group(store, zarr_format=fmt)
    say(plate, plate={"wells": [{"path": "B/03", "rowIndex": 1, "columnIndex": 2}]})
    say(plate.create_group("B/03"), well={"images": [{"path": "7"}]})
    image = store / "B" / "03" / "7"
    pixels = grey(2, 40, 50)
    write_ome(image, pixels, "cyx", fmt=fmt, names=["DAPI", "GFP"])
    masks = np.zeros((40, 50), np.uint16)
    masks[4:12, 5:11], masks[20:31, 30:44] = 1, 2
    write_ome(image / "labels" / "cells", masks, "yx", fmt=fmt)
    assert open_patches(store).table["source"].tolist() == ["B/03/7"]
    assert len(open_patches(store, objects=store)) == 2
    for path in (store / "B" / "03", image):
        with pytest.raises(PatchError, match=re.escape(str(image))) as caught:
            open_patches(path)
        assert "as objects (--objects; in OME-Zarr a folder in labels/" in str(caught.value)
    ps = open_patches(image, objects=image / "labels" / "cells", sizes="pad")
    assert ps.channel_names == ("DAPI", "GFP")
    assert ps.table["label_id"].tolist() == [1, 2]
    tiles = open_patches(image, tiles=TileConfig(size=20, foreground="none"))
    np.testing.assert_array_equal(tiles[3], np.moveaxis(pixels[:, 20:, 20:40], 0, -1))


def test_a_damaged_column_is_one_sentence(store, grey):
    group = zarr.create_group(store, zarr_format=3)
    group.create_array("images", data=grey(6, 8, 8, 3))
    group.create_array("labels", data=np.arange(6))
    chunk = store / "labels" / "c" / "0"
    chunk.write_bytes(chunk.read_bytes()[:-4] + b"abcd")
    with pytest.raises(PatchError, match=r"set\.zarr is a Zarr store that cannot be read \("):
        open_patches(store)


def test_a_store_that_claims_more_patches_than_there_can_be(store):
    zarr.create_array(store, shape=(10**12, 4, 4), chunks=(10**6, 4, 4), dtype="u1")
    with pytest.raises(PatchError, match=r"claims 1,000,000,000,000 patches, more than the"):
        open_patches(store)
