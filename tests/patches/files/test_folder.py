"""A folder of images becomes patches in their natural order, with their labels."""

import os
import struct
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import MixedSizesError, PatchError
from napari_patchmap.patches import LoadCancelled, Skipped, describe, open_patches, reopen
from napari_patchmap.patches.readers.folder.image_folder import find_images
from napari_patchmap.patches.readers.tiff.tiff_series import COPIES_NOTE
from napari_patchmap.patches.watch import Watch


def test_values_order_and_labels(write, folder, grey):
    images = {
        name: grey(10, 14, 3) for name in ("b/2.png", "b/10.png", "a/x 1.PNG", "a/x 02.png")
    }
    for name, pixels in images.items():
        write(name.replace(".PNG", ".png"), pixels)
    os.rename(folder / "a/x 1.png", folder / "a/x 1.PNG")
    ps = open_patches(folder)
    order = ["a/x 1.PNG", "a/x 02.png", "b/2.png", "b/10.png"]
    assert ps.table["source"].tolist() == order
    for i, name in enumerate(order):
        np.testing.assert_array_equal(ps[i], images[name])
    assert ps.labels.tolist() == ["a", "a", "b", "b"]
    assert ps.is_rgb
    assert ps.table[["height", "width"]].drop_duplicates().to_numpy().tolist() == [[10, 14]]
    assert ps.common_size == (10, 14)


def test_images_at_the_top_have_no_labels(write, folder, grey):
    for i in range(3):
        write(f"{i}.jpg", grey(8, 8))
    ps = open_patches(folder)
    assert ps.labels is None
    assert ps.channel_names == ("grey",)


def test_images_beside_sub_folders_miss_a_label(write, folder, grey):
    for name in ("top.png", "kind/deep/er/1.png"):
        write(name, grey(8, 8))
    ps = open_patches(folder)
    assert dict(zip(ps.table["source"], ps.labels, strict=True)) == {
        "top.png": "",
        "kind/deep/er/1.png": "kind",
    }


def test_a_single_folder_around_the_classes_is_looked_through(write, folder, grey):
    for name in ("pbc/a/1.png", "pbc/b/2.png"):
        write(name, grey(8, 8))
    assert open_patches(folder).labels.tolist() == ["a", "b"]


def test_train_and_test_folders_are_splits(write, folder, grey):
    for name in ("train/a/1.png", "train/b/2.png", "test/a/3.png"):
        write(name, grey(8, 8))
    ps = open_patches(folder)
    assert ps.labels.tolist() == ["a", "a", "b"]
    assert ps.table["split"].tolist() == ["test", "train", "train"]


def test_hidden_system_and_foreign_files_are_ignored(write, folder, grey):
    write("a/1.png", grey(8, 8))
    for name in ("a/.hidden.png", "a/._1.png", "__MACOSX/a/1.png", ".git/2.png"):
        write(name, grey(8, 8))
    (folder / "a/notes.txt").write_text("not an image")
    (folder / "a/Thumbs.db").write_bytes(b"x")
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["a/1.png"]
    assert ps.skipped == []


def test_a_run_saved_inside_is_not_read_as_patches(write, folder, grey):
    write("1.png", grey(8, 8))
    write("run/map.png", grey(80, 80, 3))
    for name in ("config.json", "embedding.csv"):
        (folder / "run" / name).write_text("")
    assert open_patches(folder).table["source"].tolist() == ["1.png"]


def test_a_loop_of_links_ends(write, folder, grey):
    write("a/1.png", grey(8, 8))
    (folder / "a/again").symlink_to(folder, target_is_directory=True)
    assert len(open_patches(folder)) == 1


def test_what_is_no_file_is_left_out_and_never_waited_for(write, folder, grey):
    write("1.png", grey(8, 8))
    os.mkfifo(folder / "pipe.png")
    (folder / "gone.png").symlink_to(folder / "nothing")
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["1.png"]
    assert sorted(one.source for one in ps.skipped) == ["gone.png", "pipe.png"]


