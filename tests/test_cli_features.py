"""Features of people's own on the command line, as far as a table of placed patches."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import main

RNG = np.random.default_rng(1)
KINDS = np.arange(60) % 2


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A stack of 60 images, and a table of their features in another order."""
    monkeypatch.chdir(tmp_path)
    np.save("cells.npy", RNG.integers(0, 255, (60, 8, 8), np.uint8))
    values = RNG.normal(size=(60, 4)) + 4 * KINDS[:, None]
    order = RNG.permutation(60)
    rows = pd.DataFrame(values[order], columns=list("abcd"))
    rows.insert(0, "index", order)
    rows.insert(1, "class", np.array(["lymph", "mono"])[KINDS[order]])
    rows.to_csv("f.csv", index=False)
    return tmp_path


def test_features_are_named_mapped_found_in_exported_and_placed_on(data, capsys):
    assert main(["embed", "cells.npy", "--features", "f.csv", "--out", "run"]) == 0
    said = capsys.readouterr().out
    assert "features: 4 of" in said
    assert "joined by 'index'" in said
    config = json.loads((data / "run/config.json").read_text())
    assert config["config"]["train"]["method"] == "features"
    assert config["config"]["train"]["features"] == str(data / "f.csv")
    assert main(["find", "groups", "run"]) == 0
    assert main(["evaluate", "run", "--ask", "two_views"]) == 2
    assert "no network can look at two views" in capsys.readouterr().err
    assert main(["export", "run", "--out", "table.csv"]) == 0
    capsys.readouterr()
    assert main(["transform", "run", "cells.npy", "--out", "placed.csv"]) == 2
    told = capsys.readouterr()
    assert "give a file of them (patchmap transform --features" in told.err
    assert told.out == ""  # before images were read, which is said
    args = ["transform", "run", "cells.npy", "--features", "f.csv", "--out", "placed.csv"]
    assert main(args) == 0
    assert len(pd.read_csv("placed.csv")) == 60


def test_a_file_of_features_is_data_by_itself(data, capsys):
    assert main(["embed", "f.csv", "--out", "run"]) == 0
    said = capsys.readouterr().out
    assert "60 points without pictures" in said
    assert "2 labels: " in said
    table = pd.read_csv("run/embedding.csv")
    assert set(table["label"]) == {"lymph", "mono"}
    assert main(["find", "odd", "run"]) == 0
    assert "no image any more" not in capsys.readouterr().out
    for name in ("images.npy", "sheet.png"):
        assert main(["export", "run", "--out", name]) == 2
        assert "points without pictures" in capsys.readouterr().err
    assert main(["embed", "f.csv", "--method", "simclr", "--out", "other"]) == 2
    assert "only the method features" in capsys.readouterr().err


def test_patches_that_are_left_out_are_placed_by_their_own_features(data, capsys):
    (data / "rows.txt").write_text("3\n9\n")
    args = ["embed", "cells.npy", "--features", "f.csv", "--leave-out", "rows.txt"]
    assert main([*args, "--out", "run"]) == 0
    left = pd.read_csv("run/left-out.csv")
    assert left["frame"].tolist() == [3, 9]
    assert len(pd.read_csv("run/embedding.csv")) == 58


@pytest.mark.parametrize("name", ["nowhere.csv", "notes.log"])
def test_a_file_of_features_is_looked_for_before_images_are_read(tmp_path, capsys, name):
    (tmp_path / "notes.log").write_text("nothing")
    images, file = tmp_path / "no images either", tmp_path / name
    command = ["embed", str(images), "--out", str(tmp_path / "run"), "--features", str(file)]
    assert main(command) == 2
    said = capsys.readouterr().err
    assert f"file of features {file}" in said or f"{file} is no file of features" in said


def test_features_are_refused_by_the_map_of_a_network_before_images_are_read(data, capsys):
    assert main(["embed", "cells.npy", "--method", "pixels", "--out", "run"]) == 0
    capsys.readouterr()
    args = ["transform", "run", "cells.npy", "--out", "placed.csv", "--features"]
    assert main([*args, "f.csv"]) == 2
    told = capsys.readouterr()
    assert "made of images, not of features; leave the features out" in told.err
    assert told.out == ""


def test_new_points_bring_their_features_and_a_lost_file_of_them_is_told_at_once(data, capsys):
    assert main(["embed", "f.csv", "--out", "run"]) == 0
    assert main(["transform", "run", "f.csv", "--out", "placed.csv"]) == 0
    assert len(pd.read_csv("placed.csv")) == 60
    capsys.readouterr()
    args = ["transform", "run", "cells.npy", "--out", "other.csv", "--features", "lost.csv"]
    assert main(args) == 2
    told = capsys.readouterr()
    assert "There is no file of features lost.csv" in told.err
    assert told.out == ""
