"""Images that were left out are listed beside the map."""

import dataclasses
import json

import imagecodecs
import numpy as np
import pandas as pd
import pytest

from napari_patchmap.cli import main
from napari_patchmap.errors import RunError
from napari_patchmap.patches import Skipped
from napari_patchmap.runs import Run, RunConfig, TrainConfig, save_skipped
from napari_patchmap.training import fit
from tests.conftest import make_cells

SKIPPED = [
    Skipped('a/1 "x", y.png', "is empty (0 bytes)"),
    Skipped("größe/\udce4.png", "is damaged, says the decoder"),
]


@pytest.fixture(scope="module")
def run() -> Run:
    cells = dataclasses.replace(make_cells(), skipped=SKIPPED)
    return fit(cells, RunConfig(TrainConfig(epochs=(1, 1, 1), batch_size=32, device="cpu")))


def listed(path):
    return pd.read_csv(path).to_numpy().tolist()


def test_a_run_lists_what_was_left_out_and_opens_again(run, tmp_path):
    folder = run.save(tmp_path / "run")
    assert listed(folder / "unreadable.csv") == [
        ['a/1 "x", y.png', "is empty (0 bytes)"],
        ["größe/\\udce4.png", "is damaged, says the decoder"],
    ]
    assert len(Run.load(folder)) == 60
    again = dataclasses.replace(run, skipped=()).save(tmp_path / "none")
    assert not (again / "unreadable.csv").exists()


def test_names_that_are_no_text_cost_nobody_the_map(run, tmp_path):
    table = run.table.assign(source="\udcff.png")
    odd = dataclasses.replace(run, table=table, origin={"path": "/data/\udcff"})
    folder = odd.save(tmp_path / "run")
    assert json.loads((folder / "config.json").read_text())["patches"]["origin"] == odd.origin
    assert Run.load(folder).origin == odd.origin
    assert set(Run.load(folder).table["source"]) == {"\\udcff.png"}


def test_a_list_that_cannot_be_written_is_one_sentence(tmp_path):
    with pytest.raises(RunError, match=r"list\.csv cannot be written .*choose another place"):
        save_skipped(tmp_path / "nowhere" / "list.csv", SKIPPED)


def test_placing_new_images_lists_what_was_left_out_beside_the_table(run, tmp_path, capsys):
    folder = tmp_path / "new"
    folder.mkdir()
    for i in range(3):
        pixels = np.full((16, 16, 3), 40 * i, np.uint8)
        (folder / f"{i}.png").write_bytes(imagecodecs.png_encode(pixels))
    (folder / "2.png").write_bytes(b"")
    saved = run.save(tmp_path / "run")
    out = tmp_path / "placed.csv"
    assert main(["transform", str(saved), str(folder), "--out", str(out)]) == 0
    beside = tmp_path / "placed.unreadable.csv"
    assert listed(beside) == [["2.png", "is empty (0 bytes)"]]
    assert f"1 image(s) that were skipped are listed in {beside}" in capsys.readouterr().err
