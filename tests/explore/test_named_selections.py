"""Selections with names: kept, combined, written and read; none is lost."""

from __future__ import annotations

import json
import os

import numpy as np
import pytest

from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.explore.named_selections import (
    LONGEST_NAME,
    NamedSelections,
    SelectionError,
    combined,
    shares,
)


@pytest.fixture
def kept() -> NamedSelections:
    found = NamedSelections(10)
    found.keep("tumour", np.array([5, 1, 2, 3]))
    found.keep("  from  slide B ", np.array([3, 4, 5]))
    return found


def test_selections_are_kept_renamed_combined_and_deleted(kept):
    assert kept.names == ("tumour", "from slide B")
    assert kept.indices("tumour").tolist() == [1, 2, 3, 5]
    assert kept.combined("tumour", "and", "from slide B").tolist() == [3, 5]
    assert kept.combined("tumour", "or", "from slide B").tolist() == [1, 2, 3, 4, 5]
    assert kept.combined("tumour", "not", "from slide B").tolist() == [1, 2]
    assert kept.inverted("tumour").tolist() == [0, 4, 6, 7, 8, 9]
    kept.rename("tumour", "Tumour")
    assert kept.names == ("Tumour", "from slide B")
    kept.delete("Tumour")
    assert kept.names == ("from slide B",)
    kept.keep("from slide B", np.array([9]), replace=True)
    assert kept.indices("from slide B").tolist() == [9]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "needs a name"),
        (" \n\t", "needs a name"),
        ("x" * 10_000, "has 10,000 letters (xxx"),
        ("TUMOUR", "There is a selection 'tumour' already"),
        ("a\x00b", "cannot be shown"),
    ],
)
def test_a_wrong_name_is_refused_in_a_sentence_and_nothing_changes(kept, name, sentence):
    for change in (
        lambda: kept.keep(name, np.array([1])),
        lambda: kept.rename("from slide B", name),
    ):
        with pytest.raises(SelectionError) as caught:
            change()
        assert sentence in str(caught.value)
        assert len(str(caught.value)) < 200
    assert kept.names == ("tumour", "from slide B")


def test_what_is_not_there_and_what_is_empty_is_refused(kept):
    for call in (kept.indices, kept.delete, kept.inverted, lambda n: kept.rename(n, "b")):
        with pytest.raises(SelectionError, match="no selection 'x'"):
            call("x")
    with pytest.raises(SelectionError, match="No patches are selected"):
        kept.keep("none", np.array([], int))
    kept.keep("y" * LONGEST_NAME, np.array([0]))


def test_they_come_back_from_their_file(kept, tmp_path):
    path = tmp_path / "selections.json"
    kept.keep("Größe $\u00e9 血", np.arange(10))
    kept.save(path)
    found = NamedSelections.load(path, 10)
    assert found.notes == ()
    assert found.names == kept.names
    for name in kept.names:
        np.testing.assert_array_equal(found.indices(name), kept.indices(name))
    assert len(NamedSelections.load(tmp_path / "none.json", 10)) == 0


def test_patches_that_are_missing_today_stay_in_their_selections(kept, tmp_path):
    path = tmp_path / "selections.json"
    kept.save(path)
    today = NamedSelections.load(path, 10, rows=np.array([7, 5, 3, 1]))
    assert today.indices("tumour").tolist() == [1, 2, 3]  # rows of today
    assert today.missing("tumour") == 1
    assert today.inverted("tumour").tolist() == [0]
    today.keep("new", np.array([0]))
    today.keep("from slide B", np.array([3]), replace=True)
    today.save(path)
    later = NamedSelections.load(path, 10)
    assert later.indices("tumour").tolist() == [1, 2, 3, 5]
    assert later.indices("new").tolist() == [7]
    assert later.indices("from slide B").tolist() == [1, 4]  # 4 was not there to be seen


def test_a_selection_that_cannot_be_placed_is_told_and_stays_in_the_file(tmp_path):
    path = tmp_path / "selections.json"
    odd = {"too far": "3,40-50", "not text": [1, 2], "good": "0-2"}
    path.write_text(json.dumps({"patches": 10, "selections": odd}))
    found = NamedSelections.load(path, 10)
    assert found.names == ("good",)
    assert len(found.notes) == 2
    assert "'too far'" in found.notes[0]
    assert "not among these 10" in found.notes[0]
    with pytest.raises(SelectionError, match="already"):
        found.keep("too far", np.array([1]))
    found.rename("good", "better")
    found.save(path)
    assert json.loads(path.read_text())["selections"] == {
        "better": "0-2", "too far": "3,40-50", "not text": [1, 2],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "it is damaged"),
        ("[]", "it is damaged"),
        ('{"patches": 10}', "it is damaged"),
        ("[" * 200_000, "it is damaged"),
        ('{"patches": 9, "selections": {"a": "1"}}', "is of 9 patches, not of these 10"),
    ],
)
def test_a_file_that_cannot_be_read_is_told_and_never_overwritten(tmp_path, content, why):
    path = tmp_path / "selections.json"
    path.write_text(content)
    for again in range(2):
        found = NamedSelections.load(path, 10)
        assert why in found.notes[0]
        assert path.read_text() == content
        found.keep("new", np.array([1]))
        found.save(path)
        found.save(path)
        kept = sorted(one.name for one in tmp_path.iterdir())
        assert len(kept) == 2 + again
        assert (tmp_path / kept[0]).read_text() == content
        path.write_text(content)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_disk_that_cannot_be_written_is_said(kept, tmp_path):
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(SelectionError, match="cannot be written"):
            kept.save(tmp_path / "selections.json")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_gone_is_said(kept, tmp_path):
    with pytest.raises(SelectionError, match="cannot be written"):
        kept.save(tmp_path / "gone" / "selections.json")
    assert kept.names


@pytest.mark.parametrize(
    "text", ["3-1", "-5", "1,,2", "12", "a", "0-99999999", "9" * 5_000, None]
)
def test_ranges_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match=r"damaged|not among"):
        from_ranges(text, 10)


def test_ranges_are_short_and_exact():
    assert as_ranges(np.array([0, 1, 2, 9, 12, 13])) == "0-2,9,12-13"
    assert as_ranges(np.array([], int)) == ""
    some = np.flatnonzero(np.random.default_rng(0).random(5_000) < 0.4)
    np.testing.assert_array_equal(from_ranges(as_ranges(some), 5_000), some)
    assert from_ranges("3, 1-4", 10).tolist() == [1, 2, 3, 4]


def test_counts_are_told_per_class():
    codes = np.array([0, 0, 1, -1, 1, 1])
    assert shares(codes, np.array([0, 2, 3, 4]), ["a", "b", "c"]) == [
        "1 of 2", "2 of 3", "0 of 0",
    ]  # fmt: skip
    assert combined(np.array([1, 2]), "not", np.array([2])).tolist() == [1]
