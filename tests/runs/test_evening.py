"""A batch effect that is known is evened out, and what is to be kept stays."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from napari_patchmap.cli import main
from napari_patchmap.errors import BatchError, SuggestionError
from napari_patchmap.explore import feature_rows
from napari_patchmap.patches import LoadCancelled, PatchSet
from napari_patchmap.quality.before_after import before_after_lines, evening_warning
from napari_patchmap.runs import Run, RunConfig, TrainConfig, read_map
from napari_patchmap.runs.evening import Evening, EveningConfig
from napari_patchmap.runs.export import export
from napari_patchmap.runs.methods_paragraph import citations, methods_paragraph
from napari_patchmap.runs.reporting.html_report import as_html
from napari_patchmap.runs.reporting.run_report import report_of
from napari_patchmap.training import fit
from napari_patchmap.training.even_out import even_out
from napari_patchmap.training.relayout import lay_out_again
from tests.conftest import make_cells
from tests.two_batches import two_by_two

ALL = EveningConfig(variance=1.0)


@pytest.fixture(scope="module")
def run():
    return fit(two_by_two(), RunConfig(TrainConfig(method="pixels", device="cpu")))


@pytest.fixture(scope="module")
def evened(run):
    slides = run.table["slide"].to_numpy(str)
    return even_out(run, slides, "slide", EveningConfig(variance=0.9))


# -- the numbers ---------------------------------------------------------------------


def random_features(count=400):
    """Features of three batches that differ in middle and scale, some of them in no batch."""
    rng = np.random.default_rng(1)
    batches = np.array(["a", "b", "c", "few", ""])[
        rng.choice(5, count, p=[0.4, 0.3, 0.2, 0, 0.1])
    ]
    batches[:9] = "few"
    features = rng.normal(size=(count, 12)) @ rng.normal(size=(12, 12))
    features[batches == "b"] *= rng.uniform(0.3, 3, 12)
    features[batches == "c"] += 5
    return (features + 40).astype(np.float32), batches


@pytest.mark.parametrize("variance", [1.0, 0.9])
def test_it_is_scikit_learns_pca_and_scaler_of_each_batch(monkeypatch, variance):
    monkeypatch.setattr(feature_rows, "_VALUES", 700)  # in many parts, as with many patches
    features, batches = random_features()
    evening = Evening.fit(features, batches, "slide", EveningConfig(variance=variance))
    found = evening.apply(features, batches)
    pca = PCA(variance if variance < 1 else None, svd_solver="full")
    turned = pca.fit_transform(features.astype(np.float64))
    assert found.shape == turned.shape
    for name in ("a", "b", "c"):
        own = batches == name
        wanted = StandardScaler().fit_transform(turned[own])
        np.testing.assert_allclose(found[own], wanted, atol=1e-5)
    rest = np.isin(batches, ["", "few"])  # of neither is there a scale
    wanted = StandardScaler().fit(turned).transform(turned[rest])
    np.testing.assert_allclose(found[rest], wanted, atol=1e-5)
    assert list(evening.small) == ["few"]
    said = evening.lines()
    assert said[0].startswith("Evened out by slide: 3 batches of ")
    assert (
        "9 of batches that are too small to tell a scale (fewer than 15 patches: few)"
        in said[1]
    )
    assert f"{(batches == '').sum()} patches without slide" in said[1]


def test_features_that_say_nothing_are_left_out_and_flat_ones_in_a_batch_stay_small():
    features, batches = random_features()
    features[:, 3] = 7.0  # of all patches alike
    features[:, 5] = features[:, 4] * 2
    evening = Evening.fit(features, batches, "slide", ALL)
    assert len(evening.axes) == 10
    features[batches == "a"] = features[0]  # one patch again and again
    found = Evening.fit(features, batches, "slide", ALL).apply(features, batches)
    assert np.isfinite(found).all()
    assert np.abs(found[batches == "a"]).max() < 1e-3


def test_what_cannot_be_evened_out_is_refused_in_a_sentence():
    features, batches = random_features()
    with pytest.raises(BatchError, match=r"day has 1 value.s. of 15 patches or more"):
        Evening.fit(features, np.full(400, "monday"), "day")
    with pytest.raises(BatchError, match="file has 0 value"):
        Evening.fit(features, np.arange(400).astype(str), "file")
    with pytest.raises(BatchError, match="all patches are alike"):
        Evening.fit(np.ones_like(features), batches, "slide")
    features[17, 2] = np.nan
    with pytest.raises(SuggestionError, match="patch 17 are not finite"):
        Evening.fit(features, batches, "slide")
    with pytest.raises(SuggestionError, match="no features"):
        Evening.fit(features[:, :0], batches, "slide")


# -- a map ---------------------------------------------------------------------------


def test_the_batch_goes_to_chance_and_biology_stays(run, evened):
    found = evened.metrics["evened"]
    before, after = found["before"], found["after"]
    for where in ("map", "features"):
        assert before["batch"][where]["accuracy"] > 0.95
        told = after["batch"][where]
        assert told["accuracy"] < told["chance"] + 0.1
    assert before["knn"]["accuracy"] > 0.9
    assert after["knn"]["accuracy"] > 0.9
    assert after["knn_of_features"]["accuracy"] > 0.9
    assert "no more than by chance. Labels are told as well as before." in found["said"]
    lines = before_after_lines(found)
    assert any(line.startswith("slide told on the map: 100.0 % b") for line in lines)
    assert evened.metrics["batch"] == after["batch"]
    # The other run is as it was.
    assert run.evened is None
    assert "evened" not in run.metrics
    assert run.features.shape[1] != evened.features.shape[1]
    with pytest.raises(BatchError, match="evened out by slide already"):
        even_out(evened, run.table["slide"].to_numpy(str), "slide")


def test_it_is_said_wherever_the_map_is_described(evened, tmp_path):
    folder = evened.save(tmp_path / "run")
    again = Run.load(folder)
    said = json.loads((folder / "config.json").read_text())["evened"]
    assert said["column"] == "slide"
    assert said["batches"] == {"dark": 100, "light": 100}
    assert said["components"] == again.features.shape[1]
    assert read_map(folder).title.endswith("evened out by slide")
    paragraph = methods_paragraph(again, {})
    assert "To even out slide (2 batches), the features were projected on " in paragraph
    assert any("perturbative maps" in one for one in citations(again))
    page = as_html(report_of(again, again.labels)).decode()
    assert "evened out by slide" in page
    assert "slide told on the map: 100.0 % before" in page
    # Measured again, it is judged by the features it was made of, and both maps stay known.
    found = again.measured(again.labels).report
    assert found["knn_of_features"] == evened.metrics["knn_of_features"]
    assert found["evened"] == evened.metrics["evened"]
    # Another layout is another map: what was measured on this one is not said of it.
    other = lay_out_again(again, seed=1)
    assert other.evened_by == "slide"
    assert not {"evened", "batch"} & set(other.metrics)


def test_who_takes_the_features_elsewhere_reads_it_there(evened, tmp_path):
    anndata = pytest.importorskip("anndata")
    export(evened.save(tmp_path / "run"), tmp_path / "cells.h5ad")
    settings = anndata.read_h5ad(tmp_path / "cells.h5ad").uns["patchmap"]
    assert settings["evened"]["column"] == "slide"


def test_new_images_are_evened_out_like_the_maps_own(run, evened, tmp_path):
    again, own = Run.load(evened.save(tmp_path / "run")), two_by_two()
    placed = again.place(own)
    np.testing.assert_allclose(placed.features, again.features, atol=1e-3)
    assert placed.notes == ()
    unknown = PatchSet(own.images, own.table.drop(columns="slide"), own.channel_names)
    placed = again.place(unknown)
    assert (
        "evened out by slide, which is not known of 200 of 200 new patches" in placed.notes[0]
    )
    kept = PCA(0.9, svd_solver="full").fit_transform(run.features.astype(float))
    wanted = StandardScaler().fit_transform(kept)
    np.testing.assert_allclose(placed.features, wanted, atol=1e-3)


def test_stopped_it_leaves_nothing(run):
    slides = run.table["slide"].to_numpy(str)
    with pytest.raises(LoadCancelled):
        even_out(run, slides, "slide", should_stop=lambda: True)


# -- a warning before -------------------------------------------------------------------


def test_who_would_lose_the_labels_is_warned_before():
    labels = np.array(["x", "y", "z"])[np.arange(90) % 3]
    other = np.array(["p", "q"])[np.arange(90) // 3 % 2]
    assert evening_warning(other, labels, "slide") == ""
    assert evening_warning(other, None, "slide") == ""
    assert "have one label" in evening_warning(np.char.add("s", labels), labels, "slide")
    patient = np.char.add(labels, other)  # two patients of each diagnosis
    assert "have one label" in evening_warning(patient, labels, "patient")
    mostly = np.where(np.arange(90) < 20, "p", labels)
    said = evening_warning(mostly, labels, "slide")
    assert "slide alone tells the label of 86 % of the patches" in said


# -- the command line -------------------------------------------------------------------


def test_the_command_line_evens_out(tmp_path, capsys):
    rest = make_cells(150)
    run = fit(rest, RunConfig(TrainConfig(method="pixels", device="cpu")))
    run.table["slide"] = np.where(np.arange(150) % 2, "one", "two")
    run.table["same"] = run.table["label"]
    folder, out = str(run.save(tmp_path / "run")), str(tmp_path / "even")
    for asked, said in (
        (["--batch", "plate"], "There is no column plate; choose background colour, file size"),
        (
            ["--batch", "background colour", "--images", str(tmp_path / "no")],
            "say where the images are",
        ),
        (["--batch", "file size"], "are not a file each"),
    ):
        assert main(["even", folder, "--out", out, *asked]) == 2
        assert said in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["even", folder, "--out", out, "--batch", "slide", "--variance", "2"])
    assert "must be at most 1" in capsys.readouterr().err
    assert main(["even", folder, "--out", out, "--batch", "same"]) == 0
    printed = capsys.readouterr()
    assert "all patches of one same have one label" in printed.err
    assert "Careful, it cost some of the labels, too" in printed.out
    assert "Evened out by same: 3 batches of 50 to 50 patches" in printed.out
    assert Run.load(out).evened.of == folder
