"""Crops around the objects of a label image."""

from __future__ import annotations

import json

import dask.array
import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_patchmap.errors import PatchError, UnclearAxesError
from napari_patchmap.patches import CropConfig, from_objects, open_patches, reopen
from napari_patchmap.patches.readers.objects.find_objects import find_objects
from napari_patchmap.patches.watch import Watch
from tests.patches.stacks.zarr_stores import fill, write_ome

#: Ids that need 64 bits, far apart.
SPARSE = (3, 70_000, 5_000_000_000)


@pytest.fixture
def scene(rng):
    """An image of 60 x 80 pixels with three bright objects, and their labels."""
    labels = np.zeros((60, 80), np.int64)
    labels[10:20, 30:36] = SPARSE[0]
    labels[10:16, 36:44] = SPARSE[1]  # touches the first
    labels[50:60, 70:80] = SPARSE[2]  # in the corner
    image = rng.integers(5, 15, labels.shape).astype(np.uint16)
    image[labels == SPARSE[0]] = 1_000
    image[labels == SPARSE[1]] = 2_000
    image[labels == SPARSE[2]] = 3_000
    return image, labels


def crops(image, labels, **options):
    config = CropConfig(**options.pop("config", {}))
    return from_objects(image, labels, name="cells", config=config, **options)


def test_find_objects_measures_what_a_plain_loop_measures(rng):
    labels = rng.integers(-1, 40, (70, 90))
    labels[labels < 20] = 0
    found = find_objects(labels)
    np.testing.assert_array_equal(found.ids, np.unique(labels[labels > 0]))
    for number, box, area, centroid in zip(
        found.ids, found.boxes, found.area, found.centroids, strict=True
    ):
        y, x = np.nonzero(labels == number)
        assert box.tolist() == [y.min(), x.min(), y.max() + 1, x.max() + 1]
        assert area == len(y)
        np.testing.assert_allclose(centroid, [y.mean(), x.mean()])


def test_find_objects_puts_bands_of_rows_together(monkeypatch, rng):
    labels = rng.integers(0, 5, (50, 40)).astype(np.uint64) * np.uint64(2**63)
    whole = find_objects(labels)
    monkeypatch.setattr("napari_patchmap.patches.readers.objects.find_objects._BAND", 120)
    steps = []
    parts = find_objects(labels, lambda done, total: steps.append((done, total)))
    np.testing.assert_array_equal(parts.boxes, whole.boxes)
    np.testing.assert_array_equal(parts.area, whole.area)
    assert steps[-1] == (50, 50)
    assert len(steps) == 17


@pytest.mark.parametrize("dtype", ["int64", "uint64", "int32"])
def test_each_object_is_a_patch_that_knows_where_it_was(scene, dtype):
    image, labels = scene
    if dtype == "int32":
        labels = np.searchsorted([0, *SPARSE], labels)
    ps = crops(image, labels.astype(dtype), config={"size": 16})
    assert len(ps) == 3
    assert ps.table["source"].tolist() == ["cells"] * 3
    assert ps.table["label_id"].tolist() == ([1, 2, 3] if dtype == "int32" else list(SPARSE))
    assert ps.table["area"].tolist() == [60, 48, 100]
    assert "label" not in ps.table
    first = ps.table.iloc[0]
    assert (first.y, first.x, first.height, first.width) == (7, 25, 16, 16)
    assert (first.centroid_y, first.centroid_x) == (14.5, 32.5)
    np.testing.assert_array_equal(ps[0][..., 0], image[7:23, 25:41])
    assert ps.channel_names == ("grey",)


def test_the_size_is_chosen_so_that_objects_fit(scene):
    ps = crops(*scene)
    assert ps.common_size == (18, 18)  # the longest side, 10, and 4 pixels around it
    assert "Each object was cut out in a square of 18 x 18 pixels." in ps.notes
    ps = crops(*scene, config={"padding": 0})
    assert ps.common_size == (10, 10)
    ps = crops(*scene, config={"size": 8})
    assert "2 objects were larger than the crop and cut at its edge." in ps.notes


