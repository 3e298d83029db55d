"""Conditions on the table: what they find, what is said of wrong ones, what is offered."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import PatchmapError
from napari_patchmap.explore.completion import MOST_OFFERED, complete
from napari_patchmap.explore.condition_words import ConditionError
from napari_patchmap.explore.conditions import rows_where

TABLE = pd.DataFrame(
    {
        "area": [100, 400.0, np.nan, 350],
        "slide": ["B3", "B3", "A1", None],
        "odd name": [1, 2, 3, 4],
        "ok": [True, False, True, False],
        "label": ["a", "", "b", "it's"],
        "Größe": pd.array([1, None, 3, 4], "Int64"),
        "tick`ed": [0, 0, 0, 7],
        "group": pd.Categorical(["x", "y", None, "x"]),
    }
)


@pytest.mark.parametrize(
    ("condition", "rows"),
    [
        ("area > 300 and slide == 'B3'", [1]),
        ("area > 300 or slide == 'A1'", [1, 2, 3]),
        ("slide == 'A1' or slide == 'B3' and area < 200", [0, 2]),
        ("(slide == 'A1' or slide == 'B3') and area < 200", [0]),
        ("label in ('a', 'b')", [0, 2]),
        ("label not in ['a', 'b',]", [1, 3]),
        ("label in ()", []),
        ("`odd name` in (1, 4)", [0, 3]),
        ("not (area < 350)", [1, 2, 3]),
        ("not area < 350 and ok", [2]),
        ("not not ok", [0, 2]),
        ("slide contains 'b'", [0, 1]),
        ("slide not contains 'b'", [2, 3]),
        ("slide starts with 'a'", [2]),
        ("slide ends with '3'", [0, 1]),
        ("label is missing", [1]),
        ("slide is not missing", [0, 1, 2]),
        ("area is missing", [2]),
        ("`odd name` <= 2", [0, 1]),
        ("100 < area <= 350", [3]),
        ("350 == area", [3]),
        ("area >= `odd name`", [0, 1, 3]),
        ("slide != 'B3'", [2, 3]),
        ("slide < 'B'", [2]),
        ("ok", [0, 2]),
        ("ok == false", [1, 3]),
        ("ok != 1", [1, 3]),
        ("label == 'it\\'s'", [3]),
        ('label == "it\'s"', [3]),
        ("Größe > -1.5e0", [0, 2, 3]),
        ("`tick``ed` == 7", [3]),
        ("group == 'x' && !ok", [3]),
        ("group is missing", [2]),
        ("area = 100 | area <> 100", [0, 1, 2, 3]),
        ("slide == 'B3' AND NOT ok", [1]),
    ],
)
def test_a_condition_finds_its_rows(condition, rows):
    found = rows_where(TABLE, condition)
    assert found.dtype == np.intp
    assert found.tolist() == rows


@pytest.mark.parametrize(
    ("condition", "sentence", "marked"),
    [
        ("aera > 3", "There is no column 'aera'; did you mean 'area'?", "aera"),
        ("odd > 3", "There is no column 'odd'; did you mean '`odd name`'?", "odd"),
        ("zzz > 3", "there are area, slide, odd name, ok", "zzz"),
        ("area > 'x'", "area is a number column; compare it with a number.", "'x'"),
        (
            "slide == 3",
            "slide is a text column; compare it with text in quotes, such as '3'.",
            "3",
        ),
        ("slide in ('B3', 3)", "such as '3'", "3"),
        ("ok > 'x'", "ok is a yes/no column; compare it with true or false.", "'x'"),
        ("area > slide", "compare columns of one sort", "slide"),
        ("slide == B3", "put text in quotes: 'B3'.", "B3"),
        ("label == missing", "write is missing", "missing"),
        ("area contains '3'", "area is no text column", "area"),
        ("slide contains 3", "After slide contains comes text in quotes", "3"),
        ("(area > 3", "The bracket '(' (letter 1) is not closed", "("),
        ("area > 3)", "The bracket ')' (letter 9) was not opened; remove it.", ")"),
        ("label in ('a'", "The bracket '(' (letter 10) is not closed", "("),
        ("slide == 'B", "The quote ' (letter 10) is not closed", "'B"),
        ("area >", "missing at the end after area >", ""),
        ("area > 3 and", "missing at the end", ""),
        ("or ok", "missing before 'or'", "or"),
        ("area", "area is compared with nothing", "area"),
        ("area > 3 slide", "slide (letter 10) does not go on", "slide"),
        ("area is 3", "write missing or not missing", "3"),
        ("1 < 2", "the same for all patches", "1"),
        ("label in 'a'", "a list in brackets", "'a'"),
        ("area > 3; ok", "';' (letter 9) belongs to no condition", ";"),
        (" ", "The condition is empty; write one such as area > 300.", ""),
    ],
)
def test_a_wrong_condition_is_told_in_a_sentence_that_points_at_the_place(
    condition, sentence, marked
):
    with pytest.raises(ConditionError) as caught:
        rows_where(TABLE, condition)
    assert sentence in str(caught.value)
    assert condition[caught.value.start : caught.value.end] == marked


@pytest.mark.parametrize(
    "condition",
    [
        "__import__('os').system('true')",
        "area.__class__ == 3",
        "[x for x in area]",
        "@pd",
        "lambda: 1",
        "(" * 5_000,
        "(" * 60 + "ok" + ")" * 60,
        "x" * 10_000,
        "area > " + "9" * 4_900 + "x",
        "'" * 999,
        "\x00",
        "\udcff == 'a'",
    ],
)
def test_nothing_typed_is_run_or_ends_in_a_traceback(condition):
    with pytest.raises(PatchmapError) as caught:
        rows_where(TABLE, condition)
    assert len(str(caught.value)) < 300


def test_whole_numbers_are_compared_exactly():
    table = pd.DataFrame({"id": [2**53, 2**53 + 1]})
    assert rows_where(table, f"id == {2**53 + 1}").tolist() == [1]


def test_objects_of_numbers_and_columns_without_text_names_work():
    table = pd.DataFrame({7: [1, None, 2.5], "flag": [True, None, False]}, dtype=object)
    assert rows_where(table, "`7` > 1").tolist() == [2]
    assert rows_where(table, "flag").tolist() == [0]
    assert rows_where(table, "flag is missing").tolist() == [1]


def test_selections_that_are_kept_are_asked_for_by_name():
    table = pd.DataFrame({"area": [1.0, 2.0, 3.0, 4.0]})
    kept = {"mitoses": np.array([1, 3]), "it's odd": np.array([], int)}
    assert rows_where(table, "in 'mitoses'", kept).tolist() == [1, 3]
    assert rows_where(table, "area > 1 and not (in mitoses)", kept).tolist() == [2]
    assert rows_where(table, r"not in 'it\'s odd'", kept).tolist() == [0, 1, 2, 3]
    for text, said in (("in 'mitose'", "'mitoses'"), ("in", "'mitoses'"), ("in 'm", "closed")):
        with pytest.raises(ConditionError) as caught:
            rows_where(table, text, kept)
        assert said in str(caught.value)
    with pytest.raises(ConditionError, match="one that was kept"):
        rows_where(table, "in 'a'")


def test_selections_that_are_kept_are_offered():
    for text in ("in ", "area > 3 and in ", "not in ", "(in 'm", "area > 3 or not in mit"):
        found = complete(text, len(text), TABLE, ["mitoses"])
        assert [one.text for one in found] == ["'mitoses'"]
    assert "in" in [one.text for one in complete("", 0, TABLE, ["mitoses"])]
    assert "in" not in offered("")
    assert "'mitoses'" not in [one.text for one in complete("slide in ", 9, TABLE, ["mitoses"])]


def offered(text: str) -> list[str]:
    return [one.text for one in complete(text, len(text), TABLE)]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("", ["area", "slide", "`odd name`"]),
        ("ar", ["area"]),
        ("name", ["`odd name`"]),
        ("`od", ["`odd name`"]),
        ("area > 3 and (", ["area"]),
        ("area ", ["==", "!=", "<", "<="]),
        ("slide ", ["==", "!=", "in", "not in", "contains"]),
        ("slide con", ["contains"]),
        ("slide == ", ["'B3'", "'A1'"]),
        ("slide == 'a", ["'A1'"]),
        ("label in (", ["'a'"]),
        ("label in ('a', ", ["'a'"]),
        ("label in ('a'", [",", ")"]),
        ("label == it", [r"'it\'s'"]),
        ("ok == ", ["true", "false"]),
        ("slide is ", ["missing", "not missing"]),
        ("slide is not ", ["missing"]),
        ("area > 3 ", ["and", "or"]),
        ("(area > 3 ", ["and", "or", ")"]),
    ],
)
def test_what_can_come_next_is_offered(text, first):
    assert offered(text)[: len(first)] == first


def test_what_is_offered_can_be_put_in_and_understood():
    text = "area > 3 and slide == 'b"
    one = complete(text, len(text), TABLE)[0]
    assert rows_where(TABLE, text[: one.start] + one.text).tolist() == [0, 1]


def test_completion_looks_at_nothing_after_the_cursor_and_never_fails():
    assert [one.text for one in complete("ar > 3", 2, TABLE)] == ["area"]
    for text in ("area > > in is", "@@", ") ) (", "in (", "== ", "not in (", "'", "x" * 9_999):
        complete(text, len(text), TABLE)


def test_of_many_values_the_frequent_ones_are_offered():
    table = pd.DataFrame({"file": [f"{i}.png" for i in range(3_000)] + ["twice.png"] * 2})
    found = complete("file == ", 8, table)
    assert len(found) == MOST_OFFERED
    assert found[0].text == "'twice.png'"
