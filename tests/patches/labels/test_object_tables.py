"""Tables of objects reach their objects by number, file and frame, as programs write them."""

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_patchmap.errors import PatchError
from napari_patchmap.patches import open_patches

SIDE, FRAMES = 5, 3


@pytest.fixture(scope="module")
def field(tmp_path_factory):
    """Twenty-five objects of random numbers in each of three frames, and their measurements."""
    root, rng = tmp_path_factory.mktemp("field"), np.random.default_rng(0)
    ids = rng.permutation(np.arange(3, 3 + SIDE**2)).reshape(SIDE, SIDE)
    labels = np.zeros((FRAMES, 24 * SIDE, 24 * SIDE), np.uint16)
    for frame in range(FRAMES):
        for (row, column), number in np.ndenumerate(ids):
            y, x = 24 * row + 2, 24 * column + 2
            labels[frame, y : y + rng.integers(5, 20), x : x + rng.integers(5, 20)] = number
    pixels = rng.integers(0, 255, labels.shape, np.uint8)
    for name, image, masks in (("one", pixels[0], labels[0]), ("time", pixels, labels)):
        options = {"imagej": True, "metadata": {"axes": "TYX"[-image.ndim :]}}
        tifffile.imwrite(root / f"{name}.tif", image, **options)
        tifffile.imwrite(root / f"{name}_labels.tif", masks, **options)
    measured = []
    for frame in range(FRAMES):
        for number in ids.ravel().tolist():
            y, x = np.nonzero(labels[frame] == number)
            measured.append((frame, number, len(y), y.mean(), x.mean(), f"{frame}:{number}"))
    table = pd.DataFrame(measured, columns=["frame", "label", "area", "cy", "cx", "truth"])
    return root, table.sample(frac=1, random_state=1).reset_index(drop=True)


@pytest.fixture
def one(field):
    table = field[1]
    return table[table["frame"] == 0].drop(columns="frame").reset_index(drop=True)


@pytest.fixture
def opened(field, tmp_path):
    def opened(table, name="one", **options):
        table.to_csv(tmp_path / "t.csv", index=False, **options)
        return open_patches(
            field[0] / f"{name}.tif",
            objects=field[0] / f"{name}_labels.tif",
            labels=tmp_path / "t.csv",
        )

    return opened


def right(ps):
    own = [f"{f}:{i}" for f, i in zip(ps.table["frame"], ps.table["label_id"], strict=True)]
    return ps.table["truth"].tolist() == own


PLACES = {"cy": "centroid-0", "cx": "centroid-1"}


@pytest.mark.parametrize(
    ("names", "more"),
    [
        (PLACES, {}),  # scikit-image
        ({"label": "label_id"}, {}),
        ({"label": "Label", "cx": "XM", "cy": "YM"}, {"Slice": 1}),  # ImageJ, MorphoLibJ
        ({"label": "ObjectNumber", "cx": "Location_Center_X"}, {"ImageNumber": 7}),
        ({"label": "Nuclei_ObjectNumber"}, {"Nuclei_Parent_Cells": range(25, 0, -1)}),
        ({"label": "Cell ID", "cx": "Centroid X µm", "cy": "Centroid Y µm"}, {"Parent": "r"}),
        ({"label": "cell_id"}, {"image_id": 3}),
        ({"label": "index"}, {}),  # the features of a Labels layer
        ({"label": "id"}, {}),
    ],
)
def test_every_row_lies_at_its_object(opened, one, names, more):
    ps = opened(one.rename(columns=names).assign(**more))
    assert right(ps)
    assert ps.labels is None
    assert any("were joined by" in note for note in ps.notes)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("name", ["frame", "FRAME", "ImageNumber", "time_point", "Slice"])
def test_frames_of_a_time_series(opened, field, name, first):
    table = field[1].rename(columns={"frame": name})
    table[name] += first
    ps = opened(table, "time")
    assert right(ps)
    assert any(f"(frames counted from {first})" in note for note in ps.notes)


def test_a_row_for_each_track_goes_to_all_its_frames(opened, one):
    tracks = pd.DataFrame({"TRACK_ID": one["label"], "fate": [f"f{i}" for i in one["label"]]})
    ps = opened(tracks, "time")
    assert ps.labels.tolist() == [f"f{i}" for i in ps.table["label_id"]]


