"""Cellpose's own files are pickles; people are told which of its calls writes images."""

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches


def test_a_seg_file_names_the_calls_that_save_masks(tmp_path, grey):
    image, masks = grey(30, 40), np.zeros((30, 40), np.uint16)
    masks[4:12, 5:13], masks[15:25, 20:33] = 1, 2
    tifffile.imwrite(tmp_path / "a.tif", image)
    np.save(tmp_path / "a_seg.npy", {"masks": masks, "filename": "a.tif"}, allow_pickle=True)
    said = r"a_seg\.npy is Cellpose's own file .*run code; .*PNG/tif.*--save_tif.*save_masks"
    for path, objects in (
        (tmp_path / "a.tif", tmp_path / "a_seg.npy"),
        (tmp_path, tmp_path),
        (tmp_path / "a_seg.npy", None),
    ):
        with pytest.raises(PatchError, match=said):
            open_patches(path, objects=objects)
    # What these calls write.
    tifffile.imwrite(tmp_path / "a_cp_masks.tif", masks)
    for path, objects in ((tmp_path / "a.tif", tmp_path / "a_cp_masks.tif"), (tmp_path,) * 2):
        assert len(open_patches(path, objects=objects, sizes="pad")) == 2


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
