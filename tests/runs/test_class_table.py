"""Classes from a table are those of the right patches, or one sentence says why not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import AnnotationError, PatchError
from napari_patchmap.explore.annotation import Annotation
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.patchset import PatchSet
from napari_patchmap.runs.annotation_files import save_annotations
from napari_patchmap.runs.annotation_place import ANNOTATIONS, AnnotationPlace
from napari_patchmap.runs.class_table import read_classes, with_names
from napari_patchmap.runs.identity import PATCHES, identify, save_identity

COUNT = 6


def patches(order=range(COUNT), source=None):
    rows = np.array(order)
    images = rows.astype(np.uint8)[:, None, None, None] * 40 + np.zeros((1, 4, 4, 1), np.uint8)
    names = [source or f"cell {i}.png" for i in rows]
    frames = rows if source else np.zeros(len(rows), int)
    table = box_table(names, frames, np.tile([4, 4], (len(rows), 1)))
    return PatchSet(images, table, ("grey",), name="cells")


def read(text, path, of=None, wanted=""):
    of = patches() if of is None else of
    path.write_text(text)
    return read_classes(path, of, identify(of), wanted)


@pytest.mark.parametrize("key", ["source", "file name"])
def test_rows_go_by_the_names_of_files(key, tmp_path):
    text = f"{key},class\n/home/me/cell 3.png,blast\ncell 1.png,\ncell 0.png,round\n"
    found = read(text, tmp_path / "mine.csv")
    assert found.names.tolist() == ["round", "", "", "blast", "", ""]


def test_rows_go_by_the_numbers_of_patches(tmp_path):
    text = "index,class\n5,blast\n0,round\n"
    for of in (patches(), patches(source="stack.tif")):
        found = read(text, tmp_path / "mine.csv", of)
        assert found.names.tolist() == ["round", "", "", "", "", "blast"]


def test_rows_go_by_the_ids_of_objects(tmp_path):
    of = patches(source="field.tif")
    of.table["label_id"] = [11, 12, 13, 14, 15, 16]
    of.table["frame"] = 0
    found = read("label_id,class\n13,blast\n16,round\n", tmp_path / "mine.csv", of)
    assert found.names.tolist() == ["", "", "blast", "", "", "round"]


def test_annotations_of_another_run_go_by_what_the_pixels_are(tmp_path):
    theirs = patches([4, 2, 0])
    one = Annotation("annotation", np.array([0, -1, 1], np.int16))
    one = Annotation("annotation", np.full(3, -1, np.int16)).with_class("a").with_class("b")
    one = one.give(np.array([0]), 0).give(np.array([2]), 1)
    place = AnnotationPlace(tmp_path, np.arange(3))
    save_annotations(place, Annotations(3).put(one), pd.DataFrame())
    save_identity(tmp_path / PATCHES, identify(theirs))
    of = patches()
    of.table["source"] = [f"renamed {i}.png" for i in range(COUNT)]
    found = read_classes(tmp_path / ANNOTATIONS, of, identify(of))
    assert found.names.tolist() == ["b", "", "", "", "a", ""]
    with pytest.raises(PatchError, match="other patches"):
        read_classes(tmp_path / ANNOTATIONS, patches([1, 3]), identify(patches([1, 3])))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("index,class\n7,blast\n0,round\n", "from 0 to 7"),
        ("source,class\nother.png,blast\nanother.png,round\n", "match"),
        ("class\nblast\nround\n", "match"),
        ("source,reader,doubt\ncell 1.png,a,b\ncell 2.png,b,b\n", "call that column 'class'"),
        ("source,class\ncell 1.png,\ncell 2.png,\n", "None of the 6 patches has a class"),
        ("", "no"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_in_one_sentence(text, said, tmp_path):
    with pytest.raises((PatchError, AnnotationError), match=said) as refused:
        read(text, tmp_path / "mine.csv")
    assert "\n" not in str(refused.value)


def test_what_is_annotated_stays_and_differences_are_counted():
    have = Annotation("annotation", np.full(COUNT, -1, np.int16)).with_class("Blast")
    have = have.with_class("round").give(np.array([0, 1]), 0)
    names = np.array(["blast", "round", "new", "", "round", ""], object)
    now, given, differ = with_names(have, names)
    assert (given, differ) == (2, 1)
    assert now.names.tolist() == ["Blast", "Blast", "new", "", "round", ""]
    with pytest.raises(AnnotationError, match="10,000"):
        with_names(have, np.array(["x" * 10_000, *[""] * 5], object))
