"""Technical columns that are measured: the size and the date of each patch's file."""

from __future__ import annotations

import os

import numpy as np
import pytest
from PIL import Image

from napari_patchmap.cli import main
from napari_patchmap.errors import QualityError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.request import OpenRequest
from napari_patchmap.patches.watch import LoadCancelled, Watch
from napari_patchmap.quality.batch_check import batches_of
from napari_patchmap.quality.measured_columns import measured_columns
from napari_patchmap.runs import RunConfig, TrainConfig
from napari_patchmap.training import fit
from tests.conftest import make_cells


@pytest.fixture
def files(tmp_path):
    """Sixty images in a folder; half are noise, which takes more bytes, and a year younger."""
    rng, folder = np.random.default_rng(0), tmp_path / "images"
    folder.mkdir()
    for number in range(60):
        pixels = np.full((12, 12, 3), 3 * number, np.uint8)
        if number % 2:
            pixels = rng.integers(0, 255, (12, 12, 3), np.uint8)
        path = folder / f"{number:02d}.png"
        Image.fromarray(pixels).save(path)
        when = 1_600_000_000 + 31_536_000 * (number % 2)
        os.utime(path, (when, when))
    return folder


def test_size_and_date_of_files_are_columns(files, tmp_path, capsys):
    patches = open_patches(OpenRequest(str(files)))
    assert measured_columns(patches) == ["background colour", "file size", "file date"]
    (files / "07.png").unlink()
    sizes = batches_of(patches.table, "file size", patches)
    dates = batches_of(patches.table, "file date", patches)
    assert sizes[7] == dates[7] == ""
    odd = np.arange(60) % 2 == 1
    odd[7] = False
    assert set(sizes[odd]).isdisjoint(sizes[::2])
    assert len(set(dates[odd])) == len(set(dates[::2])) == 1
    assert dates[0].startswith("2020-09-1")
    with pytest.raises(LoadCancelled):
        batches_of(patches.table, "file size", patches, Watch(should_stop=lambda: True))
    run = fit(patches, RunConfig(TrainConfig(method="pixels", device="cpu")))
    folder = str(run.save(tmp_path / "run"))
    assert main(["evaluate", folder, "--batch", "file date"]) == 0
    assert "tell file date for " in capsys.readouterr().out


def test_of_patches_in_one_file_that_is_said(tmp_path):
    patches = make_cells(30)
    assert measured_columns(patches) == ["background colour"]
    with pytest.raises(QualityError, match="The patches of drawn cells are not a file each"):
        batches_of(patches.table, "file size", patches)
