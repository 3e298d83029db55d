"""Selections with names: kept, combined, renamed and deleted, each time as another value."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.errors import AnnotationError
from napari_patchmap.explore.given_names import LONGEST
from napari_patchmap.explore.index_ranges import as_ranges, from_ranges
from napari_patchmap.explore.named_selections import NamedSelections, combined


@pytest.fixture
def kept() -> NamedSelections:
    found = NamedSelections().keep("tumour", np.array([5, 1, 2, 3]))
    return found.keep("  from  slide B ", np.array([3, 4, 5]))


def indices(kept, name):
    return kept.by_name[name].indices.tolist()


def test_selections_are_kept_changed_renamed_and_deleted(kept):
    assert list(kept.by_name) == ["tumour", "from slide B"]
    assert indices(kept, "tumour") == [1, 2, 3, 5]
    other = kept.renamed("tumour", "Tumour").changed("from slide B", np.array([9]))
    assert list(other.by_name) == ["Tumour", "from slide B"]
    assert indices(other, "from slide B") == [9]
    assert [one.key for one in other.kept] == [one.key for one in kept.kept]
    assert list(other.without("Tumour").by_name) == ["from slide B"]
    assert indices(kept, "from slide B") == [3, 4, 5]  # the value before is what it was


def test_selections_are_combined():
    one, other = np.array([1, 2, 3, 5]), np.array([3, 4, 5])
    assert combined(one, "and", other).tolist() == [3, 5]
    assert combined(one, "or", other).tolist() == [1, 2, 3, 4, 5]
    assert combined(one, "not", other).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "no name yet"),
        (" \n\t", "no name yet"),
        ("x" * 10_000, "10,000 letters"),
        ("TUMOUR", "There is a selection tumour already"),
        ("axis-0", "means something else"),
    ],
)
def test_a_wrong_name_is_refused_in_a_sentence(kept, name, sentence):
    for change in (
        lambda: kept.keep(name, np.array([1])),
        lambda: kept.renamed("from slide B", name),
    ):
        with pytest.raises(AnnotationError) as caught:
            change()
        assert sentence in str(caught.value)
        assert len(str(caught.value)) < 200


def test_an_empty_selection_is_refused(kept):
    for change in (
        lambda: kept.keep("none", np.array([], int)),
        lambda: kept.changed("tumour", np.array([], int)),
    ):
        with pytest.raises(AnnotationError, match="No patches are selected"):
            change()
    kept.keep("y" * LONGEST, np.array([0]))


@pytest.mark.parametrize(
    "text", ["3-1", "-5", "1,,2", "a", "0-999999999999", "9" * 5_000, "9" * 30, None]
)
def test_ranges_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="damaged"):
        from_ranges(text)


def test_ranges_are_short_and_exact():
    assert as_ranges(np.array([0, 1, 2, 9, 12, 13])) == "0-2,9,12-13"
    assert as_ranges(np.array([], int)) == ""
    some = np.flatnonzero(np.random.default_rng(0).random(5_000) < 0.4)
    np.testing.assert_array_equal(from_ranges(as_ranges(some)), some)
    assert from_ranges("3, 1-4").tolist() == [1, 2, 3, 4]
