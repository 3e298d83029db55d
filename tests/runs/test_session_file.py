"""How a window was left is read as far as it makes sense, and never costs the map."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

from napari_patchmap.runs.session_file import (
    SESSION,
    CameraPlace,
    SavedSession,
    read_session,
    save_session,
)


def saved(folder):
    (folder / "run").mkdir(exist_ok=True)
    (folder / "other").mkdir(exist_ok=True)
    session = SavedSession(
        colour_by="Zoë",
        hidden=("a, b", ""),
        point_size=17.0,
        selection=np.array([0, 1, 2, 7]),
        current=7,
        view="source",
        cameras={"map": CameraPlace((0.0, 2.5, -3.0), 1.75, (0.0, 0.0, 90.0))},
        compared=(folder / "other",),
        sorted_by=("column", "area", True),
        panels=("load", "explore"),
        front=("explore",),
        sizes={"explore": 431, "gallery": 180},
        floating={"quality": (-40, 120, 380, 420)},
        window=(1366, 740),
        thumbnails=72,
        on_image=True,
        images=(4, 0),
        stack=True,
    )
    save_session(folder / "run", session)
    return session


def run_in(folder, count=9):
    return SimpleNamespace(folder=folder, numbers=np.arange(count))


def test_what_is_written_is_read_again_also_where_both_runs_were_moved(tmp_path):
    (tmp_path / "old").mkdir()
    session = saved(tmp_path / "old")
    (tmp_path / "old").rename(tmp_path / "new")
    found, sentence = read_session(run_in(tmp_path / "new" / "run"))
    assert sentence == ""
    assert found.compared == (tmp_path / "new" / "other",)
    assert found.selection.tolist() == [0, 1, 2, 7]
    for name in (
        "colour_by",
        "hidden",
        "point_size",
        "current",
        "view",
        "cameras",
        "sorted_by",
        "sizes",
        "floating",
        "window",
        "thumbnails",
        "on_image",
        "images",
        "stack",
    ):
        assert getattr(found, name) == getattr(session, name)
    assert (found.panels, found.front) == (session.panels, session.front)


def test_without_a_file_there_is_nothing_to_bring_back(tmp_path):
    assert read_session(run_in(tmp_path)) == (None, "")
    assert read_session(run_in(None)) == (None, "")


@pytest.mark.parametrize(
    "text", ["", "nonsense", "[1]", "null", '{"version": 7}', '{"version": "1"}', "[" * 9999]
)
def test_a_damaged_or_newer_file_is_said_once_and_left_alone(text, tmp_path):
    session = saved(tmp_path)
    path = tmp_path / "run" / SESSION
    path.write_text(text)
    found, sentence = read_session(run_in(tmp_path / "run"))
    assert found is None
    assert str(path) in sentence
    save_session(tmp_path / "run", session)
    assert path.read_text() == text


@pytest.mark.parametrize(
    "wrong", [7, "x", -3.5, [], {}, [[1]], True, None, "\0", [{"path": 3}]]
)
def test_a_wrong_value_costs_itself_alone(wrong, tmp_path):
    saved(tmp_path)
    path = tmp_path / "run" / SESSION
    values = json.loads(path.read_text())
    for name in values.keys() - {"version"}:
        path.write_text(json.dumps({**values, name: wrong}))
        found, sentence = read_session(run_in(tmp_path / "run"))
        assert sentence == ""
        assert name == "current" or found.current == 7
        assert name == "colour_by" or found.colour_by == "Zoë"


def test_patches_that_are_not_there_are_left_out(tmp_path):
    saved(tmp_path)
    found, sentence = read_session(run_in(tmp_path / "run", count=5))
    assert sentence == ""
    assert found.current == -1
    assert len(found.selection) == 0
