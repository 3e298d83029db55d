"""What a run's network looks at, over its patches: pictures, and a figure of them."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_patchmap.cli import main
from napari_patchmap.explore.heat import heat_over
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.runs.what_it_sees import WhatItSees
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture(scope="module")
def cells():
    return make_cells(30)


@pytest.fixture(scope="module")
def run(cells):
    return fit(cells, RunConfig(TrainConfig(method="pixels")))


def grey(picture: np.ndarray) -> np.ndarray:
    return picture.astype(float) @ (0.299, 0.587, 0.114)


def test_what_counts_more_is_lighter_in_grey_too_whatever_the_picture_is():
    weights = np.tile(np.linspace(0, 1, 64), (64, 1))
    for level in (0, 128, 255):
        shown = grey(heat_over(np.full((64, 64, 3), level, np.uint8), weights))
        assert (np.diff(shown[32]) >= -0.5).all()
        assert shown[32, -1] - shown[32, 0] > 120
    assert np.ptp(heat_over(np.zeros((8, 8, 3), np.uint8), np.zeros((4, 4)))) < 60


def test_edges_of_the_picture_are_seen():
    picture = np.full((64, 64, 3), 230, np.uint8)
    picture[20:44, 20:44] = 60
    shown = grey(heat_over(picture, np.ones((8, 8))))
    assert shown[32, 32] - shown[32, 21] > 20
    assert abs(shown[32, 32] - shown[4, 4]) < 12


def test_a_picture_has_the_size_of_the_thumbnail(run, cells):
    sees = WhatItSees(run, cells)
    assert sees.picture(4, 40).shape == cells.thumbnail(4, 40).shape
    found = sees.attended(np.array([0, 4, 7]))
    assert found.maps.shape == (3, 16, 16)
    assert np.allclose(sees.attended(np.array([4])).maps[0], found.maps[1])


def test_what_the_network_looks_at_becomes_a_figure(tmp_path, capsys):
    data, out = tmp_path / "cells.npz", tmp_path / "run"
    np.savez(data, images=make_cells(30).stack(), label=list("ab") * 15)
    assert main(["embed", str(data), "--out", str(out), "--method", "pixels"]) == 0
    path = tmp_path / "a.png"
    options = ["--out", str(path), "--width", "60", "--dpi", "100"]
    assert main(["figure", "attention", str(out), *options, "--rows", "3", "8"]) == 0
    assert Image.open(path).size[0] == round(60 / 25.4 * 100)
    assert main(["figure", "attention", str(out), *options, "--heads"]) == 0
    assert main(["figure", "attention", str(out), *options, "--rows", "77"]) == 2
    assert "no patch 77 on this map" in capsys.readouterr().err
    data.unlink()
    assert main(["figure", "montage", str(out), "--out", str(path)]) == 2
    error = capsys.readouterr().err
    assert "--images PATH" in error
    assert error.count("\n") == 1
