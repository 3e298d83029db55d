"""Labels come out of file names by a template or a regular expression."""

import numpy as np
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import LoadCancelled
from napari_patchmap.patches.labels.patterns import columns_from_pattern
from napari_patchmap.patches.watch import Watch

NAMES = ["s1/eos_12_001.png", "s1/baso_7_002.jpg", "s2/weird.png", "s2/Neu phil_3_003.PNG"]


def columns(pattern, names=NAMES):
    found, notes = columns_from_pattern(names, pattern, "set")
    return {name: values.tolist() for name, values in found.items()}, notes


def test_a_template_names_the_parts_of_the_name():
    found, notes = columns("{label}_{patient}_{}")
    assert found["label"] == ["eos", "baso", None, "Neu phil"]
    np.testing.assert_array_equal(found["patient"], [12, 7, np.nan, 3])
    assert notes == [
        "1 of 4 file names, such as s2/weird.png, do not fit the pattern {label}_{patient}_{}."
    ]
    assert columns("{label}_{}_{}.png")[0]["label"] == ["eos", None, None, "Neu phil"]
    assert columns("{slide}/{label}_{}")[0]["slide"] == ["s1", "s1", None, "s2"]
    assert columns("{slide}/{}")[1] == []


def test_signs_of_a_template_stand_for_themselves_and_a_field_may_come_twice():
    names = ["a (1)+[x].png", "b (2)+[x].png"]
    assert columns("{label} ({n})+[x]", names)[0] == {"label": ["a", "b"], "n": [1, 2]}
    assert columns("{label}/{label}_{}", ["a/a_1.png", "a/b_1.png"])[0]["label"] == ["a", None]


def test_a_regular_expression_is_searched_in_the_path():
    found, _ = columns(r"^(?P<slide>\w+)/(?P<label>\w+?)_(\d{1,2})_")
    assert found == {"slide": ["s1", "s1", None, None], "label": ["eos", "baso", None, None]}
    assert columns(r"^(\w+)/")[0] == {"label": ["s1", "s1", "s2", "s2"]}
    found, _ = columns(r"(?P<Label>s\d)/(?P<x>\w)")
    assert found == {"label": ["s1", "s1", "s2", "s2"], "x (file name)": ["e", "b", "w", "N"]}


def test_labels_stay_text_and_codes_keep_their_zeros():
    found, _ = columns("{label}_{code}", ["1_007.png", "2_010.png"])
    assert found == {"label": ["1", "2"], "code": ["007", "010"]}


def test_a_pattern_on_many_names_reports_and_can_be_stopped():
    names = [f"s{i % 9}/cell_{i % 7}_{i}.png" for i in range(200_000)]
    told: list[tuple[int, int]] = []
    found, _ = columns_from_pattern(
        names, "{label}_{kind}_{nr}", "set", Watch(lambda *step: told.append(step))
    )
    assert found["nr"].tolist() == list(range(200_000))
    assert len(told) > 4
    stops = iter([False, False, True])
    with pytest.raises(LoadCancelled):
        columns_from_pattern(names, "(.)_", "set", Watch(None, lambda: next(stops)))


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        (
            "(?P<label>",
            r"is not a regular expression \(missing \).*at character 1\); correct it",
        ),
        (r"(\w)_(\d)", "has 2 groups without a name; name the columns"),
        ("eos", r"takes nothing out of the names; write \{label\}"),
        ("{}_{}", r"takes nothing out of the names; write \{label\}"),
        (
            r"zz(\d)",
            r"fits none of the 4 images in set, such as s1/eos_12_001.png; change the pattern",
        ),
    ],
)
def test_a_pattern_that_cannot_be_used_is_one_sentence(pattern, said):
    with pytest.raises(PatchError, match=said):
        columns(pattern)