def test_links_lead_on_but_never_around_and_images_keep_their_folder(
    write, folder, grey, tmp_path
):
    for name in ("b/1.png", "../else/2.png"):
        write(name, grey(8, 8))
    (folder / "a").mkdir()
    (folder / "a/again").symlink_to(folder / "b", target_is_directory=True)
    (folder / "a/up").symlink_to(tmp_path, target_is_directory=True)
    (folder / "c").symlink_to(tmp_path / "else", target_is_directory=True)
    (folder / "3.png").symlink_to(tmp_path / "else/2.png")
    (folder / "self.png").symlink_to("self.png")
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["3.png", "b/1.png", "c/2.png"]
    assert {one.source: one.reason.split(" (")[0] for one in ps.skipped} == {
        "a/up": "is a link to a folder around it",
        "self.png": "cannot be opened",
        "gone": "is no file, or a link to nothing",
    }


def test_unreadable_files_are_left_out_with_their_reason(write, folder, grey):
    good = {name: grey(16, 16, 3) for name in ("1.png", "5.png", "9.png")}
    for name, pixels in good.items():
        write(name, pixels)
    (folder / "2.png").write_text("hello, I am text")
    (folder / "3.png").write_bytes(b"")
    jpeg = write("4.jpg", grey(64, 64, 3))
    jpeg.write_bytes(jpeg.read_bytes()[:-200])
    png = write("6.png", grey(64, 64))
    png.write_bytes(png.read_bytes()[:500])
    tif = write("7.tif", grey(64, 64))
    tif.write_bytes(tif.read_bytes()[:900])
    tifffile.imwrite(folder / "8.tif", np.zeros((16, 16), np.float32))
    (folder / "8.tif").write_bytes((folder / "8.tif").read_bytes()[:300])
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == list(good)
    for i, pixels in enumerate(good.values()):
        np.testing.assert_array_equal(ps[i], pixels)
    reasons = {one.source: one.reason for one in ps.skipped}
    assert list(reasons) == ["2.png", "3.png", "4.jpg", "6.png", "7.tif", "8.tif"]
    assert reasons["2.png"] == "is not a PNG, JPEG, TIFF, BMP, WebP, GIF or JPEG 2000 image"
    assert reasons["3.png"] == "is empty (0 bytes)"
    assert reasons["4.jpg"] == "is cut off: the JPEG has no end"
    assert reasons["6.png"] == "is cut off: the PNG has no end"
    for name in ("7.tif", "8.tif"):
        assert reasons[name].startswith(("is damaged", "is cut off"))


def test_nothing_readable_is_one_sentence(folder):
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.png").write_text("text")
    with pytest.raises(
        PatchError, match=r"None of the 3 images in .*set.* \(0\.png is not a PNG"
    ):
        open_patches(folder)


def test_empty_folder_and_folder_without_images(folder):
    folder.mkdir()
    with pytest.raises(PatchError, match=r"set is empty; choose one that holds PNG"):
        open_patches(folder)
    for i in range(1200):
        (folder / f"{i}.txt").write_text("x")
    with pytest.raises(
        PatchError, match=r"only 1,200 other files such as 0\.txt; choose another"
    ):
        open_patches(folder)


def test_mixed_sizes_ask_for_a_choice_and_keep_the_originals(write, folder, grey):
    images = [grey(10, 20), grey(10, 20), grey(30, 20)]
    for i, pixels in enumerate(images):
        write(f"{i}.png", pixels)
    with pytest.raises(
        MixedSizesError, match=r"2 of 20 x 10, 1 of 20 x 30; width x height.*resize"
    ):
        open_patches(folder)
    for how in ("resize", "crop", "pad"):
        ps = open_patches(folder, sizes=how)
        assert [ps[i].shape for i in range(3)] == [(10, 20, 1), (10, 20, 1), (30, 20, 1)]
        np.testing.assert_array_equal(ps[2][..., 0], images[2])
        assert ps.pixels([2, 0], (10, 20)).shape == (2, 1, 10, 20)
        np.testing.assert_array_equal(ps.pixels([1], (10, 20))[0, 0], images[1])