def test_an_object_at_the_border_is_filled_up_or_left_out(scene):
    image, labels = scene
    ps = crops(image, labels, config={"size": 20})
    corner = ps[2][..., 0]
    assert (ps.table.y[2], ps.table.x[2]) == (45, 65)
    np.testing.assert_array_equal(corner[:15, :15], image[45:, 65:])
    assert len(np.unique(corner[15:])) == 1
    assert corner[-1, -1] < 20  # the colour of the background around it
    ps = crops(image, labels, config={"size": 20, "border": "skip"})
    assert ps.table["label_id"].tolist() == list(SPARSE[:2])
    assert "1 object was at the border and skipped." in ps.notes


def test_neighbours_and_background_are_painted_over(scene):
    image, labels = scene
    ps = crops(image, labels, config={"size": 16, "mask_neighbours": True})
    crop, box = ps[0][..., 0], labels[7:23, 25:41]
    np.testing.assert_array_equal(crop[box == SPARSE[0]], 1_000)
    np.testing.assert_array_equal(crop[box == 0], image[7:23, 25:41][box == 0])
    middle = np.median(image[7:23, 25:41][box == 0])
    assert set(crop[box == SPARSE[1]]) == {round(middle)}
    ps = crops(image, labels, config={"size": 16, "mask_background": True})
    crop = ps[0][..., 0]
    assert len(np.unique(crop[box != SPARSE[0]])) == 1
    np.testing.assert_array_equal(crop[box == SPARSE[0]], 1_000)


@pytest.mark.parametrize("lazy", [False, True])
def test_painting_afterwards_changes_nothing(scene, lazy):
    image, labels = scene
    given = dask.array.from_array(labels, chunks=20) if lazy else labels
    ps = crops(image, given, config={"mask_neighbours": True})
    before = [ps[i].copy() for i in range(3)]
    labels[:] = 1
    for i in range(3):
        np.testing.assert_array_equal(ps[i], before[i])
    assert ps.table["label_id"].tolist() == list(SPARSE)


def test_channels_stand_first_or_last(rng, grey):
    labels = np.zeros((40, 50), np.uint8)
    labels[5:15, 5:15], labels[20:30, 20:40] = 1, 2
    colour = grey(40, 50, 3)
    ps = crops(colour, labels, rgb=True, config={"size": 10})
    assert ps.is_rgb
    np.testing.assert_array_equal(ps[0], colour[5:15, 5:15])
    ps = crops(grey(40, 50, 4), labels, rgb=True)
    assert ps.channels == 3
    assert "Alpha (transparency) was dropped." in ps.notes
    stains = grey(2, 40, 50, dtype="uint16")
    ps = crops(stains, labels, config={"size": 10}, channel_names=["DAPI", "GFP"])
    np.testing.assert_array_equal(ps[0], stains[:, 5:15, 5:15].transpose(1, 2, 0))
    assert ps.channel_names == ("DAPI", "GFP")
    ps = crops(
        stains, labels, config={"size": 10}, channel_names=["DAPI", "GFP"], channels=["gfp"]
    )
    assert ps.channel_names == ("GFP",)
    with pytest.raises(PatchError, match="cells has 2 channels but 3 names"):
        crops(stains, labels, channel_names="abc")


@pytest.mark.parametrize("lazy", [False, True])
def test_a_time_series_gives_every_object_of_every_frame(grey, lazy):
    labels = np.zeros((4, 40, 50), np.uint16)
    for t in range(4):
        labels[t, 5 : 10 + t, 5:10] = 7
        labels[t, 20:30, 20 + t : 30 + t] = 9
    labels[2] = 0
    image = grey(4, 2, 40, 50, dtype="uint16")
    pixels, planes = image, labels
    if lazy:
        pixels = dask.array.from_array(image, chunks=(1, 1, 20, 50))
        planes = dask.array.from_array(labels, chunks=(1, 40, 50))
    ps = crops(pixels, planes, config={"size": 12})
    assert ps.table["frame"].tolist() == [0, 0, 1, 1, 3, 3]
    assert ps.table["label_id"].tolist() == [7, 9] * 3
    y, x = ps.table.loc[5, ["y", "x"]]
    np.testing.assert_array_equal(ps[5], image[3, :, y : y + 12, x : x + 12].transpose(1, 2, 0))
    assert any("taken as time" in note for note in ps.notes)
    assert not any("taken as time" in n for n in crops(image, labels, axes="TCYX").notes)


