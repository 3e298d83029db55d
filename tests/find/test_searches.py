"""What holds for each search: what cannot be searched is one sentence; answers are kept."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli.arguments import make_parser
from napari_patchmap.errors import FindError
from napari_patchmap.find.search import FindInput, Found
from napari_patchmap.find.searches import SEARCHES
from napari_patchmap.patches import from_array
from napari_patchmap.patches.watch import UNWATCHED
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.finding import find_in
from napari_patchmap.runs.found_files import ANSWERS, COLUMNS
from napari_patchmap.training import fit
from tests.conftest import make_cells
from tests.onlooker import Onlooker

EACH = pytest.mark.parametrize("search", SEARCHES, ids=lambda search: search.key)


def given(count: int, features: np.ndarray | None) -> FindInput:
    rng = np.random.default_rng(0)
    patches = from_array(rng.integers(0, 256, (count, 12, 12), np.uint8), name="noise")
    labels = np.array(["a", "b"], object)[np.arange(count) % 2]
    table = patches.table.assign(label=labels)
    return FindInput(
        rng.normal(size=(count, 2)).astype(np.float32),
        features,
        table,
        dataclasses.replace(patches, table=table),
    )


def ask(search, found: FindInput) -> Found:
    return search.find(found, search.config(), UNWATCHED)


@pytest.fixture(scope="module")
def run():
    """60 drawn cells, of which nobody is left out, and their map."""
    cells = make_cells(60)
    return cells, fit(cells, RunConfig(TrainConfig(method="pixels", device="cpu")))


@EACH
@pytest.mark.parametrize("fault", ["none", "twelve", "alike", "no numbers"])
def test_what_cannot_be_searched_is_a_sentence_or_an_honest_answer(search, fault):
    features = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    if fault == "none":
        case = given(60, None)
    elif fault == "twelve":
        case = given(12, features[:12])
    elif fault == "alike":
        case = given(60, np.ones_like(features))
    else:
        features[7, 3] = np.nan
        case = given(60, features)
    try:
        found = ask(search, case)
    except FindError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert len(sentence) < 300
    else:
        assert found.lines
        assert all(len(values) == len(case) for values in found.columns.values())


@EACH
def test_an_answer_is_kept_with_the_run_and_goes_with_its_rows(search, run, tmp_path):
    cells, made = run
    made = dataclasses.replace(made, found={})
    folder = made.save(tmp_path / "run")
    found = find_in(made, search, search.config(), cells.table, cells)
    assert found.listed.columns[0] == "index"
    assert found.listed["index"].between(0, 59).all()
    assert found.columns
    json.dumps(found.report)  # as it is written
    made.found[search.key] = found
    assert made.keep_found() == ""
    again = Run.load(folder).found[search.key]
    assert again.lines == found.lines
    pd.testing.assert_frame_equal(again.listed, found.listed, rtol=1e-4, check_dtype=False)
    for name, values in found.columns.items():
        np.testing.assert_array_equal(again.columns[name] == values, values == values)
    some = np.array([40, 3, 17])
    picked = Run.load(folder).picked(some).found[search.key]
    for name, values in found.columns.items():
        np.testing.assert_array_equal(picked.columns[name], values[some])
    assert set(picked.listed["index"]) <= {0, 1, 2}
    sides = [name for name in ("index", "beside") if name in found.listed]
    assert len(picked.listed) == found.listed[sides].isin(some).all(axis=1).sum()


@EACH
def test_its_command_says_what_it_does(search, capsys):
    with pytest.raises(SystemExit):
        make_parser().parse_args(["find", search.key, "--help"])
    said = capsys.readouterr().out
    for item in search.config.settings():
        assert f"--{item.name.replace('_', '-')}" in said


@EACH
def test_somebody_who_has_enough_at_once_gets_what_there_is(search):
    features = np.random.default_rng(1).normal(size=(60, 8)).astype(np.float32)
    found = search.find(given(60, features), search.config(), Onlooker(lambda _: True).watch)
    assert found.lines


def test_damaged_answers_are_left_out_and_cost_nothing(run, tmp_path):
    cells, made = run
    made = dataclasses.replace(made, found={})
    folder = made.save(tmp_path / "run")
    search = SEARCHES[0]
    made.found[search.key] = find_in(made, search, search.config(), cells.table, cells)
    made.keep_found()
    columns = (folder / COLUMNS).read_text("utf-8")
    (folder / COLUMNS).write_text(columns.replace("\n5,", "\n6,", 1), "utf-8")
    assert Run.load(folder).found == {}
    (folder / COLUMNS).write_text(columns, "utf-8")
    assert list(Run.load(folder).found) == [search.key]
    (folder / ANSWERS).write_text("{", "utf-8")
    assert Run.load(folder).found == {}
