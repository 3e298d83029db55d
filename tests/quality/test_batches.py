"""A technical column is found where it shapes the map, and only there."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import NearestNeighbors

from napari_patchmap.cli import main
from napari_patchmap.errors import QualityError
from napari_patchmap.explore.colouring import colour_by
from napari_patchmap.patches import from_array
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.quality.background import background
from napari_patchmap.quality.batches import as_batches, batch_effect, batch_lines, in_order
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells


def cells(shift=0.0, count=900):
    """Points of three classes from three slides; the slides are moved apart by ``shift``."""
    rng = np.random.default_rng(0)
    kind, slide = np.arange(count) % 3, (np.arange(count) // 3) % 3
    points = rng.normal(size=(count, 2)) + 12.0 * np.column_stack([kind == 1, kind == 2])
    points = points + shift * np.column_stack([slide == 1, slide == 2])
    return points, np.array(["a", "b", "c"])[kind], np.array(["s1", "s2", "s3"])[slide]


def test_a_column_that_does_not_matter_is_told_by_chance_alone():
    points, labels, slides = cells()
    found = batch_effect(FigureInput(points, labels, points), slides, "slide")
    for told in (found["map"], found["features"]):
        assert told["accuracy"] == pytest.approx(told["chance"], abs=0.06)
        assert told["chance"] == pytest.approx(1 / 3, abs=0.05)
    assert found["said"].endswith("it hardly shapes this map.")
    assert found["batches"] == {"s1": 300, "s2": 300, "s3": 300}
    index = found["robustness"]
    assert index["index"] is None or index["index"] > 10


def test_parts_of_numbers_are_shown_from_low_to_high():
    values = pd.Series(np.concatenate([np.linspace(-3.5, 20_000, 90), [np.nan]]))
    shown = colour_by(pd.DataFrame({"size": in_order(as_batches(values))}), "size")
    starts = [float(name.split(" to ")[0]) for name in shown.names[:-1]]
    assert starts == sorted(starts)
    assert starts[0] == -3.5
    assert len(starts) == 5
    assert shown.names[-1] == "no value"
    days = np.array(["10 to 12", "9 to 5", "later"])  # words that look like numbers
    assert in_order(days).tolist() == days.tolist()


def test_a_column_that_shapes_the_map_is_warned_of():
    points, labels, slides = cells(shift=40.0)
    found = batch_effect(FigureInput(points, labels), slides, "slide")
    assert found["map"]["accuracy"] > 0.99
    assert found["features"] is None
    assert found["said"].startswith("Careful: neighbours on the map tell slide for ")
    assert "colour the map by slide" in found["said"]
    lines = batch_lines(found)
    assert lines[0] == found["said"]
    assert "of 900 patches; by chance 3" in lines[1]


def test_the_robustness_index_counts_pairs_of_neighbours():
    rng = np.random.default_rng(3)
    points = rng.normal(size=(300, 2))
    labels, slides = (np.array(["x", "y"])[rng.integers(0, 2, 300)] for _ in range(2))
    labels[:20] = ""  # not known: in no pair
    near = NearestNeighbors(n_neighbors=15).fit(points).kneighbors(return_distance=False)
    biology = batch = 0
    for i, others in enumerate(near):
        for j in others:
            if labels[i] and labels[j]:
                biology += labels[i] == labels[j] and slides[i] != slides[j]
                batch += labels[i] != labels[j] and slides[i] == slides[j]
    found = batch_effect(FigureInput(points, labels), slides, "slide")["robustness"]
    assert found["same_label_other_batch"] == biology
    assert found["other_label_same_batch"] == batch
    assert found["index"] == pytest.approx(biology / batch)
    assert found["index_by_chance"] == pytest.approx(1, abs=0.2)


def test_a_column_that_is_the_label_cannot_be_told_from_it():
    points, labels, _ = cells()
    other = np.char.add("slide ", labels)
    found = batch_effect(FigureInput(points, labels), other, "slide")
    assert "nobody can tell which of the two" in found["said"]


def test_what_is_no_batch_is_refused_in_a_sentence():
    points, labels, slides = cells(count=90)
    given = FigureInput(points, labels)
    with pytest.raises(QualityError, match="day has one value only"):
        batch_effect(given, np.array(["monday"] * 90), "day")
    with pytest.raises(QualityError, match="too few to ask 15 neighbours"):
        batch_effect(given, np.where(np.arange(90) < 20, slides, ""), "slide")
    many = FigureInput(np.random.default_rng(0).normal(size=(900, 2)))
    with pytest.raises(QualityError, match="900 values, too many"):
        batch_effect(many, np.arange(900).astype(str), "file")


def test_numbers_are_divided_into_fifths_and_few_values_are_left_alone():
    numbers = pd.Series([*np.linspace(0, 1, 100), np.nan, np.inf])
    batches = as_batches(numbers)
    names, counts = np.unique(batches[:100], return_counts=True)
    assert counts.tolist() == [20] * 5
    assert names[0] == "0 to 0.2"
    assert batches[100:].tolist() == ["", ""]
    assert as_batches(pd.Series([1, 2, 2, 3])).tolist() == ["1", "2", "2", "3"]
    assert as_batches(pd.Series(["x", None, "y"])).tolist() == ["x", "", "y"]
    assert as_batches(pd.Series([True, False])).tolist() == ["True", "False"]
    skewed = as_batches(pd.Series([0.0] * 500 + list(range(1, 100))))
    assert 2 <= len(set(skewed)) <= 5


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_the_background_is_that_of_the_border(dtype):
    rng = np.random.default_rng(0)
    images = rng.integers(90, 110, size=(60, 24, 24, 3)).astype(dtype)
    tint = np.linspace(0, 60, 60)
    images[..., 2] = np.clip(images[..., 2] + tint[:, None, None], 0, 255)
    images[:, 4:-4, 4:-4] = rng.integers(0, 255, size=(60, 1, 1, 3))  # the cell itself
    found = background(from_array(images, name="tinted"))
    names = list(dict.fromkeys(found))
    assert found.tolist() == [name for name in names for _ in range(12)]  # in order
    assert [float(name.split()[0]) for name in names] == sorted(
        float(name.split()[0]) for name in names
    )
    with pytest.raises(LoadCancelled):
        background(from_array(images, name="tinted"), Watch(should_stop=lambda: True))


def test_few_backgrounds_of_another_colour_are_a_group_of_their_own():
    rng = np.random.default_rng(0)
    images = rng.integers(180, 240, size=(300, 1, 1, 1)) + rng.integers(-5, 5, (300, 12, 12, 3))
    blue = rng.permutation(300)[:12]
    images[blue, ..., 0] -= 50
    images[blue, ..., 2] += 10
    found = background(from_array(images.astype(np.uint8), name="some bluish"))
    assert set(np.flatnonzero(found == "another colour")) == set(blue)
    assert len(set(found)) == 6
    grey = images[..., :1].astype(np.uint8)
    assert len(set(background(from_array(grey, name="grey", axes="NYXC")))) == 5


def test_the_command_line_checks_a_column_and_the_background(tmp_path, capsys):
    run = fit(make_cells(150), RunConfig(TrainConfig(method="pixels", device="cpu")))
    run.table["slide"] = np.where(run.embedding[:, 1] > np.median(run.embedding[:, 1]), 1, 2)
    folder = run.save(tmp_path / "run")
    assert main(["evaluate", str(folder), "--batch", "slide"]) == 0
    out = capsys.readouterr().out
    assert "Careful: neighbours on the map tell slide for 9" in out
    assert "15 neighbours among the features tell slide for " in out
    assert main(["evaluate", str(folder), "--json"]) == 0  # what is known stays
    assert json.loads(capsys.readouterr().out)["batch"]["column"] == "slide"
    assert main(["evaluate", str(folder), "--batch", "plate"]) == 2
    assert "There is no column plate; choose background colour" in capsys.readouterr().err