def test_small_objects_are_counted(scene):
    image, labels = scene
    labels[1, 1:4] = 11
    ps = crops(image, labels)
    assert len(ps) == 3
    assert "1 object was smaller than 10 pixels and skipped." in ps.notes
    assert len(crops(image, labels, config={"smallest": 1})) == 4


def test_what_does_not_fit_is_said_in_one_sentence(scene, grey):
    image, labels = scene

    def said(image, labels, **options):
        with pytest.raises(PatchError) as caught:
            crops(image, labels, labels_name="nuclei", **options)
        assert str(caught.value).endswith(".")
        assert str(caught.value).count(". ") == 0
        return str(caught.value)

    match = said(image[:, :70], labels)
    assert "nuclei (60 x 80) do not match the image cells (60 x 70)" in match
    assert "do not match" in said(grey(7, 60, 80), np.stack([labels] * 6))
    assert "holds no objects" in said(image, np.zeros_like(labels))
    assert "nuclei holds numbers with a decimal point" in said(image, labels + 0.5)
    assert "mask that marks all objects with the one number 255" in said(image, labels > 0)
    assert "one single object" in said(image, np.where(labels == SPARSE[2], 5, 0))
    assert "smaller than 500 pixels" in said(image, labels, config={"smallest": 500})
    corner = np.zeros_like(labels)
    corner[0:8, 0:8], corner[-8:, -8:] = 1, 2
    assert "touch the border" in said(image, corner, config={"border": "skip"})
    volume = np.stack([labels] * 3)
    assert "3-D volume" in said(np.stack([image] * 3), volume, axes="ZYX")
    assert "not one plane of labels" in said(image, np.stack([volume] * 2))
    assert "values of type complex128" in said(image.astype(complex), labels)


def test_loading_can_be_followed_and_stopped(scene):
    steps = []
    crops(*scene, watch=Watch(lambda *step: steps.append(step)))
    assert steps[-1] == (60, 60)
    with pytest.raises(PatchError, match="cancelled"):
        crops(*scene, watch=Watch(should_stop=lambda: True))


# -- files ----------------------------------------------------------------------


def test_files_give_the_same_crops_and_open_again(tmp_path, scene):
    image, labels = scene
    labels = np.searchsorted([0, *SPARSE], labels).astype(np.uint16)
    stains = np.stack([image, image[::-1]])
    tifffile.imwrite(
        tmp_path / "a b.ome.tif",
        stains,
        metadata={"axes": "CYX", "Channel": {"Name": ["α", "β"]}},
    )
    tifffile.imwrite(tmp_path / "labels.tif", labels, compression="zlib")
    np.save(tmp_path / "labels.npy", labels)
    expected = crops(stains, labels, config={"size": 16, "mask_neighbours": True})
    for name in ("labels.tif", "labels.npy"):
        ps = open_patches(
            tmp_path / "a b.ome.tif",
            objects=tmp_path / name,
            crops=CropConfig(size=16, mask_neighbours=True),
        )
        assert ps.channel_names == ("α", "β")
        assert ps.table["source"].unique().tolist() == ["a b.ome.tif"]
        for i in range(3):
            np.testing.assert_array_equal(ps[i], expected[i])
        assert ps.origin["kind"] == "objects"
        again = reopen(json.loads(json.dumps(ps.origin)))
        assert again.origin == ps.origin
        np.testing.assert_array_equal(again[1], ps[1])


