"""Another column becomes the label of a saved run: what is of labels follows, the map stays."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import main
from napari_patchmap.errors import PatchError
from napari_patchmap.explore.annotations import Annotations
from napari_patchmap.patches.watch import Watch
from napari_patchmap.quality import FIGURES
from napari_patchmap.quality.label_changes import OF_LABELS, lacks_labels, other_label
from napari_patchmap.runs import Run, RunConfig, TrainConfig, read_map
from napari_patchmap.runs.annotation_files import save_annotations
from napari_patchmap.runs.annotation_place import AnnotationPlace
from napari_patchmap.runs.chosen_label import LABEL
from napari_patchmap.runs.gathering import without_images
from napari_patchmap.training import fit
from tests.conftest import make_cells

NOBODY = pd.DataFrame()


@pytest.fixture(scope="module")
def made():
    cells = make_cells(60)
    rows = np.arange(60)
    cells.table["patient"] = np.where(rows % 2, "p1", "p2")
    cells.table["is_round"], cells.table["is_long"] = (rows < 40).astype(int), (rows >= 40) * 1
    cells = dataclasses.replace(cells, label_from="kind")
    return fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def saved(made, tmp_path):
    return dataclasses.replace(made).save(tmp_path / "run")


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def patients(count: int = 60) -> list[str]:
    return ["p1" if row % 2 else "p2" for row in range(count)]


def test_it_is_kept_beside_the_run_and_the_run_stays_as_it_is(made, saved):
    before = files(saved)
    run = Run.load(saved)
    assert run.label_from == made.label_from == "kind"
    assert run.use_label("Patient") == ""
    assert {name: one for name, one in files(saved).items() if name != LABEL} == before
    for again in (run, Run.load(saved)):
        assert list(again.labels) == patients()
        assert again.label_from == "patient"
        assert list(again.table["kind"]) == list(made.labels)
        np.testing.assert_array_equal(again.embedding, made.embedding)
    assert read_map(saved).read()[1]["label"].tolist() == patients()
    patches = without_images(run)
    assert (patches.label_from, list(patches.labels)) == ("patient", patients())
    back = Run.load(saved)
    back.use_label("kind")
    assert list(Run.load(saved).labels) == list(made.labels)
    assert Run.load(saved).metrics["knn"] == made.metrics["knn"]


def test_figures_of_the_label_before_are_gone_and_the_others_stay(made, saved):
    run = Run.load(saved)
    run.use_label("patient")
    for metrics in (run.metrics, Run.load(saved).metrics, read_map(saved).metrics):
        assert lacks_labels(metrics)
        assert not set(OF_LABELS) & set(metrics)
        assert metrics["trustworthiness"] == made.metrics["trustworthiness"]
    assert "silhouette" not in run.columns
    assert "trustworthiness" in run.columns

    found = run.measured(run.labels, missing=True)
    whole = run.measured(run.labels)
    assert found.report["label_from"] == "patient"
    for figure in FIGURES:
        assert found.report[figure.key] == whole.report[figure.key]
    assert found.report["notes"] == whole.report["notes"]
    assert set(found.columns) == set(whole.columns)
    assert run.keep(found) == ""
    assert not lacks_labels(Run.load(saved).metrics)
    assert set(Run.load(saved).metrics["knn"]["per_class"]) == {"p1", "p2"}


def test_a_warning_of_the_training_is_said_once(made, tmp_path):
    warned = {"steps": [1], "epochs": [0.1], "warning": "It learned too little."}
    notes = [warned["warning"], *made.metrics["notes"]]
    run = dataclasses.replace(
        made, metrics={**made.metrics, "training": warned, "notes": notes}
    )
    run.use_label("patient")
    found = run.measured(run.labels, missing=True)
    assert found.report["notes"].count(warned["warning"]) == 1
    assert found.report["notes"][0] == warned["warning"]


def test_only_what_is_missing_is_computed(saved, monkeypatch):
    run = Run.load(saved)
    run.use_label("patient")
    told = []
    run.measured(run.labels, missing=True, watch=Watch(so_far=told.append))
    assert len(told) == len(OF_LABELS)  # one time a figure
    assert all(one["trustworthiness"] == run.metrics["trustworthiness"] for one in told)


def test_answers_say_of_which_label_they_are(saved, capsys):
    assert main(["evaluate", str(saved), "--predict", "label"]) == 0
    assert main(["find", "mistakes", str(saved)]) == 0
    run = Run.load(saved)
    assert other_label(run.metrics["prediction"], run.label_from) == ""
    run.use_label("patient")
    for entry in (run.metrics["prediction"], run.found["mistakes"].report):
        assert "This is of the label kind; the label is patient now" in other_label(
            entry, "patient"
        )
    run.use_label("kind")
    assert other_label(run.metrics["prediction"], run.label_from) == ""


def test_columns_of_zeros_and_ones_and_what_is_no_column(saved):
    run = Run.load(saved)
    with pytest.raises(PatchError, match=r"has no column 'grade' to be .*; choose among kind"):
        run.use_label("grade")
    assert run.label_from == "kind"
    run.use_label("is_round,is_long")
    assert set(Run.load(saved).labels) == {"round", "long"}
    # A column that somebody removed from the table since costs nothing but the choice.
    table = pd.read_csv(saved / "embedding.csv").drop(columns="is_long")
    table.to_csv(saved / "embedding.csv", index=False)
    again = Run.load(saved)
    assert again.label_from == "kind"
    assert "The label that was chosen is not used" in again.notes[-1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"column": null}', '{"column": 3}'])
def test_a_damaged_note_costs_the_choice_alone(saved, text):
    (saved / LABEL).write_text(text)
    assert Run.load(saved).label_from == "kind"


def test_the_command_line_chooses_it_too(saved, tmp_path, capsys):
    assert main(["evaluate", str(saved), "--label", "patient"]) == 0
    told = capsys.readouterr().out
    assert "Labels: patient" in told
    assert "p1" in told
    assert json.loads((saved / "metrics.json").read_text())["label_from"] == "patient"
    assert (
        main(["export", str(saved), "--out", str(tmp_path / "t.csv"), "--label", "kind"]) == 0
    )
    table = pd.read_csv(tmp_path / "t.csv")
    assert set(table["patient"]) == {"p1", "p2"}
    assert set(table["label"]) == set(Run.load(saved).labels)
    assert main(["compare", str(saved), "--label", "is_round, is_long"]) == 0
    assert not lacks_labels(read_map(saved).metrics)
    drawn = tmp_path / "map.svg"
    assert main(["figure", "map", str(saved), "--out", str(drawn), "--label", "patient"]) == 0
    assert "p1" in drawn.read_text()
    assert main(["evaluate", str(saved), "--label", "grade"]) == 2
    assert "has no column 'grade'" in capsys.readouterr().err


def test_maps_of_other_labels_are_not_compared_in_silence(made, saved, tmp_path, capsys):
    other = dataclasses.replace(made).save(tmp_path / "other")
    Run.load(other).use_label("patient")
    assert main(["compare", str(saved), str(other)]) == 0
    told = capsys.readouterr()
    assert "are not the same column (kind, patient)" in told.err
    assert "| label " in told.out
    assert "| patient " in told.out
    out = tmp_path / "out"
    assert main(["compare", str(saved), str(other), "--out", str(out)]) == 0
    assert pd.read_csv(out / "comparison.csv")["label"].tolist() == ["kind", "patient"]
    capsys.readouterr()
    assert main(["compare", str(saved), str(other), "--label", "kind"]) == 0
    told = capsys.readouterr()
    assert "not the same column" not in told.err
    assert "label" not in told.out


def test_a_run_of_an_older_version_is_measured_as_a_whole(saved):
    path = saved / "metrics.json"
    metrics = json.loads(path.read_text())
    for key in ("label_from", "label_notes"):
        del metrics[key]
    path.write_text(json.dumps(metrics))
    run = Run.load(saved)
    assert run.metrics["knn"]
    run.use_label("patient")
    assert not {figure.key for figure in FIGURES} & set(run.metrics)
    found = run.measured(run.labels, missing=True)
    assert found.report["trustworthiness"] == metrics["trustworthiness"]


def annotate(folder: Path, names: list[str], count: int = 60) -> None:
    """Keep an annotation "stage" with a run, as a window does: names of its first patches."""
    annotations = Annotations(count).with_column("stage")
    one = annotations.now.with_classes(dict.fromkeys(names))
    codes = np.array([one.at(name) for name in names], np.int16)
    annotations = annotations.put(one.take(np.arange(len(names)), codes))
    save_annotations(AnnotationPlace(folder, np.arange(count)), annotations, NOBODY)


def test_an_annotation_is_the_label_as_it_was_when_it_was_chosen(made, saved, capsys):
    before = files(saved)
    with pytest.raises(PatchError, match="no column 'stage'"):
        Run.load(saved).use_label("stage")
    annotate(saved, ["early", "late"] * 20)
    assert main(["evaluate", str(saved), "--label", "Stage"]) == 0
    run = Run.load(saved)
    assert list(run.labels) == ["early", "late"] * 20 + [""] * 20
    assert run.label_from.startswith("stage (annotated, ")
    assert list(run.table["kind"]) == list(made.labels)
    assert set(run.metrics["knn"]["per_class"]) == {"early", "late"}
    assert (saved / "embedding.csv").read_bytes() == before["embedding.csv"]
    saved_map = read_map(saved)
    assert saved_map.label_from == run.label_from
    assert saved_map.read()[1]["label"].fillna("").tolist() == list(run.labels)
    # Chosen again, it is the same label, whose figures hold, until more is annotated.
    assert run.use_label("stage") == ""
    assert not lacks_labels(Run.load(saved).metrics)
    annotate(saved, ["late"] * 60)
    assert list(Run.load(saved).labels) == list(run.labels)
    run.use_label("stage")
    again = Run.load(saved)
    assert set(again.labels) == {"late"}
    assert lacks_labels(again.metrics)
    assert run.label_from == again.label_from != saved_map.label_from
    # The annotation goes on by itself: it is no column of the table besides.
    for one in (run, again):
        one.use_label("kind")
        assert list(one.labels) == list(made.labels)
        assert not [name for name in one.table if "stage" in name]
    assert list(Run.load(saved).labels) == list(made.labels)


def test_an_annotation_is_the_label_of_figures_and_tables(saved, tmp_path):
    annotate(saved, ["early", "late"] * 30)
    out = tmp_path / "table.csv"
    assert main(["export", str(saved), "--label", "stage", "--out", str(out)]) == 0
    table = pd.read_csv(out, dtype=str)
    assert table["label"].tolist() == ["early", "late"] * 30


def test_of_annotations_that_cannot_be_the_label_one_sentence_is_said(saved, capsys):
    annotate(saved, [])
    assert main(["evaluate", str(saved), "--label", "stage"]) == 2
    assert "choose among kind" in capsys.readouterr().err
    (saved / "annotations.csv").write_text("damaged\n1\n")
    assert main(["evaluate", str(saved), "--label", "stage"]) == 2
    assert "annotations.csv" in capsys.readouterr().err
    assert main(["evaluate", str(saved), "--label", "patient"]) == 0
    annotate(saved, ["early", "late"])
    Run.load(saved).use_label("stage")
    noted = json.loads((saved / LABEL).read_text())
    (saved / LABEL).write_text(json.dumps({**noted, "codes": ["a"]}))
    run = Run.load(saved)
    assert run.label_from == "kind"
    assert any("The label that was chosen is not used" in note for note in run.notes)
