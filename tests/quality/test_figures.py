"""A figure in the list is seen everywhere, and no place knows a figure by its name."""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import napari_patchmap
from napari_patchmap import quality
from napari_patchmap.cli import main
from napari_patchmap.quality import FIGURES, evaluate, report_lines
from napari_patchmap.quality.figure import FigureInput, QualityFigure
from napari_patchmap.quality.report import measure
from napari_patchmap.runs import RunConfig, TrainConfig, read_map
from napari_patchmap.training import fit, make_plan
from tests.conftest import make_cells
from tests.quality.toy_figure import toy_listed

ROOT = Path(napari_patchmap.__file__).parent


@pytest.fixture
def toy():
    with toy_listed() as figure:
        yield figure


@pytest.fixture
def titles(monkeypatch):
    """All that is written on the maps that are drawn."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    drawn: list[str] = []
    usual = Figure.savefig

    def look(figure, *args, **options):
        drawn.append(" ".join(text.get_text() for text in figure.findobj(Text)))
        return usual(figure, *args, **options)

    monkeypatch.setattr(Figure, "savefig", look)
    return drawn


def test_every_figure_of_the_room_is_listed():
    modules = [
        f"{quality.__name__}.{one.name}" for one in pkgutil.iter_modules(quality.__path__)
    ]
    made = [
        value
        for name in modules
        for value in vars(importlib.import_module(name)).values()
        if isinstance(value, QualityFigure)
    ]
    assert {figure.key for figure in made} == {figure.key for figure in FIGURES}


def test_no_two_figures_are_called_alike():
    for name in ("key", "name", "full", "column", "short"):
        names = [getattr(figure, name) for figure in FIGURES]
        assert len(set(names)) == len(FIGURES)
        assert all(names)


@pytest.mark.parametrize("figure", FIGURES, ids=lambda figure: figure.key)
def test_a_figure_keeps_to_its_description(figure):
    rng = np.random.default_rng(0)
    labels = np.array(["a", "b", "c"])[np.arange(240) % 3]
    points, features = rng.normal(size=(240, 2)), rng.normal(size=(240, 8))
    report = json.loads(json.dumps(evaluate(points, labels, features)))
    entry = report[figure.key]
    assert np.isfinite(figure.of(report))
    assert isinstance(entry[figure.count], int)
    assert f"{entry[figure.count]:,}" in figure.basis_of(report)
    assert ("per_class" in entry) is figure.by_label
    for of_label in entry.get("per_class", {}).values():
        assert {figure.value, "n"} <= set(of_label)
    assert figure.seconds(1000) >= 0
    if "low" in entry:
        assert entry["low"] <= figure.of(report) <= entry["high"]
        assert figure.interval(report) in figure.basis_of(report)
    found = measure(FigureInput(points, labels, features))
    assert (figure.key in found.columns) is (figure.each is not None)
    if figure.each is not None and figure.value == "mean":
        column = found.columns[figure.key]
        assert column.mean() == pytest.approx(figure.of(found.report), abs=1e-5)
    assert figure.help
    assert figure.reference
    few = evaluate(points[:4], np.array(["a", "a", "b", "b"]), features[:4])
    without = evaluate(points, None if figure.needs_labels else labels)
    assert without[figure.key] is None or not (figure.needs_labels or figure.needs_features)
    for one in (few, without):  # it has a number, or a sentence says why not
        assert all(one["notes"])
        assert one[figure.key] or one["notes"]


def test_no_place_outside_the_room_knows_a_figure():
    """What is spelled out elsewhere is what the next figure would be forgotten in."""
    words = {word for f in FIGURES for word in (f.key, f.name, f.column, f.short)}
    pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in words), re.I)
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in ROOT.rglob("*.py")
        if path.parent != ROOT / "quality"
        for line in path.read_text("utf-8").splitlines()
        if pattern.search(line) and not line.strip().startswith(">>>")  # an example
    ]
    assert found == []


def test_a_listed_figure_is_in_reports_and_plans(toy):
    cells = make_cells()
    embedding = np.random.default_rng(0).normal(size=(60, 2))
    report = evaluate(embedding, cells.labels, embedding)
    assert report["toy_key"]["share"] == 0.25
    lines = report_lines(report)
    assert "Toy figure: 25.0 % (on 60 toys)" in lines
    assert any(line.endswith("  toy figure") for line in lines)
    assert any(line.startswith("  bar ") and line.endswith("    12.5 %") for line in lines)
    unknown = evaluate(embedding, cells.labels)
    assert unknown["toy_key"] is None
    assert any("toy figure need features, and there are none." in n for n in unknown["notes"])
    plan = make_plan(cells, RunConfig(TrainConfig(device="cpu", method="pixels")))
    assert plan.seconds >= 60_000


def test_a_listed_figure_is_in_runs_comparisons_and_pictures(toy, titles, tmp_path, capsys):
    run = fit(make_cells(), RunConfig(TrainConfig(device="cpu", method="pixels")))
    run.save(tmp_path / "run")
    assert "toy figure 25.0 %" in titles[-1]
    assert main(["evaluate", str(tmp_path / "run"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["toy_key"]["seen"] == 60
    assert main(["evaluate", str(tmp_path / "run")]) == 0
    assert "Toy figure: 25.0 %" in capsys.readouterr().out
    assert read_map(tmp_path / "run").caption.endswith(", toy 25.0 %")
    args = ["compare", str(tmp_path / "run"), "--out", str(tmp_path / "out")]
    assert main(args) == 0
    assert "| toy column % | minutes |" in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "out" / "comparison.csv")["toy_key"].tolist() == [25.0]
    assert "toy figure 25.0 %" in titles[-1]


def test_a_listed_figure_is_in_the_grid(toy, titles, tmp_path, capsys):
    cells = make_cells()
    path = tmp_path / "cells.npz"
    np.savez(path, images=cells.stack(), labels=cells.table["label"].to_numpy(str))
    args = ["benchmark", str(path), "--out", str(tmp_path / "grid"), "--device", "cpu"]
    assert main([*args, "--methods", "pixels", "--seeds", "0", "1"]) == 0
    assert "| toy column % | minutes |" in capsys.readouterr().out
    table = pd.read_csv(tmp_path / "grid" / "table.csv")
    assert table[["toy_key", "toy_key_sd"]].to_numpy().tolist() == [[25.0, 0.0]]
    assert list(table.columns[-3:]) == ["toy_key", "toy_key_sd", "minutes"]
    assert "25.0 ± 0.0" in (tmp_path / "grid" / "table.md").read_text("utf-8")
    assert "toy figure 25.0 %" in titles[-1]


def test_a_run_of_before_the_figure_opens_without_it(tmp_path):
    fit(make_cells(), RunConfig(TrainConfig(device="cpu", method="pixels"))).save(tmp_path)
    with toy_listed() as figure:
        one = read_map(tmp_path)
        assert np.isnan(figure.of(one.metrics))
        assert "toy" not in one.caption
        assert "Silhouette" in "\n".join(report_lines(one.metrics))
