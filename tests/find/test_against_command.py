"""Does a test set hold training images? Asked on the command line, of a folder and of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
from PIL import Image

from napari_patchmap.cli import main
from napari_patchmap.patches import open_patches
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.find.test_duplicates import textures


def test_shared_images_are_listed_with_both_names(tmp_path, capsys):
    mine, theirs = textures(40), textures(25, seed=3)
    theirs[4], theirs[9] = mine[30], np.rot90(mine[31])
    runs = []
    for name, pixels in (("train", mine), ("test", theirs)):
        (tmp_path / name).mkdir()
        for k, one in enumerate(pixels):
            Image.fromarray(one).save(tmp_path / name / f"{name}{k:02d}.png")
        patches = open_patches(tmp_path / name)
        config = RunConfig(TrainConfig(method="pixels", device="cpu"))
        runs.append(str(fit(patches, config).save(tmp_path / f"{name} run")))
    for other in (str(tmp_path / "test"), runs[1]):
        path = tmp_path / "list.csv"
        told = ["find", "duplicates", runs[0], "--against", other, "--out", str(path)]
        assert main(told) == 0
        assert "2 of 40 patches are among the 25 others" in capsys.readouterr().out
        table = pd.read_csv(path)
        assert table["source"].tolist() == ["train30.png", "train31.png"]
        assert table["other"].tolist() == ["test04.png", "test09.png"]
        assert table["reason"].tolist()[0] == "same pixels"
    # Refused before anything of the run is read.
    for run in (runs[0], str(tmp_path / "no run")):
        assert main(["find", "duplicates", run, "--against", str(tmp_path / "nowhere")]) == 2
        assert "There is no file or folder" in capsys.readouterr().err
