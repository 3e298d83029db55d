"""The images of a saved run belong to its rows, whatever was renamed, moved or removed."""

from __future__ import annotations

import itertools
import shutil
from datetime import datetime
from functools import partial

import imagecodecs
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

from napari_patchmap.cli import main
from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.patches import CropConfig, from_array, from_objects, open_patches
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.runs import (
    OpenLayer,
    Run,
    RunConfig,
    TrainConfig,
    Unfinished,
    read_map,
    reopen_patches,
    without_images,
)
from napari_patchmap.runs.joining import Contents, join
from napari_patchmap.training import fit
from tests import conftest
from tests.conftest import make_cells

CONFIG = RunConfig(TrainConfig(method="pixels", device="cpu"))
COUNT = 24


@pytest.fixture(scope="module")
def cells():
    return make_cells(COUNT).stack()


@pytest.fixture(scope="module")
def run_of(cells):
    """Make a run of any patches, without training for each."""
    return partial(conftest.run_of, fit(from_array(cells, name="cells", rgb=True), CONFIG))


@pytest.fixture(scope="module")
def made(cells, run_of, tmp_path_factory):
    """A run of a folder, saved, and its folder of images."""
    home = tmp_path_factory.mktemp("made")
    for i, cell in enumerate(cells):
        write(home / "img" / "ab"[i % 2] / f"{i:02d}.png", cell)
    run_of(open_patches(home / "img")).save(home / "run")
    return home


@pytest.fixture
def run(made, tmp_path):
    """The run, of images that a test may change."""
    shutil.copytree(made, tmp_path / "work")
    run = Run.load(tmp_path / "work" / "run")
    run.origin["path"] = str(tmp_path / "work" / "img")
    return run


def write(path, cell):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(cell))


def numbers(run):
    """Return which cell each row of a run of the folder shows."""
    return run.table["source"].str.extract(r"(\d+)\.png")[0].astype(int).to_numpy()


def assert_own(patches, run, cells, but=()):
    """Check that every patch that is there is the one of its row."""
    for row, number in enumerate(numbers(run)):
        if row not in but:
            np.testing.assert_array_equal(patches[row], cells[number])
    assert patches.missing.tolist() == list(but)


def test_untouched_images_are_found_without_a_word(run, cells):
    patches = reopen_patches(run)
    assert_own(patches, run, cells)
    assert patches.notes == []
    assert patches.table["source"].tolist() == run.table["source"].tolist()
    assert patches.table["label"].tolist() == run.table["label"].tolist()
    assert patches.intensity == run.images.intensity


def test_a_renamed_image_is_found_by_its_content(run, cells):
    img = run.folder.parent / "img"
    (img / "a" / "00.png").rename(img / "b" / "zz.png")
    patches = reopen_patches(run)
    assert_own(patches, run, cells)
    assert patches.table["source"].iloc[0] == "b/zz.png"
    assert "1 of 24 images of this run has another name" in patches.notes[0]
    assert "a/00.png is b/zz.png now" in patches.notes[0]
    assert patches.table["label"].iloc[0] == "a"  # the map and its figures are of that


def test_renumbered_images_are_not_shifted(run, cells):
    """One is deleted, and all that follow get the number before theirs."""
    folder = run.folder.parent / "img" / "a"
    names = sorted(folder.iterdir())
    names[0].unlink()
    for before, after in itertools.pairwise(names):
        after.rename(before)
    assert_own(reopen_patches(run), run, cells, but=[0])


def test_a_missing_image_is_said_and_a_new_one_left_out(run, cells):
    img = run.folder.parent / "img"
    gone = run.table["source"].iloc[3]
    (img / gone).unlink()
    write(img / "a" / "aaa.png", 255 - cells[0])
    patches = reopen_patches(run)
    assert_own(patches, run, cells, but=[3])
    said = " ".join(patches.notes)
    assert f"1 of 24 images of this run is not in {img} (first {gone})" in said
    assert "1 image in" in said
    assert "not part of this run" in said
    # It is drawn as missing, and not as a dark image.
    assert patches.thumbnail(3, 56).std() > 20
    assert patches[3].shape == cells[0].shape
    assert patches.pixels([2, 3], (12, 12)).shape == (2, 3, 12, 12)
    assert 3 not in patches.spread()


def test_what_has_other_pixels_under_its_name_is_said(run, cells):
    source = run.table["source"].iloc[5]
    write(run.folder.parent / "img" / source, 255 - cells[0])
    patches = reopen_patches(run)
    assert len(patches.missing) == 0
    assert f"other pixels than when the map was made (first {source})" in patches.notes[0]


