"""Maps of features of people's own: made, evened out, kept, and placed on again."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.errors import ConfigError, PatchError, RunError, TrainingError
from napari_patchmap.patches import from_array, open_patches
from napari_patchmap.patches.own_features.joined_features import with_features
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.runs.what_it_sees import WhatItSees
from napari_patchmap.training import fit
from napari_patchmap.training.planning import describe_plan

RNG = np.random.default_rng(0)
KINDS = np.arange(90) % 3
PLATES = np.array(["left", "right"])[np.arange(90) // 45]
#: Of units of their own; the kinds differ in those of the smallest.
VALUES = (RNG.normal(size=(90, 6)) + 5 * np.eye(3).repeat(2, axis=1)[KINDS]) * [
    1e-3, 1e-3, 1, 1, 1e4, 1e4,
]  # fmt: skip
VALUES = VALUES.astype(np.float32)


def images(count: int = 90):
    return from_array(RNG.integers(0, 255, (count, 8, 8), np.uint8), name="cells")


def config(path, **more) -> RunConfig:
    return RunConfig(TrainConfig(method="features", features=str(path), **more))


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "f.csv"
    rows = np.column_stack([np.arange(90), VALUES])
    names = "index,a,b,c,d,e,f"
    np.savetxt(path, rows, delimiter=",", header=names, comments="", fmt="%.9g")
    return path


def purity(embedding: np.ndarray, groups: np.ndarray) -> float:
    apart = ((embedding[:, None] - embedding[None]) ** 2).sum(axis=2)
    near = np.argsort(apart, axis=1)[:, 1:6]
    return float((groups[near] == groups[:, None]).mean())


def test_a_map_of_a_table_is_that_of_its_standardised_columns(table, tmp_path):
    patches = images()
    run = fit(patches, config(table))
    wanted = (VALUES - VALUES.mean(axis=0)) / VALUES.std(axis=0)
    np.testing.assert_allclose(run.features, wanted, atol=1e-4)
    assert purity(run.embedding, KINDS) > 0.9
    loaded = Run.load(run.save(tmp_path / "run"))
    assert loaded.info["own"]["names"] == list("abcdef")
    placed = loaded.place(with_features(patches, table))
    np.testing.assert_allclose(placed.features, run.features, atol=1e-5)
    assert purity(np.vstack([run.embedding, placed.embedding]), np.tile(KINDS, 2)) > 0.9
    assert not loaded.sees_images
    with pytest.raises(RunError, match="no network that looks"):
        WhatItSees(loaded, patches)


def test_features_of_one_unit_stay_as_they_are_unless_scaling_is_asked_for(tmp_path):
    np.save(tmp_path / "f.npy", VALUES)
    run = fit(images(), config(tmp_path / "f.npy"))
    np.testing.assert_array_equal(run.features, VALUES)
    scaled = fit(images(), config(tmp_path / "f.npy", feature_scaling="standard"))
    np.testing.assert_allclose(scaled.features.std(axis=0), 1, rtol=1e-3)


def test_what_is_planned_says_which_features_and_what_is_done(table):
    said = describe_plan(images(), config(table))
    assert f"features: 6 of {table}, brought to mean 0 and deviation 1" in said
    assert "joined by 'index'" in said


def test_batches_are_evened_out_and_new_patches_with_them(tmp_path):
    shifted = VALUES / VALUES.std(axis=0) + 30.0 * (PLATES == "right")[:, None]
    np.save(tmp_path / "f.npy", shifted.astype(np.float32))
    patches = images()
    patches.table["plate"] = PLATES
    run = fit(patches, config(tmp_path / "f.npy", even_by="plate"))
    assert run.evened_by == "plate"
    means = [run.features[plate == PLATES].mean(axis=0) for plate in ("left", "right")]
    np.testing.assert_allclose(means[0], means[1], atol=1e-3)
    loaded = Run.load(run.save(tmp_path / "run"))
    placed = loaded.place(with_features(patches, tmp_path / "f.npy"))
    np.testing.assert_allclose(placed.features, run.features, atol=1e-3)
    with pytest.raises(PatchError, match="no column day"):
        fit(patches, config(tmp_path / "f.npy", even_by="day"))


def test_new_patches_need_the_same_features(table, tmp_path):
    run = fit(images(), config(table))
    with pytest.raises(RunError, match="new patches need theirs"):
        run.place(images(5))
    np.save(tmp_path / "few.npy", np.ones((5, 3), np.float32))
    with pytest.raises(PatchError, match="3 features a patch, but the map cells was made of 6"):
        run.place(with_features(images(5), tmp_path / "few.npy"))
    (tmp_path / "other.csv").write_text("f,e,d,c,b\n" + "1,2,3,4,5\n" * 5)
    with pytest.raises(PatchError, match=r"lacks 1 of the 6 features of the map cells \(a\)"):
        run.place(with_features(images(5), tmp_path / "other.csv"))
    # Of the same names in another order, each goes to its own.
    turned = "f,e,d,c,b,a\n" + "\n".join(",".join(map(str, row[::-1])) for row in VALUES[:5])
    (tmp_path / "turned.csv").write_text(turned)
    placed = run.place(with_features(images(5), tmp_path / "turned.csv"))
    np.testing.assert_allclose(placed.features, run.features[:5], atol=1e-4)


def test_points_alone_are_mapped_kept_and_opened_again(table, tmp_path):
    points = open_patches(table)
    run = fit(points, RunConfig(TrainConfig(method="features")))
    assert purity(run.embedding, KINDS) > 0.9
    loaded = Run.load(run.save(tmp_path / "run"))
    table.rename(tmp_path / "moved.csv")
    again = reopen_patches(loaded)  # there is nothing to be looked for
    assert not again.pictured
    assert len(again) == 90
    new = loaded.place(open_patches(tmp_path / "moved.csv"))
    np.testing.assert_allclose(new.features, run.features, atol=1e-5)
    with pytest.raises(TrainingError, match="only the method features"):
        fit(points, RunConfig(TrainConfig(method="pixels")))


def test_features_that_tell_nothing_are_counted_or_refused(tmp_path):
    values = VALUES.copy()
    values[:, 2] = 7.25
    np.save(tmp_path / "f.npy", values)
    run = fit(images(), config(tmp_path / "f.npy", feature_scaling="standard"))
    assert any("1 features are the same for all" in note for note in run.info["notes"])
    np.testing.assert_array_equal(run.features[:, 2], 0)
    np.save(tmp_path / "flat.npy", np.ones((90, 4), np.float32))
    np.save(tmp_path / "one.npy", VALUES[:, :1])
    with pytest.raises(TrainingError, match="has 1 features, too few for a map of 2"):
        fit(images(), config(tmp_path / "one.npy"))
    with pytest.raises(TrainingError, match="features of all 90 patches of cells are the same"):
        fit(images(), config(tmp_path / "flat.npy"))


def test_a_file_of_features_belongs_to_the_method_features():
    with pytest.raises(ConfigError, match="laid out by the method features"):
        TrainConfig(method="simclr", features="f.npy")
    with pytest.raises(ConfigError, match="needs a file of features"):
        fit(images(), RunConfig(TrainConfig(method="features")))
