"""Features of a saved run are read when they are asked for, and are then those of that run."""

from __future__ import annotations

import os
import weakref

import numpy as np
import pytest

from napari_patchmap.errors import RunError
from napari_patchmap.runs import Run, RunConfig, TrainConfig, stored_features
from napari_patchmap.runs.stored_features import StoredFeatures
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture
def saved(tmp_path):
    run = fit(make_cells(), RunConfig(TrainConfig(method="pixels", device="cpu")))
    return run, run.save(tmp_path / "run")


def read_yet(run):
    return not isinstance(vars(run)["features"], StoredFeatures)


def test_a_map_is_opened_without_them(saved):
    made, folder = saved
    run = Run.load(folder)
    assert run.dimensions == made.dimensions == made.features.shape[1]
    assert not read_yet(run)
    np.testing.assert_array_equal(run.features, made.features)
    assert run.features is run.features
    rows = np.array([5, 2])
    np.testing.assert_array_equal(run.picked(rows).features, made.features[rows])


def test_what_takes_much_memory_is_let_go_when_nobody_works_with_it(saved, monkeypatch):
    made, folder = saved
    monkeypatch.setattr(stored_features, "_KEPT", 0)
    run = Run.load(folder)
    used = run.features
    assert run.features is used  # as long as somebody does
    gone = weakref.ref(used)
    del used
    assert gone() is None
    np.testing.assert_array_equal(run.features, made.features)


def test_of_a_table_that_lost_rows_each_row_keeps_its_own(saved):
    made, folder = saved
    lines = (folder / "embedding.csv").read_text().splitlines()
    (folder / "embedding.csv").write_text("\n".join([lines[0], *lines[10:]]) + "\n")
    run = Run.load(folder)
    np.testing.assert_array_equal(run.features, made.features[9:])


def test_those_of_another_run_are_not_taken_for_them(saved):
    made, folder = saved
    run, gone = Run.load(folder), Run.load(folder)
    path = folder / "features.npy"
    np.save(folder / "other.npy", made.features + 1)
    os.replace(folder / "other.npy", path)
    with pytest.raises(RunError, match="open the run again"):
        _ = run.features
    path.unlink()
    with pytest.raises(RunError, match="open the run again"):
        _ = gone.features


def test_a_file_that_was_cut_off_is_told_at_once(saved):
    _, folder = saved
    path = folder / "features.npy"
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(RunError, match="damaged"):
        Run.load(folder)
