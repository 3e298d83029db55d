"""Errors: a few words where the file is not known, a sentence where it is."""

from __future__ import annotations

from napari_patchmap.errors import PatchError, UnclearAxesError, UnusableError
from napari_patchmap.foreign import words


def test_a_few_words_become_a_sentence_where_the_name_is_known():
    error = UnusableError("is cut off", "copy it again")
    assert str(error) == "is cut off; copy it again"
    assert str(error.of("a.tif")) == "a.tif is cut off; copy it again."
    assert not isinstance(error.of("a.tif"), UnusableError)


def test_a_remedy_of_its_own_wins():
    assert (
        str(UnusableError("is empty").of("a.tif", "remove it")) == "a.tif is empty; remove it."
    )
    own = UnusableError("is cut off", "copy it again").of("a.tif", "remove it")
    assert str(own) == "a.tif is cut off; copy it again."
    assert str(UnusableError("is empty").of("a.tif")) == "a.tif is empty."


def test_readings_of_axes_are_kept():
    error = UnusableError("is a volume", "set axes to NYX", ["NYX"]).of("a.tif")
    assert isinstance(error, UnclearAxesError)
    assert error.readings == ("NYX",)


def test_a_long_error_of_others_is_cut_where_it_stands():
    assert words(ValueError("/" + 300 * "a" + " is wrong")) == "/" + 199 * "a" + " ..."
    assert words(ValueError("two\n lines")) == "two lines"
    assert words(ValueError()) == "ValueError"


def test_what_others_say_to_programmers_is_left_out():
    raw = """No signature b'I\\xb7\\'H' in the file"""
    assert words(ValueError(raw)) == "No signature ... in the file"
    advice = "The prefix is missing. Use force=True to force reading."
    assert words(ValueError(advice)) == "The prefix is missing"


def test_a_whole_sentence_stays():
    whole = PatchError("b.npz is damaged; copy it again.")
    assert whole.of("a.tif") is whole
