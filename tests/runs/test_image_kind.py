"""New images that are unlike those of a map are told, and those that are alike are not."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_patchmap.patches import PatchSet
from napari_patchmap.patches.box_table import box_table
from napari_patchmap.runs import Run, RunConfig, TrainConfig
from napari_patchmap.runs.image_kind import ImageKind, unlikeness
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = RunConfig(TrainConfig(device="cpu", epochs=(12, 3, 3), batch_size=40))
    made = fit(make_cells(200), config)
    return Run.load(made.save(tmp_path_factory.mktemp("runs") / "run"))


def changed(cells: PatchSet, pixels: np.ndarray, names=None) -> PatchSet:
    sizes = np.tile(pixels.shape[1:3], (len(pixels), 1))
    table = box_table("new", np.arange(len(pixels)), sizes)
    return PatchSet(pixels, table, names or cells.channel_names, name="new cells")


def test_patches_of_the_same_kind_pass_without_a_word(run):
    placed = run.place(make_cells(200))
    assert placed.notes == ()
    assert (placed.unlikeness < 1e-2).all()
    other = run.place(make_cells(60, seed=5))
    assert other.notes == ()
    assert other.unlikeness.shape == (60,)
    assert np.median(other.unlikeness) < 1


def test_noise_is_unlike_cells(run):
    noise = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), np.uint8)
    placed = run.place(changed(make_cells(), noise))
    assert placed.embedding.shape == (40, 2)
    assert (placed.unlikeness > 1).mean() > 0.9
    assert any("are unlike those of the map" in note for note in placed.notes)


def test_another_exposure_is_told(run):
    cells = make_cells()
    notes = run.place(changed(cells, cells.stack() // 4)).notes
    assert any("Channel red is much darker in the new patches" in note for note in notes)


def test_another_size_is_told(run):
    large = make_cells(side=40)
    notes = run.place(large).notes
    assert any("are 40 x 40 px, those of the map 16 x 16" in note for note in notes)
    assert not any("px" in note for note in run.place(make_cells(side=18)).notes)


def test_channels_in_another_order_are_told(run):
    cells = make_cells()
    pixels = np.ascontiguousarray(cells.stack()[..., ::-1])
    notes = run.place(changed(cells, pixels, ("blue", "green", "red"))).notes
    assert any("blue, green, red, those of the map red, green, blue" in note for note in notes)


def test_runs_of_an_older_version_open_and_say_less(run):
    values = json.loads(json.dumps(run.images.to_dict()))
    assert ImageKind.from_dict(values) == run.images
    for name in ("size", "levels"):
        del values[name]
    old = ImageKind.from_dict(values)
    assert old.differences(make_cells(side=40)) == []


def test_distances_are_those_of_the_nearest():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(300, 4)).astype(np.float32)
    new = rng.normal(size=(20, 4)).astype(np.float32)
    distances, _ = unlikeness(new, features)
    apart = np.linalg.norm(features[:, None] - features[None].astype(float), axis=2)
    np.fill_diagonal(apart, np.inf)
    usual = np.quantile(apart.min(axis=1), 0.99)
    wanted = np.linalg.norm(new[:, None] - features[None], axis=2).min(axis=1) / usual
    np.testing.assert_allclose(distances, wanted, rtol=1e-4)
    assert unlikeness(new[:0], features)[0].shape == (0,)
