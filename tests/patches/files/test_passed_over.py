"""What is left out of a folder is counted and listed, whatever its format."""

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.readers.folder.decode import ANIMATION_NOTE, decode


def test_more_formats_are_read(write, folder, grey):
    write("0.png", grey(8, 9, 3))
    own = {name: grey(8, 9, 3) for name in ("1.jp2", "2.j2k", "3.jfif", "4.gif")}
    for name in ("1.jp2", "2.j2k"):
        format = name.rpartition(".")[2]
        data = imagecodecs.jpeg2k_encode(own[name], level=0, codecformat=format)
        (folder / name).write_bytes(data)
    (folder / "3.jfif").write_bytes(imagecodecs.jpeg8_encode(own["3.jfif"], level=100))
    own["4.gif"] = own["4.gif"] // 128 * 255
    Image.fromarray(own["4.gif"]).convert("P", palette=Image.Palette.ADAPTIVE).save(
        folder / "4.gif"
    )
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["0.png", *own]
    for i, name in enumerate(own, 1):
        if name != "3.jfif":
            np.testing.assert_array_equal(ps[i], own[name])
    assert ps.skipped == []


def test_sixteen_bit_jpeg_2000_keeps_its_values(tmp_path, grey):
    pixels = grey(9, 7, dtype="uint16")
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(pixels, level=0))
    decoded = decode(str(tmp_path / "a.jp2"))
    np.testing.assert_array_equal(decoded.pixels[..., 0], pixels)
    assert decoded.channel_names == ("grey",)


def test_of_an_animation_the_first_frame_is_taken_and_said(tmp_path, grey):
    frames = [Image.fromarray(grey(8, 8)) for _ in range(3)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    decoded = decode(str(tmp_path / "a.gif"))
    np.testing.assert_array_equal(decoded.pixels[..., 0], np.asarray(frames[0]))
    assert decoded.notes == (ANIMATION_NOTE,)
    frames[0].save(tmp_path / "b.gif")
    assert decode(str(tmp_path / "b.gif")).notes == ()


def test_what_is_cut_off_or_too_large_is_said(tmp_path, grey):
    Image.fromarray(grey(64, 64)).save(tmp_path / "a.gif")
    (tmp_path / "a.jp2").write_bytes(imagecodecs.jpeg2k_encode(grey(64, 64), level=0))
    for name in ("a.gif", "a.jp2"):
        data = (tmp_path / name).read_bytes()
        for length in (20, len(data) // 2, len(data) - 2):
            (tmp_path / name).write_bytes(data[:length])
            with pytest.raises(PatchError, match="is cut off"):
                decode(str(tmp_path / name))
        large = bytearray(data)
        at = large.find(b"\xff\x4f\xff\x51") + 8 if name == "a.jp2" else 6
        large[at : at + 4] = b"\xff\xff\xff\xff" if name == "a.gif" else b"\0\xff\xff\xff"
        (tmp_path / name).write_bytes(large)
        if name == "a.gif":
            with pytest.raises(PatchError, match=r"claims 65,535 x 65,535 pixels"):
                decode(str(tmp_path / name))
            continue
        large[at + 4 : at + 8] = b"\0\xff\xff\xff"
        (tmp_path / name).write_bytes(large)
        with pytest.raises(PatchError, match=r"claims 16,777,215 x 16,777,215 pixels"):
            decode(str(tmp_path / name))


def test_images_of_other_kinds_are_listed(write, folder, grey):
    write("1.png", grey(8, 8))
    np.save(folder / "2.npy", grey(8, 8))
    (folder / "3.dcm").write_bytes(b"\0" * 128 + b"DICM")
    (folder / "IM0001").write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 9)
    (folder / "4").write_bytes(imagecodecs.png_encode(grey(8, 8)))
    (folder / "5.czi").write_bytes(b"ZISRAWFILE")
    (folder / "7.zarr.zip").write_bytes(b"PK")
    (folder / "8.zip").write_bytes(b"PK")
    (folder / "6.zarr/0").mkdir(parents=True)
    (folder / "6.zarr/0/0.0").write_bytes(b"chunk")
    for name in ("t.csv", "notes.TXT", "LICENSE", "Thumbs.db", "model.pth"):
        (folder / name).write_bytes(b"no image")
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["1.png"]
    reasons = {one.source: one.reason for one in ps.skipped}
    assert sorted(reasons) == ["2.npy", "3.dcm", "4", "5.czi", "6.zarr", "7.zarr.zip", "IM0001"]
    assert reasons["2.npy"].startswith("is a NumPy array")
    assert reasons["IM0001"].startswith("is a DICOM file")
    assert reasons["4"] == "is a PNG image without its ending; add .png to its name"
    assert reasons["5.czi"].startswith("is a microscope's file, which is not read among other")
