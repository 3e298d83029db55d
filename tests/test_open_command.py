"""``patchmap open``: a saved run in a window, or a sentence where there can be none."""

from __future__ import annotations

import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A run of a stack that lies beside it, and no display."""
    cells = np.random.default_rng(0).integers(0, 255, (60, 16, 16, 3), np.uint8)
    np.save(tmp_path / "cells.npy", cells)
    patches = open_patches(tmp_path / "cells.npy")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return fit(patches, RunConfig(TrainConfig(method="pixels"))).save(tmp_path / "run")


def test_without_a_display_it_says_where_to_look(run, capsys):
    assert main(["open", str(run)]) == 0
    seen = capsys.readouterr()
    assert "No display here" in seen.out
    assert "not its images" not in seen.err


def test_images_that_have_moved_are_named_and_found(run, tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    moved = (tmp_path / "cells.npy").rename(tmp_path / "elsewhere" / "cells.npy")
    assert main(["open", str(run)]) == 0
    assert "not its images" in capsys.readouterr().err
    assert main(["open", str(run), "--images", str(moved)]) == 0
    assert "not its images" not in capsys.readouterr().err


def test_an_old_run_without_features_opens_and_says_so(run, capsys):
    (run / "features.npy").unlink()
    assert main(["open", str(run)]) == 0
    assert "no features.npy" in capsys.readouterr().err


def test_annotations_of_another_run_are_one_line(run, tmp_path, capsys):
    (run / "annotations.csv").write_text("index,annotation\n3,blast\n75,blast\n")
    assert main(["export", str(run), "--out", str(tmp_path / "table.csv")]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert "annotations.csv is of another run" in line
    assert not (tmp_path / "table.csv").exists()


def test_what_is_no_run_is_one_line(tmp_path, capsys):
    assert main(["open", str(tmp_path / "nothing")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
