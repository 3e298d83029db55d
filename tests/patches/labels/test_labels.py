"""Labels files join by file name, index or order, and say so when they do not fit."""

import re

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import LoadCancelled, from_array, open_patches
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.cache.cache_folder import cache_size
from napari_patchmap.patches.labels.join import join_labels
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.patches.watch import Watch
from tests.patches.slides.drawn import tissue, write_aperio

NAMES = ["a/1.png", "a/2.png", "b/3.png"]


@pytest.fixture
def images(write, folder, grey):
    for name in NAMES:
        write(name, grey(8, 8))
    return folder


@pytest.fixture
def csv(tmp_path):
    def csv(text, **options):
        path = tmp_path / "labels.csv"
        path.write_text(text, **options)
        return path

    return csv


@pytest.mark.parametrize(
    "names",
    [
        ["a/1.png", "a/2.png", "b/3.png"],
        ["a\\1.png", "a\\2.png", "b\\3.png"],
        ["./a/1.png", "./a/2.png", " b/3.png"],
        ["a/1", "a/2", "b/3"],
        ["1.png", "2.png", "3.png"],
        ["1", "2", "3"],
    ],
)
def test_any_spelling_of_the_name_in_any_order(images, csv, names):
    rows = [
        f"{3 - i},{name},{label}"
        for i, (name, label) in enumerate(zip(names, "xyz", strict=True))
    ]
    path = csv("nr,image,label\n" + "\n".join(reversed(rows)))
    ps = open_patches(images, labels=path)
    assert ps.labels.tolist() == ["x", "y", "z"]
    assert ps.table["folder"].tolist() == ["a", "a", "b"]
    assert ps.table["nr"].tolist() == [3, 2, 1]


def test_the_only_other_column_is_the_label(images, csv):
    ps = open_patches(images, labels=csv("name,stage\n1.png,early\n2.png,late\n3.png,\n"))
    assert ps.labels.tolist() == ["early", "late", ""]


def test_extra_columns_come_along_as_numbers_or_text(images, csv):
    path = csv(
        "file;label;patient;code;x;area\n1.png;u;7;007;5;1.5\n2.png;v;8;008;6;\n3.png;NA;9;1;7;2\n"
    )
    ps = open_patches(images, labels=path)
    assert ps.labels.tolist() == ["u", "v", "NA"]
    assert ps.table["patient"].tolist() == [7, 8, 9]
    assert ps.table["code"].tolist() == ["007", "008", "1"]
    assert ps.table["x"].tolist() == [0, 0, 0]
    assert ps.table["x (labels file)"].tolist() == [5, 6, 7]
    assert np.isnan(ps.table["area"][1])


def test_part_of_the_images_is_said(images, csv):
    ps = open_patches(images, labels=csv("file,label\n2.png,v\nother.png,w\n"))
    assert ps.labels.tolist() == ["", "v", ""]
    assert ps.notes == ["1 of 3 patches have a row in labels.csv."]


def test_no_label_column_is_said(images, csv):
    ps = open_patches(
        images, labels=csv("file,patient,slide\n1.png,1,s\n2.png,2,s\n3.png,3,t\n")
    )
    assert ps.labels.tolist() == ["a", "a", "b"]
    assert ps.table["slide"].tolist() == ["s", "s", "t"]
    assert ps.notes == ["labels.csv has no column called 'label'; its columns came along."]


def test_nothing_matches(images, csv):
    with pytest.raises(PatchError) as caught:
        open_patches(images, labels=csv("file,label\nz9.png,1\nz8.png,2\n"))
    assert re.search(
        r"Only 0 of the 3 images in set match .* 2 rows of .*labels\.csv "
        r"\(.*'a/1\.png' and a row 'z9\.png'\); add a column with the images' file names\.",
        str(caught.value),
    )


def test_a_few_matches_by_chance_are_no_match(write, folder, grey, csv):
    for i in range(10):
        write(f"{i}.png", grey(8, 8))
    text = "file,patient,label\n" + "".join(f"cell{i}.png,{40 + i},x\n" for i in range(10))
    with pytest.raises(PatchError, match=r"Only 1 of the 10 images .*'1\.png' and a row '41'"):
        open_patches(folder, labels=csv(text.replace(",40,", ",0,")))


