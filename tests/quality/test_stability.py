"""Would the map be the same again? Checks without labels, on maps whose answer is known."""

from __future__ import annotations

import dataclasses
import json
from html import escape

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.cli import main
from napari_patchmap.errors import QualityError
from napari_patchmap.layout.tsne import Tsne
from napari_patchmap.quality import evaluate
from napari_patchmap.quality.asked import STABLE
from napari_patchmap.quality.asked_checks import CHECKS as ALL
from napari_patchmap.quality.figure import FigureInput
from napari_patchmap.quality.other_layouts import OTHER_LAYOUTS, other_layouts
from napari_patchmap.quality.placed_again import PLACED_AGAIN, placed_again
from napari_patchmap.quality.view_pairs import TWO_VIEWS
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.reporting.html_report import as_html
from napari_patchmap.runs.reporting.run_report import report_of
from napari_patchmap.training import fit
from napari_patchmap.training.asked_run import asked_run
from tests.conftest import make_cells
from tests.onlooker import Onlooker

COUNT = 240
CHECKS = [check for check in ALL if check.group == STABLE]


def touching(apart=3.0):
    """Return features of two groups that touch, and how far each is from where they do."""
    features = np.random.default_rng(0).normal(size=(COUNT, 5))
    features[: COUNT // 2, 0] += apart
    return features, np.abs(features[:, 0] - apart / 2)


@pytest.fixture(scope="module")
def plain():
    features, border = touching()
    return features, border, Tsne(iterations=150).lay_out(features)


def moved(features, embedding, tsne=None, **how):
    found = placed_again(FigureInput(embedding, None, features), tsne or Tsne(), **how)
    return found.report[PLACED_AGAIN.key], found.columns[PLACED_AGAIN.key]


def test_a_torn_map_is_unstable_where_it_is_torn(plain):
    features, border, embedding = plain
    torn = embedding.astype(float)
    torn[features[:, 0] > 1.5, 0] += 3 * np.ptp(embedding)
    near, inside = border < np.quantile(border, 0.1), border > np.median(border)
    entry, shifts = moved(features, torn)
    assert shifts[near].mean() > 5 * shifts[inside].mean()
    assert (shifts[near] > 0.4).mean() > 0.3  # to the other half
    assert np.median(shifts[inside]) < 0.05
    assert entry["n"] == COUNT
    assert entry["low"] < entry["share"] < entry["high"]
    assert "of" not in entry


def test_exaggeration_shows_where_groups_touch(plain):
    """Where it sets groups apart that touch, patches jump; and neighbours are lost."""
    features, border, embedding = plain
    tsne = Tsne(iterations=150, last_exaggeration=2)
    exaggerated = tsne.lay_out(features)
    near, inside = border < np.quantile(border, 0.1), border > np.median(border)
    ratios, kept = [], []
    for points, how in ((embedding, Tsne()), (exaggerated, tsne)):
        shifts = moved(features, points, how)[1]
        ratios.append(shifts[near].mean() / shifts[inside].mean())
        kept.append(evaluate(points, None, features)["neighbours_kept"]["mean"])
    assert ratios[1] > 1.25 * ratios[0]
    assert kept[1] < 0.95 * kept[0]


def test_far_groups_stay_and_on_a_random_map_hardly_anything_does():
    rng = np.random.default_rng(1)
    features = rng.normal(size=(COUNT, 3))
    features[:80, 0] += 40
    features[80:160, 1] += 40
    entry, shifts = moved(features, Tsne(iterations=150).lay_out(features))
    assert entry["share"] < 0.1
    assert entry["unmoved"] <= entry["shift"] < 0.05
    assert shifts.max() < 0.3  # none goes to another group
    entry, _ = moved(features, rng.normal(size=(COUNT, 2)) * 20)
    assert entry["share"] > 0.7
    assert entry["unmoved"] > 0.1


def test_a_sample_is_said_to_be_one_and_what_is_known_is_told(plain):
    features, _, embedding = plain
    somebody = Onlooker()
    entry, shifts = moved(features, embedding, most=60, watch=somebody.watch)
    assert (entry["n"], entry["of"]) == (60, COUNT)
    assert np.isfinite(shifts).sum() == 60
    assert "60 of 240 patches, an estimate" in PLACED_AGAIN.lines(entry)[0]
    assert somebody.steps == [(0, 60), (60, 60)]
    assert [known.report[PLACED_AGAIN.key] for known in somebody.known] == [entry]


def test_clear_neighbourhoods_come_again_and_those_of_noise_do_not():
    rng = np.random.default_rng(0)
    quick = Tsne(iterations=100)
    clear = np.column_stack([np.arange(COUNT), np.zeros((COUNT, 2))]) + rng.normal(
        0, 0.1, (COUNT, 3)
    )
    noise = rng.normal(size=(COUNT, 100))
    entries = []
    for features in (clear, noise):
        given = FigureInput(quick.lay_out(features), None, features)
        found = other_layouts(given, quick)
        entries.append(found.report[OTHER_LAYOUTS.key])
        values = found.columns[OTHER_LAYOUTS.key]
        assert entries[-1]["mean"] == pytest.approx(values.mean(), abs=1e-6)
    assert entries[0]["mean"] > 0.85
    assert entries[1]["mean"] < 0.6
    assert entries[0]["chance"] == pytest.approx(15 / 239)
    assert entries[0]["layouts"] == 2


def test_a_layout_that_was_ended_does_not_count():
    features = touching()[0][:60]
    quick = Tsne(iterations=20)
    given = FigureInput(quick.lay_out(features), None, features)
    assert other_layouts(given, quick, Onlooker(lambda _: True).watch).report == {}
    ended = other_layouts(given, quick, Onlooker(lambda heard: bool(heard.known)).watch)
    assert ended.report[OTHER_LAYOUTS.key]["layouts"] == 1
    assert "one other map" in OTHER_LAYOUTS.lines(ended.report[OTHER_LAYOUTS.key])[0]


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (None, "no features"),
        (np.ones((12, 4)) * np.arange(12)[:, None], "12 patches are too few"),
        (np.ones((120, 4)), "same features"),
        (np.where(np.eye(120, 4) > 0, np.nan, 1.0), "not numbers"),
    ],
)
@pytest.mark.parametrize("check", [placed_again, other_layouts])
def test_what_cannot_be_found_out_is_one_sentence(check, features, said):
    count = 120 if features is None else len(features)
    embedding = np.random.default_rng(0).normal(size=(count, 2))
    with pytest.raises(QualityError, match=said):
        check(FigureInput(embedding, None, features), Tsne())


