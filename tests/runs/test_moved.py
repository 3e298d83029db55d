"""A run on another computer finds all images from one answer, and asks nobody twice."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import imagecodecs
import numpy as np
import pytest

from napari_patchmap.cli import main
from napari_patchmap.errors import PatchError, RunError
from napari_patchmap.patches import open_patches
from napari_patchmap.patches.tile_config import TileConfig
from napari_patchmap.runs import Run, RunConfig, TrainConfig, reopen_patches
from napari_patchmap.runs.moved import meant_by, note_move
from napari_patchmap.training import fit
from tests.conftest import make_cells, run_of
from tests.patches.slides.drawn import tissue, write_pyramid

CONFIG = RunConfig(TrainConfig(method="pixels", device="cpu"))
COUNT = 24


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(imagecodecs.png_encode(image))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A home with images in folders by class, pairs of fields and masks, a stack, a slide."""
    home = tmp_path_factory.mktemp("made")
    cells = make_cells(COUNT).stack()
    base = fit(make_cells(COUNT), CONFIG)
    for i, cell in enumerate(cells):
        write(home / "old" / "exp" / "cells" / "ab"[i % 2] / f"{i:02d}.png", cell)
    np.savez(home / "old" / "exp" / "cells.npz", images=cells)
    rng = np.random.default_rng(3)
    for field in range(2):
        image = rng.integers(0, 255, (90, 120, 3), np.uint8)
        objects = np.zeros((90, 120), np.uint16)
        for k in range(COUNT // 2):
            y, x = 3 + 20 * (k // 6), 3 + 18 * (k % 6)
            objects[y : y + 10, x : x + 8 + k % 3] = 40 - k
        write(home / "old" / "exp" / "images" / f"field {field}.png", image)
        write(home / "old" / "exp" / "masks" / f"field {field}.png", objects)
    exp = home / "old" / "exp"
    write_pyramid(exp / "slides" / "s 0.tif", tissue(256, 320), levels=2)
    sets = {
        "folder": open_patches(exp / "cells"),
        "stack": open_patches(exp / "cells.npz"),
        "pairs": open_patches(exp / "images", objects=exp / "masks"),
        "slides": open_patches(exp / "slides", tiles=TileConfig(size=64, foreground="none")),
    }
    for name, patches in sets.items():
        run_of(base, patches).save(home / "runs" / name)
    return home


@pytest.fixture
def away(made, tmp_path):
    """The runs alone on another computer, and their images in another place there."""
    shutil.copytree(made / "runs", tmp_path / "runs")
    shutil.copytree(made / "old", tmp_path / "disk" / "new")
    hidden = made / "hidden"
    (made / "old").rename(hidden)
    yield tmp_path
    hidden.rename(made / "old")


def images_of(name, away, where=None):
    return reopen_patches(Run.load(away / "runs" / name), where=where)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("folder", "exp/cells"),
        ("folder", "exp"),
        ("folder", "."),
        ("folder", "exp/cells/a"),
        ("folder", "exp/cells/b/03.png"),
        ("stack", "exp/cells.npz"),
        ("stack", "exp"),
        ("pairs", "exp/images"),
        ("pairs", "exp"),
        ("pairs", "exp/images/field 1.png"),
        ("slides", "exp"),
        ("slides", "exp/slides/s 0.tif"),
    ],
)
def test_one_answer_finds_all_images_of_all_runs_that_moved_along(name, answer, away):
    with pytest.raises(PatchError):
        images_of(name, away)
    found = images_of(name, away, away / "disk" / "new" / answer)
    assert not len(found.missing)
    assert not len(images_of(name, away).missing)  # it is not asked for again
    for other in ("folder", "stack", "pairs", "slides"):
        assert not len(images_of(other, away).missing)


def test_a_place_that_is_not_there_is_refused_and_nothing_around_it_is_read(away, capsys):
    """Images beside it would be found by their content."""
    shutil.copytree(away / "disk" / "new" / "exp" / "cells", away / "img")
    gone, run = str(away / "nothing here"), str(away / "runs" / "folder")
    said = f"There is no file or folder {gone}; say where the images are now."
    with pytest.raises(RunError, match=re.escape(said)):
        images_of("folder", away, gone)
    for command in (
        ["open", run],
        ["export", run, "--out", str(away / "out")],
        ["evaluate", run, "--batch", "background colour"],
    ):
        assert main([*command, "--images", gone]) == 2
        assert capsys.readouterr().err.endswith(f"patchmap: {said}\n")


def test_a_folder_of_very_many_images_is_not_read_in_search_of_a_few(away):
    full = away / "disk" / "everything"
    full.mkdir()
    for i in range(10_001):
        (full / f"{i}.png").touch()
    for where in (away / "disk", full / "7.png"):
        with pytest.raises(RunError, match=r"more than 10,000 images.* 24 among"):
            images_of("folder", away, where)
    # One that is called as it was is found there all the same.
    (away / "disk" / "new" / "exp").rename(away / "disk" / "exp")
    assert not len(images_of("folder", away, away / "disk").missing)


def test_images_of_other_names_are_found_by_one_of_them(away):
    inside = away / "disk" / "new" / "exp" / "cells"
    flat = away / "flat"
    flat.mkdir()
    for at, path in enumerate(sorted(inside.rglob("*.png"))):
        path.rename(flat / f"picture {at}.png")
    found = images_of("folder", away, flat / "picture 4.png")
    assert not len(found.missing)
    assert not len(images_of("folder", away).missing)


def test_a_move_that_is_remembered_never_brings_others_images(away):
    run = Run.load(away / "runs" / "folder")
    other = away / "other" / "cells"
    for i in range(COUNT):
        write(other / "ab"[i % 2] / f"{i:02d}.png", make_cells(COUNT, seed=9).stack()[i])
    note_move(str(run.origin["path"]), str(other))
    # Names alone: the pixels are others, and that is said.
    found = reopen_patches(run)
    assert any("other pixels" in note for note in found.notes)


def test_paths_of_another_system_are_taken_apart(tmp_path):
    inside = tmp_path / "plates" / "cells"
    inside.mkdir(parents=True)
    found = meant_by(str(tmp_path), r"D:\data\plates\cells", ["1.png"])
    assert found[0] == str(inside)
