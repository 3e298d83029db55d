"""What a person calls the patches."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotation import MOST_CLASSES, Annotation, conflicts
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.explore.given_names import LONGEST


@pytest.fixture
def three():
    """Ten patches: 0 to 3 are blasts, 4 and 5 lymphocytes, none is a ghost."""
    empty = Annotation("annotation", np.full(10, -1, np.int16))
    classes = empty.with_class("blast").with_class("lymphocyte").with_class("ghost")
    return classes.give(np.arange(4), 0).give(np.array([4, 5]), 1)


def names(annotation):
    return annotation.names.tolist()


def test_patches_are_given_a_class_and_lose_it(three):
    assert names(three)[:6] == ["blast"] * 4 + ["lymphocyte"] * 2
    assert names(three)[6:] == [""] * 4
    assert three.counts().tolist() == [4, 2, 0]
    assert three.counts(np.array([3, 4, 9])).tolist() == [1, 1, 0]
    assert three.members(1).tolist() == [4, 5]
    assert three.members(-1).tolist() == [6, 7, 8, 9]
    none = three.give(np.array([0, 9]), -1)
    assert names(none)[0] == ""
    assert names(three)[0] == "blast"  # the one before is as it was
    assert three.give(np.arange(4), 0) is three


def test_each_patch_can_be_given_a_class_of_its_own(three):
    taken = three.take(np.array([9, 0]), np.array([1, -1], np.int16))
    assert names(taken)[9] == "lymphocyte"
    assert names(taken)[0] == ""


def test_keys_and_colours_are_the_first_that_are_free(three):
    assert [one.key for one in three.classes] == ["1", "2", "3"]
    assert len({one.colour for one in three.classes}) == 3
    more = three.without(1).with_class("mast")
    assert [one.key for one in more.classes] == ["1", "3", "2"]
    assert len({one.colour for one in more.classes}) == 3
    assert more.at_key("2") == 2
    assert more.at_key("0") == -1
    assert more.with_key(0, "2").at_key("2") == 0
    many = three.with_classes(f"class {i}" for i in range(60))
    assert len({one.colour for one in many.classes}) == 63
    assert many.classes[-1].key == ""


def test_renaming_recolouring_merging_and_deleting_keep_the_others(three):
    assert names(three.renamed(0, "Blast cell"))[0] == "Blast cell"
    assert three.recoloured(1, "#123456").colours["lymphocyte"] == "#123456"
    merged = three.merged(0, 1)
    assert names(merged)[:6] == ["lymphocyte"] * 6
    assert [one.name for one in merged.classes] == ["lymphocyte", "ghost"]
    back = three.merged(1, 0)
    assert names(back)[:6] == ["blast"] * 6
    gone = three.without(0)
    assert names(gone)[:6] == [""] * 4 + ["lymphocyte"] * 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "no name"),
        (" \n ", "no name"),
        ("x" * 10_000, "10,000 letters"),
        ("blast", "already"),
        (" BLAST ", "already"),
        ("bla\u0308st", "is not there"),
    ],
)
def test_a_name_that_cannot_be_taken_is_said(three, name, said):
    if said == "is not there":  # another form of ä is one name with it
        three = three.with_class("bl\u00e4st")
        said = "already"
    with pytest.raises(AnnotationError, match=said):
        three.with_class(name)
    with pytest.raises(AnnotationError, match=said):
        three.renamed(1, name)


def test_a_class_may_take_its_own_name_in_other_letters(three):
    assert three.renamed(0, "Blast").classes[0].name == "Blast"
    assert three.with_class("x" * LONGEST).classes[-1].name == "x" * LONGEST
    full = three.with_classes(f"c{i}" for i in range(MOST_CLASSES - 3))
    with pytest.raises(AnnotationError, match=f"{MOST_CLASSES} classes"):
        full.with_class("one more")


def test_the_colours_of_the_map_are_those_of_the_classes(three):
    colouring = three.colouring()
    assert colouring.names == ("blast", "lymphocyte", "ghost", "not annotated")
    assert colouring.counts().tolist() == [4, 2, 0, 4]
    np.testing.assert_array_equal(colouring.colours[5], colouring.palette[1])
    everybody = three.give(np.arange(10), 2).colouring()
    assert everybody.names == ("blast", "lymphocyte", "ghost")


def test_several_columns_lie_beside_each_other(three):
    both = Annotations(10).put(three).with_column("anna", ["area"])
    assert both.active == "anna"
    both = both.put(both.now.with_class("odd").give(np.array([9]), 0))
    assert both.table().columns.tolist() == ["annotation", "anna"]
    assert both.of(0) == ["blast (annotation)"]
    assert both.of(9) == ["odd (anna)"]
    renamed = both.renamed("second look")
    assert [one.name for one in renamed.columns] == ["annotation", "second look"]
    assert renamed.without("second look").active == "annotation"
    assert both.worked_on("annotation").now is three


@pytest.mark.parametrize(
    "name", ["", "axis-0", "Index", "label", "AREA", "annotation", "y" * 200]
)
def test_a_column_that_would_be_another_is_refused(three, name):
    with pytest.raises(AnnotationError):
        Annotations(10).put(three).with_column(name, ["area"])


def test_conflicts_are_those_whose_label_says_another_class(three):
    labels = [
        "blast",
        "Blast ",
        "lymphocyte",
        "",
        "unheard of",
        "lymphocyte",
        "blast",
        "",
        "",
        "",
    ]
    assert conflicts(three, labels).tolist() == [2, 4]
    assert not len(conflicts(three, [""] * 10))


def test_a_class_that_nobody_has_looked_at_is_told_until_somebody_does(three):
    one = three.take(np.array([6, 7, 8]), np.array([0, 1, 0], np.int16), unseen=True)
    assert np.flatnonzero(one.unseen).tolist() == [6, 7, 8]
    assert np.flatnonzero(one.give(np.array([6, 9]), 1).unseen).tolist() == [7, 8]
    assert np.flatnonzero(one.give(np.array([6]), -1).unseen).tolist() == [7, 8]
    assert np.flatnonzero(one.give(np.array([6, 8]), 0).unseen).tolist() == [7]  # confirmed
    assert np.flatnonzero(one.without(1).unseen).tolist() == [6, 8]
    assert np.flatnonzero(one.merged(1, 0).unseen).tolist() == [6, 7, 8]
    assert not three.unseen.any()