def test_one_broken_file_does_not_make_sizes_mixed(write, folder, grey):
    pixels = [grey(12, 12) for _ in range(5)]
    for i, image in enumerate(pixels):
        write(f"{i}.png", image)
    (folder / "0.png").write_bytes(b"junk")
    ps = open_patches(folder)
    np.testing.assert_array_equal(ps.stack()[..., 0], pixels[1:])


@pytest.mark.parametrize("mostly", ["grey", "colour"])
def test_grey_among_colour_is_repeated_and_said(write, folder, grey, mostly):
    images = [
        grey(8, 8) if (i < 15) == (mostly == "grey") else grey(8, 8, 3) for i in range(20)
    ]
    for i, pixels in enumerate(images):
        write(f"{i}.png", pixels)
    ps = open_patches(folder)
    assert ps.is_rgb
    for i, pixels in enumerate(images):
        expected = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=2)
        np.testing.assert_array_equal(ps[i], expected)
    count = sum(pixels.ndim == 2 for pixels in images)
    assert ps.notes == [f"{count} grey images among colour ones were repeated to RGB."]


def test_grey_among_colour_of_other_sizes(write, folder, grey):
    write("1.png", grey(8, 8, 3))
    write("2.png", grey(9, 7))
    ps = open_patches(folder, sizes="pad")
    assert ps[1].shape == (9, 7, 3)


def test_mixed_pixel_types_are_refused(write, folder, grey):
    write("8.png", grey(8, 8))
    write("16.png", grey(8, 8, dtype="uint16"))
    write("9.png", grey(8, 8))
    with pytest.raises(
        PatchError, match=r"2 of uint8 such as 8\.png, 1 of uint16 such as 16\.png"
    ):
        open_patches(folder)


def test_mixed_channels_are_refused(folder, grey):
    folder.mkdir()
    tifffile.imwrite(folder / "a.tif", grey(2, 8, 8), imagej=True, metadata={"axes": "CYX"})
    tifffile.imwrite(folder / "b.tif", grey(3, 8, 8), imagej=True, metadata={"axes": "CYX"})
    with pytest.raises(PatchError, match=r"different channels .*a\.tif.*b\.tif.*of their own"):
        open_patches(folder)


def test_sixteen_bit_keeps_its_values_and_scales_over_the_set(write, folder, grey):
    images = [grey(16, 16, dtype="uint16") // 16 + 100 * i for i in range(4)]
    for i, pixels in enumerate(images):
        write(f"{i}.tif", pixels.astype(np.uint16))
    ps = open_patches(folder)
    assert ps.dtype == np.uint16
    np.testing.assert_array_equal(ps.stack()[..., 0], images)
    low, high = np.percentile(images, [0.1, 99.9])
    assert ps.intensity.low == pytest.approx((low,))
    assert ps.intensity.high == pytest.approx((high,))
    shown = ps.pixels(range(4), (16, 16))
    assert shown.dtype == np.uint8
    assert (shown.min(), shown.max()) == (0, 255)


def test_multichannel_tiffs_with_names(folder, grey):
    folder.mkdir()
    images = [grey(4, 9, 12, dtype="uint16") for _ in range(3)]
    for i, pixels in enumerate(images):
        tifffile.imwrite(
            folder / f"{i}.ome.tif",
            pixels,
            metadata={"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP", "Actin", "Mito"]}},
            photometric="minisblack",
        )
    ps = open_patches(folder)
    assert ps.channel_names == ("DAPI", "GFP", "Actin", "Mito")
    np.testing.assert_array_equal(ps[1], images[1].transpose(1, 2, 0))


def test_pages_without_axes_need_a_word(folder, grey):
    folder.mkdir()
    pixels = grey(5, 9, 12, dtype="uint16")
    tifffile.imwrite(folder / "a.tif", pixels, photometric="minisblack")
    with pytest.raises(PatchError, match=r"a\.tif .* hold 5 planes each.*set axes to CYX"):
        open_patches(folder)
    ps = open_patches(folder, axes="CYX")
    np.testing.assert_array_equal(ps[0], pixels.transpose(1, 2, 0))
    assert ps.channel_names[0] == "channel 0"