def test_files_are_never_matched_by_their_order(images, csv):
    with pytest.raises(PatchError, match="Only 0 of the 3 images"):
        open_patches(images, labels=csv("label\nx\ny\nz\n"))


def test_the_same_name_in_two_folders_needs_the_folder(write, folder, grey, csv):
    for name in ("a/1.png", "b/1.png"):
        write(name, grey(8, 8))
    with pytest.raises(PatchError, match=r"'1\.png', but .*\(a/1\.png and b/1\.png\); write"):
        open_patches(folder, labels=csv("file,label\n1.png,x\n"))
    ps = open_patches(folder, labels=csv("file,label\nb/1.png,y\na/1.png,x\n"))
    assert ps.labels.tolist() == ["x", "y"]


def test_two_rows_for_one_image(images, csv):
    same = "file,label\n1.png,x\n1.png,x\n2.png,y\n3.png,z\n"
    assert open_patches(images, labels=csv(same)).labels.tolist() == ["x", "y", "z"]
    with pytest.raises(
        PatchError, match=r"labels\.csv has different rows for '1\.png'; keep one"
    ):
        open_patches(images, labels=csv("file,label\n1.png,x\n1.png,y\n"))


def test_labels_stay_with_their_image_when_one_is_left_out(images, csv):
    (images / "a/1.png").write_text("broken")
    ps = open_patches(images, labels=csv("file,label\n1.png,x\n2.png,y\n3.png,z\n"))
    assert ps.labels.tolist() == ["y", "z"]
    stack = np.ones((3, 8, 8), np.float32)
    stack[0] = np.nan
    ps = from_array(stack, name="layer", labels=["x", "y", "z"])
    assert ps.labels.tolist() == ["y", "z"]


def test_a_stack_takes_rows_in_order_or_by_index(tmp_path, csv, grey):
    np.save(tmp_path / "s.npy", grey(3, 8, 8))

    def labels(text):
        return open_patches(tmp_path / "s.npy", labels=csv(text)).labels.tolist()

    assert labels("label\nx\ny\nz\n") == ["x", "y", "z"]
    assert labels("who,label\n1,x\n2,y\n3,z\n") == ["x", "y", "z"]
    assert labels("index,axis-0,label\n2,0,z\n0,1,x\n") == ["x", "", "z"]
    with pytest.raises(PatchError, match=r"labels\.csv has 2 rows but s\.npy has 3 patches"):
        labels("label\nx\ny\n")
    with pytest.raises(PatchError, match=r"from 1 to 3 in its column 'index', .*count from 0"):
        labels("index,label\n1,x\n2,y\n3,z\n")


def test_values_instead_of_a_file(grey):
    ps = from_array(grey(3, 8, 8), name="layer", labels=[1, 2, 2])
    assert ps.labels.tolist() == ["1", "2", "2"]
    with pytest.raises(PatchError, match=r"layer has 3 patches but .*one label a patch"):
        from_array(grey(3, 8, 8), name="layer", labels=[1, 2])


def test_files_that_are_no_table(images, csv, tmp_path):
    with pytest.raises(PatchError, match=r"There is no labels file .*gone\.csv; check"):
        open_patches(images, labels=tmp_path / "gone.csv")
    with pytest.raises(PatchError, match=r"labels\.csv is not a CSV table .*header row"):
        open_patches(images, labels=csv(""))
    with pytest.raises(PatchError, match=r"labels\.csv has no rows"):
        open_patches(images, labels=csv("file,label\n"))
    with pytest.raises(PatchError, match=r"labels\.csv is not a CSV table"):
        open_patches(images, labels=csv("file,label\n1.png,x\n2.png,y,too,many\n"))
    with pytest.raises(PatchError, match=r"set cannot be read \(Is a directory\)"):
        open_patches(images, labels=images)


