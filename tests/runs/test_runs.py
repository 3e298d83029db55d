"""A run folder holds plain files, comes back whole, and protects what is there."""

from __future__ import annotations

import json
import os

import imagecodecs
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from napari_patchmap.errors import PatchError, RunError, SuggestionError
from napari_patchmap.patches import LoadCancelled, PatchSet, open_patches
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.patches.watch import Watch
from napari_patchmap.runs import (
    Run,
    RunConfig,
    TrainConfig,
    embedding_table,
    new_run_folder,
    reopen_patches,
    save_embedding_csv,
)
from napari_patchmap.runs.table import read_map_rows
from napari_patchmap.training import fit
from napari_patchmap.training.relayout import lay_out_again
from tests.conftest import make_cells

CONFIG = RunConfig(TrainConfig(epochs=(2, 1, 1), batch_size=32, device="cpu", seed=5))


@pytest.fixture(scope="module")
def run() -> Run:
    return fit(make_cells(), CONFIG)


def test_the_folder_holds_plain_files(run, tmp_path):
    folder = run.save(tmp_path / "my run")
    assert sorted(p.name for p in folder.iterdir()) == [
        "config.json",
        "embedding.csv",
        "features.npy",
        "history.csv",
        "map.png",
        "metrics.json",
        "model.safetensors",
        "patches.csv",
        "quality.csv",
    ]
    header = (folder / "embedding.csv").read_text().splitlines()[0]
    assert header == "index,axis-0,axis-1,source,frame,y,x,height,width,label"
    assert np.load(folder / "features.npy").shape == run.features.shape
    assert load_file(folder / "model.safetensors")["output.weight"].shape[0] == 2
    saved = json.loads((folder / "config.json").read_text())
    assert saved["config"]["train"]["seed"] == 5
    assert saved["versions"]["torch"]
    assert json.loads((folder / "metrics.json").read_text())["n"] == 60
    history = pd.read_csv(folder / "history.csv")
    assert list(history.columns) == [
        "stage",
        "epoch",
        "loss",
        "lr",
        "views_per_second",
        "seconds",
    ]
    assert (folder / "map.png").read_bytes()[:4] == b"\x89PNG"
    assert [p.name for p in tmp_path.iterdir()] == ["my run"]  # nothing is left beside it


def test_a_run_comes_back_whole_and_places_images_where_they_were(run, tmp_path):
    again = Run.load(run.save(tmp_path / "run"))
    assert np.array_equal(again.embedding, run.embedding)
    assert np.array_equal(again.features, run.features)
    assert again.config == run.config
    assert again.metrics == json.loads(json.dumps(run.metrics))
    assert again.table.drop(columns="source").equals(run.table.drop(columns="source"))
    assert list(again.labels) == list(run.labels)
    assert np.allclose(again.transform(make_cells()), run.embedding, atol=1e-5)


def test_new_images_are_scaled_as_the_runs_were(tmp_path):
    cells = make_cells()
    deep = PatchSet(cells.stack().astype(np.uint16) * 100, cells.table, cells.channel_names)
    run = Run.load(fit(deep, CONFIG).save(tmp_path / "run"))
    some = PatchSet(deep.stack()[:12], deep.table[:12], deep.channel_names)
    # Twelve patches have other percentiles than sixty; the run's must be used.
    assert some.intensity != deep.intensity
    assert np.allclose(run.transform(some), run.embedding[:12], atol=1e-4)


def test_other_channels_are_one_sentence(run):
    grey = PatchSet(
        make_cells().stack()[..., :1], make_cells().table, ("grey",), name="grey set"
    )
    with pytest.raises(RunError, match=r"grey set has 1 channel.*trained on 3"):
        run.transform(grey)