@pytest.mark.parametrize("fmt", [2, 3])
def test_zarr_images_and_labels_give_the_same_crops(tmp_path, scene, fmt):
    image, labels = scene
    labels = np.searchsorted([0, *SPARSE], labels).astype(np.uint16)
    stains = np.stack([image, image[::-1]])
    tifffile.imwrite(tmp_path / "labels.tif", labels)
    write_ome(
        tmp_path / "image.zarr", stains[None, :, None], "tczyx", fmt=fmt, names=["α", "β"],
        chunks=(1, 1, 1, 32, 32),
    )  # fmt: skip
    write_ome(tmp_path / "image.zarr/labels/cells", labels[None, None, None], "tczyx", fmt=fmt)
    fill(tmp_path / "plain.zarr", labels, (20, 20), fmt)
    expected = crops(stains, labels, config={"size": 16})
    for name in ("labels.tif", "image.zarr/labels/cells", "plain.zarr"):
        ps = open_patches(
            tmp_path / "image.zarr", objects=tmp_path / name, crops=CropConfig(size=16)
        )
        assert ps.channel_names == ("α", "β")
        assert ps.table["label_id"].tolist() == [1, 2, 3]
        for i in range(3):
            np.testing.assert_array_equal(ps[i], expected[i])
        np.testing.assert_array_equal(reopen(ps.origin)[1], ps[1])
    tifffile.imwrite(tmp_path / "image.tif", image)
    assert len(open_patches(tmp_path / "image.tif", objects=tmp_path / "plain.zarr")) == 3
    assert ps.notes == expected.notes
    chunk = tmp_path / "image.zarr/0" / ("c/0/0/0/0/0" if fmt == 3 else "0.0.0.0.0")
    chunk.unlink()
    ps = open_patches(tmp_path / "image.zarr", objects=tmp_path / "labels.tif")
    assert ps.notes[-1].startswith("1 plane(s) of image.zarr lack chunks, which by the for")


@pytest.mark.parametrize("folders", [False, True])
def test_labels_with_a_look_up_table_are_numbers(tmp_path, scene, rng, folders):
    """As ImageJ saves label images of 8 bits, and as segmentation data sets save PNGs."""
    image, labels = scene
    labels = np.searchsorted([0, *SPARSE], labels).astype(np.uint8)
    expected = crops(image, labels, config={"size": 16})
    colours = rng.integers(0, 256, (3, 256), "uint8")
    pillow = Image.fromarray(labels, "P")
    pillow.putpalette(colours.T.tobytes())
    (tmp_path / "images").mkdir()
    (tmp_path / "masks").mkdir()
    tifffile.imwrite(tmp_path / "images" / "a.tif", image)
    for name, write in (
        ("a.tif", lambda path: tifffile.imwrite(path, labels, imagej=True, colormap=colours)),
        ("a.tif", lambda path: tifffile.imwrite(path, labels, photometric="miniswhite")),
        ("a.png", lambda path: pillow.save(path, bits=8)),
        ("a.png", lambda path: pillow.save(path, bits=2)),
        ("a.bmp", pillow.save),
    ):
        path = tmp_path / "masks" / name
        write(path)
        ps = open_patches(
            tmp_path / "images" if folders else tmp_path / "images" / "a.tif",
            objects=tmp_path / "masks" if folders else path,
            crops=CropConfig(size=16),
        )
        assert ps.table["label_id"].tolist() == [1, 2, 3]
        for i in range(3):
            np.testing.assert_array_equal(ps[i], expected[i])
        path.unlink()


def test_zarr_of_objects_that_cannot_be_used_is_one_sentence(tmp_path, scene):
    image, labels = scene
    fill(tmp_path / "labels.zarr", labels.astype(np.int32), (20, 20))
    write_ome(tmp_path / "deep.zarr", np.stack([image, image]), "zyx")
    with pytest.raises(UnclearAxesError, match=r"deep\.zarr is a 3-D volume"):
        open_patches(tmp_path / "deep.zarr", objects=tmp_path / "labels.zarr")
    fill(tmp_path / "small.zarr", image[:20], (20, 20))
    with pytest.raises(PatchError, match=r"labels\.zarr .* do not match the image small\.zarr"):
        open_patches(tmp_path / "small.zarr", objects=tmp_path / "labels.zarr")
    fill(tmp_path / "image.zarr", image, (20, 20))
    for name in ("image", "labels"):
        (tmp_path / f"{name}.zarr/c/0/0").write_bytes(b"damaged")
        with pytest.raises(PatchError, match=rf"A chunk of .*{name}\.zarr cannot be decoded"):
            open_patches(tmp_path / "image.zarr", objects=tmp_path / "labels.zarr")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(PatchError, match=r"empty\.zarr is not a Zarr store"):
        open_patches(tmp_path / "empty.zarr", objects=tmp_path / "labels.zarr")


