"""Quality figures of each patch are kept with a run, and go with its patches."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import main
from napari_patchmap.quality import FIGURES
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.patch_figures import QUALITY
from napari_patchmap.training import fit
from tests.conftest import make_cells

EACH = {figure.key for figure in FIGURES if figure.each is not None}


@pytest.fixture(scope="module")
def made():
    return fit(make_cells(240), RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture
def saved(made, tmp_path):
    return dataclasses.replace(made).save(tmp_path / "run")


def test_they_are_written_and_read_back(made, saved):
    assert set(made.columns) == EACH
    frame = pd.read_csv(saved / QUALITY)
    assert list(frame.columns) == ["index", *made.columns]
    for key, values in Run.load(saved).columns.items():
        np.testing.assert_allclose(values, made.columns[key], rtol=1e-4)


def test_they_go_with_the_patches_not_with_the_order(made, saved):
    """A row of the map that has gone, and a file that somebody sorted."""
    frame = pd.read_csv(saved / QUALITY).sample(frac=1, random_state=0)
    frame.to_csv(saved / QUALITY, index=False)
    points = pd.read_csv(saved / "embedding.csv")
    points[points["index"] != 7].to_csv(saved / "embedding.csv", index=False)
    run = Run.load(saved)
    assert 7 not in run.numbers
    for key, values in run.columns.items():
        np.testing.assert_allclose(values, made.columns[key][run.numbers], rtol=1e-4)
    some = run.picked(np.array([20, 3]))
    np.testing.assert_array_equal(
        some.columns["continuity"], run.columns["continuity"][[20, 3]]
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b"\xff\x00 no table"),
        lambda path: path.write_text("index,continuity\n0,0.5\n"),
        lambda path: path.write_text(path.read_text().replace("0.", "a.")),
    ],
)
def test_a_run_opens_without_them(saved, damage):
    damage(saved / QUALITY)
    assert Run.load(saved).columns == {}


def test_evaluate_measures_and_keeps_them(made, saved, capsys):
    (saved / QUALITY).unlink()
    assert main(["evaluate", str(saved), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["trustworthiness"]["mean"] == pytest.approx(
        made.metrics["trustworthiness"]["mean"]
    )
    assert set(Run.load(saved).columns) == EACH
    assert json.loads((saved / "metrics.json").read_text())["knn"] == printed["knn"]


def test_a_run_of_before_gets_its_file_listed_as_ours(saved):
    (saved / QUALITY).unlink()
    config = json.loads((saved / "config.json").read_text())
    config["files"].remove(QUALITY)
    (saved / "config.json").write_text(json.dumps(config))
    run = Run.load(saved)
    assert run.keep(run.measured(run.labels)) == ""
    assert QUALITY in json.loads((saved / "config.json").read_text())["files"]


def test_what_was_measured_of_a_part_or_of_another_map_is_not_kept(made, saved):
    before = (saved / QUALITY).read_bytes(), (saved / "metrics.json").read_bytes()
    part = dataclasses.replace(Run.load(saved).picked(np.arange(100)), folder=saved)
    assert part.keep(part.measured(part.labels)) == ""
    other = dataclasses.replace(Run.load(saved), info={"id": "another"})
    assert other.keep(other.measured(None)) == ""
    assert ((saved / QUALITY).read_bytes(), (saved / "metrics.json").read_bytes()) == before


def test_a_folder_that_cannot_be_written_is_named(saved, capsys, monkeypatch):
    run = Run.load(saved)

    def full(*args, **options):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("napari_patchmap.runs.run.write_columns", full)
    said = run.keep(run.measured(run.labels))
    assert said == f"The figures could not be kept in {saved} (No space left on device)."
    assert main(["evaluate", str(saved)]) == 0
    captured = capsys.readouterr()
    assert "Trustworthiness" in captured.out
    assert "could not be kept" in captured.err
