"""Classes as the values of images, and the colours that images are painted in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.class_image import object_class_image
from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.explore.number_codes import NumberCodes
from napari_patchmap.explore.palette import missing_colour
from napari_patchmap.explore.patch_colours import (
    HIDDEN,
    UNKNOWN,
    WITHOUT,
    patch_classes,
    patch_colours,
)
from napari_patchmap.explore.tile_image import TileImage
from napari_patchmap.patches.watch import Watch


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
@pytest.mark.parametrize("far", [False, True], ids=["", "huge numbers"])
def test_each_number_has_its_code_and_others_have_none(dtype, far):
    numbers, codes = np.array([9, 5, 200]), np.array([300, 7, 1])
    if far:
        numbers, codes = np.append(numbers, 2**40), np.append(codes, 2)
    known = NumberCodes(numbers, codes)
    labels = np.array([[0, 5, 5], [9, 200, 199], [201, 254, 9]], dtype)
    wanted = [[0, 7, 7], [300, 1, 0], [0, 0, 300]]
    np.testing.assert_array_equal(known.of(labels), wanted)
    np.testing.assert_array_equal(known.of(labels[:, ::2]), np.array(wanted)[:, ::2])
    if dtype is np.uint64:
        beyond = known.of(np.array([2**40, 2**63 + 9], np.uint64))
        assert beyond.tolist() == [2 * far, 0]


def test_an_object_has_the_class_of_its_frame():
    labels = np.array([[[1, 1, 2]], [[1, 2, 0]], [[3, 3, 3]]])
    frames, numbers = np.array([1, 0, 1, 0]), np.array([1, 2, 2, 1])
    values = np.array([4, 5, 6, 0])
    made = object_class_image(labels, frames, numbers, values, Watch())
    assert made.dtype == np.uint8
    assert made.tolist() == [[[0, 0, 5]], [[4, 6, 0]], [[0, 0, 0]]]
    flat = object_class_image(labels[0], np.zeros(2, int), numbers[:2], values[:2], Watch())
    assert flat.tolist() == [[4, 4, 5]]


def test_tiles_side_by_side_are_a_pixel_each_wherever_their_grid_begins():
    places = np.array([[37, 11], [37, 11 + 224], [37 + 448, 11]])
    image = TileImage(np.hstack([places, np.full((3, 2), 224)]), (1000, 700))
    assert (image.step, image.corner, image.exact) == (224, (37, 11), True)
    assert image.shape == (5, 4)  # to the end of the slide
    wanted = np.zeros((5, 4), int)
    wanted[0, 0], wanted[0, 1], wanted[2, 0] = 1, 2, 3
    np.testing.assert_array_equal(image.numbers(np.arange(3)), wanted)
    assert np.unique(image.numbers(np.array([2]))).tolist() == [0, 1]


def test_where_tiles_overlap_the_closer_middle_counts():
    boxes = np.array([[0, 0, 4, 4], [0, 2, 4, 4], [2, 0, 4, 4]]) * 10
    numbers = TileImage(boxes, (80, 80)).numbers(np.arange(3))
    middles = boxes[:, :2] + boxes[:, 2:] / 2
    for (row, column), number in np.ndenumerate(numbers):
        at = np.array([row, column]) * 20 + 10
        inside = np.all((at > boxes[:, :2]) & (at < boxes[:, :2] + boxes[:, 2:]), axis=1)
        away = np.where(inside, ((middles - at) ** 2).sum(axis=1), np.inf)
        assert number == 0 if not inside.any() else away[number - 1] == away.min()


def test_boxes_without_a_common_grid_are_drawn_as_fine_as_there_is_room():
    boxes = np.array([[0, 0, 5_000, 3_001], [20_000, 33_333, 4_000, 4_007]])
    image = TileImage(boxes, (30_000, 40_000))
    assert not image.exact
    assert max(image.shape) <= 4_096
    numbers = image.numbers(np.arange(2))
    for number, (y, x, height, width) in enumerate(boxes, start=1):
        rows, columns = np.nonzero(numbers == number)
        found = [rows.min(), columns.min(), rows.max() + 1, columns.max() + 1]
        wanted = np.array([y, x, y + height, x + width])
        np.testing.assert_allclose(np.array(found) * image.step, wanted, atol=image.step)


def test_patches_are_painted_as_the_map_shows_them():
    table = pd.DataFrame({"kind": ["b", "a", None, "b"], "area": [1.0, 2.0, 3.0, np.nan]})
    colouring = colour_by(table, "kind")
    painted = patch_colours(colouring, np.array([False, False, False, True]))
    assert painted.codes.tolist()[2:] == [WITHOUT, HIDDEN]
    np.testing.assert_array_equal(painted.palette[painted.codes[:2]], colouring.colours[:2])
    grey = painted.palette[[UNKNOWN, WITHOUT]]
    np.testing.assert_array_equal(grey[:, :3], [missing_colour()[:3]] * 2)
    assert (grey[:, 3] < 0.5).all()
    assert painted.palette[HIDDEN, 3] == 0
    numbers = colour_by(table, "area")
    painted = patch_colours(numbers)
    np.testing.assert_array_equal(painted.palette[painted.codes], numbers.colours)


def test_classes_count_from_one_in_the_order_of_the_legend():
    annotation = Annotation("kind", np.array([1, -1, 0, 1], np.int16))
    annotation = annotation.with_class("blast").with_class("debris", "#8a8a8a")
    classes = patch_classes(annotation.colouring())
    assert (classes.column, classes.names) == ("kind", ("blast", "debris"))  # grey is one, too
    assert classes.values.tolist() == [2, 0, 1, 2]
    full = annotation.give(np.array([1]), 0).colouring()
    assert patch_classes(full).values.tolist() == [2, 1, 1, 2]
    assert patch_classes(colour_by(pd.DataFrame({"area": [1.0, 2.0]}), "area")) is None
