"""Cellpose's own files are pickles: their masks are read, and nothing in them is run."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError, UnusableError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.objects.cellpose_file import cellpose_masks
from napari_patchmap.patches.readers.objects.label_images import label_images
from napari_patchmap.patches.watch import Watch


def seg(path, masks, **more):
    """Write what Cellpose's ``masks_flows_to_seg`` writes."""
    known = {
        "outlines": (masks > 0).astype(masks.dtype),
        "masks": masks,
        "chan_choose": [0, 0],
        "ismanual": np.zeros(int(masks.max()), bool),
        "filename": "a.tif",
        "flows": [np.zeros((*masks.shape, 3), np.uint8), np.float32([[0.5]]), [None, -1]],
        "diameter": np.float64(17.5),
        "normalize_params": {"lowhigh": None, "percentile": [1.0, 99.0], "invert": False},
        "model_path": Path("cyto3"),
        **more,
    }
    np.save(path, known, allow_pickle=True)


@pytest.fixture
def masks():
    masks = np.zeros((30, 40), np.uint16)
    masks[4:12, 5:13], masks[15:25, 20:33] = 1, 2
    return masks


def test_masks_of_a_seg_file_are_objects(tmp_path, grey, masks):
    image = grey(30, 40)
    tifffile.imwrite(tmp_path / "a.tif", image)
    seg(tmp_path / "a_seg.npy", masks)
    tifffile.imwrite(tmp_path / "same.tif", masks)
    expected = open_patches(tmp_path / "a.tif", objects=tmp_path / "same.tif", sizes="pad")
    (tmp_path / "same.tif").unlink()
    for path, objects in ((tmp_path / "a.tif", tmp_path / "a_seg.npy"), (tmp_path, tmp_path)):
        patches = open_patches(path, objects=objects, sizes="pad")
        assert patches.table["label_id"].tolist() == [1, 2]
        np.testing.assert_array_equal(patches.stack(), expected.stack())
        again = label_images(patches.origin, Watch())
        np.testing.assert_array_equal(again("a.tif", 0), masks)
    with pytest.raises(PatchError, match=r"a_seg\.npy is Cellpose's file of masks.*--objects"):
        open_patches(tmp_path / "a_seg.npy")


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("kind", ["u1", ">u2", "<i4", "u4"])
def test_masks_of_any_kind_are_what_numpy_reads(tmp_path, masks, kind, order):
    seg(tmp_path / "a_seg.npy", np.asarray(masks.astype(kind), order=order))
    known = np.load(tmp_path / "a_seg.npy", allow_pickle=True).item()["masks"]
    found = cellpose_masks(tmp_path / "a_seg.npy")
    np.testing.assert_array_equal(found, known)
    assert found.dtype == known.dtype


class Code:
    """What a hostile file may hold: its pickle calls a function."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(6))
def test_a_file_that_carries_code_runs_none(tmp_path, grey, masks, protocol):
    tifffile.imwrite(tmp_path / "a.tif", grey(30, 40))
    mark = tmp_path / "it ran"
    for code in (
        Code(os.mkdir, (str(mark),)),
        Code(eval, (f"__import__('os').mkdir({str(mark)!r})",)),
        Code(getattr, ("text", "upper")),
        Code(np.fromfile, (str(tmp_path / "a.tif"),)),
    ):
        known = np.array({"masks": masks, "flows": [code]}, object)
        with (tmp_path / "a_seg.npy").open("wb") as file:
            header = {"descr": "|O", "fortran_order": False, "shape": ()}
            np.lib.format.write_array_header_1_0(file, header)
            pickle.dump(known, file, protocol=protocol)
        said = r"a_seg\.npy (names .* could run code, so it|is damaged, or) .*Save masks"
        with pytest.raises(PatchError, match=said):
            open_patches(tmp_path / "a.tif", objects=tmp_path / "a_seg.npy")
        assert not mark.exists()


@pytest.mark.parametrize(
    "hostile",
    [
        b"\x80\x02cnumpy\ndtype\n}\x8c\x08__call__\x8c\x01as.",  # says what a type is
        b"\x80\x02cnumpy\ndtype\n(X\x0b\x00\x00\x00(1000000,)f4tR.",  # a type of a million
        b"(cnumpy\ndtype\no.",  # an object of the old kind
        b"(S'numpy'\nios\nsystem\n.",
        b"\x80\x02cnumpy\ndtype\n)\x81.",  # made without being asked
        b"Pnumpy\n.",
        b"\x82\x01.",
        b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",  # so many bytes
        b"",
    ],
)
def test_hostile_pickles_end_in_a_sentence(tmp_path, hostile):
    with (tmp_path / "a_seg.npy").open("wb") as file:
        header = {"descr": "|O", "fortran_order": False, "shape": ()}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(hostile)
    with pytest.raises(UnusableError):
        cellpose_masks(tmp_path / "a_seg.npy")


def test_a_seg_file_without_masks(tmp_path, masks):
    np.save(tmp_path / "a_seg.npy", {"outlines": masks}, allow_pickle=True)
    with pytest.raises(UnusableError, match="holds no masks"):
        cellpose_masks(tmp_path / "a_seg.npy")
    np.save(tmp_path / "a_seg.npy", masks)
    with pytest.raises(UnusableError, match="is an array, not a file of Cellpose's"):
        cellpose_masks(tmp_path / "a_seg.npy")


def test_other_arrays_as_labels(tmp_path, grey):
    np.save(tmp_path / "a.npy", grey(30, 40))
    masks = np.zeros((30, 40), np.int32)
    masks[4:12, 5:13], masks[15:25, 20:33] = 1, 2
    for order in "CF":
        np.save(tmp_path / "masks.npy", np.asarray(masks, order=order))
        ps = open_patches(tmp_path / "a.npy", objects=tmp_path / "masks.npy", sizes="pad")
        assert ps.table["label_id"].tolist() == [1, 2]
    whole = (tmp_path / "masks.npy").read_bytes()
    (tmp_path / "masks.npy").write_bytes(whole[:-8])
    with pytest.raises(PatchError, match=r"masks\.npy is cut off; copy or save it again"):
        open_patches(tmp_path / "a.npy", objects=tmp_path / "masks.npy")
    np.save(tmp_path / "masks.npy", np.array([[1, None]]), allow_pickle=True)
    with pytest.raises(PatchError, match=r"masks\.npy holds Python objects.*run code; save"):
        open_patches(tmp_path / "a.npy", objects=tmp_path / "masks.npy")


def test_an_image_larger_than_the_memory_is_refused(tmp_path, monkeypatch, grey):
    tifffile.imwrite(tmp_path / "a.tif", grey(100, 200), compression="zlib")
    tifffile.imwrite(tmp_path / "mask.tif", np.eye(100, 200, dtype=np.uint8))
    monkeypatch.setattr("napari_patchmap.patches.room.free_memory", lambda: 10_000)
    with pytest.raises(PatchError, match=r"mask\.tif takes 0\.0 GB when it is read, and only"):
        open_patches(tmp_path / "a.tif", objects=tmp_path / "mask.tif")