def test_other_encodings(images, csv):
    text = "file,label\n1.png,größer\n2.png,y\n3.png,z\n"
    for encoding in ("utf-8", "utf-8-sig", "latin-1"):
        ps = open_patches(images, labels=csv(text, encoding=encoding))
        assert ps.labels[0] == "größer"


def test_rows_of_slides_go_to_all_their_tiles(tmp_path, csv):
    for name in ("one/a b.svs", "one/b.svs", "two/c.svs"):
        write_aperio_under(tmp_path / "set" / name)
    tiles = TileConfig(size=128, foreground="none", tiles_per_slide=5)

    def opened(text):
        return open_patches(tmp_path / "set", labels=csv(text), tiles=tiles)

    ps = opened("diagnosis,slide\ntumour,b.svs\nbenign,a b.svs\nother,z.svs\n")
    assert ps.labels.tolist() == ["benign"] * 5 + ["tumour"] * 5 + [""] * 5
    assert ps.notes[-1] == "10 of 15 patches have a row in labels.csv."
    ps = opened("image,label,age\none/a b,x,31\none/b,y,40\ntwo/c,z,52\n")
    assert ps.labels.tolist() == ["x"] * 5 + ["y"] * 5 + ["z"] * 5
    assert ps.table["age"].tolist() == [31] * 5 + [40] * 5 + [52] * 5
    # pandas' own row numbers do not count tiles here
    ps = opened("index,slide,label\n0,a b,x\n1,b,y\n2,c,z\n")
    assert ps.labels.tolist() == ["x"] * 5 + ["y"] * 5 + ["z"] * 5
    with pytest.raises(PatchError, match=r"labels\.csv has different rows for 'b'; keep one"):
        opened("slide,label\na b,x\nb,y\nb,z\n")
    with pytest.raises(PatchError, match=r"has 2 rows but set has 15 patches; .*names of the"):
        opened("slide,label\nx,x\ny,y\n")
    write_aperio_under(tmp_path / "set/two/b.svs")
    with pytest.raises(PatchError, match=r"'b', but .*\(one/b\.svs and two/b\.svs\); write"):
        opened("slide,label\na b,x\nb,y\n")


def test_one_row_a_patch_may_name_the_slide_as_well(tmp_path, csv):
    for name in ("a.svs", "b.svs"):
        write_aperio_under(tmp_path / "set" / name)
    tiles = TileConfig(size=128, foreground="none", tiles_per_slide=3)
    text = "slide,label\na,1\na,2\na,3\nb,4\nb,5\nb,6\n"
    ps = open_patches(tmp_path / "set", labels=csv(text), tiles=tiles)
    assert ps.labels.tolist() == ["1", "2", "3", "4", "5", "6"]
    text = "index,slide,label\n5,b,x\n0,a,y\n"
    ps = open_patches(tmp_path / "set", labels=csv(text), tiles=tiles)
    assert ps.labels.tolist() == ["y", "", "", "", "", "x"]


def test_a_row_names_a_stack_or_the_image_of_objects(tmp_path, csv, grey):
    tifffile.imwrite(tmp_path / "3.tif", grey(4, 16, 16), photometric="minisblack")
    rows = "file,patient\n2.tif,p\n3.tif,q\n"
    ps = open_patches(tmp_path / "3.tif", labels=csv(rows), axes="NYX")
    assert ps.labels.tolist() == ["q"] * 4
    # A number that happens to be the stack's name is none.
    ps = open_patches(
        tmp_path / "3.tif", labels=csv("who,label\n1,a\n2,b\n3,c\n4,d\n"), axes="NYX"
    )
    assert ps.labels.tolist() == ["a", "b", "c", "d"]
    objects = np.zeros((32, 32), np.int32)
    objects[2:8, 2:8], objects[12:20, 12:20] = 1, 2
    for name in ("f1", "f2"):
        for kind, pixels in (("images", grey(32, 32)), ("masks", objects)):
            (tmp_path / kind).mkdir(exist_ok=True)
            tifffile.imwrite(tmp_path / kind / f"{name}.tif", pixels)
    ps = open_patches(
        tmp_path / "images",
        objects=tmp_path / "masks",
        labels=csv("image,stage\nf2.tif,late\nf1.tif,early\n"),
    )
    assert ps.labels.tolist() == ["early", "early", "late", "late"]


