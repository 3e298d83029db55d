"""Labels files are read as people's programs write them."""

import re

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.labels.join import join_labels
from napari_patchmap.patches.labels.table_file import read_table


@pytest.fixture
def read(tmp_path):
    def read(text, encoding="utf-8"):
        path = tmp_path / "labels.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return read_table(path).to_dict("list")

    return read


def test_separators_and_quotes(read):
    expected = {"file": ["a, b.png", "2.png"], "label": ['two\nlines "x"', "v;w"]}
    for sep in ",;\t":
        text = f'file{sep}label\n"a, b.png"{sep}"two\nlines ""x"""\n2.png{sep}"v;w"\n'
        assert read(text) == expected
        assert read("\ufeff" + text.replace("\n2", "\r\n2")) == expected
    assert read("sep=;\nfile;label\n1;x\n") == {"file": ["1"], "label": ["x"]}
    assert read('"sep=,"\nfile,label;2\n1,x\n') == {"file": ["1"], "label;2": ["x"]}


def test_unicode_text_of_excel(read):
    assert read("file\tlabel\n1\tgroß\n", "utf-16") == {"file": ["1"], "label": ["groß"]}


def test_row_names_that_only_count_are_left_out(read, tmp_path):
    expected = {"file": ["1.png", "2.png"], "label": ["x", "y"]}
    pd.DataFrame(expected).to_csv(tmp_path / "pandas.csv")
    assert read_table(tmp_path / "pandas.csv").to_dict("list") == expected
    assert read('"file","label"\n"1","1.png","x"\n"2","2.png","y"\n') == expected  # R
    assert read("file,label\n1.png,x,\n2.png,y,\n") == expected
    named = read('"file","label"\n"one","1.png","x"\n"two","2.png","y"\n')
    assert named == {"row": ["one", "two"], **expected}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"PK\x03\x04rest", "is a spreadsheet, not a CSV table; open it .* save it as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "is a spreadsheet"),
        (b"\x89PNG\r\n\0\0", r"is not a CSV table \(it is no text\)"),
        ("file,label,Label\n1,x,y\n", "has 2 columns called 'label'; rename all but one"),
        ('file,label\n1,"x\n', "is not a CSV table .*; save it with a header row"),
        ("file,label\n1,2,3,4\n", "has more columns than names in its header"),
    ],
)
def test_what_is_no_table_is_one_sentence(read, text, said):
    with pytest.raises(PatchError, match=said) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_other_columns_of_the_same_name_come_along(read):
    assert list(read("file,label,area,area\n1,x,2,3\n")) == ["file", "label", "area", "area.1"]


def test_a_path_from_farther_up_matches_and_tells_same_names_apart(
    write, folder, grey, tmp_path
):
    for name in ("a/1.png", "b/1.png", "b/c/1.png"):
        write(name, grey(8, 8))
    for prefix in ("/home/me/set/", "set/", "C:\\data\\"):
        rows = [f"{prefix}{name}.png,{name[0]}{i}" for i, name in enumerate(["b/1", "a/1"])]
        csv = tmp_path / "labels.csv"
        csv.write_text("\n".join(["path,label", *rows, f"{prefix}b/c/1.png,z"]))
        ps = open_patches(folder, labels=csv)
        assert ps.labels.tolist() == ["a1", "b0", "z"]


def test_wrong_columns_say_what_was_looked_for(write, folder, grey, tmp_path):
    for name in ("1.png", "2.png"):
        write(name, grey(8, 8))
    csv = tmp_path / "labels.csv"
    csv.write_text("who,what\nAnn,x\n")
    with pytest.raises(
        PatchError, match=re.escape("(there is an image '1.png' and a row 'Ann')")
    ):
        open_patches(folder, labels=csv)


def test_a_few_images_of_a_large_table_and_a_large_table_of_images(tmp_path):
    count = 100_000
    names = [f"slide {i % 50}/cell {i}.png" for i in range(count)]
    order = np.random.default_rng(0).permutation(count)
    path = tmp_path / "labels.csv"
    pd.DataFrame({"name": np.array(names)[order], "label": order % 7, "nr": order}).to_csv(
        path, index=False
    )
    for some in (names, names[1000:1010]):
        table = box_table(some, np.zeros(len(some), int), np.full((len(some), 2), 8))
        joined, notes, _ = join_labels(table, path, some, "set")
        assert notes == []
        expected = [int(name.split()[-1][:-4]) for name in some]
        assert joined["nr"].tolist() == expected
        assert joined["label"].tolist() == [str(i % 7) for i in expected]