def test_big_endian_tiffs_come_out_native(folder, grey):
    folder.mkdir()
    pixels = grey(9, 12, dtype="uint16")
    tifffile.imwrite(folder / "a.tif", pixels, byteorder=">")
    tifffile.imwrite(folder / "b.tif", pixels, byteorder="<")
    ps = open_patches(folder)
    assert ps[0].dtype.isnative
    np.testing.assert_array_equal(ps[0], ps[1])


def test_a_patch_with_nan_is_left_out(folder):
    folder.mkdir()
    for i in range(4):
        pixels = np.full((8, 8), i, np.float32)
        pixels[0, 0] = {1: np.nan, 3: np.inf}.get(i, 0)
        tifffile.imwrite(folder / f"{i}.tif", pixels)
    ps = open_patches(folder)
    assert ps.table["source"].tolist() == ["0.tif", "2.tif"]
    assert ps[1][1, 1, 0] == 2
    assert [(s.source, s.reason) for s in ps.skipped] == [
        ("1.tif", "holds NaN or infinite pixels"),
        ("3.tif", "holds NaN or infinite pixels"),
    ]


def test_names_with_spaces_quotes_and_other_letters(write, folder, grey):
    names = ["größe 'a'/zelle \"1\".png", "細胞/2 .jpg"]
    for name in names:
        write(name, grey(8, 8, 3))
    assert sorted(open_patches(folder).table["source"]) == sorted(names)