def write_aperio_under(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_aperio(path, tissue(256, 384))


BAD_LABELS = {
    "file,label\nz9.png,1\n": "Only 0 of the 3 images",
    "label\nx\ny\nz\n": "Only 0 of the 3 images",
    "label,Label,file\nx,y,1.png\n": "2 columns called 'label'",
    "file,label\n1.png,x\n1.png,y\n2.png,z\n": "different rows",
    "": "is not a CSV table",
    "file,label\n": "no rows",
}


@pytest.mark.parametrize("options", [
    *({"text": text, "said": said} for text, said in BAD_LABELS.items()),
    {"pattern": "(?P<label>", "said": "is not a regular expression"},
    {"pattern": "[a-z]+", "said": "takes nothing out of the names"},
    {"pattern": "{label}_{}", "said": "fits none of the 3 images"},
])  # fmt: skip
def test_what_is_wrong_with_labels_is_said_before_anything_is_decoded(images, csv, options):
    said = options.pop("said")
    if "text" in options:
        options["labels"] = csv(options.pop("text"))
    reported: list[tuple[int, int]] = []
    with pytest.raises(PatchError, match=said):
        open_patches(images, watch=Watch(lambda *step: reported.append(step)), **options)
    assert reported == []
    assert cache_size()[1] == 0


@pytest.mark.parametrize("spelling", ["folder {}/image {}.png", "image {1}"])
def test_a_large_table_is_joined_with_reports_and_can_be_stopped(tmp_path, spelling):
    count = 200_000
    names = [f"folder {i % 50}/image {i}.png" for i in range(count)]
    table = box_table(names, np.zeros(count, np.int64), np.full((count, 2), 8))
    path = tmp_path / "labels.csv"
    order = np.random.default_rng(0).permutation(count).tolist()
    pd.DataFrame(
        {
            "file": [spelling.format(i % 50, i) for i in order],
            "label": [f"class {i % 7}" for i in order],
            "area": [i / 8 for i in order],
        }
    ).to_csv(path, index=False)
    heard: list[tuple[int, int]] = []
    watch = Watch(lambda done, total: heard.append((done, total)))
    joined, notes, _ = join_labels(table, path, names, "many", watch=watch)
    assert notes == []
    assert joined["label"].tolist() == [f"class {i % 7}" for i in range(count)]
    assert joined["area"].tolist() == [i / 8 for i in range(count)]
    assert len(heard) >= 10
    for reports in (2, len(heard) // 2, len(heard) - 2):
        stops = iter([False] * reports + [True])
        watch = Watch(None, stops.__next__)
        with pytest.raises(LoadCancelled):
            join_labels(table, path, names, "many", watch=watch)


def test_values_of_a_large_set_are_joined():
    count = 200_000
    names = [f"folder {i % 50}/image {i}.png" for i in range(count)]
    table = box_table(names, np.zeros(count), np.full((count, 2), 8))
    joined, _, _ = join_labels(table, [str(i) for i in range(count)], None, "many")
    assert joined["label"].iloc[-1] == str(count - 1)


def test_rows_may_name_some_images_with_and_some_without_their_folder(write, folder, grey, csv):
    for name in ("1.png", "2.png", "3.png", "sub/4.png"):
        write(name, grey(8, 8))
    ps = open_patches(folder, labels=csv("file,label\n1.png,a\n2.png,b\n3.png,c\n4.png,d\n"))
    assert ps.labels.tolist() == ["a", "b", "c", "d"]


def test_names_that_differ_in_case_only_are_not_joined_but_said(write, folder, grey, csv):
    for name in ("IMG_1.png", "IMG_2.png"):
        write(name, grey(8, 8))
    with pytest.raises(PatchError, match=r"differ in upper and lower case letters only\); add"):
        open_patches(folder, labels=csv("file,label\nimg_1.png,x\nimg_2.png,y\n"))