def test_two_images_that_changed_places_keep_their_rows(run, cells):
    img = run.folder.parent / "img"
    one, other = img / run.table["source"].iloc[1], img / run.table["source"].iloc[20]
    one.rename(img / "x.png")
    other.rename(one)
    (img / "x.png").rename(other)
    assert_own(reopen_patches(run), run, cells)


def test_a_moved_folder_is_located_and_remembered(run, cells, tmp_path):
    (run.folder.parent / "img").rename(tmp_path / "elsewhere")
    with pytest.raises(PatchError, match="img, which is not there any more"):
        reopen_patches(run)
    patches = reopen_patches(run, where=tmp_path / "elsewhere")
    assert_own(patches, run, cells)
    assert patches.origin["path"] == str(tmp_path / "elsewhere")
    again = Run.load(run.folder)
    again.origin = run.origin  # which does not change
    assert_own(reopen_patches(again), run, cells)


def test_images_that_were_moved_out_are_located_beside_the_others(run, cells, tmp_path):
    img = run.folder.parent / "img"
    for row in (2, 7):
        source = img / run.table["source"].iloc[row]
        (tmp_path / "out").mkdir(exist_ok=True)
        source.rename(tmp_path / "out" / f"was {row}.png")
    assert_own(reopen_patches(run), run, cells, but=[2, 7])
    assert_own(reopen_patches(run, where=tmp_path / "out"), run, cells)


def test_a_folder_of_other_images_is_refused(run, tmp_path):
    write(tmp_path / "other" / "00.png", np.zeros((9, 9, 3), np.uint8))
    (run.folder.parent / "img").rename(tmp_path / "elsewhere")
    with pytest.raises(PatchError, match=r"None of the 24 images .* is in .*other"):
        reopen_patches(run, where=tmp_path / "other")


def test_a_run_of_before_is_joined_by_names_and_says_so(run, cells):
    (run.folder / "patches.csv").unlink()
    old = Run.load(run.folder)
    old.origin = run.origin
    img = run.folder.parent / "img"
    (img / old.table["source"].iloc[0]).rename(img / "zz.png")
    patches = reopen_patches(old)
    assert_own(patches, old, cells, but=[0])
    assert "no sound patches.csv" in patches.notes[-1]


def test_a_stack_of_before_is_refused_where_the_number_differs(stacked, cells, tmp_path):
    """Its frames have no other name than their number, and all may have another one now."""
    (stacked.folder / "patches.csv").write_text("damaged")
    old = Run.load(stacked.folder)
    patches = reopen_patches(old)
    np.testing.assert_array_equal(patches.stack(), cells)
    np.savez(tmp_path / "cells.npz", images=np.delete(cells, 3, 0))
    with pytest.raises(PatchError, match=r"another number of them.*no sound patches\.csv"):
        reopen_patches(old)