def test_trackmate_paints_the_number_of_a_spot_plus_one(opened, one, tmp_path):
    spots = pd.DataFrame(
        {
            "LABEL": [f"ID{i - 1}" for i in one["label"]],
            "ID": one["label"] - 1,
            "TRACK_ID": 0,
            "POSITION_X": 0.3 * one["cx"],
            "POSITION_Y": 0.3 * one["cy"],
            "FRAME": 0,
            "truth": one["truth"],
        }
    )
    rows = [
        {c: c.title() for c in spots},
        {c: c.title()[:3] for c in spots},
        {"POSITION_X": "(µm)", "POSITION_Y": "(µm)"},
    ]
    ps = opened(pd.concat([pd.DataFrame(rows), spots]))
    assert right(ps)
    assert ps.labels is None
    assert any("plus 1, as their places say" in note for note in ps.notes)
    assert any("3 rows below the header" in note for note in ps.notes)


def test_classes_are_never_taken_for_numbers_nor_numbers_for_classes(opened, one):
    ps = opened(one.assign(label_id=one["label"], label=one["label"] % 3))
    assert right(ps)
    assert ps.labels.tolist() == [str(i % 3) for i in ps.table["label_id"]]
    ps = opened(one[["label", "truth"]].assign(Classification=one["label"] % 2))
    assert ps.labels.tolist() == [str(i % 2) for i in ps.table["label_id"]]
    assert "The labels are the column 'Classification' of t.csv." in ps.notes
    for other in ({"Object ID": one["label"]}, {"area": one["area"]}, {"parent_id": 1}):
        ps = opened(pd.DataFrame({"label_id": one["label"], **other}))
        assert ps.labels is None


def test_a_table_of_other_images_as_well(opened, one):
    table = pd.concat([one.assign(image="one.tif"), one.assign(image="two.tif", truth="no")])
    assert right(opened(table))
    with pytest.raises(PatchError, match=r"has different rows for the object \d+ of one\.tif"):
        opened(table.drop(columns="image").rename(columns={"label": "label_id"}))


def test_what_is_missing_unknown_or_twice_is_counted(opened, one):
    table = one.rename(columns={"label": "label_id"})
    some = table.iloc[:15].assign(label_id=[*table["label_id"][:13], 300, 301])
    ps = opened(some)
    assert "13 of 25 patches have a row in t.csv." in ps.notes
    assert any("2 rows name objects that are not among" in note for note in ps.notes)
    assert right(opened(pd.concat([table, table.iloc[:3]])))
    twice = pd.concat([table, table.iloc[:3].assign(truth="else")])
    with pytest.raises(PatchError, match=r"different rows for the object .* 2 other objects"):
        opened(twice)
    with pytest.raises(PatchError, match=r"Only 0 of the 25 objects .* 'label_id' \(such as"):
        opened(one[["truth"]].assign(label_id=one["label"] + 100))


def test_the_table_of_other_labels_is_refused_by_its_places(opened, one):
    numbers = np.roll(one["label"], 7)
    with pytest.raises(PatchError, match=r"by 'label', but lie elsewhere .*; choose the table"):
        opened(one.assign(label=numbers).rename(columns=PLACES))


def test_order_is_said_and_refused_where_it_cannot_be(opened, one):
    ordered = one.sort_values("label")
    ps = opened(ordered[["truth"]])
    assert ps.labels.tolist() == ordered["truth"].tolist()
    assert any("in the order of the patches" in note for note in ps.notes)
    assert right(opened(ordered.drop(columns="label").rename(columns=PLACES)))
    for unordered in (
        one[["truth", "area"]],
        one[["truth", "cx", "cy"]].rename(columns=PLACES),
    ):
        with pytest.raises(PatchError, match=r"in another order than the objects.*label_id"):
            opened(unordered)
    with pytest.raises(
        PatchError, match=r"24 rows but one\.tif has 25 objects; add .*label_id"
    ):
        opened(ordered[["truth"]].iloc[1:])


def test_several_images_need_their_names(opened, one, field, tmp_path):
    for kind in ("images", "masks"):
        (tmp_path / kind).mkdir()
        source = field[0] / ("one.tif" if kind == "images" else "one_labels.tif")
        for name in ("a", "b"):
            (tmp_path / kind / f"{name}.tif").write_bytes(source.read_bytes())
    table = pd.concat([one.assign(file=f"{n}.tif", truth=n + one["truth"]) for n in "ba"])
    path = tmp_path / "all.csv"
    options = {"objects": tmp_path / "masks", "labels": path}
    table.rename(columns={"label": "ObjectNumber"}).to_csv(path, index=False)
    ps = open_patches(tmp_path / "images", **options)
    own = zip(ps.table["source"], ps.table["label_id"], strict=True)
    assert ps.table["truth"].tolist() == [f"{name[0]}0:{number}" for name, number in own]
    table.rename(columns={"label": "ObjectNumber"}).drop(columns="file").to_csv(path)
    with pytest.raises(PatchError, match="add a column with the names of the images' files"):
        open_patches(tmp_path / "images", **options)