def test_axes_of_files_come_from_their_metadata(tmp_path, grey):
    labels = np.zeros((3, 40, 50), np.uint8)
    labels[:, 5:15, 5:15], labels[:, 20:30, 20:30] = 1, 2
    image = grey(3, 40, 50)
    for name, pixels in (("image.tif", image), ("labels.tif", labels)):
        tifffile.imwrite(tmp_path / name, pixels, imagej=True, metadata={"axes": "TYX"})
    ps = open_patches(tmp_path / "image.tif", objects=tmp_path / "labels.tif")
    assert ps.table["frame"].tolist() == [0, 0, 1, 1, 2, 2]
    # Planes without a meaning, and one label image for all of them, are channels.
    tifffile.imwrite(tmp_path / "planes.tif", image, photometric="minisblack")
    tifffile.imwrite(tmp_path / "one.tif", labels[0])
    ps = open_patches(tmp_path / "planes.tif", objects=tmp_path / "one.tif")
    assert (len(ps), ps.channels) == (2, 3)
    for name, pixels in (("image.tif", image), ("labels.tif", labels)):
        tifffile.imwrite(tmp_path / name, pixels, imagej=True, metadata={"axes": "ZYX"})
    with pytest.raises(UnclearAxesError, match=r"labels\.tif is a 3-D volume .* to TYX"):
        open_patches(tmp_path / "image.tif", objects=tmp_path / "labels.tif")


def test_folders_are_matched_by_name(tmp_path, write, grey):
    labels = np.zeros((40, 50), np.uint16)
    labels[5:15, 5:15], labels[20:30, 20:30] = 1, 2
    images = {}
    for name in ("a", "b c", "ä"):
        images[name] = grey(40, 50, 3)
        write(f"images/{name}.png", images[name])
        write(f"masks/{name}_cp_masks.tif", labels)
    write("images/alone.png", grey(40, 50, 3))
    write("masks/lonely_mask.tif", labels)
    write("images/small.png", grey(30, 30, 3))
    write("masks/small.png", labels)
    write("images/empty.png", grey(40, 50, 3))
    write("masks/empty.png", np.zeros_like(labels))
    write("images/broken.png", grey(40, 50, 3))
    write("masks/broken.tif", labels).write_bytes(b"")
    folder = tmp_path / "set"
    ps = open_patches(folder / "images", objects=folder / "masks", crops=CropConfig(size=12))
    assert ps.table["source"].tolist() == [f"{n}.png" for n in images for _ in "12"]
    assert ps.is_rgb
    np.testing.assert_array_equal(ps[3], images["b c"][19:31, 19:31])
    reasons = {one.source: one.reason for one in ps.skipped}
    assert reasons["alone.png"] == "has no labels in masks"
    assert reasons["lonely_mask.tif"] == "has no image in images"
    assert "30 x 30 pixels, but its labels are 50 x 40" in reasons["small.png"]
    assert "without an object" in reasons["empty.png"]
    assert "broken.tif" in reasons["broken.png"]
    assert len(reasons) == 5
    again = reopen(json.loads(json.dumps(ps.origin)))
    np.testing.assert_array_equal(again[5], ps[5])


def test_labels_may_lie_beside_their_images(tmp_path, write, grey):
    labels = np.zeros((40, 50), np.uint8)
    labels[5:15, 5:15], labels[20:30, 20:30] = 1, 2
    for name in ("1", "2"):
        write(f"{name}_img.png", grey(40, 50))
        write(f"{name}_masks.png", labels)
    folder = tmp_path / "set"
    ps = open_patches(folder, objects=folder)
    assert ps.table["source"].tolist() == ["1_img.png"] * 2 + ["2_img.png"] * 2
    assert ps.skipped == []


def test_files_that_do_not_go_together(tmp_path, write, grey):
    image, colour = write("image.png", grey(40, 50)), write("colour.png", grey(40, 50, 3))
    bad = tmp_path / "set" / "bad.tif"
    bad.write_bytes(b"II*\0half")
    for path, labels, said in (
        (image, tmp_path / "gone.tif", r"no file or folder .*gone\.tif"),
        (image, tmp_path, "must both be files"),
        (image, colour, r"colour\.png has 3 channels, so it is a picture of labels"),
        (image, bad, r"bad\.tif "),
        (bad, image, r"bad\.tif |holds"),
        (tmp_path / "set", tmp_path / "set", "No image in .* has labels of the same name"),
    ):
        with pytest.raises(PatchError, match=said) as caught:
            open_patches(path, objects=labels)
        assert "\n" not in str(caught.value)
