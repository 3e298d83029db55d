"""Numbers stay numbers, codes stay codes, and headers of several rows become one."""

import numpy as np
import pytest

from napari_patchmap.patches import from_array, open_patches
from napari_patchmap.patches.labels.values import as_text, numbers_if_all


@pytest.mark.parametrize(
    "word",
    ["nan", "NaN", "NA", "N/A", "#N/A", "", "NULL", "None", "-", "#DIV/0!", "-1.#IND", " na "],
)
@pytest.mark.parametrize("sep", [",", ";", "\t"])
def test_words_for_a_missing_number(tmp_path, grey, word, sep):
    rows = [["0.5", "a"], [word, "b"], ["1e3", "a"], ["-2", "b"], ["inf", "b"]]
    text = "\n".join(sep.join(row) for row in [["area", "label"], *rows])
    (tmp_path / "t.csv").write_text("\ufeff" + text + "\n", encoding="utf-8")
    ps = from_array(grey(5, 8, 8), name="s", labels=tmp_path / "t.csv")
    np.testing.assert_array_equal(ps.table["area"], [0.5, np.nan, 1000, -2, np.inf])
    said = [note for note in ps.notes if "stands for a missing number" in note]
    assert bool(said) == bool(word)
    assert not said or repr(word.strip()) in said[0]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1,5", "2", "NA"], [1.5, 2, np.nan]),
        (["1,25", "-3,5e2", "0,5"], [1.25, -350, 0.5]),
        (["1,234", "5,678", "9"], [1.234, 5.678, 9]),
    ],
)
def test_decimal_commas(tmp_path, grey, cells, expected):
    rows = [f"{cell};{label}" for cell, label in zip(cells, "xyz", strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["area;label", *rows]))
    ps = from_array(grey(3, 8, 8), name="s", labels=tmp_path / "t.csv")
    np.testing.assert_array_equal(ps.table["area"], expected)
    assert any("column area were read as decimal points" in note for note in ps.notes)


@pytest.mark.parametrize("text", [
    'area;length;label\n1,234;0.5;x\n5,678;1.5;y\n9;2;z\n',
    'area,length,label\n"1,234",0.5,x\n"5,678",1.5,y\n9,2,z\n',
    "area;length;label\n1.234,5;0,5;x\n5.678,5;1,5;y\n9;2;z\n",
    "area;length;label\n1,234,567;0.5;x\n5,678;1.5;y\n9;2;z\n",
])  # fmt: skip
def test_thousands_are_left_alone_and_said(tmp_path, grey, text):
    (tmp_path / "t.csv").write_text(text)
    ps = from_array(grey(3, 8, 8), name="s", labels=tmp_path / "t.csv")
    assert ps.table["area"].tolist()[2] == "9"
    assert ps.table["length"].tolist() == [0.5, 1.5, 2]
    assert any("'area'" in note and "text" in note for note in ps.notes)


def test_codes_and_long_ids_stay_text():
    for cells in (["007", "8"], ["0003"], ["-01", "2"], ["12345678901234567890", "1"]):
        assert numbers_if_all(cells).tolist() == cells
    big = str(2**53 + 1)
    assert numbers_if_all([big, "2"]).tolist() == [2**53 + 1, 2]
    assert numbers_if_all([big, None]).tolist() == [big, None]
    assert numbers_if_all(["NA", "NA"]).tolist() == ["NA", "NA"]
    assert numbers_if_all(["0.5", "0"]).tolist() == [0.5, 0]
    assert numbers_if_all(["\N{MINUS SIGN}5", "∞"]).tolist() == [-5, np.inf]


def test_a_blank_more_or_another_form_of_letters_is_no_other_class():
    spelled = [
        "Zellkörper",
        "Zellko\u0308rper",
        " Zellkörper",
        "Zellkörper\u00a0",
        "\ufeffZellkörper",
    ]
    assert set(as_text(spelled)) == {"Zellkörper"}
    assert set(as_text(["two  words", "two words ", "two\u2009words"])) == {"two words"}
    assert as_text(["Lymph", "lymph", " ", None]).tolist() == ["Lymph", "lymph", None, None]


CELLPROFILER = """Image,Image,Nuclei,Nuclei
FileName_DNA,Metadata_Well,AreaShape_Area,Number_Object_Number
1.png,A01,5.5,1
2.png,A02,6.5,2
"""
MERGED = CELLPROFILER.replace("Image,Image,Nuclei,Nuclei", "Image,,Nuclei,")
UNITS = "file;area;length\n;(µm²);µm\n1.png;5,5;1\n2.png;6,5;2\n"


@pytest.mark.parametrize(
    ("text", "column", "note"),
    [
        (CELLPROFILER, "Nuclei_AreaShape_Area", "Two header rows were joined"),
        (MERGED, "Nuclei_AreaShape_Area", "Two header rows were joined"),
        (CELLPROFILER.replace(",", "\t"), "Nuclei_AreaShape_Area", "Two header rows"),
        (UNITS, "area", "1 row below the header"),
    ],
)
def test_headers_of_several_rows(write, folder, grey, tmp_path, text, column, note):
    for i in (1, 2):
        write(f"{i}.png", grey(8, 8))
    (tmp_path / "t.csv").write_text(text, encoding="utf-8")
    ps = open_patches(folder, labels=tmp_path / "t.csv")
    assert ps.table[column].tolist() == [5.5, 6.5]
    assert any(said.startswith(note) for said in ps.notes)


def test_a_slip_in_the_first_row_is_no_header(write, folder, grey, tmp_path):
    for i in (1, 2, 3):
        write(f"{i}.png", grey(8, 8))
    (tmp_path / "t.csv").write_text("file,label,area\n1.png,x,oops\n2.png,y,2\n3.png,z,3\n")
    ps = open_patches(folder, labels=tmp_path / "t.csv")
    assert ps.labels.tolist() == ["x", "y", "z"]
    assert any("'oops' in the column 'area' of t.csv is no number" in n for n in ps.notes)