def test_names_that_are_no_text_are_escaped_and_can_be_saved(folder, grey, tmp_path):
    names = [b"a/zelle_\xe4.png", b"a/two\nlines.png", b"\xff/" + b"x" * 250 + b".png"]
    for name in names:
        path = os.path.join(os.fsencode(folder), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(imagecodecs.png_encode(grey(8, 8)))
    (folder / "bad\n.png").touch()
    ps = open_patches(folder)
    assert ps.table["source"].tolist()[:2] == ["a/two\\nlines.png", "a/zelle_\\xe4.png"]
    assert ps.labels.tolist() == ["a", "a", "\\xff"]
    assert ps.skipped == [Skipped("bad\\n.png", "is empty (0 bytes)")]
    ps.table.to_csv(tmp_path / "table.csv")
    assert "\n".join(describe(ps)).isprintable() is False  # only for its line breaks
    assert all(line.isprintable() for line in describe(ps))


@pytest.mark.parametrize("ending", ["bmp", "webp"])
def test_other_formats_are_found_in_any_case(folder, grey, ending):
    folder.mkdir()
    pixels = grey(9, 7, 3)
    Image.fromarray(pixels).save(folder / f"1.{ending}", lossless=True)
    os.rename(folder / f"1.{ending}", folder / f"1.{ending.upper()}")
    np.testing.assert_array_equal(open_patches(folder)[0], pixels)


def test_a_bomb_is_left_out_and_the_rest_goes_on(write, folder, grey):
    write("1.png", grey(8, 8))
    write("2.png", grey(8, 8))
    png = bytearray(imagecodecs.png_encode(grey(8, 8)))
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    (folder / "3.png").write_bytes(png)
    ps = open_patches(folder)
    assert len(ps) == 2
    assert ps.skipped[0].reason.startswith("claims 60,000 x 60,000 pixels")


def test_of_nothing_but_a_bomb_it_is_said_what_to_do(folder, grey):
    folder.mkdir()
    png = bytearray(imagecodecs.png_encode(grey(8, 8)))
    png[16:24] = struct.pack(">II", 60_000, 60_000)
    (folder / "3.png").write_bytes(png)
    with pytest.raises(PatchError) as caught:
        open_patches(folder)
    said = str(caught.value)
    assert "3.png claims 60,000 x 60,000 pixels, too large for a patch; cut it into" in said
    assert "remove it if it cannot be that large" in said
    assert "intact" not in said
    (folder / "3.png").write_bytes(b"broken")
    with pytest.raises(PatchError, match="replace them by intact image files"):
        open_patches(folder)


def test_images_are_found_among_many_other_files_and_looking_can_be_cancelled(
    folder, grey, write, monkeypatch
):
    write("1.png", grey(8, 8))
    for i in range(3_000):
        (folder / f"{i}.txt").touch()
    assert len(open_patches(folder)) == 1
    seen = []

    def stop():
        seen.append(True)
        return True

    monkeypatch.setattr("napari_patchmap.patches.readers.folder.image_folder._REPORT", -1)
    with pytest.raises(LoadCancelled):
        find_images(folder, Watch(None, stop))
    assert seen == [True]


def test_a_folder_is_listed_once_also_with_labels_and_a_pattern(
    write, folder, grey, tmp_path, monkeypatch
):
    write("a_1.png", grey(8, 8))
    write("sub/b_1.png", grey(8, 8))
    (tmp_path / "labels.csv").write_text("file,size\na_1,1\nb_1,2\n")
    listed, scandir = [], os.scandir
    monkeypatch.setattr(os, "scandir", lambda at: listed.append(Path(at)) or scandir(at))
    ps = open_patches(folder, pattern="{label}_{}.png", labels=tmp_path / "labels.csv")
    assert ps.labels.tolist() == ["1", "2"]
    assert ps.table["label (file name)"].tolist() == ["a", "b"]
    assert listed.count(folder / "sub") == 1


def test_labels_from_a_pattern_and_a_labels_file(write, folder, grey, tmp_path):
    for name in ("x/eos_7_1.png", "x/neu_8_2.png", "y/odd.png"):
        write(name, grey(8, 8))
    ps = open_patches(folder, pattern="{label}_{patient}_{}.png")
    assert ps.labels.tolist() == ["eos", "neu", ""]
    assert ps.table["folder"].tolist() == ["x", "x", "y"]
    np.testing.assert_array_equal(ps.table["patient"], [7, 8, np.nan])
    assert "y/odd.png, do not fit" in ps.notes[0]
    again = reopen(ps.origin)
    assert again.labels.tolist() == ps.labels.tolist()
    csv = tmp_path / "labels.csv"
    csv.write_text("file,label,patient\neos_7_1,A,1\nneu_8_2,B,2\nodd,C,3\n")
    ps = open_patches(folder, pattern="{label}_{patient}_{}.png", labels=csv)
    assert ps.labels.tolist() == ["A", "B", "C"]
    assert ps.table["patient"].tolist() == [1, 2, 3]
    assert ps.table["label (file name)"].tolist()[:2] == ["eos", "neu"]
    assert ps.table["patient (file name)"].tolist()[:2] == [7, 8]
    assert ps.table["folder"].tolist() == ["x", "x", "y"]


def test_progress_goes_to_the_end_and_loading_can_be_cancelled(write, folder, grey):
    for i in range(300):
        write(f"{i}.png", grey(4, 4))
    seen = []
    open_patches(folder, watch=Watch(lambda *step: seen.append(step)))
    assert seen[-1] == (300, 300)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    with pytest.raises(LoadCancelled):
        open_patches(folder, watch=Watch(should_stop=lambda: True))


def test_the_content_counts_not_the_ending(folder, grey):
    folder.mkdir()
    pixels = grey(8, 8)
    (folder / "1.png").write_bytes(imagecodecs.png_encode(pixels))
    (folder / "2.jpg").write_bytes(imagecodecs.png_encode(pixels))
    ps = open_patches(folder)
    np.testing.assert_array_equal(ps[0], ps[1])


@pytest.mark.parametrize("side", [48, 320, 1000])
def test_crops_that_carry_a_small_copy_are_no_slides(tmp_path, rng, side):
    """A second, reduced page: as a thumbnail, or below the first."""
    crops = rng.integers(0, 256, (4, side, side, 3), "uint8")
    for nested in (False, True):
        root = tmp_path / f"set{nested}"
        for i, crop in enumerate(crops):
            path = root / "ab"[i % 2] / f"{i}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            with tifffile.TiffWriter(path) as tif:
                more = {"photometric": "rgb", "compression": "zlib"}
                tif.write(crop, subifds=1 if nested else None, **more)
                tif.write(crop[::4, ::4].copy(), subfiletype=1, **more)
        ps = open_patches(root)
        assert ps.labels.tolist() == ["a", "a", "b", "b"]
        np.testing.assert_array_equal(ps[1], crops[2])
        assert ps.notes == [f"{COPIES_NOTE} (4 images)"]
