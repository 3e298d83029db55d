"""What the rest of the code relies on in a patch set."""

import numpy as np
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import from_array
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.images import as_images
from napari_patchmap.patches.patchset import PatchSet


def mixed(*images, fit):
    sizes = np.array([image.shape[:2] for image in images])
    table = box_table("s", np.arange(len(images)), sizes)
    return PatchSet(list(images), table, ("grey",), fit=fit)


def test_height_and_width_are_never_swapped(grey):
    ps = from_array(grey(4, 20, 40), name="s")
    assert ps.common_size == (20, 40)
    assert ps.training_size(10) == (5, 10)
    assert ps.training_size() == (20, 40)
    assert ps.pixels([0, 1], (5, 10)).shape == (2, 1, 5, 10)
    assert ps.thumbnail(0, 64).shape == (32, 64, 3)


def test_pixels_keep_order_and_values(grey):
    pixels = grey(6, 9, 12, 3)
    ps = from_array(pixels, name="s")
    got = ps.pixels([5, 0, 5], (9, 12))
    np.testing.assert_array_equal(got, pixels[[5, 0, 5]].transpose(0, 3, 1, 2))


def test_another_aspect_is_never_squashed_silently(grey):
    ps = from_array(grey(4, 20, 40), name="cells")
    with pytest.raises(PatchError, match=r"cells are 40 x 20 but 16 x 16 are needed .*pad"):
        ps.pixels([0], (16, 16))
    square = from_array(np.full((2, 20, 40), 90, np.uint8), name="cells", sizes="pad")
    assert square.pixels([0], (16, 16)).tolist() == np.full((1, 1, 16, 16), 90).tolist()


def test_crop_keeps_the_centre_and_pad_the_whole(grey):
    tall = np.zeros((30, 10, 1), np.uint8)
    tall[10:20] = 200
    wide = grey(10, 10, 1)
    cropped = mixed(wide, wide, tall, fit="crop").pixels([2], (10, 10))
    assert (cropped == 200).all()
    padded = mixed(wide, wide, tall, fit="pad").pixels([2], (10, 10))[0, 0]
    assert padded[5, 5] > 100
    assert padded[0, 0] == padded[9, 9]


def test_large_patches_are_resized_in_parts(grey):
    ps = from_array(grey(24, 700, 700, 3), name="s")
    got = ps.pixels(range(24), (32, 32))
    np.testing.assert_array_equal(got[23], ps.pixels([23], (32, 32))[0])


def test_identical_patches_are_noticed(grey):
    one = grey(1, 8, 8)
    ps = from_array(np.repeat(one, 5, axis=0), name="s")
    assert ps.all_identical()
    pixels = np.repeat(one, 5, axis=0)
    pixels[4, 7, 7] ^= 1
    assert not from_array(pixels, name="s").all_identical()


def test_float_and_16_bit_channels_are_scaled_apart():
    pixels = np.zeros((50, 2, 8, 8), np.float32)
    pixels[:, 0] = np.linspace(0, 1, 50)[:, None, None]
    pixels[:, 1] = np.linspace(-4000, 4000, 50)[:, None, None]
    ps = from_array(pixels, name="s")
    shown = ps.pixels(range(50), (8, 8))
    np.testing.assert_array_equal(shown[:, 0], shown[:, 1])
    assert (shown[0] == 0).all()
    assert (shown[-1] == 255).all()
    assert ps[49][0, 0, 1] == 4000


def test_constant_images_scale_to_zero():
    ps = from_array(np.full((5, 8, 8), 700, np.uint16), name="s")
    assert (ps.pixels([0], (8, 8)) == 0).all()


def test_a_table_of_another_length_is_refused(grey):
    table = box_table("s", np.arange(3), np.full((3, 2), 8))
    with pytest.raises(PatchError, match="4 patches but a table of 3 rows"):
        PatchSet(grey(4, 8, 8, 1), table, ("grey",))


def drops(top, count=20, channels=1, dtype="uint8"):
    """Bright drops of up to ``top`` on black, over a quarter of each patch."""
    pixels = np.random.default_rng(0).integers(0, top // 20 + 1, (count, 16, 16, channels))
    pixels[:, 4:12, 4:12] += top - top // 20 - 1
    return pixels.astype(dtype)


@pytest.mark.parametrize("top", [20, 40, 100])
def test_dim_fluorescence_is_brightened_for_people_but_not_for_training(top):
    pixels = drops(top, channels=2)
    pixels[..., 1] //= 2
    ps = from_array(pixels, name="s", axes="NYXC")
    np.testing.assert_array_equal(ps.pixels(range(20), (16, 16)), pixels.transpose(0, 3, 1, 2))
    shown = ps.thumbnail(3, 16)
    assert shown[8, 8, :2].min() > 130
    assert shown[0, 0].max() < 60
    np.testing.assert_array_equal(ps.picture(pixels[3]), shown)


def test_what_is_empty_but_for_noise_stays_dark():
    pixels = np.random.default_rng(0).integers(0, 3, (20, 16, 16)).astype(np.uint8)
    assert from_array(pixels, name="s").thumbnail(0, 16).max() < 50


def test_what_is_bright_enough_is_shown_as_it_is(grey):
    for pixels in (grey(6, 9, 12, 3), grey(6, 9, 12)):
        ps = from_array(pixels, name="s")
        np.testing.assert_array_equal(
            ps.thumbnail(2, 12)[..., 0], pixels[2].reshape(9, 12, -1)[..., 0]
        )
        assert ps.eyes.is_identity


def test_hues_of_dim_colour_images_stay():
    colours = np.zeros((6, 16, 16, 3), np.uint8)
    colours[:, 4:12, 4:12] = 60, 30, 0
    shown = from_array(colours, name="s").thumbnail(0, 16)
    np.testing.assert_allclose(shown[8, 8], (255, 127, 0), atol=1)


def test_16_bit_is_brightened_from_its_own_values():
    """Of a few very bright pixels the rest would be dark; no steps are seen between them."""
    pixels = drops(4000, dtype="uint16")
    pixels += np.random.default_rng(1).integers(0, 400, pixels.shape).astype(np.uint16)
    pixels[:, 0, 0] = 60_000
    ps = from_array(pixels[..., 0], name="s")
    assert ps.pixels([0], (16, 16)).mean() < 30
    shown = ps.thumbnail(0, 16)[..., 0]
    assert shown[8, 8] > 150
    assert len(np.unique(shown)) > 40


def test_images_say_whether_reading_them_touches_a_file(tmp_path):
    pixels = np.zeros((4, 6, 5, 2), np.uint8)
    np.save(tmp_path / "stack.npy", pixels)
    mapped = np.load(tmp_path / "stack.npy", mmap_mode="r")
    for array, in_memory in ((pixels, True), (mapped, False), (mapped[1:, ::2], False)):
        images = as_images(array)
        parts = (images, images.picked(np.array([2])), images.with_channels([1]))
        assert [part.in_memory for part in parts] == [in_memory] * 3
        assert as_images(list(array)).in_memory == in_memory