def test_duplicates_and_three_dimensions_are_no_trouble():
    rng = np.random.default_rng(0)
    features = np.repeat(rng.normal(size=(60, 4)), 2, axis=0)
    features[:110] = features[0]  # most patches are one
    embedding = rng.normal(size=(120, 3)) * 20
    entry, shifts = moved(features, embedding, Tsne(dimensions=3))
    assert entry["n"] == 120
    assert np.isfinite(shifts).all()


# -- runs --------------------------------------------------------------------------------

STILL = AugmentConfig(
    crop=False, flip_horizontal=False, flip_vertical=False, right_angles=False,
    rotate=False, jitter=False, grey=False,
)  # fmt: skip


@pytest.fixture(scope="module")
def made():
    cells = make_cells(120)
    config = RunConfig(TrainConfig(method="pixels", device="cpu"), STILL)
    return cells, fit(cells, config)


def asked(run, patches):
    return asked_run(run, run.table, lambda: patches)


def test_views_that_do_not_differ_lie_together_and_others_less(made):
    cells, run = made
    found = TWO_VIEWS.ask(asked(run, cells))
    entry = found.report[TWO_VIEWS.key]
    assert entry["features"]["share"] == 1.0
    assert entry["features"]["rank"] == 1
    assert (found.columns[TWO_VIEWS.key] == 0).all()
    assert "map" not in entry  # that is a t-SNE's
    config = dataclasses.replace(run.config, augment=AugmentConfig())
    wild = dataclasses.replace(run, config=config)
    entry = TWO_VIEWS.ask(asked(wild, cells)).report[TWO_VIEWS.key]
    assert entry["features"]["share"] < 0.9


def test_a_map_of_a_network_is_asked_by_views_alone(made):
    cells, run = made
    by_network = asked(dataclasses.replace(run, layout="network"), cells)
    assert "A network placed these patches" in PLACED_AGAIN.refusal(by_network)
    assert "A network placed these patches" in OTHER_LAYOUTS.refusal(by_network)
    assert TWO_VIEWS.refusal(by_network) == ""
    assert "say where those are" in TWO_VIEWS.refusal(asked(run, None))
    with pytest.raises(QualityError, match="network placed"):
        OTHER_LAYOUTS.ask(by_network)


def test_evaluate_makes_all_checks_keeps_and_reports_them(made, tmp_path, capsys):
    stack = tmp_path / "cells.npy"
    cells = make_cells(120)
    np.save(stack, np.moveaxis(cells.pixels(np.arange(120), (28, 28)), 1, -1))
    folder = tmp_path / "run"
    assert main(["embed", str(stack), "--out", str(folder), "--method", "pixels"]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(folder), "--stability"]) == 0
    printed = capsys.readouterr().out
    run = Run.load(folder)
    page = as_html(report_of(run, None)).decode()
    for check in CHECKS:
        assert check.question in printed
        assert check.lines(run.metrics[check.key])[0] in printed
        assert np.isfinite(run.columns[check.key]).all()
        assert f"quality: {check.name}" in run.more_columns
        assert escape(check.lines(run.metrics[check.key])[0]) in page
    assert set(pd.read_csv(folder / "quality.csv")) > {check.key for check in CHECKS}
    assert main(["evaluate", str(folder), "--ask", "placed_again"]) == 0
    assert PLACED_AGAIN.lines(run.metrics[PLACED_AGAIN.key])[0] in capsys.readouterr().out
    # They stay when the map is measured again.
    assert main(["evaluate", str(folder), "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert again[PLACED_AGAIN.key] == run.metrics[PLACED_AGAIN.key]
    np.testing.assert_array_equal(
        Run.load(folder).columns[PLACED_AGAIN.key], run.columns[PLACED_AGAIN.key]
    )
    # Without images two can be made, and the third is said to be missing.
    stack.unlink()
    assert main(["evaluate", str(folder), "--stability"]) == 0
    assert "say where those are" in capsys.readouterr().out
    assert TWO_VIEWS.key in Run.load(folder).metrics
