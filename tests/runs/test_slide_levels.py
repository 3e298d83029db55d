"""The levels of a slide that is looked at: boxes are read, and no more."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.patches.readers.slides.pyramid import look_of
from napari_patchmap.patches.readers.slides.tiles import open_slide
from napari_patchmap.runs.slide_levels import finer_levels
from tests.patches.slides.drawn import cells, tissue, write_fluorescence, write_pyramid


@pytest.mark.parametrize("coloured", [True, False])
def test_boxes_look_as_they_do_in_a_picture_of_it_all(tmp_path, coloured):
    if coloured:
        slide = open_slide(write_pyramid(tmp_path / "a.tif", tissue()))
    else:
        slide = open_slide(write_fluorescence(tmp_path / "a.ome.tif", cells()))
    whole = slide.read(0, 0, 0, *slide.shape)
    look = look_of(whole, slide.is_rgb)
    (first, *rest) = finer_levels(slide, max(slide.shape) // 2, look)
    assert rest == []
    shown = look(whole)
    assert (first.shape, first.dtype, first.ndim) == (shown.shape, np.uint8, 3)
    for box in (
        np.s_[100:160, 50:90, :],
        np.s_[100:160, 50:90],
        np.s_[-30:, ::7, 0],
        np.s_[5, 9],
        np.s_[200],
        np.s_[40:40, 3:9],
    ):
        np.testing.assert_array_equal(first[box], shown[box])


def test_a_slide_without_levels_between_is_seen_small_only(tmp_path):
    """Half zoomed in, all of its pixels would have to be read."""
    image = tissue()
    slide = open_slide(write_pyramid(tmp_path / "a.tif", image))
    look = look_of(image, True)
    sides = [one.shape[:2] for one in finer_levels(slide, 100, look)]
    assert sides == [(600, 800), (300, 400), (150, 200)]
    alone = open_slide(write_pyramid(tmp_path / "b.tif", image, levels=1))
    assert finer_levels(alone, 100, look) == ()
    assert len(finer_levels(alone, 200, look)) == 1


def test_a_damaged_place_is_white_and_the_rest_is_seen(tmp_path):
    image = tissue()
    path = write_pyramid(tmp_path / "a.tif", image, levels=1)
    slide = open_slide(path)
    offset = int(slide._planes[0][0]._offsets[0])
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"no longer a tile")
    (level,) = finer_levels(open_slide(path), 400, look_of(image, True))
    assert (level[:100, :100] == 255).all()
    np.testing.assert_array_equal(
        level[200:300, 200:300], look_of(image, True)(image[200:300, 200:300])
    )
