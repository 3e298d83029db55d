"""Annotations on disk: whole, joined by number or by where a patch comes from."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.runs.annotation_files import read_annotations, save_annotations
from napari_patchmap.runs.annotation_place import (
    ANNOTATIONS,
    CLASSES,
    AnnotationPlace,
    place_of_set,
)
from tests.runs.annotated import patches, some

NOBODY = pd.DataFrame()


def same(a: Annotations, b: Annotations) -> bool:
    return a.active == b.active and all(
        x.name == y.name and x.classes == y.classes and x.names.tolist() == y.names.tolist()
        for x, y in zip(a.columns, b.columns, strict=True)
    )


def test_what_is_written_is_read_again(tmp_path):
    place = AnnotationPlace(tmp_path / "run", np.arange(6))
    save_annotations(place, some(), NOBODY)
    kept = read_annotations(place)
    assert same(kept.annotations, some())
    table = pd.read_csv(tmp_path / "run" / ANNOTATIONS, dtype=str, keep_default_na=False)
    assert table.columns.tolist() == ["index", "annotation", "Zoë"]
    assert table["index"].tolist() == ["1", "4"]
    assert table["Zoë"].tolist() == ["", "NA"]


def test_what_nobody_has_looked_at_is_known_again(tmp_path):
    place = AnnotationPlace(tmp_path, np.array([10, 12, 11, 13]))
    one = Annotation("annotation", np.full(4, -1, np.int16)).with_class("good")
    one = one.give(np.array([0]), 0).take(np.array([1, 3]), np.zeros(2, np.int16), unseen=True)
    save_annotations(place, Annotations(4).put(one), NOBODY)
    turned = AnnotationPlace(tmp_path, np.array([13, 12, 11, 10]))
    assert read_annotations(turned).annotations.now.unseen.tolist() == [
        True,
        True,
        False,
        False,
    ]
    for wrong in (None, 7, {}, "no", "10-99"):
        said = json.loads((tmp_path / CLASSES).read_text())
        said["columns"][0]["unseen"] = wrong
        (tmp_path / CLASSES).write_text(json.dumps(said))
        found = read_annotations(place).annotations.now  # it costs itself alone
        assert found.members(0).tolist() == [0, 1, 3]
    del said["columns"][0]["unseen"]  # as it was written once
    (tmp_path / CLASSES).write_text(json.dumps(said))
    assert not read_annotations(place).annotations.now.unseen.any()


def test_patches_that_are_not_there_today_keep_theirs(tmp_path):
    save_annotations(AnnotationPlace(tmp_path, np.arange(6)), some(), NOBODY)
    fewer = AnnotationPlace(tmp_path, np.array([5, 1, 0]))  # in another order, too
    kept = read_annotations(fewer)
    assert kept.annotations.by_name["annotation"].names.tolist() == ["", 'blast, 1"', ""]
    changed = kept.annotations.worked_on("annotation")
    changed = changed.put(changed.now.give(np.array([0]), 0))
    save_annotations(fewer, changed, kept.others)
    again = read_annotations(AnnotationPlace(tmp_path, np.arange(6))).annotations
    assert np.flatnonzero(again.by_name["annotation"].codes == 0).tolist() == [1, 4, 5]
    assert np.flatnonzero(again.by_name["Zoë"].codes == 0).tolist() == [4]


def test_a_set_is_known_again_when_patches_came_went_or_moved(tmp_path):
    first = patches(["a.png", "b.png", "c.png"])
    place = place_of_set(first, tmp_path)
    assert not place.used
    one = Annotation("annotation", np.full(3, -1, np.int16)).with_class("good")
    save_annotations(place, Annotations(3).put(one.give(np.array([1, 2]), 0)), NOBODY)
    other = patches(["new.png", "c.png", "a.png", "b.png"])
    place = place_of_set(other, tmp_path)
    kept = read_annotations(place)
    assert kept.annotations.now.members(0).tolist() == [1, 3]
    more = kept.annotations.put(kept.annotations.now.give(np.array([0]), 0))
    save_annotations(place, more, kept.others)
    last = patches(["b.png", "new.png"])
    kept = read_annotations(place_of_set(last, tmp_path))
    assert kept.annotations.now.members(0).tolist() == [0, 1]
    assert len(kept.others) == 1  # c.png, which may come back
    assert not place_of_set(patches(["a.png"], "/data/others"), tmp_path).used


def test_a_set_of_no_file_is_known_by_its_pixels(tmp_path):
    images = np.random.default_rng(0).integers(0, 255, (5, 6, 6, 1), np.uint8)
    table = box_table("layer", np.arange(5), np.tile([6, 6], (5, 1)))
    one = PatchSet(images, table, ("grey",), name="layer")
    other = PatchSet(images + 1, table, ("grey",), name="layer")
    again = PatchSet(images.copy(), table, ("grey",), name="layer")
    folder = place_of_set(one, tmp_path).folder
    assert place_of_set(again, tmp_path).folder == folder
    assert place_of_set(other, tmp_path).folder != folder


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (ANNOTATIONS, "index,annotation\n1,a\n1,b\n"),
        (ANNOTATIONS, "index,annotation\nx,a\n"),
        (ANNOTATIONS, "patch,annotation\n1,a\n"),
        (ANNOTATIONS, "index,annotation\n-1,a\n"),
        (ANNOTATIONS, f"index,annotation\n1,{'a' * 10_000}\n"),
        (ANNOTATIONS, "index,axis-0\n1,a\n"),
        (CLASSES, "{"),
        (CLASSES, '{"active": "a", "columns": [{"name": "a", "classes": [{"name": "b"}]}]}'),
    ],
)
def test_a_damaged_file_is_named_and_left_as_it_is(tmp_path, name, text):
    save_annotations(AnnotationPlace(tmp_path, np.arange(6)), some(), NOBODY)
    (tmp_path / name).write_text(text)
    with pytest.raises(AnnotationError) as caught:
        read_annotations(AnnotationPlace(tmp_path, np.arange(6)))
    assert str(tmp_path) in str(caught.value)
    assert (tmp_path / name).read_text() == text


def test_classes_that_nobody_described_get_colours(tmp_path):
    save_annotations(AnnotationPlace(tmp_path, np.arange(6)), some(), NOBODY)
    (tmp_path / CLASSES).unlink()
    (tmp_path / ANNOTATIONS).write_text("index,annotation\n3,seen\n0,unseen\n40,elsewhere\n")
    kept = read_annotations(AnnotationPlace(tmp_path, np.arange(6)))
    assert kept.annotations.now.names.tolist() == ["unseen", "", "", "seen", "", ""]
    assert len({one.colour for one in kept.annotations.now.classes}) == 2
    assert kept.others["annotation"].to_dict() == {40: "elsewhere"}


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(AnnotationError, match="cannot be written"):
        save_annotations(AnnotationPlace(blocked / "run", np.arange(6)), some(), NOBODY)
