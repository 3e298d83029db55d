"""Figures with patches on them: the right patch in the right place, in the right frame."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_patchmap.errors import RunError
from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.runs.drawing.class_rows import ClassRowsConfig, draw_class_rows
from napari_patchmap.runs.drawing.drawable import Drawable
from napari_patchmap.runs.drawing.montage import MontageConfig, draw_montage
from napari_patchmap.runs.drawing.paper import save_page
from napari_patchmap.runs.drawing.tips import TipsConfig, draw_tips, draw_tips_moved

#: Of the pages here: pixels of a millimetre.
_DPI = 254
_MM = _DPI / 25.4


def numbered_patches(count: int, missing: tuple[int, ...] = ()) -> PatchSet:
    """Make patches that say which they are, and which way up: upper left red is 40 + 2 i."""
    images = np.full((count, 16, 16, 3), 255, np.uint8)
    images[:, :8, 8:] = 0
    images[:, :8, :8] = [0, 0, 200]
    images[:, :8, :8, 0] = 40 + 2 * np.arange(count)[:, None, None]
    table = box_table("numbers", np.arange(count), np.full((count, 2), 16))
    return PatchSet(
        images, table, ("red", "green", "blue"), name="numbers", missing=np.array(missing, int)
    )


def no_run():
    raise AssertionError("a run is not needed")


def drawable(places, labels, missing: tuple[int, ...] = (), column: str = "label") -> Drawable:
    """Return patches at places (y, x), with labels, of a set of that many."""
    table = pd.DataFrame({"label": labels})
    table["size"] = np.arange(len(table)) / 2 + 0.25
    patches = numbered_patches(len(table), missing)
    return Drawable(
        np.asarray(places, float), colour_by(table, column), np.arange(len(table)),
        lambda: patches, no_run,
    )  # fmt: skip


def pixels(page, path) -> np.ndarray:
    """Save a page and read it again, uint8 (height, width, 3)."""
    return np.asarray(Image.open(save_page(page, path)).convert("RGB")).astype(int)


def number_in(square: np.ndarray) -> int:
    """Read which patch a square of a page shows, and check that it is not flipped."""
    side = len(square)
    upper, lower = square[side // 4], square[3 * side // 4]
    left, right = upper[side // 4], upper[3 * side // 4]
    assert abs(left[2] - 200) < 3
    assert right.max() < 3
    assert lower[side // 4].min() > 252
    return round((left[0] - 40) / 2)


def squares_of(picture: np.ndarray, squares: int) -> dict[tuple[int, int], np.ndarray]:
    """Return the squares of a montage that are not empty; its page has nothing beside them."""
    low, high = round(2 * _MM), picture.shape[1] - round(2 * _MM)
    edges = np.linspace(low, high, squares + 1).round().astype(int)
    found = {}
    for row in range(squares):
        for column in range(squares):
            square = picture[edges[row] : edges[row + 1], edges[column] : edges[column + 1]]
            if square.min() < 250:
                found[row, column] = square
    return found


MONTAGE = MontageConfig(width=64, dpi=_DPI, names="none", squares=3, least=2)


def three_squares() -> Drawable:
    """Place a and b in the upper left (more a), b in the lower right, one in the middle."""
    corner = [(0.1, 0.1), (0.5, 0.4), (0.3, 0.8), (0.0, 0.0), (0.9, 0.5)]
    far = [(2.9, 2.9), (2.5, 2.6), (3.0, 3.0), (2.2, 2.4)]
    return drawable([*corner, *far, (1.5, 1.5)], list("aaabb") + list("bbba") + ["a"])


def test_a_montage_shows_a_patch_of_the_majority_in_its_square_and_colour(tmp_path):
    given = three_squares()
    picture = pixels(draw_montage(given, MONTAGE), tmp_path / "m.png")
    found = squares_of(picture, 3)
    assert picture.shape[1] == 64 * _MM
    assert set(found) == {(0, 0), (2, 2)}  # one patch alone is too few
    assert number_in(found[0, 0]) in (0, 1, 2)
    assert number_in(found[2, 2]) in (5, 6, 7)
    for place, group in (((0, 0), "a"), ((2, 2), "b")):
        colour = given.colouring.palette[given.colouring.names.index(group), :3] * 255
        side = found[place].shape[0]
        frame = found[place][side // 2, round(0.06 * side)]
        assert abs(frame - colour).max() < 2


def test_the_nearest_to_the_middle_stands_for_a_square_or_one_that_the_seed_says(tmp_path):
    given = three_squares()
    nearest = MONTAGE.replace(pick="middle")
    found = squares_of(pixels(draw_montage(given, nearest), tmp_path / "m.png"), 3)
    assert [number_in(square) for square in found.values()] == [1, 6]
    drawn = [
        save_page(draw_montage(given, MONTAGE.replace(seed=seed)), tmp_path / f"{i}.png")
        for i, seed in enumerate((3, 3, *range(4, 12)))
    ]
    assert drawn[0].read_bytes() == drawn[1].read_bytes()
    assert len({path.read_bytes() for path in drawn}) > 2


def test_images_that_are_gone_stand_for_nothing(tmp_path):
    given = three_squares()
    patches = numbered_patches(10, missing=(0, 1, 5, 6, 7))
    gone = Drawable(given.embedding, given.colouring, given.rows, lambda: patches, no_run)
    found = squares_of(pixels(draw_montage(gone, MONTAGE), tmp_path / "m.png"), 3)
    assert {place: number_in(square) for place, square in found.items()} == {(0, 0): 2}
    patches = numbered_patches(10, missing=tuple(range(10)))
    for draw, config in (
        (draw_montage, MONTAGE),
        (draw_tips, TipsConfig()),
        (draw_class_rows, ClassRowsConfig()),
    ):
        gone = Drawable(given.embedding, given.colouring, given.rows, lambda: patches, no_run)
        with pytest.raises(RunError, match=r"not there any more.*--images"):
            draw(gone, config)


def test_without_classes_there_is_no_frame_and_numbers_have_their_colours(tmp_path):
    given = three_squares()
    for column in ("none", "size"):
        table = pd.DataFrame({"size": np.arange(10) / 2 + 0.25})
        colouring = colour_by(table, "" if column == "none" else column)
        some = Drawable(given.embedding, colouring, given.rows, given.open_patches, no_run)
        config = MONTAGE.replace(pick="middle")
        found = squares_of(pixels(draw_montage(some, config), tmp_path / "m.png"), 3)
        side = len(found[0, 0])
        edge = found[0, 0][3 * side // 4, round(0.06 * side)]  # where the patch is white
        wanted = [255] * 3 if column == "none" else colouring.colours[1, :3] * 255
        assert abs(edge - wanted).max() < 2


def test_too_few_patches_for_any_square_are_said():
    with pytest.raises(RunError, match="No square of 3 x 3 holds 50 patches"):
        draw_montage(three_squares(), MONTAGE.replace(least=50))


def groups_around(groups: int, each: int = 30) -> Drawable:
    """Place groups around a circle, each named after its number."""
    rng = np.random.default_rng(0)
    turn = np.linspace(0, 2 * np.pi, groups, endpoint=False)
    middles = 10 * np.stack([np.sin(turn), np.cos(turn)], axis=1)
    places = np.repeat(middles, each, axis=0) + rng.normal(0, 0.4, (groups * each, 2))
    labels = np.repeat([f"class {i}" for i in range(groups)], each)
    table = pd.DataFrame({"label": labels})
    patches = numbered_patches(3)
    return Drawable(
        places, colour_by(table, "label"), np.arange(len(places)),
        lambda: PatchSet(
            np.resize(patches.stack(), (len(places), 16, 16, 3)),
            box_table("many", np.arange(len(places)), np.full((len(places), 2), 16)),
            ("red", "green", "blue"), name="many",
        ),
        no_run,
    )  # fmt: skip


def crossing(lines: np.ndarray) -> int:
    """Count the lines, (m, 2 ends, 2), that cross another."""

    def side(a, b, c):
        return np.sign((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    return sum(
        side(*lines[i], lines[j][0]) != side(*lines[i], lines[j][1])
        and side(*lines[j], lines[i][0]) != side(*lines[j], lines[i][1])
        for i in range(len(lines))
        for j in range(i)
    )


@pytest.mark.parametrize(("groups", "width"), [(1, 85), (8, 85), (18, 180), (30, 180)])
def test_tips_lie_on_the_page_and_not_on_each_other_and_lines_do_not_cross(groups, width):
    page = draw_tips_moved(groups_around(groups), TipsConfig(width=width, most=30, dpi=80), {})
    assert len(page.boxes) == groups
    low, high = page.boxes[:, :2], page.boxes[:, :2] + page.boxes[:, 2:]
    assert low.min() >= 0
    assert high.max() <= 1
    for i in range(groups):
        for j in range(i):
            assert (np.minimum(high[i], high[j]) - np.maximum(low[i], low[j])).min() < 0
    paper = page.figure.axes[-1]
    lines = np.array([line.get_xydata() for line in paper.lines])[1::2]
    assert len(lines) == groups
    assert crossing(lines) == 0


def test_a_tip_shows_the_nearest_patches_under_the_name_of_the_class(tmp_path):
    places = [(0, 0), (0, 1), (0, 3), (0, 9), (9, 9), (9, 8), (9, 6), (9, 0)]
    given = drawable(places, list("aaabbbba"))
    config = TipsConfig(at=(0, 4), width=100, dpi=_DPI, picture=8)
    page = draw_tips_moved(given, config, {})
    picture = pixels(page.figure, tmp_path / "t.png")
    assert page.patches.tolist() == [0, 4]
    scale = np.array(picture.shape[1::-1])
    shown = []
    for box in page.boxes:
        left, top, _, high = box * np.tile(scale, 2)
        bottom = round(top + high)
        for place in range(3):
            x, side = round(left + place * 8.64 * _MM), round(8 * _MM)
            shown.append(number_in(picture[bottom - side : bottom, x : x + side]))
    assert shown == [0, 1, 2, 4, 5, 6]
    named = {t.get_text() for t in page.figure.axes[-1].texts}
    assert named == {"a", "b"}


def test_a_tip_that_was_moved_stays_where_it_was_put_and_on_the_page():
    given = groups_around(4)
    config = TipsConfig(width=120, dpi=80)
    patch = int(draw_tips_moved(given, config, {}).patches[2])
    for wanted, there in (((0.5, 0.4), (0.5, 0.4)), ((2.0, 0.5), None)):
        page = draw_tips_moved(given, config, {patch: wanted})
        box = page.boxes[2]
        if there is None:
            assert box[0] + box[2] == pytest.approx(1)
        else:
            assert box[:2] + box[2:] / 2 == pytest.approx(there)


def test_tips_without_classes_point_at_dense_places(tmp_path):
    given = groups_around(5)
    table = pd.DataFrame(index=range(len(given.rows)))
    plain = Drawable(
        given.embedding, colour_by(table, ""), given.rows, given.open_patches, no_run
    )
    page = draw_tips_moved(plain, TipsConfig(width=120, dpi=80), {})
    assert sorted(page.patches // 30) == [0, 1, 2, 3, 4]


def _no_images():
    raise RunError("No images.")


def test_what_tips_cannot_be_drawn_is_said():
    with pytest.raises(RunError, match="There is no patch 99 on this map"):
        # Whether the images are there or not, which takes long to find out.
        draw_tips(replace(groups_around(3), open_patches=_no_images), TipsConfig(at=(99,)))
    with pytest.raises(RunError, match="no room for 40 tips of 3 patches on 30 mm"):
        draw_tips(groups_around(40), TipsConfig(width=30, most=40))


def test_rows_of_classes_hold_patches_of_the_class_alone(tmp_path):
    given = drawable(np.random.default_rng(0).normal(size=(30, 2)), list("ab") * 12 + [""] * 6)
    config = ClassRowsConfig(width=100, dpi=_DPI, each=5)
    page = draw_class_rows(given, config)
    picture = pixels(page, tmp_path / "c.png")
    assert picture.shape[1] == 100 * _MM
    texts = [text.get_text() for text in page.axes[-1].texts]
    assert texts == ["a", "12", "b", "12"]
    found = [image.get_extent() for image in page.axes[-1].get_images()]
    shown = []
    for left, right, bottom, top in np.array(found) / 72 * _DPI:
        shown.append(number_in(picture[round(top) : round(bottom), round(left) : round(right)]))
    assert len(set(shown)) == 10
    assert {number % 2 for number in shown[:5]} == {0}
    assert {number % 2 for number in shown[5:]} == {1}
    again = draw_class_rows(given, config)
    assert (
        save_page(again, tmp_path / "again.png").read_bytes()
        == (tmp_path / "c.png").read_bytes()
    )


def test_examples_of_no_classes_are_refused():
    given = drawable([(0, 0), (1, 1)], ["", ""])
    with pytest.raises(RunError, match=r"no classes to show examples of.*colour by a column"):
        draw_class_rows(given, ClassRowsConfig())
