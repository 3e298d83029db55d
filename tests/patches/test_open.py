"""The one door, and coming back through it."""

import json

import numpy as np
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import bundled_cells, from_array, open_patches, reopen
from napari_patchmap.patches.tile_config import TileConfig


def test_what_is_not_there_or_not_patches(tmp_path, write, grey):
    with pytest.raises(PatchError, match=r"There is no file or folder .*gone; check the path"):
        open_patches(tmp_path / "gone")
    (tmp_path / "a.docx").write_bytes(b"x")
    with pytest.raises(PatchError, match=r"a\.docx is not a kind of file .*choose a folder"):
        open_patches(tmp_path / "a.docx")
    path = write("1.png", grey(8, 8))
    with pytest.raises(PatchError, match=r"1\.png is one single image; choose the folder"):
        open_patches(path)
    with pytest.raises(PatchError, match="not 'squash'"):
        open_patches(path.parent, sizes="squash")


def test_a_pattern_needs_a_folder_of_images(tmp_path, folder, write, grey):
    np.save(tmp_path / "stack.npy", grey(4, 8, 8))
    with pytest.raises(PatchError, match=r"stack\.npy is read as a stack; open it without a"):
        open_patches(tmp_path / "stack.npy", pattern="{label}_{}.png")
    image, labels = write("a.png", grey(8, 8)), write("a_mask.png", np.eye(8, dtype=np.uint8))
    for path, objects in ((image, labels), (folder, folder)):
        with pytest.raises(PatchError, match="is read as objects of label images; open it"):
            open_patches(path, objects=objects, pattern="{label}_{}.png")
    with pytest.raises(PatchError, match="is read as slides; open it without a pattern"):
        open_patches(folder, tiles=TileConfig(), pattern="{label}_{}.png")


def test_every_sentence_is_one_line(tmp_path):
    for name in ("a.tif", "a.npy", "a.npz"):
        (tmp_path / name).write_bytes(b"damaged\nfile\n")
        with pytest.raises(PatchError) as caught:
            open_patches(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert name in str(caught.value)


def test_reopen_gives_the_same_set(tmp_path, write, folder, grey):
    for i in range(3):
        write(f"a/{i}.png", grey(8, 8 + i))
    (tmp_path / "labels.csv").write_text("file,label\n0.png,x\n1.png,y\n2.png,z\n")
    tifffile.imwrite(tmp_path / "s.tif", grey(2, 3, 8, 8), photometric="minisblack")
    np.savez(tmp_path / "n.npz", images=grey(4, 8, 8))
    for ps in (
        open_patches(folder, sizes="crop", labels=tmp_path / "labels.csv"),
        open_patches(tmp_path / "s.tif", axes="TZYX"),
        open_patches(tmp_path / "n.npz"),
        bundled_cells(),
    ):
        again = reopen(json.loads(json.dumps(ps.origin)))
        assert again.origin == ps.origin
        assert again.fit == ps.fit
        assert again.name == ps.name
        assert again.table.equals(ps.table)
        for i in range(len(ps)):
            np.testing.assert_array_equal(again[i], ps[i])


def test_reopen_says_when_it_cannot(write, folder, grey):
    for i in range(3):
        write(f"{i}.png", grey(8, 8))
    origin = open_patches(folder).origin
    (folder / "1.png").unlink()
    with pytest.raises(PatchError, match=r"set now holds 2 patches instead of 3; bring back"):
        reopen(origin)
    for name in ("0.png", "2.png"):
        (folder / name).unlink()
    folder.rmdir()
    with pytest.raises(PatchError, match=r"came from .*set, which is not there any more"):
        reopen(origin)
    with pytest.raises(PatchError, match=r"from the layer 'cells' of a viewer"):
        reopen(from_array(grey(3, 8, 8), name="cells").origin)


def test_a_relative_path_is_remembered_in_full(write, folder, grey, monkeypatch):
    write("1.png", grey(8, 8))
    monkeypatch.chdir(folder.parent)
    ps = open_patches("set")
    monkeypatch.chdir("/")
    assert len(reopen(ps.origin)) == 1
    assert ps.name == "set"


@pytest.mark.parametrize("ending", [".oir", ".VSI"])
def test_a_file_of_a_microscope_names_the_way_out(tmp_path, ending):
    (tmp_path / f"cells{ending}").write_bytes(b"1234")
    with pytest.raises(PatchError, match=r"which is not read; save it as OME-TIFF or OME-Zarr"):
        open_patches(tmp_path / f"cells{ending}")
