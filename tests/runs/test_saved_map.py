"""Saved maps of the same patches: what they are called, and their table and figure."""

from __future__ import annotations

import dataclasses
import json
import shutil

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.augment import AugmentConfig
from napari_patchmap.cli import main
from napari_patchmap.errors import RunError
from napari_patchmap.runs import RunConfig, TrainConfig, find_maps, maps_in, read_map
from napari_patchmap.runs.comparison import compare, read_same
from napari_patchmap.training import fit
from napari_patchmap.training.relayout import lay_out_again
from tests.conftest import make_cells

TRAIN = {"device": "cpu", "batch_size": 20}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """Three maps of the same cells, made in three ways, and one of others."""
    home = tmp_path_factory.mktemp("runs")
    config = RunConfig(
        TrainConfig(**TRAIN, method="simclr", epochs=(1.0,)),
        AugmentConfig.preset("rotations").without("crop"),
    )
    simclr = fit(make_cells(), config)
    simclr.save(home / "simclr")
    fit(make_cells(), RunConfig(TrainConfig(device="cpu", method="pixels"))).save(
        home / "pixels"
    )
    lay_out_again(simclr, last_exaggeration=3.0, dimensions=3).save(home / "again")
    others = RunConfig(TrainConfig(device="cpu", method="pixels"))
    fit(make_cells(45, seed=4), others).save(home / "others")
    return home


def test_a_map_is_named_by_what_sets_it_apart(home):
    titles = {one.folder.name: one.title for one in maps_in([home])}
    assert titles["simclr"] == "SimCLR, rotations without crop"
    assert titles["pixels"] == "t-SNE of pixels"
    assert titles["again"] == "SimCLR, rotations without crop, last exaggeration 3, 3-D"


def test_a_map_says_its_quality_and_cost(home):
    one = read_map(home / "simclr")
    metrics = json.loads((home / "simclr" / "metrics.json").read_text())
    assert one.metrics == metrics
    assert one.seconds > 0
    assert "CPU" in one.device
    assert one.caption.splitlines()[1].startswith("15-NN ")


def test_the_maps_of_a_patch_set_are_found_newest_first(home):
    found = find_maps("drawn cells", 60, home)
    assert [one.folder.name for one in found] == ["again", "pixels", "simclr"]
    assert find_maps("other cells", 60, home) == []
    assert find_maps("drawn cells", 60, home / "nowhere") == []


def test_only_maps_of_the_same_patches_are_compared(home, tmp_path):
    table = make_cells().table
    assert read_map(home / "pixels").read_for(table).shape == (60, 2)
    with pytest.raises(RunError, match=r"map of 45 patches, not of these 60"):
        read_map(home / "others").read_for(table)
    moved = table.copy()
    moved.loc[3, "frame"] = 99
    with pytest.raises(RunError, match=r"map of other patches \(drawn \[99\] is not"):
        read_map(home / "pixels").read_for(moved)
    with pytest.raises(RunError, match="only maps of the same patches"):
        compare(maps_in([home]), tmp_path)


def test_table_and_figure_are_written(home, tmp_path):
    maps = maps_in([home / "simclr", home / "again", home / "simclr", home / "pixels"])
    assert len(maps) == 3
    found = compare(maps, tmp_path / "new" / "folder")
    written = pd.read_csv(tmp_path / "new" / "folder" / "comparison.csv")
    assert written["map"].tolist() == [one.title for one in maps]
    metrics = [one.metrics for one in maps]
    np.testing.assert_allclose(written["knn"], [100 * m["knn"]["accuracy"] for m in metrics])
    np.testing.assert_allclose(
        written["silhouette"], [m["silhouette"]["mean"] for m in metrics]
    )
    assert found["minutes"].tolist() == [one.seconds / 60 for one in maps]
    picture = tmp_path / "new" / "folder" / "comparison.png"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_a_table_of_other_figures_is_written_over(home, tmp_path):
    maps = maps_in([home / "simclr", home / "pixels"])
    compare(maps, tmp_path)
    table = pd.read_csv(tmp_path / "comparison.csv")
    table.drop(columns="silhouette").to_csv(tmp_path / "comparison.csv", index=False)
    compare(maps, tmp_path)
    assert "silhouette" in pd.read_csv(tmp_path / "comparison.csv")


def test_maps_are_read_turned_like_the_first(home, tmp_path):
    shutil.copytree(home / "pixels", tmp_path / "turned")
    table = pd.read_csv(tmp_path / "turned" / "embedding.csv")
    table["axis-0"], table["axis-1"] = 3 * table["axis-1"], -3 * table["axis-0"] + 5
    table.to_csv(tmp_path / "turned" / "embedding.csv", index=False)
    maps = [read_map(home / "pixels"), read_map(tmp_path / "turned")]
    (first, second), _ = read_same(maps)
    np.testing.assert_allclose(second, first, atol=1e-3 * np.ptp(first))
    (solid, flat), _ = read_same([read_map(home / "again"), maps[0]])
    assert solid.shape == flat.shape == (60, 2)


def test_damaged_runs_are_left_out_of_the_list_and_named_when_asked_for(home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    (tmp_path / "home" / "pixels" / "metrics.json").write_text("{")
    assert len(find_maps("drawn cells", 60, tmp_path / "home")) == 2
    with pytest.raises(RunError, match=r"pixels is damaged"):
        read_map(tmp_path / "home" / "pixels")
    with pytest.raises(RunError, match=r"holds no config\.json"):
        maps_in([tmp_path])
    short = read_map(tmp_path / "home" / "simclr")
    rows = (short.folder / "embedding.csv").read_text().splitlines()
    (short.folder / "embedding.csv").write_text("\n".join(rows[:-3]))
    with pytest.raises(RunError, match="has lost 3 of 60 rows"):
        short.read()


def test_maps_without_labels_have_no_figures(home, tmp_path):
    one = dataclasses.replace(read_map(home / "pixels"), metrics={"n": 60})
    assert one.caption == "t-SNE of pixels"
    assert np.isnan(compare([one])["knn"][0])


def test_the_command_prints_the_table(home, tmp_path, capsys):
    out = tmp_path / "out"
    runs = [str(home / name) for name in ("simclr", "pixels")]
    assert main(["compare", *runs, "--all-figures"]) == 0
    every = capsys.readouterr().out
    assert "continuity" in every
    assert main(["compare", *runs, "--out", str(out)]) == 0
    said = capsys.readouterr().out
    heads = next(line for line in said.splitlines() if line.startswith("| map |"))
    assert heads.startswith("| map | 15-NN % | silhouette |")
    assert heads.endswith("| minutes | device |")
    assert "| SimCLR, rotations without crop |" in said
    assert (out / "comparison.png").is_file()
    assert main(["compare", str(home)]) == 2
    assert "only maps of the same patches" in capsys.readouterr().err
    assert main(["compare", *runs, "--out", str(home / "simclr" / "config.json")]) == 2
    assert "choose a folder" in capsys.readouterr().err