def test_images_that_were_moved_together_with_their_run_are_found(made, cells, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    run = Run.load(tmp_path / "copy" / "run")
    run.origin["path"] = str(tmp_path / "gone" / "img")
    assert_own(reopen_patches(run), run, cells)


def test_identical_images_are_each_found(run, cells):
    """A copy is as good as the original, and never taken for another one."""
    img = run.folder.parent / "img"
    one, other = run.table["source"].iloc[:2]
    shutil.copy(img / one, img / "copy.png")
    assert "1 image in" in reopen_patches(run).notes[0]
    (img / one).unlink()
    (img / other).unlink()
    assert_own(reopen_patches(run), run, cells, but=[1])


def test_what_was_renamed_and_changed_is_missing_and_a_damaged_one_as_well(run, cells):
    img = run.folder.parent / "img"
    sources = run.table["source"]
    (img / sources.iloc[1]).unlink()
    write(img / "b" / "other.png", 255 - cells[0])
    (img / sources.iloc[2]).write_bytes(b"no picture")
    patches = reopen_patches(run)
    assert_own(patches, run, cells, but=[1, 2])
    assert "or cannot be read" in " ".join(patches.notes)


def test_of_large_folders_what_was_not_looked_at_is_never_shifted():
    """Names got the number before theirs; only every third one's pixels are known."""
    names = [f"{i:03d}.png" for i in range(90)]
    table = box_table(names, np.zeros(90, int), np.full((90, 2), 8))
    content = np.arange(1, 91, dtype=np.uint64)
    known = table.assign(content=np.where(np.arange(90) % 3, np.uint64(0), content))
    left = np.delete(content, 40)
    found = join(known, table[:89], Contents.known(left))
    here = found.rows >= 0
    np.testing.assert_array_equal(left[found.rows[here]], content[here])
    assert here[:39].all()
    assert here[42::3].all()
    # One that was edited costs the others nothing.
    edited = content.copy()
    edited[30] = 999
    found = join(known, table, Contents.known(edited))
    np.testing.assert_array_equal(found.rows, np.arange(90))
    assert np.flatnonzero(found.changed).tolist() == [30]


def test_a_labels_file_that_is_gone_costs_no_pictures(cells, run_of, tmp_path):
    np.save(tmp_path / "cells.npy", cells)
    labels = pd.DataFrame({"index": np.arange(COUNT), "label": ["x", "y"] * (COUNT // 2)})
    labels.assign(kind=labels["label"]).to_csv(tmp_path / "labels.csv", index=False)
    patches = open_patches(
        tmp_path / "cells.npy", labels=tmp_path / "labels.csv", label_column="kind"
    )
    run = Run.load(run_of(patches).save(tmp_path / "run"))
    (tmp_path / "labels.csv").unlink()
    assert list(reopen_patches(run).labels) == ["x", "y"] * (COUNT // 2)


@pytest.fixture
def stacked(cells, run_of, tmp_path):
    """A run of an .npz file."""
    np.savez(tmp_path / "cells.npz", images=cells)
    return Run.load(run_of(open_patches(tmp_path / "cells.npz")).save(tmp_path / "run"))


def test_a_reordered_stack_is_put_in_order(stacked, cells, tmp_path):
    order = np.random.default_rng(0).permutation(COUNT)
    np.savez(tmp_path / "cells.npz", images=cells[order])
    patches = reopen_patches(stacked)
    np.testing.assert_array_equal(patches.stack(), cells)
    assert "another name or place" in patches.notes[0]
    assert (order[patches.table["frame"]] == np.arange(COUNT)).all()


@pytest.mark.parametrize("ending", ["npz", "zarr", "tif"])
def test_frames_that_were_taken_out_or_put_in_shift_no_other(ending, cells, run_of, tmp_path):
    path = tmp_path / f"cells.{ending}"
    save_stack(path, cells)
    run = Run.load(run_of(open_patches(path)).save(tmp_path / "run"))
    save_stack(path, np.delete(cells, 5, 0))
    patches = reopen_patches(run)
    assert patches.missing.tolist() == [5]
    for row in (0, 4, 6, COUNT - 1):
        np.testing.assert_array_equal(patches[row], cells[row])
    save_stack(path, np.insert(cells, 5, 255 - cells[0], 0))
    np.testing.assert_array_equal(reopen_patches(run).stack(), cells)


def save_stack(path, frames):
    if path.suffix == ".npz":
        np.savez(path, images=frames)
    elif path.suffix == ".tif":
        tifffile.imwrite(path, frames, photometric="rgb")
    else:
        shutil.rmtree(path, ignore_errors=True)
        zarr.save(str(path), frames)


def test_a_stack_of_others_is_no_stack_of_this_run(stacked, cells, tmp_path):
    np.savez(tmp_path / "cells.npz", images=255 - cells)
    with pytest.raises(PatchError, match="None of the 24 images"):
        reopen_patches(stacked)
    mixed = cells.copy()
    mixed[4] = 255 - mixed[4]
    np.savez(tmp_path / "cells.npz", images=mixed)
    patches = reopen_patches(stacked)
    assert patches.missing.tolist() == [4]
    np.testing.assert_array_equal(patches[5], cells[5])


def test_a_stack_is_located_by_its_new_name_or_in_its_folder(stacked, cells, tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "cells.npz").rename(tmp_path / "b" / "other.npz")
    patches = reopen_patches(stacked, where=tmp_path / "b" / "other.npz")
    np.testing.assert_array_equal(patches.stack(), cells)
    assert set(patches.table["source"]) == {"other.npz"}
    (tmp_path / "b" / "other.npz").rename(tmp_path / "b" / "cells.npz")
    (stacked.folder / "located.json").unlink()
    assert reopen_patches(stacked, where=tmp_path / "b").notes == []


def test_a_stack_of_a_layer_is_linked_while_it_is_open(cells, run_of, tmp_path):
    patches = from_array(cells, name="cells", rgb=True)
    run = Run.load(run_of(patches).save(tmp_path / "run"))
    with pytest.raises(PatchError, match="the layer 'cells'"):
        reopen_patches(run)
    other = OpenLayer("cells", 255 - cells, rgb=True)
    renamed = OpenLayer("cells renamed", cells, rgb=True)
    with pytest.raises(PatchError, match="None of the 24 images"):
        reopen_patches(run, layers=[other])
    again = reopen_patches(run, layers=[other, renamed])
    np.testing.assert_array_equal(again.stack(), cells)
    assert again.origin["layer"] == "cells renamed"
    np.save(tmp_path / "saved.npy", cells)
    kept = reopen_patches(run, where=tmp_path / "saved.npy")
    np.testing.assert_array_equal(kept.stack(), cells)


def test_objects_of_layers_are_linked_while_they_are_open(run_of, tmp_path):
    rng = np.random.default_rng(3)
    image, labels = rng.integers(0, 255, (90, 120), np.uint8), np.zeros((90, 120), np.int32)
    for k in range(12):
        y, x = 8 + 28 * (k // 4), 8 + 28 * (k % 4)
        labels[y : y + 10, x : x + 8 + k % 3] = 20 - k
    config = CropConfig(size=16)
    patches = from_objects(image, labels, name="cells", labels_name="nuclei", config=config)
    run = Run.load(run_of(patches).save(tmp_path / "run"))
    layers = [
        OpenLayer("noise", 255 - image),
        OpenLayer("cells", image),
        OpenLayer("nuclei 2", labels, labels=True),
    ]
    again = reopen_patches(run, layers=layers)
    np.testing.assert_array_equal(again.stack(), patches.stack())
    assert again.origin["labels_layer"] == "nuclei 2"


def test_a_run_without_any_image_keeps_its_rows(run):
    blank = without_images(run)
    assert len(blank.missing) == len(blank) == COUNT
    assert blank.channel_names == run.images.channel_names
    assert blank.common_size == run.images.size
    assert blank.table.equals(run.table)


def test_an_unfinished_training_is_that_of_its_moved_folder(made, tmp_path):
    shutil.copytree(made / "img", tmp_path / "img")
    patches = open_patches(tmp_path / "img")
    when = datetime(2026, 1, 1)
    one = Unfinished(
        tmp_path, patches.name, dict(patches.origin), CONFIG, 1, 3, 60.0, when, False
    )
    assert one.is_of(patches)
    shutil.copytree(tmp_path / "img", tmp_path / "copy")
    assert not one.is_of(open_patches(tmp_path / "copy"))
    shutil.rmtree(tmp_path / "img")
    assert one.is_of(open_patches(tmp_path / "copy"))
    (tmp_path / "copy" / "a" / "00.png").unlink()
    assert not one.is_of(open_patches(tmp_path / "copy"))


def test_maps_are_compared_patch_by_patch_whatever_their_order(run, run_of, cells, tmp_path):
    order = np.random.default_rng(1).permutation(COUNT)
    for i, k in enumerate(order):
        write(tmp_path / "again" / f"new {i:02d}.png", cells[k])
    other = run_of(open_patches(tmp_path / "again"))
    saved = read_map(other.save(tmp_path / "other"))
    shown = [order.tolist().index(k) for k in numbers(run)]
    np.testing.assert_allclose(saved.read_for(run.who), other.embedding[shown], rtol=1e-5)
    write(tmp_path / "again" / "new 03.png", 255 - cells[3])
    changed = run_of(open_patches(tmp_path / "again")).save(tmp_path / "changed")
    with pytest.raises(RunError, match="map of other patches"):
        read_map(changed).read_for(run.who)


def test_slides_of_other_names_are_known_by_some_of_their_tiles():
    """Of sets too large to look at all of it, the content of some patches is noted."""
    boxes = [(name, 0, y, 32 * x, 32, 32) for name in "abc" for y in (0, 32) for x in range(9)]
    table = pd.DataFrame(boxes, columns=["source", "frame", "y", "x", "height", "width"])
    content = np.arange(1, len(table) + 1, dtype=np.uint64)
    known = table.assign(content=np.where(np.arange(len(table)) % 5, np.uint64(0), content))
    order = np.random.default_rng(0).permutation(len(table))
    moved = table.assign(source=table["source"].map({"a": "c", "b": "x", "c": "y"}))
    found = join(known, moved.iloc[order], Contents.known(content[order]))
    np.testing.assert_array_equal(order[found.rows], np.arange(len(table)))
    assert not found.changed.any()
    # One of them is gone, and what has its name now is not taken for it.
    gone = moved.iloc[order][moved["source"].iloc[order] != "y"]
    left = order[moved["source"].iloc[order] != "y"]
    found = join(known, gone, Contents.known(content[left]))
    assert (found.rows[36:] == -1).all()
    np.testing.assert_array_equal(left[found.rows[:36]], np.arange(36))


def test_what_is_no_longer_as_it_was_is_said_on_the_command_line(run, capsys):
    edit(run, lambda table: table.drop(index=[0, 9]))
    assert main(["evaluate", str(run.folder)]) == 0
    assert "has lost 2 of 24 rows" in capsys.readouterr().err


# -- embedding.csv in a spreadsheet -----------------------------------------------------


def edit(run, change):
    path = run.folder / "embedding.csv"
    change(pd.read_csv(path)).to_csv(path, index=False)
    return Run.load(run.folder)


def test_rows_that_were_sorted_go_by_their_index(run):
    again = edit(run, lambda table: table.sort_values("axis-0"))
    assert again.table["source"].tolist() == run.table["source"].tolist()
    np.testing.assert_allclose(again.embedding, run.embedding, rtol=1e-5)
    assert again.notes == ()


def test_rows_that_were_deleted_are_said_and_no_other_takes_their_place(run, cells):
    again = edit(run, lambda table: table.drop(index=[0, 9]).sort_values("axis-1"))
    kept = np.delete(np.arange(COUNT), [0, 9])
    np.testing.assert_array_equal(again.features, run.features[kept])
    assert again.table["source"].tolist() == run.table["source"].iloc[kept].tolist()
    assert "has lost 2 of 24 rows" in again.notes[0]
    again.origin = run.origin
    assert_own(reopen_patches(again), again, cells)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: pd.concat([t, t.iloc[[3]]]), "has the patch 3 twice"),
        (lambda t: t.assign(index=t["index"] + 1), "index is '24'"),
        (lambda t: t.assign(index=[None, *range(1, COUNT)]), "index is 'nan'"),
        (lambda t: t.iloc[:0], "has no rows left"),
        (lambda t: t.drop(columns="index")[::-1], "lost its column index"),
        (lambda t: t.assign(**{"axis-1": [None, *t["axis-1"][1:]]}), "no position for patch 0"),
    ],
)
def test_rows_of_which_one_cannot_tell_whose_they_are_are_refused(run, change, said):
    with pytest.raises(RunError, match=said) as caught:
        edit(run, change)
    assert "embedding.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_patches_are_may_be_sorted_as_well(run, cells):
    path = run.folder / "patches.csv"
    known = pd.read_csv(path, dtype=str)
    known.sort_values("content").to_csv(path, index=False)
    again = Run.load(run.folder)
    pd.testing.assert_frame_equal(again.known, run.known)
    known.drop(columns="index").to_csv(path, index=False)
    assert Run.load(run.folder).known is None


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace(b",0,0,0,", b",first,0,0,"),
        lambda text: text.replace(b",0,0,0,", b",,0,0,"),
        lambda text: text.replace(b"\n1,", b"\n\xff\x00,"),
        lambda text: b"",
        lambda text: text.replace(b",", b";"),
    ],
)
def test_a_damaged_list_of_patches_is_none(run, change):
    path = run.folder / "patches.csv"
    path.write_bytes(change(path.read_bytes()))
    again = Run.load(run.folder)
    assert again.known is None
    again.origin = run.origin
    assert "no sound patches.csv" in reopen_patches(again).notes[-1]


def test_a_table_without_its_index_counts_while_it_is_in_order(run):
    again = edit(run, lambda table: table.drop(columns="index"))
    assert again.table["source"].tolist() == run.table["source"].tolist()


def test_a_table_without_its_index_counts_where_patches_have_no_source(run):
    path = run.folder / "patches.csv"
    pd.read_csv(path, dtype=str).assign(source=None).to_csv(path, index=False)
    again = edit(run, lambda table: table.drop(columns="index").assign(source=None))
    np.testing.assert_allclose(again.embedding, run.embedding, rtol=1e-5)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
def test_a_table_with_decimal_commas_is_read(run, encoding):
    path = run.folder / "embedding.csv"
    table = pd.read_csv(path).assign(who="Jürgen").sort_values("axis-1")
    table.to_csv(path, index=False, sep=";", decimal=",", encoding=encoding)
    again = Run.load(run.folder)
    np.testing.assert_allclose(again.embedding, run.embedding, rtol=1e-5)
    assert set(again.table["who"]) == {"Jürgen"}


def test_a_map_of_many_dimensions_keeps_their_order(run):
    table = pd.read_csv(run.folder / "embedding.csv")
    many = {f"axis-{k}": np.full(COUNT, k) for k in range(12)}
    rest = table.drop(columns=["axis-0", "axis-1"])
    pd.DataFrame(many).join(rest).to_csv(run.folder / "embedding.csv", index=False)
    assert Run.load(run.folder).embedding[0].tolist() == list(range(12))
