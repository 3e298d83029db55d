"""Patches from an array that is open in a viewer."""

import numpy as np
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import from_array


def test_napari_layers(grey):
    pixels = grey(20, 10, 14, 3)
    ps = from_array(pixels, name="cells", rgb=True)
    np.testing.assert_array_equal(ps.stack(), pixels)
    assert ps.is_rgb
    ps = from_array(grey(20, 10, 14, 4), name="cells", rgb=True)
    assert ps.stack().shape == (20, 10, 14, 3)
    assert ps.notes == ["Alpha (transparency) was dropped."]
    pixels = grey(20, 2, 10, 14, dtype="uint16")
    ps = from_array(pixels, name="cells", rgb=False, channel_names=["DAPI", "GFP"])
    np.testing.assert_array_equal(ps.stack(), pixels.transpose(0, 2, 3, 1))
    assert ps.channel_names == ("DAPI", "GFP")
    # Without colour the last two axes are the image, however short they are.
    assert from_array(grey(20, 30, 3), name="cells", rgb=False).stack().shape == (20, 30, 3, 1)


def test_ambiguous_and_single_layers(grey):
    with pytest.raises(PatchError, match=r"cells \(20 x 60 x 64 x 64\).*axes.*TZYX"):
        from_array(grey(20, 60, 64, 64), name="cells", rgb=False)
    ps = from_array(grey(2, 6, 16, 16), name="cells", rgb=False, axes="TZYX")
    assert len(ps) == 12
    for pixels, rgb in ((grey(64, 64), False), (grey(64, 64, 3), True)):
        with pytest.raises(PatchError, match="cells is one single image"):
            from_array(pixels, name="cells", rgb=rgb)


def test_opaque_alpha_is_dropped_but_a_fourth_channel_kept(grey):
    pixels = grey(5, 10, 14, 4)
    ps = from_array(pixels, name="cells")
    np.testing.assert_array_equal(ps.stack(), pixels)
    assert ps.channel_names == ("channel 0", "channel 1", "channel 2", "channel 3")
    pixels[..., 3] = 255
    ps = from_array(pixels, name="cells")
    np.testing.assert_array_equal(ps.stack(), pixels[..., :3])
    assert ps.is_rgb


def test_three_planes_are_colour_in_8_bit_only(grey):
    assert from_array(grey(5, 3, 10, 14), name="cells").is_rgb
    assert not from_array(grey(5, 3, 10, 14, dtype="uint16"), name="cells").is_rgb
    assert from_array(grey(5, 10, 14, 3, dtype="uint16"), name="cells").is_rgb


def test_names_that_do_not_fit_and_values_that_are_no_pixels(grey):
    with pytest.raises(PatchError, match=r"cells has 2 channels but 3 names"):
        from_array(grey(5, 2, 10, 14), name="cells", channel_names="abc")
    with pytest.raises(PatchError, match=r"cells holds values of type complex128, not pixels"):
        from_array(np.zeros((5, 10, 14), complex), name="cells")
    with pytest.raises(PatchError, match=r"cells holds no images"):
        from_array(np.zeros((0, 10, 14)), name="cells")