@pytest.mark.parametrize("content", ["run", "other"])
def test_nothing_that_is_there_is_overwritten(run, tmp_path, content):
    folder = tmp_path / "taken"
    if content == "run":
        run.save(folder)
    else:
        folder.mkdir()
        (folder / "thesis.txt").write_text("years of work")
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(
        RunError, match="already holds a run" if content == "run" else "not empty"
    ):
        run.save(folder)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_an_unwritable_place_is_one_sentence(run, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(RunError, match="is a file; choose a folder"):
        run.save(file / "run")
    with pytest.raises(RunError, match="is a file"):
        run.save(file)
    with pytest.raises(RunError, match=r"cannot be written.*choose another place"):
        save_embedding_csv(tmp_path / "no" / "folder.csv", run.embedding, run.table)


def test_an_empty_folder_can_be_used(run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert (run.save(tmp_path / "empty") / "config.json").exists()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "config.json").unlink(), "is not a saved run"),
        (lambda f: (f / "config.json").write_text("{"), "damaged"),
        (lambda f: (f / "model.safetensors").write_bytes(b"no weights"), "damaged"),
        (lambda f: _cut_in_last_row(f / "embedding.csv"), "no position for patch 59"),
        (lambda f: (f / "embedding.csv").write_text("a,b\n1,2\n"), "no columns axis-0"),
    ],
)
def test_a_damaged_folder_is_one_sentence(run, tmp_path, damage, said):
    folder = run.save(tmp_path / "run")
    damage(folder)
    with pytest.raises(RunError, match=said) as caught:
        Run.load(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_old_run_without_features_opens_and_says_what_it_cannot(run, tmp_path):
    folder = run.save(tmp_path / "run")
    (folder / "features.npy").unlink()
    old = Run.load(folder)
    assert "no features.npy" in old.notes[0]
    np.testing.assert_array_equal(old.embedding, run.embedding)
    for asked in (lambda: old.place(make_cells(6)), lambda: lay_out_again(old)):
        with pytest.raises(SuggestionError, match="no features"):
            asked()
    assert old.picked(np.array([3, 1])).features.shape == (2, 0)


def _cut_in_last_row(path):
    path.write_text("\n".join([*path.read_text().splitlines()[:-1], "59,0.1"]) + "\n")


def test_weights_are_never_unpickled(run, tmp_path):
    """A pickle in the place of an array is refused, not run."""
    import pickle

    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "harm"),)

    folder = run.save(tmp_path / "run")
    np.save(folder / "features.npy", np.array([Harm()], dtype=object), allow_pickle=True)
    with pytest.raises(RunError, match="damaged"):
        Run.load(folder)
    (folder / "features.npy").write_bytes(pickle.dumps(Harm()))
    with pytest.raises(RunError, match="damaged"):
        Run.load(folder)
    assert not (tmp_path / "harm").exists()


def test_the_images_of_a_run_are_opened_again(tmp_path):
    cells = make_cells(30)
    np.savez(tmp_path / "cells.npz", images=cells.stack(), labels=np.arange(30) % 3)
    patches = open_patches(tmp_path / "cells.npz")
    run = Run.load(fit(patches, CONFIG).save(tmp_path / "run"))
    again = reopen_patches(run)
    assert np.array_equal(again.stack(), patches.stack())
    (tmp_path / "cells.npz").rename(tmp_path / "moved.npz")
    with pytest.raises(PatchError, match=r"cells\.npz"):
        reopen_patches(run)
    np.savez(tmp_path / "cells.npz", images=cells.stack()[:20])
    fewer = reopen_patches(run)
    assert fewer.missing.tolist() == list(range(20, 30))
    assert np.array_equal(fewer.take(np.arange(20)), patches.stack()[:20])


def test_opening_the_images_of_a_run_tells_how_far_it_is_and_can_be_stopped(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    for i, cell in enumerate(make_cells(30).stack()):
        (folder / f"{i}.png").write_bytes(imagecodecs.png_encode(cell))
    run = fit(open_patches(folder), CONFIG)
    told: list[tuple[int, int]] = []
    patches = reopen_patches(run, watch=Watch(lambda *step: told.append(step)))
    assert len(patches) == 30
    assert told
    with pytest.raises(LoadCancelled):
        reopen_patches(run, watch=Watch(should_stop=lambda: True))


def test_table_keeps_types_and_protects_coordinates(tmp_path):
    table = box_table('a, "b" ü.png', np.arange(3), np.full((3, 2), 8))
    table["label"] = ["01", None, "NA"]
    table["good"] = [True, False, True]
    table["axis-2"] = [7.5, 8.5, 9.5]
    table["count"] = [1, 2, 3]
    embedding = np.array([[0.1, 0.2], [3, 4], [-5, 1e-7]], np.float32)
    path = save_embedding_csv(tmp_path / "map.csv", embedding, table)
    back = read_map_rows(path, 3)
    columns = back.table
    assert np.array_equal(back.embedding, embedding)
    assert list(columns["source"]) == ['a, "b" ü.png'] * 3
    assert list(columns["label"].fillna("missing")) == ["01", "missing", "NA"]
    assert list(columns["good"]) == [1, 0, 1]
    assert list(columns["column axis-2"]) == [7.5, 8.5, 9.5]
    assert columns["count"].dtype == np.int64
    with pytest.raises(RunError, match="2 points but the table has 3 rows"):
        embedding_table(embedding[:2], table)


def test_run_folders_are_new_and_named_by_the_set(tmp_path):
    first = new_run_folder("My cells / week 3", tmp_path)
    assert first.name.endswith("My-cells-week-3")
    first.mkdir(parents=True)
    assert new_run_folder("My cells / week 3", tmp_path) != first


def test_some_rows_of_a_map_keep_their_place_in_the_whole_set(cells):
    embedding = np.arange(120.0).reshape(60, 2)
    rows = embedding_table(embedding, cells.table, np.array([4, 9]))
    assert list(rows.columns[:3]) == ["index", "axis-0", "axis-1"]
    assert rows["index"].tolist() == [4, 9]
    assert rows["axis-1"].tolist() == [9.0, 19.0]
    assert rows["label"].tolist() == ["ring", "spot"]
    unplaced = embedding_table(np.empty((60, 0)), cells.table, np.array([4]))
    assert "axis-0" not in unplaced
