"""``patchmap figure``: from a saved run to a file."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from napari_patchmap.cli import main
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("figures") / "run"
    return fit(make_cells(60), RunConfig(TrainConfig(method="pixels"))).save(folder)


def test_a_figure_has_the_size_that_was_asked_for(run, tmp_path, capsys):
    path = tmp_path / "map.png"
    options = ["--width", "85", "--dpi", "200", "--look", "dark", "--title", "Cells"]
    assert main(["figure", "map", str(run), "--out", str(path), *options]) == 0
    assert str(path) in capsys.readouterr().out
    picture = np.asarray(Image.open(path).convert("L"))
    assert picture.shape[1] == round(85 / 25.4 * 200)
    assert picture[0, 0] == 0
    for ending in ("svg", "pdf"):
        assert main(["figure", "map", str(run), "--out", str(tmp_path / f"map.{ending}")]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--out", "map.jpg"], "no ending of a figure"),
        (["--out", "map.png", "--colour-by", "nothing like it"], "There is no column"),
    ],
)
def test_what_is_wrong_is_one_line(run, tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    assert main(["figure", "map", str(run), *options]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_no_run_is_said(tmp_path, capsys):
    assert main(["figure", "map", str(tmp_path), "--out", str(tmp_path / "map.png")]) == 2
    assert "is not a saved run" in capsys.readouterr().err
